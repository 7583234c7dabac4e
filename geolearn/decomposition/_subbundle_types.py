"""What the fields of principal subbundles return.

A field has `points`, `weights`, `bandwidth`, `rank`, `spacing` and `manifold`, and the
methods `local_pca`, `frame`, `hamiltonian`, `shoot`, `with_bandwidth`, `difference` and
`neighbors`. Residuals of logarithms are ``difference(end_points, targets)``: vectors
whose Euclidean norm is the distance, in flat space ``end_points - targets``. Points,
frames and momenta are in ambient coordinates, a momentum is ``frame @ v``, and its
length is the norm of `v`. Nothing that uses a field needs to know its space.
"""

from typing import NamedTuple

import numpy as np

# Status of a curve.
OK = 0
LEFT_SUPPORT = 1
ENERGY_DRIFT = 2
SINGULAR = 3

# Smallest gap of tangent and normal eigenvalues, over the former, on curves.
GAP = 1e-3


class Shot(NamedTuple):
    """End points of curves, one row a curve; NaN after a curve was stopped.

    Attributes
    ----------
    points : ndarray of shape (m, d)
        Position at time 1; NaN where `status` is 1 or 3.
    covectors : ndarray of shape (m, d)
        Momentum at time 1; NaN as `points`.
    status : ndarray of shape (m,), int8
        0 fine, 1 left the support of the data, 2 energy not conserved, 3 the rank
        is not defined on the way (eigenvalue crossing).
    drift : ndarray of shape (m,)
        Largest value of H(t) / H(0) - 1 in absolute value.
    reached : ndarray of shape (m,)
        Time in [0, 1] up to which the curve was followed.
    path : ndarray of shape (m, n_records + 1, d) or None
        Positions at the times j / n_records.
    """

    points: np.ndarray
    covectors: np.ndarray
    status: np.ndarray
    drift: np.ndarray
    reached: np.ndarray
    path: np.ndarray | None = None


class LocalSpectra(NamedTuple):
    """Local principal components at m points.

    Attributes
    ----------
    mean : ndarray of shape (m, d)
        Weighted local mean.
    eigenvalues : ndarray of shape (m, r)
        Eigenvalues of the local covariance, decreasing.
    vectors : ndarray of shape (m, d, r)
        Their unit eigenvectors, as columns.
    n_eff : ndarray of shape (m,)
        Effective sample size; 0 where no sample has a weight (rest NaN).
    nearest : ndarray of shape (m,)
        Distance to the nearest sample.
    """

    mean: np.ndarray
    eigenvalues: np.ndarray
    vectors: np.ndarray
    n_eff: np.ndarray
    nearest: np.ndarray
