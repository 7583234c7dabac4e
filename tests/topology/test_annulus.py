"""Uniform points of annuli: their law, their streams, and their diagrams."""

import numpy as np
import pytest
from scipy import stats

from geolearn.topology import bottleneck_distance, sample_annulus
from geolearn.topology._annulus import annulus_points, stream_key
from geolearn.topology._persistence_kernels import rips_diagrams
from tests.reference.persistence import distances

GOLDEN_KEY = 17356646368616327048
GOLDEN_POINTS = [
    [0.4603443377143964, 0.7161587747322112],
    [0.5784728065118442, -0.592900368053612],
]


def draw(key, n, dim, inner=0.5, outer=1.0):
    X = np.empty((n, dim))
    annulus_points(np.uint64(key), inner, outer, X)
    return X


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.999])
def test_uniform(dim, ratio):
    n = 4000
    X = sample_annulus(n, 3 * ratio, 3.0, dim, random_state=dim)
    radius = np.linalg.norm(X, axis=1)
    assert radius.min() >= 3 * ratio * (1 - 1e-15)
    assert radius.max() <= 3 * (1 + 1e-15)
    share = ((radius / 3) ** dim - ratio**dim) / (1 - ratio**dim)
    assert stats.kstest(share, "uniform").pvalue > 1e-3
    # The square of a coordinate of a uniform direction is a beta variable.
    directions = X / radius[:, None]
    for j in range(dim):
        assert abs(np.sign(X[:, j]).mean()) < 4 / np.sqrt(n)
        if dim > 1:
            law = stats.beta(0.5, (dim - 1) / 2)
            assert stats.kstest(directions[:, j] ** 2, law.cdf).pvalue > 1e-3
    moments = X.T @ X / n
    spread = 4 * 9 / np.sqrt(n)
    off = moments - np.diag(np.diag(moments))
    assert np.abs(off).max() < spread


@pytest.mark.parametrize(("dim", "expected"), [(2, 0.625), (3, 0.664286)])
def test_mean_square_norm(dim, expected):
    X = sample_annulus(40_000, 0.5, 1.0, dim, random_state=0)
    square = (X**2).sum(axis=1)
    error = 4 * square.std() / 200
    np.testing.assert_allclose(square.mean(), expected, atol=error + 1e-6)


def test_streams():
    key = stream_key(1, 2, 30, 16, 0)
    X = draw(key, 30, 2)
    np.testing.assert_array_equal(X, draw(key, 30, 2))
    np.testing.assert_array_equal(X[:7], draw(key, 7, 2))
    np.testing.assert_allclose(2 * X, draw(key, 30, 2, 1.0, 2.0), rtol=1e-14)
    names = [(1, 2, 30, 16, 1), (1, 2, 30, 17, 0), (1, 2, 31, 16, 0)]
    names += [(1, 3, 30, 16, 0), (2, 2, 30, 16, 0), (2, 1, 30, 16, 0)]
    others = [draw(stream_key(*name), 30, 2) for name in names]
    for k, Y in enumerate(others):
        assert not np.isin(Y, X).any()
        for Z in others[:k]:
            assert not np.isin(Y, Z).any()


def test_streams_do_not_change():
    # Golden values of the first version: stored results depend on them.
    assert int(stream_key(1, 2, 30, 16, 0)) == GOLDEN_KEY
    np.testing.assert_allclose(
        draw(stream_key(1, 2, 30, 16, 0), 2, 2), GOLDEN_POINTS, rtol=1e-12
    )


def test_draws_are_uncorrelated():
    X = np.stack([draw(stream_key(0, 2, 50, 8, m), 50, 2) for m in range(400)])
    flat = X.reshape(400, -1)
    C = np.corrcoef(flat.T) - np.eye(100)
    assert np.abs(C).max() < 5 / np.sqrt(400)


# Two independent annuli of outer radius 1 (8000 pairs, standard error at most
# 0.0018): mean distances of degrees 0 and 1, of the larger of both, and the mean
# total persistence in degree 0 (standard error 0.009).
@pytest.mark.parametrize(
    ("dim", "ratio", "n", "expected"),
    [
        (1, 0.5, 20, (0.0861, 0.0, 0.0861, 1.905)),
        (2, 0.5, 30, (0.1117, 0.1492, 0.1668, 6.211)),
        (3, 0.5, 30, (0.1127, 0.1227, 0.1388, 10.837)),
    ],
)
def test_distances_of_annuli(dim, ratio, n, expected):
    values = []
    for m in range(300):
        found = []
        for side in (0, 1):
            D = distances(draw(stream_key(side, dim, n, 0, m), n, dim, ratio))
            merges, loops, _ = rips_diagrams(D, 1)
            found.append((np.stack([0 * merges, merges], axis=1), loops))
        by_degree = [bottleneck_distance(*pair) for pair in zip(*found, strict=True)]
        values.append([*by_degree, max(by_degree), found[0][0].sum()])
    mean = np.mean(values, axis=0)
    error = np.std(values, axis=0) / np.sqrt(300) + [0.0018, 0.0018, 0.0018, 0.009]
    assert (np.abs(mean - expected) < 4 * error).all()


def test_random_state():
    X = sample_annulus(5, 0.5, 1.0, 2, random_state=3)
    np.testing.assert_array_equal(X, sample_annulus(5, 0.5, 1.0, 2, random_state=3))
    assert (sample_annulus(5, 0.5, 1.0, 2, random_state=4) != X).all()
    rng = np.random.RandomState(3)
    first = sample_annulus(5, 0.5, 1.0, 2, random_state=rng)
    assert (first != sample_annulus(5, 0.5, 1.0, 2, random_state=rng)).all()
    assert sample_annulus(0, 0.5, 1.0, 2).shape == (0, 2)
    circle = sample_annulus(5, 2.0, 2.0, 2, random_state=0)
    np.testing.assert_allclose(np.linalg.norm(circle, axis=1), 2.0, rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 0.5, 1.0, 2), "n_samples"),
        ((5, 0.5, 1.0, 0), "dim"),
        ((5, -0.5, 1.0, 2), "inner_radius=-0.5"),
        ((5, 1.5, 1.0, 2), "inner_radius=1.5 and outer_radius=1.0"),
        ((5, 0.0, 0.0, 2), "outer_radius=0.0"),
        ((5, 0.0, np.inf, 2), "outer_radius=inf"),
        ((5, np.nan, 1.0, 2), "inner_radius=nan"),
    ],
)
def test_bad_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        sample_annulus(*arguments)


def test_bad_types():
    with pytest.raises(TypeError, match="inner_radius"):
        sample_annulus(5, "0", 1.0, 2)
    with pytest.raises(TypeError, match="dim"):
        sample_annulus(5, 0.0, 1.0, 2.0)
