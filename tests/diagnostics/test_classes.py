"""Diagnostics of labelled representations."""

import numpy as np
import pandas as pd
import pytest

from geolearn.diagnostics import (
    centroid_nuclear_norm,
    manifold_capacity,
    neural_collapse,
)
from tests.reference import diagnostics as reference

FUNCTIONS = (neural_collapse, centroid_nuclear_norm, manifold_capacity)


@pytest.fixture(scope="module")
def labelled():
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=120)
    return rng.normal(size=(4, 6))[y] * 2.0 + rng.normal(size=(120, 6)), y


def test_a_simplex_has_collapsed():
    simplex = np.eye(5) - 0.2
    y = np.repeat(list("abcde"), 3)
    collapse = neural_collapse(np.repeat(7.0 + simplex, 3, axis=0), y)
    np.testing.assert_allclose(collapse, 0.0, atol=1e-14)


def test_the_parts_of_collapse_follow_their_formulas(labelled):
    Z, y = labelled
    means = np.array([Z[y == c].mean(axis=0) for c in range(4)])
    means -= means.mean(axis=0)
    norms = np.linalg.norm(means, axis=1)
    cosines = [
        means[a] @ means[b] / norms[a] / norms[b] for a in range(4) for b in range(a)
    ]
    found = neural_collapse(Z, y)
    assert found.within_class == pytest.approx(
        reference.within_over_between(Z, y), rel=1e-9
    )
    assert found.unequal_norms == pytest.approx(norms.std() / norms.mean())
    assert found.unequal_angles == pytest.approx(
        np.mean(np.abs(np.add(cosines, 1 / 3)))
    )


def test_within_class_scatter_of_known_size():
    # Two classes at +-1 on a line with within-variance 1/4: Sigma_B = 1, NC1 = 1/8.
    Z = np.array([[0.5], [1.5], [-0.5], [-1.5]])
    assert neural_collapse(Z, [0, 0, 1, 1]).within_class == pytest.approx(1 / 8)


def test_nuclear_norm_of_orthogonal_tight_classes_is_largest(labelled):
    tight = np.repeat(np.diag([1.0, 5.0, 0.2, 3.0]), 4, axis=0)
    y = np.repeat(np.arange(4), 4)
    assert centroid_nuclear_norm(tight, y) == pytest.approx(4.0)
    assert centroid_nuclear_norm(tight, y, normalize=True) == pytest.approx(1.0)
    Z, y = labelled
    unit = Z / np.linalg.norm(Z, axis=1)[:, None]
    centroids = np.array([unit[y == c].mean(axis=0) for c in range(4)])
    expected = np.linalg.norm(centroids, "nuc")
    assert centroid_nuclear_norm(Z, y) == pytest.approx(expected)
    assert centroid_nuclear_norm(Z, y, normalize=True) == pytest.approx(expected / 4)


def test_points_have_the_capacity_of_cover():
    result = manifold_capacity(np.repeat(np.eye(4), 2, axis=0), np.repeat(range(4), 2))
    assert result.capacity == pytest.approx(2.0, rel=1e-14)
    np.testing.assert_array_equal(result.radii, 0.0)


def test_capacity_of_round_clouds_follows_the_integral():
    # Vertices of a cube in 3 of 5 features: radius r sqrt(3), dimension 3.
    cube = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3), axis=-1).reshape(-1, 3)
    cloud = np.hstack([cube, np.zeros((8, 2))])
    centres = 2.0 * np.eye(5)[3:]
    sizes = (0.3, 1.1)
    Z = np.vstack([c + s * cloud for c, s in zip(centres, sizes, strict=True)])
    result = manifold_capacity(Z, np.repeat([0, 1], 8), centered=False)
    radii = np.sqrt(3.0) * np.array(sizes) / 2.0
    np.testing.assert_allclose(result.radii, radii, rtol=1e-12)
    np.testing.assert_allclose(result.dimensions, 3.0, rtol=1e-12)
    expected = [reference.capacity(r * np.sqrt(3.0 / (1.0 + r * r))) for r in radii]
    np.testing.assert_allclose(result.capacities, expected, rtol=1e-8)
    assert result.capacity == pytest.approx(2.0 / np.sum(1.0 / np.array(expected)))
    # Measured from their mean, the centres are sqrt(2) instead of 2 away.
    around = manifold_capacity(Z, np.repeat([0, 1], 8))
    np.testing.assert_allclose(around.radii, np.sqrt(2.0) * radii, rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-160, 1e160])
def test_units_order_and_names_of_classes_do_not_matter(labelled, unit):
    Z, y = labelled
    order = np.random.default_rng(1).permutation(len(y))
    names = np.array(["d", "b", "a", "c"])[y]
    there = unit * Z[order], names[order]
    np.testing.assert_allclose(
        neural_collapse(*there), neural_collapse(Z, y), rtol=1e-9
    )
    nuclear = centroid_nuclear_norm(Z, y)
    assert centroid_nuclear_norm(*there) == pytest.approx(nuclear, rel=1e-9)
    capacity = manifold_capacity(Z, y).capacity
    assert manifold_capacity(*there).capacity == pytest.approx(capacity, rel=1e-9)


def test_single_rows_have_no_spread(labelled):
    Z, y = labelled
    more, labels = np.vstack([Z, 9.0 + Z[:1]]), np.append(y, 7)
    with pytest.warns(UserWarning, match="1 of 5 classes have one row"):
        result = manifold_capacity(more, labels)
    assert np.isnan(result.capacities).tolist() == [False] * 4 + [True]
    assert np.isfinite(result.capacity)
    with pytest.raises(ValueError, match="Every class has one row"):
        manifold_capacity(np.eye(3), [0, 1, 2])


def test_bad_input_is_named(labelled):
    Z, y = labelled
    names = y.astype(str).astype(object)
    for function in FUNCTIONS:
        with pytest.raises(ValueError, match="y has 1 class"):
            function(Z, np.zeros(len(y)))
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            function(Z, y[1:])
        with pytest.raises(ValueError, match="continuous"):
            function(Z, y + 0.5)
        for missing in (None, np.nan, pd.NA):
            with pytest.raises(ValueError, match=r"y\[3\]=.* is no class .* drop such"):
                function(Z, pd.Series(np.where(np.arange(y.size) == 3, missing, names)))
        with pytest.raises(ValueError, match="mixes strings and other labels"):
            function(Z, pd.Series(["a", *y[1:]]))
    line = np.array([[-1.0], [0.0], [1.0]])
    with pytest.raises(ValueError, match=r"The mean of class 1 is the centre"):
        neural_collapse(line, [0, 1, 2])
    with pytest.raises(ValueError, match="The centre of class 'b' lies at the point"):
        manifold_capacity(np.repeat(line, 2, axis=0), list("aabbcc"))
    with pytest.raises(ValueError, match="centered must be True or False, got 'no'"):
        manifold_capacity(Z, y, centered="no")
    with pytest.raises(ValueError, match="normalize must be True or False, got 'no'"):
        centroid_nuclear_norm(Z, y, normalize="no")
    with pytest.raises(ValueError, match="Row 1 of Z is zero"):
        centroid_nuclear_norm(line, [0, 1, 1])
