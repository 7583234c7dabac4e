"""Distances in principal subbundles: lengths of logarithms, and along a graph."""

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from geolearn.decomposition._subbundle_model import Flow
from geolearn.decomposition._subbundle_reach import Reach
from geolearn.decomposition._subbundle_space import curvature, metric_of
from geolearn.decomposition._subbundle_types import OK
from geolearn.graph import NeighborIndex

# Numbers in the models of one batch of bases, and in their distances on the graph.
_MAX_ENTRIES = 10_000_000
_EDGES = 100_000  # edges whose frames are compared at once


def pairwise_log_distances(
    field: Any,
    X: np.ndarray,
    Y: np.ndarray | None = None,
    symmetric: bool = True,
    *,
    with_residual: bool = False,
    max_iter: int = 15,
    tol: float = 1e-5,
    step: float = 0.25,
    integrator: str = "rk4",
    n_jobs: int | None = None,
    progress: Any = None,
) -> np.ndarray:
    """Compute the lengths of the logarithms of Y at the rows of X.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    X : ndarray of shape (n, d)
        Points.
    Y : ndarray of shape (m, d), default=None
        Others; None means X.
    symmetric : bool, default=True
        Whether to take the mean of both directions, where both exist.
    with_residual : bool, default=False
        Whether the distance of the end point counts as a step across.
    max_iter, tol, step, integrator, n_jobs
        As in `log_map`.
    progress : Progress or None, default=None
        Told how many bases are done.

    Returns
    -------
    D : ndarray of shape (n, m)
        Distances; infinite where no geodesic was found.
    """
    options = {
        "max_iter": max_iter,
        "tol": tol,
        "flow": Flow(step, integrator, n_jobs),
    }

    def directed(A, B):
        return _directed(field, A, B, with_residual, options, progress)

    D = directed(X, X if Y is None else Y)
    if symmetric:
        D = _mean(D, D.T if Y is None else directed(Y, X).T)
    if Y is None:
        np.fill_diagonal(D, 0.0)
    n_lost = int(np.isinf(D).sum())
    if n_lost:
        warnings.warn(
            f"{n_lost} of {D.size} distances are infinite: the points are not "
            f"connected, or no geodesic between them was found. A larger bandwidth "
            f"bridges gaps of the data.",
            UserWarning,
            stacklevel=3,
        )
    return D


def _mean(A, B):
    """Return the mean of two estimates, or the one that is finite."""
    both = np.isfinite(A) & np.isfinite(B)
    mean = np.minimum(A, B)
    mean[both] = (A[both] + B[both]) / 2.0
    return mean


