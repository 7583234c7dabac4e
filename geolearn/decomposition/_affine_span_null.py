"""Null vectors of matrices of logarithms: barycentric weights of given points."""

import numpy as np

__all__ = ["least_null_weights", "null_spaces"]

_AT_INFINITY = 1e-12


def null_spaces(Z):
    """Return singular values, padded with zeros, and right singular vectors."""
    finite = np.isfinite(Z).all(axis=(1, 2))
    _, values, V = np.linalg.svd(np.where(finite[:, None, None], Z, 0.0))
    padded = np.zeros((len(Z), Z.shape[2]))
    padded[:, : values.shape[1]] = values
    padded[~finite] = np.nan
    return padded, V


def least_null_weights(Z, nullity):
    """Return the weights of least norm among null vectors of sum one.

    Parameters
    ----------
    Z : ndarray of shape (n, dim, k + 1)
        Matrices of logarithms.
    nullity : int or ndarray of shape (n,)
        Dimensions of the null spaces.

    Returns
    -------
    ndarray of shape (n, k + 1)
        Weights; NaN where all null vectors have a vanishing sum.
    """
    values, V = null_spaces(Z)
    size = Z.shape[2]
    chosen = np.arange(size) >= size - np.reshape(nullity, (-1, 1))
    # Scaling columns keeps null vectors of sum one apart from their lengths.
    sums = np.where(chosen, V.sum(axis=2), 0.0)
    square = np.sum(sums**2, axis=1, keepdims=True)
    finite = (square > _AT_INFINITY**2) & np.isfinite(values[:, :1])
    weights = np.einsum("nj,njk->nk", sums, V)
    return np.where(finite, weights / np.where(finite, square, 1.0), np.nan)
