"""The choice of bandwidth, rank and base point of principal subbundles."""

import numpy as np
import pytest

from geolearn.decomposition import bandwidth_score
from geolearn.decomposition._subbundle_bandwidth import select_bandwidth
from geolearn.decomposition._subbundle_base import (
    central_index,
    choose_base,
    project_to_ridge,
)
from geolearn.decomposition._subbundle_curved import curved_field
from geolearn.decomposition._subbundle_field import euclidean_field
from geolearn.manifolds import Euclidean, Hyperboloid, Sphere


def sphere(n, noise, seed=0):
    """Return noisy points, true points and their normals."""
    rng = np.random.default_rng(seed)
    T = rng.standard_normal((n, 3))
    T /= np.linalg.norm(T, axis=1)[:, None]
    return T + noise * rng.standard_normal((n, 3)), T, T


def s_surface(n, noise, seed=0):
    rng = np.random.default_rng(seed)
    t, y = rng.uniform(-1.5 * np.pi, 1.5 * np.pi, n), rng.uniform(0.0, 2.0, n)
    side = np.sign(t)
    T = np.column_stack([np.sin(t), y, side * (np.cos(t) - 1.0)])
    normal = np.column_stack([side * np.sin(t), 0.0 * t, np.cos(t)])
    return T + noise * rng.standard_normal((n, 3)), T, normal


def slow_score(X, sigma, k, taper=None, weight=None):
    """Return the score with all samples as queries, from its definition."""
    weight = np.ones(len(X)) if weight is None else weight
    errors = []
    for x in X[weight > 0.0]:
        r2 = np.sum((X - x) ** 2, axis=1) / sigma**2
        w = weight * np.exp(-0.5 * r2) * (r2 < (36.0 if taper is None else taper**2))
        if taper is not None:
            w *= np.maximum(1.0 - r2 / taper**2, 0.0) ** 3
        w /= w.sum()
        Z = X - w @ X
        lam = np.linalg.eigvalsh(Z.T @ (w[:, None] * Z))[::-1]
        n_eff = 1.0 / np.sum(w**2)
        errors.append(np.sqrt(lam[k - 1] * lam[k] / n_eff) / (lam[k - 1] - lam[k]))
    return np.median(errors)


def test_the_score_is_its_definition():
    X, _, _ = sphere(120, 0.05)
    expected = slow_score(X, 0.4, 2)
    assert isinstance(bandwidth_score(X, 0.4), float)
    np.testing.assert_allclose(bandwidth_score(X, 0.4), expected, rtol=1e-10)
    both = bandwidth_score(X, [0.5, 0.4], 1, kernel="tapered", support=3.0)
    expected = [slow_score(X, s, 1, 3.0) for s in (0.5, 0.4)]
    np.testing.assert_allclose(both, expected, rtol=1e-9)
    weight = np.arange(120) % 3.0
    np.testing.assert_allclose(
        bandwidth_score(X, 0.4, sample_weight=weight),
        slow_score(X, 0.4, 2, weight=weight),
        rtol=1e-10,
    )
    np.testing.assert_allclose(  # in other units
        bandwidth_score(1e-9 * X, 0.4e-9), bandwidth_score(X, 0.4), rtol=1e-9
    )


def test_one_bandwidth_has_one_score():
    X = sphere(50, 0.0)[0]
    scores = bandwidth_score(X, [0.5, 0.6])
    for one in (0.5, np.float32(0.5), np.array(0.5)):
        score = bandwidth_score(X, one)
        assert isinstance(score, float)
        assert score == scores[0]


def test_scores_without_meaning_are_infinite():
    X, _, _ = sphere(50, 0.05)
    assert bandwidth_score(X, 1e-3) == np.inf  # one sample in each neighbourhood
    assert bandwidth_score(X, 0.3, 3) == 0.0  # all directions: no error
    line = np.outer(np.linspace(0.0, 1.0, 50), np.ones(3))
    assert bandwidth_score(line, 0.2, 2) == np.inf  # no second direction
    assert bandwidth_score(line, 0.2, 1) < 1e-7


@pytest.mark.parametrize(
    ("make", "n", "noise"),
    [
        (sphere, 500, 0.0),
        (sphere, 500, 0.1),
        (sphere, 2000, 0.05),
        (s_surface, 500, 0.1),
        (s_surface, 2000, 0.05),
    ],
)
def test_the_choice_is_close_to_the_best_of_the_grid(make, n, noise):
    X, T, normal = make(n, noise)
    choice = select_bandwidth(X, "auto", random_state=0)
    assert choice.n_components == 2
    rows = np.random.default_rng(1).choice(n, 150, replace=False)
    errors = []
    for sigma in choice.candidates:
        field = euclidean_field(X, n_components=2, bandwidth=sigma)
        e = field.local_pca(T[rows]).vectors[:, :, 2]
        cosine = np.abs(np.sum(e * normal[rows], axis=1))
        errors.append(np.median(np.arccos(np.minimum(cosine, 1.0))))
    chosen = errors[int(np.argmin(np.abs(choice.candidates - choice.bandwidth)))]
    assert chosen < 1.27 * min(errors)
    assert 0.8 < choice.scores.min() / chosen < 2.2
    assert choice.spectrum[1] > 0.5 > choice.spectrum[2]
    again = select_bandwidth(X, 2, random_state=0)
    assert again.bandwidth == choice.bandwidth


