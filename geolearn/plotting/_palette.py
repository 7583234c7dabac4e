"""Colours and markers that stay distinct for colour-blind readers."""

from collections.abc import Mapping
from itertools import cycle, islice

# Six hues of M. Okabe and K. Ito, "Color Universal Design", 2008, without its
# yellow (too pale on white), and four chosen to be as far from these and from
# each other. Under normal vision, protanopia and deuteranopia (model of
# Machado, Oliveira and Fernandes 2009) any two are 17 or more apart in CIELAB.
COLORS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#332288",
    "#B2DF8A",
    "#8C2D04",
    "#000000",
)
MISSING = "#C8C8C8"
_CONTINUOUS_MAP = 256  # colours listed by matplotlib's continuous maps
# From the eleventh category on the colours repeat with another marker.
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", "*", ">")


def category_styles(categories, palette=None):
    """Return the colour and the marker of each category.

    Parameters
    ----------
    categories : list
        Categories in the order of the legend.
    palette : str, mapping, sequence of colours or None, default=None
        A string names a matplotlib colormap; a mapping gives the colour of each
        category; a sequence is taken in turn; None takes the built-in colours.

    Returns
    -------
    list of (colour, marker)
        Styles; two categories may share the colour, but not both.

    Raises
    ------
    ValueError
        If a mapping lacks a category or a sequence is empty.
    """
    if isinstance(palette, Mapping):
        lacking = [c for c in categories if c not in palette]
        if lacking:
            raise ValueError(
                f"palette has no colour for {lacking}; add them or pass a list."
            )
        return [(palette[c], MARKERS[0]) for c in categories]
    if isinstance(palette, str):
        palette = _from_colormap(palette, len(categories))
    colors = list(COLORS if palette is None else palette)
    if not colors:
        raise ValueError("palette is empty; pass at least one colour or None.")
    turns = [marker for marker in MARKERS for _ in colors]
    pairs = zip(cycle(colors), cycle(turns), strict=False)
    return list(islice(pairs, len(categories)))


def _from_colormap(name, n_categories):
    """Take the colours of a qualitative map, or even steps of a continuous one."""
    import matplotlib

    colormap = matplotlib.colormaps.get_cmap(name)
    listed = getattr(colormap, "colors", ())
    if 0 < len(listed) < _CONTINUOUS_MAP:
        return listed
    last = max(n_categories - 1, 1)
    return [colormap(k / last) for k in range(max(n_categories, 1))]
