"""Linear discriminant directions with shrunk within-class covariance."""

import numpy as np
from scipy import linalg

__all__ = ["discriminant_rows", "orthonormal_rows"]

# Directions of relative strength below this are rounding: at a Fréchet mean the
# class means of tangent vectors add to zero up to the tolerance of the mean.
_WEAKEST_DIRECTION = 1e-6


def discriminant_rows(V, codes, n_classes, weight):
    """Return the coefficients of linear discriminant analysis, one row a class.

    The rows solve ``S b_c = m_c`` with the class means m_c and the within-class
    covariance S, the weighted mean over classes of Ledoit-Wolf estimates of
    standardised features. With equal weights these are the coefficients of
    scikit-learn's LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"). The
    shrinkage of class c sees weights p_i that sum to one in the class through
    ``sum_i p_i^2 |z_i z_i^T - C|^2``, the variance of the estimate C.

    Parameters
    ----------
    V : ndarray of shape (n_samples, m)
        Vectors.
    codes : ndarray of int of shape (n_samples,)
        Class of each vector, from 0 to `n_classes` - 1.
    n_classes : int
        Number of classes.
    weight : ndarray of shape (n_samples,)
        Non-negative weights, positive in each class.

    Returns
    -------
    ndarray of shape (n_classes, m), or (1, m) for two classes
        Coefficients; for two classes those of the second less the first.
    """
    means = np.empty((n_classes, V.shape[1]))
    diagonal = np.zeros(V.shape[1])
    factors = []
    for c in range(n_classes):
        members = np.flatnonzero((codes == c) & (weight > 0.0))
        share = weight[members].sum() / weight.sum()
        p = weight[members] / weight[members].sum()
        means[c] = p @ V[members]
        spread, shrinkage, level, Z = _shrunk(V[members] - means[c], p)
        diagonal += share * shrinkage * level * spread**2
        factors.append(np.sqrt(share * (1.0 - shrinkage) * p)[:, None] * Z * spread)
    right = means[1:] - means[:1] if n_classes == 2 else means
    return _solve(diagonal, np.concatenate(factors), right)


def _shrunk(centred, p):
    """Return feature scales, shrinkage, mean variance and standardised vectors."""
    spread = np.sqrt(p @ centred**2)
    spread = np.where(spread > 0.0, spread, 1.0)
    Z = centred / spread
    m = Z.shape[1]
    gram = (Z * p[:, None]) @ Z.T if len(Z) < m else Z.T @ (Z * p[:, None])
    # |C|^2 is the sum over i, j of p_i p_j <z_i, z_j>^2.
    size = np.sum(gram * gram.T)
    level = np.trace(gram) / m
    lengths = np.einsum("ij,ij->i", Z, Z)
    quadratic = _quadratic(gram, Z, p)
    beta = np.sum(p**2 * (lengths**2 - 2.0 * quadratic + size)) / m
    delta = size / m - level**2
    beta = min(beta, delta)
    return spread, (beta / delta if beta > 0.0 else 0.0), level, Z


def _quadratic(gram, Z, p):
    """Return z_i^T C z_i from the table of either shape in `_shrunk`."""
    if gram.shape[0] == len(Z) and len(Z) < Z.shape[1]:
        # gram_ij = p_i <z_i, z_j>, so the sum over j of p_j <z_i, z_j>^2 is this
        return np.sum(gram * gram.T, axis=1) / p
    return np.einsum("ij,ij->i", Z @ gram, Z)


def _solve(diagonal, F, right):
    """Return rows b with (diag(diagonal) + F^T F) b = right, of least norm."""
    if len(F) < F.shape[1] and diagonal.min() > 1e-12 * _mean_variance(diagonal, F):
        # Fewer samples than features: invert a matrix of their number (Woodbury).
        scaled = F / diagonal
        core = scaled @ F.T
        core[np.diag_indices_from(core)] += 1.0
        first = right / diagonal
        inner = linalg.solve(core, F @ first.T, assume_a="pos")
        return first - inner.T @ scaled
    S = F.T @ F
    S[np.diag_indices_from(S)] += diagonal
    try:
        L = linalg.cholesky(S, lower=True)
    except linalg.LinAlgError:
        return linalg.lstsq(S, right.T)[0].T
    if L.diagonal().min() < 1e-6 * L.diagonal().max():
        return linalg.lstsq(S, right.T)[0].T
    return linalg.cho_solve((L, True), right.T).T


def _mean_variance(diagonal, F):
    return diagonal.mean() + np.sum(F**2) / F.shape[1]


def orthonormal_rows(W):
    """Return an orthonormal basis (k, m) of the rows of W, weak directions left out.

    With the result F, ``F.T @ F`` is the projector ``W^T (W W^T)^+ W``.
    """
    _, singular, rows = linalg.svd(W, full_matrices=False)
    return rows[singular > _WEAKEST_DIRECTION * singular[0]]
