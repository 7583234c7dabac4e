"""Placement of new samples in a neighbour embedding that stays as it is."""

from typing import Any, NamedTuple

import numpy as np

from geolearn.embedding._sne_optimizer_steps import CurvedSteps, PlaneSteps
from geolearn.manifolds import Euclidean, Hyperboloid, Manifold, Sphere

__all__ = ["Frame", "mean_kernel_sum", "place", "same_samples"]

_N_ITER = 250
_RATE = 0.1
_MOMENTUM = 0.8
# Rows whose kernel sums are averaged: all, up to this number, else evenly spaced.
_SUMMED_ROWS = 5_000
_BLOCK_NUMBERS = 2**20
_CODES = {"student": 0, "student_chordal": 1, "brownian": 2, "vmf": 3}


class Frame(NamedTuple):
    """Hold the embedding among whose points new ones are placed."""

    embedding: np.ndarray
    manifold: Manifold
    kernel: str
    scale: float
    normaliser: float = 1.0


def _sign(manifold):
    """Return the curvature of the targets with compiled forces, else None."""
    known = ((Euclidean, 0), (Sphere, 1), (Hyperboloid, -1))
    return next((sign for kind, sign in known if isinstance(manifold, kind)), None)


def mean_kernel_sum(frame: Frame, *, n_jobs: int | None = None) -> float:
    """Return the average over points of the kernel's sum over the other points.

    It is 1 / n of the normaliser of the embedding. Above 5000 points only as many,
    evenly spaced, are averaged.
    """
    Y = frame.embedding
    rows = np.unique(np.linspace(0, len(Y) - 1, min(len(Y), _SUMMED_ROWS)).astype(int))
    sign = _sign(frame.manifold)
    if sign is None:
        total = sum(
            np.sum(1.0 / (1.0 + frame.manifold._dist(Y[i], Y) ** 2 / frame.scale)) - 1.0
            for i in rows
        )
        return float(total / len(rows))
    from geolearn.embedding._rie_sne_place_kernels import kernel_sums
    from geolearn.utils._threads import numba_threads

    sums = np.empty(len(rows))
    code, dim = _CODES[frame.kernel], frame.manifold.dim
    with numba_threads(n_jobs):
        kernel_sums(Y, rows, sign, dim, code, frame.scale, sums)
    return float(sums.mean())


def place(frame: Frame, W: Any, *, n_jobs: int | None = None) -> np.ndarray:
    """Place new points by their affinities to the points of an embedding.

    Each minimises the divergence of its own affinities, with the other points and
    the normaliser fixed; new points do not see each other.

    Parameters
    ----------
    frame : Frame
        Embedding and kernel.
    W : csr_array of shape (n_new, n)
        Affinities, rows of sum 1.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    ndarray of shape (n_new, ...)
        Points of the target.
    """
    flat = isinstance(frame.manifold, Euclidean)
    steps = _FreeSteps() if flat else CurvedSteps(frame.manifold)
    Y = _start(frame, W)
    for _ in range(_N_ITER):
        gradient = -_forces(frame, W, Y, n_jobs)
        rate = steps.rate(_RATE, frame.scale)
        Y = steps(Y, gradient, rate, _MOMENTUM, frame.scale)
    return Y


class _FreeSteps(PlaneSteps):
    """Step in the plane without centring, so that new points stay independent."""

    def _arrive(self, Y):
        return Y


def _start(frame, W):
    """Return the weighted means of the neighbours' points."""
    Z, manifold = frame.embedding, frame.manifold
    nearest = Z[np.asarray(W.argmax(axis=1)).ravel()]
    if isinstance(manifold, Euclidean | Sphere | Hyperboloid):
        average = W @ Z
        if isinstance(manifold, Euclidean):
            return average
        square = np.sum(average**2, axis=1, keepdims=True)
        if isinstance(manifold, Hyperboloid):
            square = 2.0 * average[:, :1] ** 2 - square
        lost = square < 1e-12  # opposite neighbours
        return np.where(lost, nearest, average / np.sqrt(np.where(lost, 1.0, square)))
    start = np.empty_like(nearest)
    for i in range(len(start)):
        own = slice(W.indptr[i], W.indptr[i + 1])
        logs = manifold._log(nearest[i], Z[W.indices[own]])
        start[i] = manifold._exp(nearest[i], np.tensordot(W.data[own], logs, axes=1))
    return start


def _forces(frame, W, Y, n_jobs):
    """Return the downhill forces on new points, as tangent vectors."""
    sign = _sign(frame.manifold)
    if sign is None:
        return _general_forces(frame, W, Y)
    from geolearn.embedding._rie_sne_place_kernels import place_forces
    from geolearn.utils._threads import numba_threads

    out = np.empty_like(Y)
    with numba_threads(n_jobs):
        place_forces(
            Y,
            frame.embedding,
            W.indptr,
            W.indices,
            W.data,
            sign,
            frame.manifold.dim,
            _CODES[frame.kernel],
            frame.scale,
            frame.normaliser,
            out,
        )
    return frame.manifold._project_tangent(Y, out)


def _general_forces(frame, W, Y):
    """Return the forces of the Student kernel through logarithms."""
    Z, manifold = frame.embedding, frame.manifold
    out = np.zeros_like(Y)
    step = max(1, _BLOCK_NUMBERS // Z.size)
    for first in range(0, len(Y), step):
        rows = slice(first, min(first + step, len(Y)))
        logs = manifold._log(Y[rows, None], Z)
        square = manifold._norm(Y[rows, None], logs) ** 2
        weight = 1.0 / (1.0 + square / frame.scale)
        weight = (W[rows].toarray() - weight / frame.normaliser) * weight
        out[rows] = np.einsum("ij,ij...->i...", 2.0 / frame.scale * weight, logs)
    return out


def same_samples(X, training) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples are equal to training samples, and to which.

    Parameters
    ----------
    X : ndarray of shape (n_new, ...)
        Samples, or their distances from the training samples.
    training : ndarray of shape (n, ...) or None
        Training samples; None if `X` holds distances.

    Returns
    -------
    known : ndarray of int of shape (n_known,)
        Samples that are equal to some training sample.
    rows : ndarray of int of shape (n_known,)
        First such training sample of each.
    """
    if training is None:
        known = np.flatnonzero((X == 0.0).any(axis=1))
        return known, (X[known] == 0.0).argmax(axis=1)
    first: dict[bytes, int] = {}
    for i, row in enumerate(training + 0.0):  # there is no -0.0 left
        first.setdefault(row.tobytes(), i)
    found = np.array([first.get(row.tobytes(), -1) for row in X + 0.0], dtype=np.intp)
    known = np.flatnonzero(found >= 0)
    return known, found[known]
