"""The loss of product-space embeddings as objectives for the optimizer."""

import numpy as np

from geolearn.embedding import _product_kernels as kernels
from geolearn.manifolds._signature import component_columns
from geolearn.utils._tables import read_only
from geolearn.utils._threads import matrix_threads

# Pairs of each point in one estimate of the loss of many points: its nearest ones,
# and others drawn anew for each step.
N_NEAR = 10
N_DRAWN = 50

_ROWS = 256  # rows of distances that are sorted at a time


def component_table(signature):
    """Return first column, last column + 1 and curvature of each component."""
    columns = component_columns(signature)
    return np.array(
        [(a, b, K) for (a, b), (K, _) in zip(columns, signature, strict=True)],
        dtype=np.float64,
    )


def _table(D):
    """Return distances in the one layout that the kernels are compiled for."""
    return read_only(np.ascontiguousarray(D, dtype=np.float64))


def unit_model(X, components):
    """Return unit coordinates and directions, as the kernels take them."""
    X = np.ascontiguousarray(X, dtype=np.float64)
    U, N = np.empty(X.shape), np.zeros(X.shape)
    kernels.prepare(X, components, U, N)
    return U, N


def _columns_of(U, N):
    """Return what `unit_model` returns with one column for each point."""
    return np.ascontiguousarray(U.T), np.ascontiguousarray(N.T)


def nearest_columns(D, k):
    """Return (n, k) columns of the smallest positive distances of each row."""
    near = np.empty((D.shape[0], k), dtype=np.int64)
    for start in range(0, D.shape[0], _ROWS):
        block = D[start : start + _ROWS]
        block = np.where(block > 0.0, block, np.inf)
        near[start : start + _ROWS] = np.argpartition(block, k - 1, axis=1)[:, :k]
    return near


class FullLoss:
    """Loss and Riemannian gradient over all pairs.

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances; those that are zero or infinite count for nothing.
    scale : float
        Distances are divided by it.
    components : ndarray of shape (n_components, 3)
        As `component_table` returns them, of the divided distances.
    n_jobs : int or None
        Number of threads.
    """

    def __init__(self, D, scale, components, n_jobs):
        self.D, self.scale, self.components = _table(D), scale, components
        self.n_jobs = n_jobs
        self._losses = np.empty(kernels.N_PARTS)
        self._sums = None

    def __call__(self, X):
        """Return the loss of points X and its gradient."""
        U, N = unit_model(X, self.components)
        if self._sums is None:
            self._sums = np.empty((kernels.N_PARTS, *U.T.shape))
        G = np.empty(U.shape)
        with matrix_threads(self.n_jobs):
            kernels.full_loss(
                U,
                N,
                *_columns_of(U, N),
                self.D,
                self.scale,
                self.components,
                self._losses,
                self._sums,
                G,
            )
        return float(self._losses.sum()), G


class SampledLoss:
    """Unbiased estimates of loss and gradient from the pairs of `FullLoss`."""

    def __init__(self, D, scale, components, n_jobs, rng):
        self.D, self.scale, self.components = _table(D), scale, components
        self.n_jobs, self.rng = n_jobs, rng
        self.near = nearest_columns(D, min(N_NEAR, D.shape[0] - 1))

    def __call__(self, X):
        """Return estimates of the loss of points X and of its gradient."""
        U, N = unit_model(X, self.components)
        n = U.shape[0]
        draws = self.rng.randint(0, n, size=(n, N_DRAWN), dtype=np.int64)
        losses, G = np.empty(n), np.empty(U.shape)
        with matrix_threads(self.n_jobs):
            kernels.sampled_loss(
                U,
                N,
                self.D,
                self.scale,
                self.components,
                self.near,
                draws,
                losses,
                G,
            )
        return float(losses.sum()), G


def row_losses(X, fixed, D, scale, components, n_jobs):
    """Return the loss of each new point among fixed ones, given by `unit_model`."""
    U, N = unit_model(X, components)
    losses = np.empty(len(U))
    with matrix_threads(n_jobs):
        kernels.cross_loss(U, N, *_columns_of(*fixed), D, scale, components, losses)
    return losses


def mean_distortion(X, D, scale, components, n_jobs):
    """Return the mean of |d / D - 1| over the pairs that count; 0 if there is none."""
    U, N = unit_model(X, components)
    sums, counts = np.empty(len(U)), np.empty(len(U), dtype=np.int64)
    with matrix_threads(n_jobs):
        kernels.distortions(
            U, N, *_columns_of(U, N), D, scale, components, sums, counts
        )
    return float(sums.sum() / max(counts.sum(), 1))
