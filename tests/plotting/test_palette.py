import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from geolearn.plotting._palette import COLORS, MARKERS, MISSING, category_styles

# Linear-RGB matrices of full protanopia and deuteranopia: G. Machado, M. Oliveira,
# L. Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", 2009, doi:10.1109/TVCG.2009.113.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def cielab(color, vision):
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(VISIONS[vision] @ linear, 0.0, 1.0)
    xyz = [
        seen @ [0.4124564, 0.3575761, 0.1804375] / 0.95047,
        seen @ [0.2126729, 0.7151522, 0.0721750],
        seen @ [0.0193339, 0.1191920, 0.9503041] / 1.08883,
    ]
    f = [np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISIONS)
def test_colors_stay_apart(vision):
    # Matplotlib's own ten fall to 4.6 under deuteranopia.
    for one, other in itertools.combinations(COLORS, 2):
        gap = np.linalg.norm(cielab(one, vision) - cielab(other, vision))
        assert gap >= 17.0, (one, other)
    for color in COLORS:
        gap = np.linalg.norm(cielab(color, vision) - cielab(MISSING, vision))
        assert gap >= 15.0, color


def test_styles_repeat_colors_with_other_markers():
    categories = list(range(len(COLORS) * len(MARKERS)))
    styles = category_styles(categories)
    assert styles[:10] == [(color, "o") for color in COLORS]
    assert styles[10] == (COLORS[0], MARKERS[1])
    assert len(set(styles)) == len(categories)
    assert len(category_styles(list(range(500)))) == 500


def test_own_palettes():
    assert category_styles(["a", "b"], {"a": "red", "b": "k", "c": "w"}) == [
        ("red", "o"),
        ("k", "o"),
    ]
    assert category_styles([0, 1, 2], ["r", "g"]) == [
        ("r", "o"),
        ("g", "o"),
        ("r", "^"),
    ]
    with pytest.raises(ValueError, match=r"no colour for \['b'\]"):
        category_styles(["a", "b"], {"a": "red"})
    with pytest.raises(ValueError, match="empty"):
        category_styles(["a"], [])
