"""Charts of principal subbundles: all samples, landmarks, and new points."""

import logging

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from geolearn.decomposition import _subbundle_chart as chart_module
from geolearn.decomposition._subbundle_chart import chart, extend_chart
from geolearn.decomposition._subbundle_field import euclidean_field
from geolearn.decomposition._subbundle_log import log_map
from geolearn.utils._progress import Progress

SIGMA = 0.35


def _roll(n, noise, seed):
    """Return points of a half roll that is bent once, and flat coordinates."""
    rng = np.random.default_rng(seed)
    t, y = rng.uniform(-2.5, 2.5, n), rng.uniform(0.0, 1.5, n)
    X = np.column_stack([np.sin(t), y, np.sign(t) * (np.cos(t) - 1)])
    return X + noise * rng.normal(size=X.shape), np.column_stack([t, y])


@pytest.fixture(scope="module")
def surface():
    """Return a field, base and frame, samples, flat coordinates and the chart."""
    X, flat = _roll(220, 0.01, 0)
    field = euclidean_field(X, n_components=2, bandwidth=SIGMA)
    base = X[np.argmin(np.abs(flat - [0.0, 0.75]).sum(axis=1))]
    start = field, base, field.frame(base[None])[0]
    return start, X, flat, chart(*start, X)


def _error(v, flat):
    v, flat = v - v.mean(axis=0), flat - flat.mean(axis=0)
    turn, _ = orthogonal_procrustes(v, flat)
    return np.linalg.norm(v @ turn - flat, axis=1)


def test_chart_unrolls_the_surface(surface):
    """Every sample is found, also round the bend."""
    _, _, flat, found = surface
    np.testing.assert_array_equal(found.status, 0)
    error = _error(found.v, flat)
    assert np.median(error) < 0.1
    assert np.quantile(error, 0.9) < 0.25
    assert np.mean(found.n_iter) < 2.0


def test_points_are_where_the_coordinates_lead(surface):
    (field, base, frame), X, _, found = surface
    some = slice(0, 220, 20)
    ends = field.shoot(base, found.v[some] @ frame.T, step=0.1).points
    np.testing.assert_allclose(found.points[some], ends, atol=2e-5)
    gap = np.linalg.norm(ends - X[some], axis=1)
    np.testing.assert_allclose(found.residual[some], gap, atol=2e-5)


def test_chart_agrees_with_a_search_to_high_tolerance(surface):
    """What was carried from sample to sample leaves no trace."""
    start, X, _, found = surface
    some = slice(3, 220, 20)
    exact = log_map(*start, X[some], found.v[some] + 0.05, tol=1e-8)
    np.testing.assert_array_equal(exact.status, 0)
    np.testing.assert_allclose(found.v[some], exact.v, atol=1e-5 * SIGMA)


def test_fan_finds_the_same_logarithms(surface):
    start, X, _, found = surface
    near = np.linalg.norm(found.v, axis=1) < 1.5
    by_fan = chart(*start, X[near][::4], init="fan", n_directions=16, radius=2.0)
    ok = by_fan.status == 0
    assert ok.all()
    np.testing.assert_allclose(by_fan.v, found.v[near][::4], atol=2e-5)


def test_tangent_start_is_good_near_the_base(surface):
    start, X, _, found = surface
    near = np.linalg.norm(found.v, axis=1) < 0.8
    by_plane = chart(*start, X[near], init="tangent")
    np.testing.assert_allclose(by_plane.v, found.v[near], atol=2e-5)


def test_order_and_threads_do_not_matter(surface):
    start, X, _, found = surface
    near = np.flatnonzero(np.linalg.norm(found.v, axis=1) < 1.2)
    order = np.random.default_rng(1).permutation(near)
    here, there = chart(*start, X[near]), chart(*start, X[order])
    again = chart(*start, X[near], n_jobs=2)
    np.testing.assert_array_equal(again.v, here.v)
    at = np.searchsorted(near, order)
    np.testing.assert_allclose(there.v, here.v[at], atol=2e-5 * SIGMA)


