"""The forces that place new samples in a layout, and their kernel sums."""

import numpy as np
import pytest
from scipy import sparse

from geolearn.embedding import sne_objective
from geolearn.embedding._rie_sne_place import (
    Frame,
    _forces,
    _general_forces,
    mean_kernel_sum,
    place,
    same_samples,
)
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, Sphere

pytestmark = pytest.mark.kernels

CASES = [
    (Euclidean(2), "student"),
    (Euclidean(3), "brownian"),
    *((Sphere(2), k) for k in ("student", "student_chordal", "brownian", "vmf")),
    (Sphere(3), "brownian"),
    *((Hyperboloid(2), k) for k in ("student", "student_chordal", "brownian")),
    (SPD(2), "student"),
]
by_case = pytest.mark.parametrize(("target", "kernel"), CASES, ids=str)


def layout(target, n=25, seed=0):
    return target.random_normal(n, scale=0.5, random_state=seed)


def affinities(n_new, n, seed=0):
    W = np.random.default_rng(seed).random((n_new, n)) ** 4
    return sparse.csr_array(W / W.sum(axis=1, keepdims=True))


def divergence(frame, W, y):
    """Return the divergence of one new point up to a constant, written out."""
    target, tau = frame.manifold, frame.scale
    d = target.dist(y, frame.embedding)
    sign = {Euclidean: 0, Sphere: 1, Hyperboloid: -1}.get(type(target))
    sine = {0: lambda x: x, 1: np.sin, -1: np.sinh, None: lambda x: x}[sign]
    if frame.kernel == "student":
        k = 1 / (1 + d**2 / tau)
    elif frame.kernel == "student_chordal":
        k = 1 / (1 + 4 * sine(d / 2) ** 2 / tau)
    elif frame.kernel == "vmf":
        k = np.exp((np.cos(d) - 1) / tau)
    else:
        ratio = np.where(d > 0.0, sine(d) / np.where(d > 0.0, d, 1.0), 1.0)
        k = np.exp(-(d**2) / 2 / tau) * ratio ** (-(target.dim - 1) / 2)
    return -np.sum(W * np.log(k)) + np.sum(k) / frame.normaliser


@by_case
@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_forces_are_the_slope_of_the_divergence(target, kernel, scale):
    frame = Frame(layout(target), target, kernel, scale, normaliser=7.0)
    Y = layout(target, 4, seed=1)
    W = affinities(4, 25)
    F = _forces(frame, W, Y, None)
    V = target.random_tangent(Y, random_state=2)
    h = 1e-5
    for i in range(4):
        w = W.toarray()[i]
        up, down = (divergence(frame, w, target.exp(Y[i], s * V[i])) for s in (h, -h))
        slope = (up - down) / (2 * h)
        assert -target.inner(Y[i], F[i], V[i]) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("target", [Euclidean(2), Sphere(2), Hyperboloid(2)], ids=repr)
def test_compiled_and_general_forces_agree(target):
    frame = Frame(layout(target), target, "student", 0.5, normaliser=3.0)
    Y, W = layout(target, 4, seed=1), affinities(4, 25)
    np.testing.assert_allclose(
        _forces(frame, W, Y, None), _general_forces(frame, W, Y), rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize(("target", "kernel"), [c for c in CASES if c[0] != SPD(2)])
def test_forces_at_a_point_of_the_layout_and_opposite_are_finite(target, kernel):
    Z = layout(target)
    Y = Z[:1].copy()
    if isinstance(target, Sphere):
        Z[1] = -Z[0]
    frame = Frame(Z, target, kernel, 0.5)
    assert np.isfinite(_forces(frame, affinities(1, 25), Y, None)).all()


@by_case
def test_the_normaliser_is_that_of_the_objective(target, kernel):
    """The divergence of two-point affinities tells log Z."""
    Z = layout(target)
    n, scale = len(Z), 0.7
    P = np.zeros((n, n))
    P[0, 1] = P[1, 0] = 0.5
    kl = sne_objective(Z, P, target=target, kernel=kernel, scale=scale).kl
    frame = Frame(Z, target, kernel, scale)
    at_pair = divergence(frame._replace(normaliser=np.inf), np.eye(n)[1], Z[0] + 0.0)
    total = np.exp(kl - np.log(0.5) - at_pair)
    assert n * mean_kernel_sum(frame) == pytest.approx(total, rel=1e-9)


def test_many_points_are_averaged_over_some(monkeypatch):
    frame = Frame(layout(Euclidean(2), 200), Euclidean(2), "student", 1.0)
    exact = mean_kernel_sum(frame)
    monkeypatch.setattr("geolearn.embedding._rie_sne_place._SUMMED_ROWS", 50)
    assert mean_kernel_sum(frame) == pytest.approx(exact, rel=0.05)


@by_case
def test_placed_points_rest_at_a_minimum(target, kernel):
    Z = layout(target, 40)
    frame = Frame(Z, target, kernel, 0.5)
    frame = frame._replace(normaliser=mean_kernel_sum(frame))
    W = affinities(5, 40)
    Y = place(frame, W)
    F = _forces(frame, W, Y, None)
    start = _forces(frame, W, target.project(Z[:5]), None)
    norm = target.norm(Y, F)
    assert np.median(norm) < 1e-3 * np.median(target.norm(Z[:5], start))


def test_opposite_neighbours_leave_a_start_on_the_sphere():
    Z = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
    W = sparse.csr_array([[0.5, 0.5, 0.0]])
    Y = place(Frame(Z, Sphere(2), "student_chordal", 0.5), W)
    assert np.linalg.norm(Y) == pytest.approx(1.0)


def test_equal_rows_are_found():
    training = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]])
    known, rows = same_samples(
        np.array([[2.0, 3.0], [5.0, 5.0], [-0.0, 1.0]]), training
    )
    assert (known.tolist(), rows.tolist()) == ([0, 2], [1, 0])
    D = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    known, rows = same_samples(D, None)
    assert (known.tolist(), rows.tolist()) == ([0], [1])
