"""The inductive mean: one geodesic step of the affine-invariant metric a sample."""

import numpy as np

from geolearn.linalg import triangular_inverse
from geolearn.manifolds.spd._forms import gram, symmetrise

__all__ = ["InductiveMean", "geodesic_point"]

_WIDE = 1e6  # condition number above which squaring it costs too many digits


def geodesic_point(A: np.ndarray, B: np.ndarray, t: float) -> np.ndarray:
    """Return the point at `t` on the affine-invariant geodesic from A to B.

    Parameters
    ----------
    A : ndarray of shape (n, n)
        Symmetric positive definite matrix, reached at t = 0.
    B : ndarray of shape (n, n)
        Symmetric positive definite matrix, reached at t = 1.
    t : float
        Position; 0.5 is the geometric mean.

    Returns
    -------
    ndarray of shape (n, n)
        Symmetric positive definite matrix.
    """
    L = np.linalg.cholesky(A)
    W = triangular_inverse(L)
    Z = W @ B @ W.T
    values, V = np.linalg.eigh(symmetrise(Z))
    if not values[-1] < _WIDE * values[0]:
        V, sigma, _ = np.linalg.svd(W @ np.linalg.cholesky(B))
        values = sigma**2
    return gram((L @ V) * values ** (0.5 * t))


class InductiveMean:
    """Follow the affine-invariant mean of a stream of matrices.

    Sample k moves the mean by the fraction w_k / (w_1 + ... + w_k) along the
    geodesic that leads to it. The result depends on the order of the samples.

    Parameters
    ----------
    mean : ndarray of shape (n, n), default=None
        State to go on from; None before the first sample.
    weight : float, default=0.0
        Total weight of the samples that `mean` stands for.

    Attributes
    ----------
    mean : ndarray of shape (n, n) or None
        Mean so far.
    weight : float
        Total weight so far.
    """

    def __init__(self, mean: np.ndarray | None = None, weight: float = 0.0):
        self.mean = mean
        self.weight = weight

    def update(self, X: np.ndarray, weight: np.ndarray) -> "InductiveMean":
        """Take in samples in their order.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n, n)
            Symmetric positive definite matrices.
        weight : ndarray of shape (n_samples,)
            Weights, not negative; samples of weight zero change nothing.

        Returns
        -------
        InductiveMean
            This object.
        """
        for A, w in zip(X, weight, strict=True):
            if w > 0.0:
                self.weight += float(w)
                if self.mean is None:
                    self.mean = np.array(A, dtype=np.float64)
                else:
                    self.mean = geodesic_point(self.mean, A, float(w) / self.weight)
        return self
