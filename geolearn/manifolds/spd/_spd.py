"""The manifold of symmetric positive definite matrices under many metrics."""

from functools import cached_property
from typing import Any

import numpy as np

from geolearn.manifolds.spd._data import DataOperations
from geolearn.manifolds.spd._forms import (
    compose,
    symmetrise,
    unvec,
)
from geolearn.manifolds.spd._geometry import finite_exponential
from geolearn.manifolds.spd._parameters import canonical_parameters
from geolearn.utils.validation import check_integer

__all__ = ["SPD"]

# Under metrics that are not complete random points are drawn near the identity, and
# lengths that suit every point stay below the distance to the boundary.
_INNER_SCALE = 0.3
_INNER_LENGTH = 0.1


class SPD(DataOperations):
    r"""Represent symmetric positive definite matrices under a chosen metric.

    Points are n x n matrices, tangent vectors symmetric n x n matrices. All
    operations broadcast over leading axes and stay accurate up to condition numbers
    near 1e12 and in any units: data are whitened by Cholesky factors, never by
    symmetric roots, and differences of near matrices are taken before logarithms.

    Tangent coordinates (`log_vector`, `tangent_to_vector`) are those of a basis that
    is orthonormal for the metric, so that their Euclidean length is the distance.
    With vec(S) the upper triangle row by row, off-diagonal entries times sqrt 2, the
    logarithm at P of Q has the coordinates

    - affine-invariant: :math:`\mathrm{vec} \log(P^{-1/2} Q P^{-1/2})`;
    - log-Euclidean: :math:`\mathrm{vec}(\log Q - \log P)`;
    - log-Cholesky: :math:`\log(K_{ii} / L_{ii})`, then the strict lower part of
      K - L row by row, where L and K are the Cholesky factors of P and Q;
    - Bures-Wasserstein: :math:`\mathrm{vec}(S_{ij} / \sqrt{2 (d_i + d_j)})`, where S
      is the logarithm in the eigenbasis of P and d the eigenvalues of P.

    Parameters
    ----------
    n : int
        Size of the matrices.
    metric : str, default="affine_invariant"
        Name of the metric; hyphens are read as underscores. Riemannian metrics:

        - "affine_invariant" ("riemann", "airm"): complete, curvature in [-1/2, 0],
          invariant under all invertible linear maps of the channels;
        - "log_euclidean" ("logeuclid"): complete and flat;
        - "log_cholesky" ("logchol"): complete and flat; depends on the order of the
          channels;
        - "bures_wasserstein" ("wasserstein", "bures"): optimal transport between
          centred normal distributions; curvature at least 0, not complete. It has
          no closed form of `transport`, which integrates the equation of parallel
          vectors by 32 steps of fourth order: relative errors near 1e-8 where
          eigenvalues change up to tenfold;
        - "euclidean" ("euclid"), "power_euclidean" ("poweuclid"), "harmonic" (its
          power -1), "cholesky" ("chol"; depends on the order of the channels):
          flat, not complete;
        - "polar_affine": "affine_invariant" with power 2;
        - "bogoliubov_kubo_mori" ("bkm"): inner products and norms only.

        Distances and divergences without geodesics: "stein" ("logdet"), "thompson",
        "kullback_leibler" ("kullback"; of the normal distribution with covariance A
        from that with covariance B), "kullback_leibler_reversed" ("kullback_right")
        and "jeffreys" ("kullback_sym"; the sum of the two).
    alpha : float, default=1.0
        Weight of the Frobenius inner product, positive; "affine_invariant" and
        "log_euclidean" only. Squared distances are alpha times the sum of squared
        log-eigenvalues plus beta times their squared sum.
    beta : float, default=0.0
        Weight of the product of traces, above -alpha / n; as `alpha`.
    power : float, default=None
        Exponent theta, not 0. "power_euclidean": the distance is
        norm(A^theta - B^theta) / abs(theta), 0.5 if None. "affine_invariant",
        "log_cholesky" and "bures_wasserstein": deforms the metric to
        d(A^theta, B^theta) / abs(theta), which tends to the log-Euclidean distance
        (half of it for Bures-Wasserstein) as theta tends to 0; None does not deform.
    metric_matrix : array_like of shape (n, n), default=None
        SPD matrix G of the generalised Bures-Wasserstein metric [3]_, which compares
        G^-1/2 A G^-1/2; "bures_wasserstein" only. With `power` too, it is applied to
        the powers. Kept as nested tuples, since manifolds are immutable.

    Attributes
    ----------
    dim : int
        n (n + 1) / 2.
    point_shape : tuple of int
        (n, n).
    injectivity_radius : float
        Infinity: logarithms are unique. Under metrics that are not complete `exp`
        raises an error beyond the boundary.
    sectional_curvature_bounds : tuple of float
        Lowest and highest sectional curvature; infinite where not known, as for
        divergences.

    Raises
    ------
    ValueError
        If the metric is unknown, or a parameter is out of its range or has no
        meaning for the metric.

    References
    ----------
    .. [1] X. Pennec, P. Fillard, N. Ayache, "A Riemannian framework for tensor
       computing", Int. J. Comput. Vis. 66, 2006, doi:10.1007/s11263-005-3222-z.
    .. [2] Y. Thanwerdas, X. Pennec, "O(n)-invariant Riemannian metrics on SPD
       matrices", 2021, arXiv:2109.05768.
    .. [3] A. Han, B. Mishra, P. Jawanpuria, J. Gao, "Learning with symmetric positive
       definite matrices via generalized Bures-Wasserstein geometry", 2021,
       arXiv:2110.10464.
    .. [4] Z. Lin, "Riemannian geometry of symmetric positive definite matrices via
       Cholesky decomposition", 2019, arXiv:1908.09326.
    .. [5] R. Bhatia, T. Jain, Y. Lim, "On the Bures-Wasserstein distance between
       positive definite matrices", 2019, arXiv:1712.01504.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.manifolds import SPD
    >>> A, B = np.array([[2.0, 1.0], [1.0, 2.0]]), np.diag([1.0, 3.0])
    >>> manifold = SPD(2)
    >>> round(float(manifold.dist(A, B)), 8)
    1.12481662
    >>> manifold.log_vector(A, B).round(4)
    array([-0.5207, -0.8503,  0.5207])
    >>> SPD(2, "bures-wasserstein").frechet_mean(np.stack([A, B])).round(4)
    array([[1.4182, 0.5173],
           [0.5173, 2.4527]])
    """

    def __init__(
        self,
        n: int,
        metric: str = "affine_invariant",
        *,
        alpha: float = 1.0,
        beta: float = 0.0,
        power: float | None = None,
        metric_matrix: Any = None,
    ):
        self.n = check_integer(n, "n")
        given = (metric, alpha, beta, power, metric_matrix)
        # Aliases and members of families in one form, so that equal metrics compare
        # equal.
        checked = canonical_parameters(self.n, *given)
        self.metric: str = checked["metric"]
        self.alpha: float = checked["alpha"]
        self.beta: float = checked["beta"]
        self.power: float | None = checked["power"]
        self.metric_matrix: tuple | None = checked["metric_matrix"]
        self.dim = self.n * (self.n + 1) // 2
        self.point_shape = (self.n, self.n)
        self.sectional_curvature_bounds = self._geometry.curvature

    @cached_property
    def _geometry(self):
        from geolearn.manifolds.spd._build import build_geometry  # compiles

        return build_geometry(**self.get_params())

    def __getstate__(self):
        state = dict(self.__dict__)
        state.pop("_geometry", None)  # built again from the parameters
        return state

    @property
    def is_hadamard(self) -> bool:
        """Whether the metric is complete and no curvature is positive."""
        return self._geometry.complete and self.sectional_curvature_bounds[1] <= 0.0

    @property
    def _length_scale(self):
        if self._geometry.complete:
            return super()._length_scale
        return _INNER_LENGTH

    @property
    def _closed_form_transport(self):
        return self._geometry.closed_transport

    def _exp(self, x, v):
        return finite_exponential(self._geometry.exp, self.metric, x, v)

    def _log(self, x, y):
        return self._geometry.log(x, y)

    def _inner(self, x, u, v):
        return self._geometry.inner(x, u, v)

    def _norm(self, x, v):
        return self._geometry.norm(x, v)

    def _dist(self, x, y):
        return self._geometry.distance(x, y)

    def _transport(self, x, y, v):
        return self._geometry.transport(x, y, v)

    def _log_volume_density(self, x, y):
        return self._geometry.log_volume(x, y)

    @property
    def has_hessian(self) -> bool:
        """Whether `hess_half_sqdist` is available: not for Bures-Wasserstein."""
        return self.is_flat or self._geometry.has_hessian

    def _hess_half_sqdist(self, x, y):
        if self.is_flat:
            return super()._hess_half_sqdist(x, y)
        return self._geometry.hessian(x, y)

    def _log_adjoint(self, x, y, w):
        if self.is_flat:
            return super()._log_adjoint(x, y, w)
        return self._geometry.log_adjoint(x, y, w)

    def _tangent_to_vector(self, x, v):
        return self._geometry.to_vector(x, v)

    def _vector_to_tangent(self, x, w):
        return self._geometry.from_vector(x, w)

    def _project_tangent(self, x, v):
        return symmetrise(v) + np.zeros_like(x)

    def _random_point(self, n_samples, rng):
        w = rng.standard_normal((n_samples, self.dim))
        if self._geometry.complete:
            return self._geometry.exp_vector(np.eye(self.n), w)
        s, U = np.linalg.eigh(_INNER_SCALE * unvec(w, self.n))
        return compose(U, np.exp(s))