def test_the_grid():
    X, _, _ = sphere(150, 0.0)
    choice = select_bandwidth(X, 2)
    distances = np.sort(Euclidean(3).dist(X[:, None], X[None]), axis=1)
    assert len(choice.candidates) == 12
    np.testing.assert_allclose(choice.candidates[0], np.median(distances[:, 5]))
    radius = np.sqrt(np.mean(np.sum((X - X.mean(axis=0)) ** 2, axis=1)))
    np.testing.assert_allclose(choice.candidates[-1], 0.5 * radius)
    np.testing.assert_allclose(np.diff(np.log(choice.candidates), 2), 0.0, atol=1e-12)
    scores = bandwidth_score(X, choice.candidates, 2)
    np.testing.assert_allclose(choice.scores, scores)
    assert choice.bandwidth == choice.candidates[np.argmin(scores)]


def test_special_data():
    flat = np.zeros((100, 4))
    flat[:, :2] = np.random.default_rng(0).uniform(size=(100, 2))
    choice = select_bandwidth(flat, "auto")
    assert choice.n_components == 2
    assert choice.bandwidth == choice.candidates[-1]  # all are exact
    copies = np.repeat(np.random.default_rng(0).standard_normal((12, 2)), 20, axis=0)
    assert np.isfinite(select_bandwidth(copies, 1).bandwidth)
    wide = np.random.default_rng(0).standard_normal((20, 50))
    assert select_bandwidth(wide, 1).spectrum.shape == (10,)
    with pytest.raises(ValueError, match="distinct samples"):
        select_bandwidth(np.ones((5, 2)), 1)


def test_large_data_are_thinned_out(monkeypatch):
    X, _, _ = sphere(2000, 0.05)
    whole = bandwidth_score(X, [0.3, 0.5], random_state=0)
    name = "geolearn.decomposition._subbundle_bandwidth._MAX_SAMPLES"
    monkeypatch.setattr(name, 1000)
    part = bandwidth_score(X, [0.3, 0.5], random_state=0)
    np.testing.assert_allclose(part, whole, rtol=0.15)
    assert (part != whole).all()


