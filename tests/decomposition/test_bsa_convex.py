"""Barycentric subspaces whose projections stay between the references."""

import itertools

import numpy as np
import pytest
from scipy.optimize import nnls

from geolearn.decomposition import BarycentricSubspaceAnalysis
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, Sphere

BSA = BarycentricSubspaceAnalysis


def hull_distances(X, references):
    """Return distances to the hull by non-negative least squares."""
    heavy = 1e5  # holds the sum of the weights at one
    A = np.vstack([references.T, heavy * np.ones(len(references))])
    W = np.array([nnls(A, np.append(y, heavy))[0] for y in X])
    W /= W.sum(axis=1, keepdims=True)
    return np.linalg.norm(W @ references - X, axis=1), W


@pytest.mark.parametrize("k", [1, 2, 3])
def test_flat_hulls_are_non_negative_least_squares(k):
    X = np.random.default_rng(0).normal(size=(40, 4))
    model = BSA(references=X[: k + 1], convex=True).fit(X)
    distance, W = hull_distances(X, X[: k + 1])
    np.testing.assert_allclose(model.residuals_, distance, atol=1e-6)
    np.testing.assert_allclose(model.embedding_, W, atol=1e-5)
    assert model.embedding_.min() >= 0.0


@pytest.mark.parametrize("strategy", ["pure", "flag"])
def test_exhaustive_hulls_are_optimal(strategy):
    X = np.random.default_rng(1).normal(size=(9, 3))
    model = BSA(2, convex=True, strategy=strategy).fit(X)
    assert model.search_ == "exhaustive"

    def value(rows):
        return np.mean(hull_distances(X, X[list(rows)])[0] ** 2)

    if strategy == "pure":
        best = min(value(s) for s in itertools.combinations(range(9), 3))
        found = model.unexplained_variance_[-1]
    else:
        orders = itertools.permutations(range(9), 3)
        known = {
            s: value(s) for r in (1, 2, 3) for s in itertools.combinations(range(9), r)
        }
        best = min(
            sum(known[tuple(sorted(o[: i + 1]))] for i in range(3)) for o in orders
        )
        found = model.auv_
    np.testing.assert_allclose(found, best, rtol=1e-6)


@pytest.mark.parametrize(
    "manifold", [Euclidean(3), Sphere(3), Hyperboloid(3), SPD(2)], ids=str
)
def test_hulls_are_inside_spans(manifold):
    X = np.asarray(manifold.random_normal(14, scale=0.4, random_state=0))
    hull = BSA(2, manifold=manifold, convex=True).fit(X)
    affine = BSA(manifold=manifold, references=hull.reference_indices_).fit(X)
    assert (hull.residuals_ >= affine.residuals_ - 1e-8).all()
    inside = (affine.embedding_ >= 0.0).all(axis=1)
    np.testing.assert_allclose(
        hull.residuals_[inside], affine.residuals_[inside], atol=1e-8
    )
    assert hull.embedding_.min() >= 0.0
    np.testing.assert_allclose(hull.embedding_.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(
        np.mean(hull.residuals_**2), hull.unexplained_variance_[-1], rtol=1e-9
    )
    assert (np.diff(hull.unexplained_variance_) <= 1e-12).all()


def test_given_distances_have_hulls():
    X = np.random.default_rng(0).normal(size=(12, 3))
    D = Euclidean(3).pairwise_distances(X)
    options = {"references": [0, 3, 5], "convex": True}
    given = BSA(manifold="precomputed", **options).fit(D)
    points = BSA(**options).fit(X)
    np.testing.assert_allclose(given.embedding_, points.embedding_, atol=1e-7)
    np.testing.assert_allclose(given.residuals_, points.residuals_, atol=1e-7)


def test_sorted_spectra_stay_sorted():
    X = np.sort(np.random.default_rng(0).gamma(2.0, size=(20, 5)), axis=1)
    back = BSA(2, convex=True).fit(X).reconstruct(X)
    assert (np.diff(back, axis=1) >= -1e-12).all()


def test_samples_of_weight_zero_are_no_corners():
    X = np.random.default_rng(2).normal(size=(12, 3))
    weight = np.r_[np.zeros(5), np.ones(7)]
    model = BSA(1, convex=True).fit(X, sample_weight=weight)
    other = BSA(1, convex=True).fit(X[5:])
    np.testing.assert_array_equal(
        model.reference_indices_, other.reference_indices_ + 5
    )
