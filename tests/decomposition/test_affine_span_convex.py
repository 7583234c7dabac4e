"""Projection onto barycentres of non-negative weights."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from geolearn.decomposition import affine_span_project, barycenter
from geolearn.decomposition._affine_span_convex import project_hull
from geolearn.decomposition._affine_span_project import project_points
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, PlanarShapes, Sphere


def best_face(manifold, Y, references):
    """Project on all faces, and keep the nearest projection inside one."""
    best = np.full(len(Y), np.inf)
    for size in range(1, len(references) + 1):
        for face in combinations(range(len(references)), size):
            result = project_points(manifold, Y, references[list(face)])
            inside = (result.weights >= -1e-12).all(axis=1)
            best = np.where(inside, np.minimum(best, result.distance), best)
    return best


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 5))
def test_euclidean_hull_is_that_of_nnls(seed, k):
    X = np.random.default_rng(seed).standard_normal((12, 5))
    result = affine_span_project("euclidean", X[6:], X[: k + 1], convex=True)
    assert result.converged.all()
    for i, y in enumerate(X[6:]):
        # Simplices as cones: a row of large numbers makes weights sum to one.
        A = np.vstack([X[: k + 1].T, np.full(k + 1, 1e4)])
        weights, _ = nnls(A, np.append(y, 1e4))
        np.testing.assert_allclose(result.weights[i], weights, atol=1e-6)
        moved = result.weights[i] @ X[: k + 1]
        np.testing.assert_allclose(moved, result.projection[i], atol=1e-12)


@pytest.mark.parametrize(
    ("manifold", "scale"),
    [
        (Euclidean(4), 1.0),
        (Hyperboloid(4), 0.8),
        (Hyperboloid(4), 2.0),
        (SPD(3), 0.5),
        (SPD(3, "log_euclidean"), 0.5),
        (PlanarShapes(6), 0.12),
    ],
)
def test_no_face_is_nearer(manifold, scale):
    X = manifold.random_normal(45, scale=scale, random_state=0)
    references, Y = X[:5], X[5:]
    result = project_hull(manifold, Y, references)
    assert result.converged.all()
    np.testing.assert_allclose(
        result.distance, best_face(manifold, Y, references), rtol=1e-9
    )
    assert (result.weights >= 0.0).all()
    np.testing.assert_allclose(result.weights.sum(axis=1), 1.0, rtol=1e-12)
    back = barycenter(manifold, references, result.weights)
    assert np.max(manifold.dist(back, result.projection)) < 1e-7
    np.testing.assert_allclose(
        manifold.dist(Y, result.projection), result.distance, rtol=1e-9
    )


def test_spherical_hull_is_that_of_the_cone():
    S = Sphere(4)
    X = S.random_normal(60, scale=0.6, random_state=1)
    result = project_hull(S, X[5:], X[:5])
    assert result.converged.all()
    for i, y in enumerate(X[5:]):
        a, _ = nnls(X[:5].T, y)
        if a.any():
            x = S.project(X[:5].T @ a)
            np.testing.assert_allclose(result.distance[i], S.dist(x, y), rtol=1e-9)
        else:  # beyond a right angle of all of the hull: a vertex is nearest
            assert (result.weights[i] == 1.0).sum() == 1


def test_points_inside_keep_their_place():
    manifold = SPD(2)
    X = manifold.random_normal(3, scale=0.5, random_state=0)
    inside = barycenter(manifold, X, [[0.2, 0.3, 0.5], [0.6, 0.0, 0.4]])
    result = affine_span_project(
        manifold, np.concatenate([inside, X]), X[:3], convex=True
    )
    np.testing.assert_allclose(result.distance, 0.0, atol=1e-9)
    np.testing.assert_allclose(result.weights[2:], np.eye(3), atol=1e-9)


def test_interlacing_stays_sorted():
    """Spectra that are sorted have sorted projections."""
    spectra = np.sort(np.random.default_rng(0).standard_normal((40, 6)), axis=1)
    result = affine_span_project("euclidean", spectra, spectra[:4], convex=True)
    assert (np.diff(result.projection, axis=1) >= -1e-12).all()
