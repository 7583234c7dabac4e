"""The inductive mean: one geodesic step of the affine-invariant metric a sample."""

import numpy as np

__all__ = ["InductiveMean"]


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
                self._step(A, float(w) / self.weight)
        return self

    def _step(self, A, t):
        if self.mean is None:
            self.mean = A.copy()
            return
        L = np.linalg.cholesky(self.mean)
        W = np.linalg.inv(L)
        Z = W @ A @ W.T
        values, V = np.linalg.eigh(0.5 * (Z + Z.T))
        F = (L @ V) * values ** (0.5 * t)
        self.mean = F @ F.T