def _directed(field, X, Y, with_residual, options, progress):
    """Return the lengths of the logarithms of Y at the rows of X, in batches."""
    reach, n_jobs = Reach(field, Y, options), options["flow"].n_jobs
    n, d, k = len(field.points), field.points.shape[1], field.rank
    batch = max(1, _MAX_ENTRIES // (n * d * (1 + k + k * k)))
    frames = field.frame(X, n_jobs=n_jobs)
    D = np.full((len(X), len(Y)), np.inf)
    for start in range(0, len(X), batch):
        rows = slice(start, start + batch)
        found = reach.logs(X[rows], frames[rows])
        square = (found.v**2).sum(axis=1)
        if with_residual:
            square += found.residual**2
        lengths = np.where(found.status == OK, np.sqrt(square), np.inf)
        D[rows] = lengths.reshape(-1, len(Y))
        if progress is not None:
            done = min(start + batch, len(X))
            progress("distances: %d of %d bases", done, len(X))
    return D


def graph_distances(
    field: Any,
    X: np.ndarray,
    Y: np.ndarray | None = None,
    *,
    n_neighbors: int = 10,
    epsilon: float = 1.0,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Compute the lengths of shortest paths through the samples.

    An edge has the length ``sqrt(t^2 + s^2 / epsilon)``, where t and s are its parts
    along and across the subspaces at its ends.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    X : ndarray of shape (n, d)
        Points.
    Y : ndarray of shape (m, d), default=None
        Others; None means X.
    n_neighbors : int, default=10
        Samples that each sample, and each point, is joined with.
    epsilon : float, default=1.0
        1 is the length in the space of the data; less makes steps across the
        subspaces longer.
    n_jobs : int or None, default=None
        Number of threads.

    Returns
    -------
    D : ndarray of shape (n, m)
        Distances; infinite between components of the graph.
    """
    edges = _Edges(field, n_neighbors, epsilon, n_jobs)
    Y = X if Y is None else Y
    n, n_x, n_y = len(field.points), len(X), len(Y)
    within = edges.neighbors(None)
    out, into, direct = edges.neighbors(X), edges.neighbors(Y), edges.direct(X, Y)
    points = np.concatenate([field.points, X, Y])
    starts = [within[0], within[1], n + out[0], into[1], n + direct[0]]
    ends = [within[1], within[0], out[1], n + n_x + into[0], n + n_x + direct[1]]
    start, end = np.concatenate(starts), np.concatenate(ends)
    length = edges.lengths(points, start, end)
    size = n + n_x + n_y
    # Duplicate entries of a sparse matrix would be added up.
    _, first = np.unique(start * size + end, return_index=True)
    W = sparse.csr_array(
        (length[first], (start[first], end[first])), shape=(size, size)
    )
    D = np.empty((n_x, n_y))
    batch = max(1, _MAX_ENTRIES // size)
    for first_row in range(0, n_x, batch):
        rows = np.arange(first_row, min(first_row + batch, n_x))
        paths = csgraph.dijkstra(W, directed=True, indices=n + rows)
        D[rows] = paths[:, n + n_x :]
    return D


class _Edges:
    """Edges between neighbours, and their lengths."""

    def __init__(self, field, n_neighbors, epsilon, n_jobs):
        if not 0.0 < epsilon <= 1.0:
            raise ValueError(f"epsilon must be in (0, 1], got {epsilon!r}.")
        self.field, self.epsilon, self.n_jobs = field, epsilon, n_jobs
        self.index = NeighborIndex.build(field.points, metric=metric_of(field))
        self.k = min(n_neighbors, len(field.points) - 1)

    def neighbors(self, Q):
        """Return rows of Q, or samples, and the samples they are joined with."""
        if Q is None:
            found = self.index.neighbors(self.k, n_jobs=self.n_jobs)[1]
        else:
            found = self.index.query(Q, self.k, n_jobs=self.n_jobs)[1]
        return np.repeat(np.arange(len(found)), self.k), found.ravel()

    def direct(self, X, Y):
        """Return the pairs that are nearer to each other than to most samples."""
        radii = [
            self.index.query(Q, self.k, n_jobs=self.n_jobs)[0][:, -1] for Q in (X, Y)
        ]
        found = []
        for A, B, radius in ((X, Y, radii[0]), (Y, X, radii[1])):
            index = NeighborIndex.build(B, metric=metric_of(self.field))
            pointers, columns, _ = index.within(radius, X=A, n_jobs=self.n_jobs)
            found.append((np.repeat(np.arange(len(A)), np.diff(pointers)), columns))
        (i, j), (s, t) = found
        return np.concatenate([i, t]), np.concatenate([j, s])

    def lengths(self, points, start, end):
        """Return the lengths of edges between rows of `points`."""
        frames = None
        if self.epsilon < 1.0:
            frames = self.field.frame(points, n_jobs=self.n_jobs)
        parts = [
            self._block(points, frames, start[i : i + _EDGES], end[i : i + _EDGES])
            for i in range(0, len(start), _EDGES)
        ]
        return np.concatenate(parts)

    def _block(self, points, frames, start, end):
        P, Q = points[start], points[end]
        flat = curvature(self.field) == 0.0
        manifold = None if flat else self.field.manifold
        if frames is None:
            return np.linalg.norm(Q - P, axis=1) if flat else manifold.dist(P, Q)
        F, G = frames[start], frames[end]
        away = Q - P
        if not flat:
            away = manifold.tangent_to_vector(P, manifold.log(P, Q))
            F, G = _carried(manifold, P, P, F), _carried(manifold, P, Q, G)
        # Bisectors of the principal angles span the mean of both subspaces.
        U, cosine, V = np.linalg.svd(np.einsum("mik,mil->mkl", F, G))
        mean = np.einsum("mik,mka->mia", F, U) + np.einsum("mik,mak->mia", G, V)
        along = np.einsum("mia,mi->ma", mean, away) ** 2 / (2.0 + 2.0 * cosine)
        square = (away**2).sum(axis=1)
        inside = np.minimum(along.sum(axis=1), square)
        return np.sqrt(inside + (square - inside) / self.epsilon)


def _carried(manifold, P, Q, frames):
    """Return frames at Q in orthonormal coordinates at P."""
    columns = []
    for a in range(frames.shape[2]):
        e = np.ascontiguousarray(frames[:, :, a])
        if Q is not P:
            e = manifold.transport(Q, P, e)
        columns.append(manifold.tangent_to_vector(P, e))
    return np.stack(columns, axis=2)