def test_units_do_not_matter():
    X, _ = _roll(40, 0.0, 2)
    X[:, 0] *= 0.5
    found = []
    for unit in (1.0, 1e-15, 1e15):
        field = euclidean_field(unit * X, n_components=2, bandwidth=unit * 0.6)
        frame = field.frame(unit * X[:1])[0]
        found.append(chart(field, unit * X[0], frame, unit * X))
    for unit, other in zip((1e-15, 1e15), found[1:], strict=True):
        np.testing.assert_array_equal(other.status, found[0].status)
        np.testing.assert_allclose(other.v / unit, found[0].v, atol=1e-6)


def test_new_points_continue_from_samples(surface):
    start, X, _, found = surface
    new = np.concatenate([X[:6], X[10:16] + 0.02, [[9.0, 9.0, 9.0]]])
    result = extend_chart(*start, found, X, new)
    np.testing.assert_allclose(result.v[:6], found.v[:6], atol=2e-5 * SIGMA)
    np.testing.assert_array_equal(result.status, [0] * 12 + [1])
    assert np.isnan(result.v[12]).all()
    # The derivatives of a neighbour are never taken for those of a point.
    assert result.n_iter[:12].min() >= 1
    direct = log_map(*start, new[6:12], result.v[6:12] - 0.1, tol=1e-8)
    np.testing.assert_allclose(result.v[6:12], direct.v, atol=2e-5 * SIGMA)
    alone = extend_chart(*start, found, X, new[8:9])
    np.testing.assert_allclose(alone.v, result.v[8:9], atol=1e-13)


def test_landmarks_place_the_others(surface, monkeypatch):
    start, X, _, found = surface
    monkeypatch.setattr(chart_module, "MAX_LANDMARKS", 110)
    few = chart(*start, X)
    assert len(few.landmarks) == 110
    assert few.jacobian.shape == (110, 3, 2)
    np.testing.assert_array_equal(few.status, 0)
    others = np.setdiff1d(np.arange(220), few.landmarks)
    # No geodesic is followed for those near a landmark.
    assert np.mean(few.n_iter[others] == 0) > 0.7
    error = np.linalg.norm(few.v - found.v, axis=1)
    assert error[few.landmarks].max() < 4e-5 * SIGMA
    assert np.quantile(error[others], 0.9) < 2e-3
    assert error[others].max() < 0.03
    new = extend_chart(*start, few, X, X[others[:5]])
    np.testing.assert_allclose(new.v, found.v[others[:5]], atol=2e-5 * SIGMA)


def test_parts_without_connection_are_told():
    X, _ = _roll(60, 0.0, 3)
    X[:, 0] *= 0.3
    both = np.concatenate([X, X + np.array([0.0, 40.0, 0.0])])
    field = euclidean_field(both, n_components=2, bandwidth=0.5)
    base = both[0]
    with pytest.warns(UserWarning, match="60 of 120 samples are not connected"):
        found = chart(field, base, field.frame(base[None])[0], both)
    np.testing.assert_array_equal(found.status[60:], 1)
    assert np.isnan(found.v[60:]).all()
    assert np.mean(found.status[:60] == 0) > 0.9


def test_duplicates_and_few_samples():
    X, _ = _roll(12, 0.0, 4)
    X[:, 0] *= 0.3
    X = np.concatenate([X, X[:3]])
    field = euclidean_field(X, n_components=2, bandwidth=1.0)
    found = chart(field, X[1], field.frame(X[1:2])[0], X)
    np.testing.assert_allclose(found.v[12:], found.v[:3], atol=1e-9)
    np.testing.assert_allclose(found.v[1], 0.0, atol=1e-9)


def test_one_target(surface):
    start, _, _, _ = surface
    one = chart(*start, start[1][None])
    np.testing.assert_allclose(one.v, 0.0, atol=1e-9)


def test_progress_is_told(surface, caplog):
    start, X, _, found = surface
    near = np.linalg.norm(found.v, axis=1) < 0.6
    with caplog.at_level(logging.INFO, logger="geolearn"):
        chart(*start, X[near], progress=Progress(2, "geolearn.decomposition"))
    text = caplog.text
    assert f"{near.sum()} of {near.sum()} samples" in text
    assert f"chart: {near.sum()} of {near.sum()} converged" in text


def test_unknown_start_is_refused(surface):
    start, X, _, _ = surface
    with pytest.raises(ValueError, match="init must be one of"):
        chart(*start, X, init="random")
