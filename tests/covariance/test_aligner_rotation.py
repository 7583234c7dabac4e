"""Rotations between the axes of domains."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from geolearn.covariance import SPDAligner
from geolearn.covariance._rotation import align_frames
from geolearn.manifolds import SPD
from tests.covariance.test_aligner import EXACT, make_sessions

pytestmark = pytest.mark.filterwarnings("ignore:The Fréchet mean:UserWarning")


def symmetric(n_matrices, n, seed=0):
    S = np.random.default_rng(seed).normal(size=(n_matrices, n, n))
    return S + np.swapaxes(S, 1, 2)


def objective(S, T, U):
    return sum(np.linalg.norm(U @ A @ U.T - B) ** 2 for A, B in zip(S, T, strict=True))


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(2, 7), st.integers(0, 100))
def test_a_planted_rotation_is_found(n_matrices, n, seed):
    S = symmetric(n_matrices, n, seed)
    U = ortho_group.rvs(n, random_state=seed)
    T = U @ S @ U.T
    V = align_frames(S, T)
    np.testing.assert_allclose(V @ V.T, np.eye(n), rtol=0, atol=1e-13)
    assert objective(S, T, V) < 1e-12 * np.sum(S**2)
    if n_matrices > 1:  # otherwise the signs of eigenvectors are open
        np.testing.assert_allclose(V, np.sign(np.sum(U * V)) * U, rtol=0, atol=1e-6)


def test_one_pair_is_closed():
    """The minimum is the distance of the sorted eigenvalues."""
    S, T = symmetric(1, 5, 0), symmetric(1, 5, 1)
    gap = np.linalg.eigvalsh(S[0]) - np.linalg.eigvalsh(T[0])
    np.testing.assert_allclose(
        objective(S, T, align_frames(S, T)), np.sum(gap**2), rtol=1e-9
    )


def test_noisy_pairs_rest_at_a_minimum_no_worse_than_the_truth():
    S = symmetric(4, 6)
    U = ortho_group.rvs(6, random_state=0)
    T = U @ S @ U.T + 0.3 * symmetric(4, 6, 1)
    V = align_frames(S, T)
    assert objective(S, T, V) <= objective(S, T, U)
    gradient = sum(B @ V @ A @ V.T for A, B in zip(S, T, strict=True))
    skew = gradient - gradient.T
    assert np.linalg.norm(skew) < 1e-8 * np.linalg.norm(gradient)
    rng = np.random.default_rng(0)
    for _ in range(50):  # nothing near is better
        K = 1e-3 * rng.normal(size=(6, 6))
        near = np.linalg.qr(np.eye(6) + K - K.T)[0]
        near *= np.sign(np.diag(near))
        assert objective(S, T, near @ V) >= objective(S, T, V)


def test_indifferent_data_stay_where_they_are():
    eye = np.eye(3)[None]
    for S, T in [(eye, symmetric(1, 3)), (0.0 * eye, symmetric(1, 3)), (eye, eye)]:
        np.testing.assert_allclose(align_frames(S, T), np.eye(3), rtol=0, atol=1e-12)


def turned_sessions():
    """Return sessions of which "s1" is "s0" under another mixing of the channels."""
    X, y, session = make_sessions(1, 40)
    W = np.random.default_rng(5).normal(size=(4, 4))
    return (
        np.concatenate([X, W @ X @ W.T]),
        np.concatenate([y, y]),
        np.concatenate([session, np.full(40, "s1")]),
    )


@pytest.mark.parametrize("metric", ["affine_invariant", "log_euclidean"])
def test_class_means_come_closer_and_nothing_else_changes(metric):
    X, y, session = make_sessions(3, 40)
    options = {"metric": metric, "target_domain": "s1", **EXACT}
    plain = SPDAligner(**options).fit_transform(X, y, sample_domain=session)
    aligner = SPDAligner(rotate=True, **options).fit(X, y, sample_domain=session)
    turned = aligner.transform(X, sample_domain=session)
    geometry = SPD(4, metric)
    np.testing.assert_array_equal(aligner.rotations_["s1"], np.eye(4))

    def log_means(Z, d):
        rows = session == d
        means = [geometry.frechet_mean(Z[rows & (y == c)]) for c in (0, 1)]
        return SPD(4, "log_euclidean").log_vector(np.eye(4), np.array(means))

    for d in ("s0", "s2"):
        U, rows = aligner.rotations_[d], session == d
        np.testing.assert_allclose(U @ U.T, np.eye(4), rtol=0, atol=1e-12)
        np.testing.assert_allclose(turned[rows], U @ plain[rows] @ U.T, atol=1e-12)
        np.testing.assert_allclose(
            geometry.frechet_mean(turned[rows], tol=1e-11), np.eye(4), atol=1e-9
        )
        np.testing.assert_allclose(
            geometry.pairwise_distances(turned[rows]),
            geometry.pairwise_distances(plain[rows]),
            rtol=0,
            atol=1e-10,
        )
        target = log_means(plain, "s1")
        before = np.sum((log_means(plain, d) - target) ** 2)
        after = np.sum((log_means(turned, d) - target) ** 2)
        assert after < before


def test_rotation_undoes_what_recentring_leaves_of_another_mixing():
    """Whitened sessions that differ by a mixing differ by one rotation."""
    X, y, session = turned_sessions()
    options = {"target_domain": "s0", **EXACT}
    plain = SPDAligner(**options).fit_transform(X, sample_domain=session)
    turned = SPDAligner(rotate=True, **options).fit_transform(
        X, y, sample_domain=session
    )

    def gap(Z):
        values, V = np.linalg.eigh(Z)
        logs = V * np.log(values)[:, None] @ np.swapaxes(V, 1, 2)
        difference = np.array(
            [
                [logs[(session == d) & (y == c)].mean(axis=0) for c in (0, 1)]
                for d in ("s0", "s1")
            ]
        )
        return np.linalg.norm(difference[0] - difference[1])

    assert gap(plain) > 0.1
    assert gap(turned) < 1e-6


def test_domains_without_a_common_class_are_named():
    X, y, session = make_sessions(2, 10)
    y = np.where(session == "s1", y + 2, y)
    with pytest.raises(ValueError, match="'s1' has no class in common"):
        SPDAligner(rotate=True, target_domain="s0").fit(X, y, sample_domain=session)


def test_an_unseen_domain_is_centred_but_not_turned():
    X, y, session = make_sessions(3, 20)
    known = session != "s2"
    aligner = SPDAligner(rotate=True, target_domain="s0")
    aligner.fit(X[known], y[known], sample_domain=session[known])
    plain = SPDAligner(target_domain="s0").fit(X[known], sample_domain=session[known])
    names = ["s2"] * 20
    np.testing.assert_allclose(
        aligner.transform(X[~known], sample_domain=names),
        plain.transform(X[~known], sample_domain=names),
        rtol=0,
        atol=1e-13,
    )