@pytest.mark.parametrize("manifold", [Sphere(2, 2.0), Hyperboloid(2, -0.25)], ids=str)
def test_the_scores_of_curved_data(manifold):
    """A curve; on a huge sphere the score is that of flat coordinates."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-1.0, 1.0, 150)
    v = np.column_stack([t, 0.3 * t**2 + 0.05 * rng.standard_normal(150)])
    X = manifold.exp(manifold.origin, manifold.vector_to_tangent(manifold.origin, v))
    choice = select_bandwidth(X, "auto", manifold=manifold)
    assert choice.n_components == 1
    curved_field(X, manifold, n_components=1, bandwidth=choice.bandwidth)
    assert choice.spectrum.shape == (2,)
    huge = Sphere(2, 1e5)
    Y = huge.exp(huge.origin, huge.vector_to_tangent(huge.origin, v))
    np.testing.assert_allclose(
        bandwidth_score(Y, 0.3, 1, manifold=huge), bandwidth_score(v, 0.3, 1), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bandwidth": 0.0}, "bandwidth must be positive"),
        ({"bandwidth": [0.1, np.inf]}, "bandwidth must be positive"),
        ({"bandwidth": []}, r"bandwidth=\[\] must be a number or a list"),
        ({"bandwidth": [[0.1, 0.2]]}, "must be a number or a list"),
        ({"bandwidth": True}, "bandwidth=True must be a number"),
        ({"bandwidth": "wide"}, "bandwidth='wide' must be a number"),
        ({"n_components": 4}, "at most 3"),
        ({"kernel": "box"}, "kernel must be"),
        ({"support": -1.0}, "support must be positive"),
        ({"sample_weight": -np.ones(20)}, "non-negative"),
        ({"X": np.full((20, 3), np.nan)}, "NaN"),
    ],
)
def test_wrong_arguments(change, message):
    given = {"X": sphere(20, 0.0)[0], "bandwidth": 0.3, "n_components": 2} | change
    with pytest.raises(ValueError, match=message):
        bandwidth_score(given.pop("X"), given.pop("bandwidth"), **given)


class TestBase:
    """Base points and the ridge."""

    def test_the_central_sample_is_the_middle_of_a_spiral(self):
        t = np.linspace(0.0, 4.0 * np.pi, 201)
        X = np.column_stack([(1.0 + t) * np.cos(t), (1.0 + t) * np.sin(t)])
        length = np.concatenate(
            [[0.0], np.cumsum(np.linalg.norm(np.diff(X, axis=0), axis=1))]
        )
        found = central_index(X, Euclidean(2))
        means = np.abs(length[:, None] - length).mean(axis=1)
        assert abs(found - int(np.argmin(means))) <= 2
        order = np.random.default_rng(0).permutation(201)
        assert order[central_index(X[order], Euclidean(2))] == found

    def test_the_largest_piece_holds_the_central_sample(self):
        rng = np.random.default_rng(0)
        X = np.concatenate([rng.standard_normal((15, 2)), rng.standard_normal((40, 2))])
        X[:15] += 100.0
        assert central_index(X, Euclidean(2)) >= 15
        assert central_index(X[:1], Euclidean(2)) == 0

    def test_many_samples_are_drawn_from(self, monkeypatch):
        name = "geolearn.decomposition._subbundle_base._MAX_SAMPLES"
        monkeypatch.setattr(name, 100)
        X = np.linspace(0.0, 1.0, 400)[:, None] * np.ones(2)
        assert 120 < central_index(X, Euclidean(2), 0) < 280

    def test_given_points(self):
        X, _, _ = sphere(300, 0.1)
        field = euclidean_field(X, n_components=2, bandwidth=0.35)
        base, frame = choose_base(field, X, -1, False, None, 0)
        np.testing.assert_array_equal(base, X[-1])
        np.testing.assert_allclose(frame.T @ frame, np.eye(2), atol=1e-12)
        assert (np.take_along_axis(frame, np.abs(frame).argmax(0)[None], 0) > 0).all()
        base, _ = choose_base(field, X, [1.0, 0.0, 0.1], False, None, 0)
        np.testing.assert_array_equal(base, [1.0, 0.0, 0.1])
        mean, _ = choose_base(field, X, 3, True, None, 0)
        np.testing.assert_allclose(mean, field.local_pca(X[3:4]).mean[0])
        narrow, _ = choose_base(field, X, 3, "mean", 0.25, 0)
        expected = field.with_bandwidth(0.25).local_pca(X[3:4]).mean[0]
        np.testing.assert_allclose(narrow, expected)
        central, _ = choose_base(field, X, "central", "ridge", None, 0)
        assert np.linalg.norm(central) > 0.7

    @pytest.mark.parametrize(
        ("base", "message"),
        [(20, "index"), ([1.0, 2.0], "shape"), ([np.nan, 0.0, 0.0], "NaN")],
    )
    def test_wrong_points(self, base, message):
        X, _, _ = sphere(20, 0.0)
        field = euclidean_field(X, n_components=2, bandwidth=0.5)
        with pytest.raises(ValueError, match=message):
            choose_base(field, X, base, False, None, 0)

    @pytest.mark.parametrize("curved", [False, True])
    def test_the_ridge_is_fixed_and_removes_noise(self, curved):
        if curved:  # a noisy latitude circle
            manifold, k = Sphere(2), 1
            rng = np.random.default_rng(0)
            t = np.linspace(0.0, 2.0 * np.pi, 300, endpoint=False)
            v = np.column_stack([np.cos(t), np.sin(t)]) * (
                0.8 + 0.05 * rng.standard_normal(300)[:, None]
            )
            tangent = manifold.vector_to_tangent(manifold.origin, v)
            X = manifold.exp(manifold.origin, tangent)
            field = curved_field(X, manifold, n_components=k, bandwidth=0.2)
        else:
            X, k = sphere(1000, 0.1)[0], 2
            manifold = Euclidean(3)
            field = euclidean_field(X, n_components=k, bandwidth=0.35)
        points, status = project_to_ridge(field, X[:40])
        assert (status == 0).all()
        np.testing.assert_array_less(
            manifold.norm(points, self.normal(field, points)), 1e-6
        )
        size = (lambda p: np.arccos(p[:, 0])) if curved else np.linalg.norm
        radii = size(points) if curved else np.linalg.norm(points, axis=1)
        before = size(X[:40]) if curved else np.linalg.norm(X[:40], axis=1)
        assert np.std(radii) < 0.4 * np.std(before)
        assert np.mean(radii) < np.mean(before)  # towards the centre of curvature
        lost, status = project_to_ridge(field, np.full((1, 3), np.nan))
        assert np.isnan(lost).all()
        assert status[0] == 1

    @staticmethod
    def normal(field, points):
        """Return what leads to the local mean across the tangent spaces."""
        spectra, M = field.local_pca(points), field.manifold
        step = M.log(points, spectra.mean)
        for a in range(field.rank):
            e = spectra.vectors[:, :, a]
            step = step - M.inner(points, e, step)[:, None] * e
        return step
