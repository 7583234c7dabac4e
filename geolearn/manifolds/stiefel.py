"""The manifold of orthonormal frames."""

import math
from typing import ClassVar

import numpy as np

from geolearn.manifolds._orthonormal import (
    OrthonormalColumns,
    Reflector,
    first_pair,
    polished,
)
from geolearn.manifolds._rotations import skew_part, transpose
from geolearn.manifolds._stiefel_geodesics import (
    end_point,
    log_density,
    squared_length,
    transport_coordinates,
)
from geolearn.manifolds._stiefel_log import shortest
from geolearn.manifolds.special import log_sinc_to_pi

__all__ = ["Stiefel"]

_CUT = 1e-12  # angle to pi below which the sense of a rotation is noise
_NOT_FULL = 1e-8  # smallest singular value of an average that is only rounding
_CHUNK = 2**20  # numbers in a temporary of a stack of reduced points


class Stiefel(OrthonormalColumns):
    r"""Represent the n x p matrices with orthonormal columns.

    Tangent vectors at X are the matrices D with skew X^T D. With the canonical
    metric, <U, V> = tr(U^T (I - X X^T / 2) V), a rotation of the columns among
    themselves counts half of what it does with the Euclidean metric, <U, V> =
    tr(U^T V) of the surrounding space [1]_. Both are invariant under rotations of
    R^n and of the columns. Of one column, both are the unit sphere; of n - 1 columns,
    the canonical one is `SpecialOrthogonal` (n), whose distance is the angle for
    n = 3.

    Parameters
    ----------
    n : int
        Dimension of the surrounding space, at least 2.
    p : int
        Number of columns, between 1 and n - 1.
    metric : {"canonical", "euclidean"}, default="canonical"
        Riemannian metric.

    See Also
    --------
    Manifold : The methods.
    Grassmann : The spans of the columns only.
    SpecialOrthogonal : Square matrices.

    Notes
    -----
    Logarithms need iterations: an alignment that ends in a vanishing block of a
    logarithm of rotations [2]_ [3]_ and Newton's method with the exact differential
    of `exp`. Within the injectivity radius they are found to rounding. Beyond it, the
    shortest geodesic that was found is returned; no method is known to prove that
    there is no shorter one. Every geodesic is verified to end at the second
    point; where none is found, ValueError is raised. A distance takes as long as a
    logarithm.

    `exp`, `transport` and `log_volume_density` are exact: the metrics are naturally
    reductive, so that parallel fields solve linear equations with constant
    coefficients. As a cheap vector transport for optimisers take
    ``project_tangent(y, v)``.

    `injectivity_radius` is pi for the Euclidean metric [4]_, for p = 1 and for
    p = n - 1. Else it is sqrt(4/5) pi, which is proven; the true one is at most
    0.9133 pi [5]_. `sectional_curvature_bounds` are those of the literature.

    References
    ----------
    .. [1] A. Edelman, T. Arias, S. Smith, "The geometry of algorithms with
       orthogonality constraints", SIAM J. Matrix Anal. Appl. 20, 1998,
       arXiv:physics/9806030.
    .. [2] R. Zimmermann, "A matrix-algebraic algorithm for the Riemannian logarithm
       on the Stiefel manifold under the canonical metric", SIAM J. Matrix Anal.
       Appl. 38, 2017, arXiv:1604.05054.
    .. [3] R. Zimmermann, K. Hüper, "Computing the Riemannian logarithm on the
       Stiefel manifold: metrics, methods and performance", SIAM J. Matrix Anal.
       Appl. 43, 2022, arXiv:2103.12046.
    .. [4] R. Zimmermann, J. Stoye, "The injectivity radius of the compact Stiefel
       manifold under the Euclidean metric", 2024, arXiv:2405.02268.
    .. [5] P.-A. Absil, S. Mataigne, "The ultimate upper bound on the injectivity
       radius of the Stiefel manifold", 2024, arXiv:2403.02079.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.eye(4)[:, :2], np.eye(4)[:, 1:3]
    >>> float(np.degrees(Stiefel(4, 2).dist(x, y)).round(6))  # turn about (1, 1, 1, 0)
    120.0
    >>> frames = Stiefel(4, 2, metric="euclidean")
    >>> v = frames.log(x, y)
    >>> bool(np.allclose(frames.exp(x, v), y))
    True
    """

    _WEIGHTS: ClassVar[dict[str, float]] = {"canonical": 0.5, "euclidean": 1.0}

    def __init__(self, n: int, p: int, metric: str = "canonical"):
        self._define(
            n,
            p,
            "it would be the orthogonal group, which has two components; use "
            f"SpecialOrthogonal({n}) for rotations",
        )
        if metric not in self._WEIGHTS:
            raise ValueError(
                f"metric={metric!r} must be one of {sorted(self._WEIGHTS)}."
            )
        self.metric = metric
        self.dim = self.n * self.p - self.p * (self.p + 1) // 2
        self.injectivity_radius = self._injectivity()
        self.sectional_curvature_bounds = self._curvature()

    def _injectivity(self):
        rotations = self.p == self.n - 1  # SpecialOrthogonal(n), canonically
        if self.p == 1 or self.metric == "euclidean" or rotations:
            return math.pi
        return math.sqrt(0.8) * math.pi

    def _curvature(self):
        if self.dim == 1:
            return 0.0, 0.0
        if self.p == 1:
            return 1.0, 1.0
        if self.metric == "euclidean":
            return -0.5, 1.0
        if self.p == self.n - 1:
            return (0.25, 0.25) if self.n == 3 else (0.0, 0.5)
        return 0.0, 1.25

    @property
    def _beta(self):
        """Weight of X^T D in the squared length; see `_stiefel_geodesics`."""
        return self._WEIGHTS[self.metric]

    def _split(self, reflector, x, v):
        """Return X^T v and the coordinates of v in the complement of x."""
        return transpose(x) @ v, reflector.apply(v)[..., self.p :, :]

    def _join(self, reflector, x, a, b):
        """Return the matrices with parts `a` along x and `b` in its complement."""
        lead = np.broadcast_shapes(x.shape[:-2], b.shape[:-2])
        padded = np.zeros((*lead, self.n, self.p))
        padded[..., self.p :, :] = b
        return x @ a + reflector.apply(padded)

    def _compress(self, b):
        """Return Q and R with b = Q R and at most p columns of Q."""
        if self.n - self.p > self.p:
            return np.linalg.qr(b)
        return np.eye(self.n - self.p), b

    def _inner(self, x, u, v):
        along = np.sum((transpose(x) @ u) * (transpose(x) @ v), axis=(-2, -1))
        return np.sum(u * v, axis=(-2, -1)) - (1.0 - self._beta) * along

    def _exp(self, x, v):
        reflector = Reflector.at(x)
        a, b = self._split(reflector, x, v)
        q, b = self._compress(b)
        end = end_point(skew_part(a), b, self._beta)
        a, b = end[..., : self.p, :], q @ end[..., self.p :, :]
        return polished(self._join(reflector, x, a, b))

    def _solve(self, x, y, unique, names=None):
        """Return (A, B, Q, reflector) of the shortest geodesics."""
        reflector = Reflector.at(x)
        a, b = self._split(reflector, x, y - x)
        q, b = self._compress(b)
        a = np.broadcast_to(a, (*b.shape[:-2], self.p, self.p)) + np.eye(self.p)
        # Twice, since single precision is orthonormal to 1e-7 only
        W = polished(polished(np.concatenate([a, b], axis=-2)))
        lead, flat = W.shape[:-2], W.reshape(-1, *W.shape[-2:])
        step = max(1, _CHUNK // flat[0].size) if len(flat) else 1
        parts = [
            shortest(flat[i : i + step], self._beta, self.injectivity_radius)
            for i in range(0, max(len(flat), 1), step)
        ]
        A, B, gap = (np.concatenate(part) for part in zip(*parts, strict=True))
        self._refuse(gap.reshape(lead), unique, names)
        return A.reshape(a.shape), B.reshape(b.shape), q, reflector

    def _refuse(self, gap, unique, names):
        if np.any(np.isnan(gap)):
            raise ValueError(
                f"No geodesic of {self!r} was found for "
                f"{first_pair(np.isnan(gap), names)}: the points are too far apart. "
                f"Go through an intermediate point such as project(x + y), or use "
                f"Grassmann({self.n}, {self.p}) if only the spans matter."
            )
        if unique and np.any(gap < _CUT):
            raise ValueError(
                f"Two shortest geodesics of {self!r} are equally short for "
                f"{first_pair(gap < _CUT, names)}: dist is defined, log is not. Move "
                f"one of the points by a small random tangent vector."
            )

    def _log(self, x, y):
        A, B, q, reflector = self._solve(x, y, unique=True)
        return self._join(reflector, x, A, q @ B)

    def _dist(self, x, y):
        return self._dist_of_pairs(x, y)

    def _dist_of_pairs(self, x, y, names=None):
        A, B, _, _ = self._solve(x, y, unique=False, names=names)
        return np.sqrt(squared_length(A, B, self._beta))

    def _distance_table(self, X, Y=None, n_jobs=None, out=None):
        """Return all distances, on one thread; Y=None stands for X."""
        others = X if Y is None else Y
        if out is None:
            out = np.empty((len(X), len(others)))
        for rows in self._row_blocks(len(X), len(others)):
            i, j = np.indices((len(X[rows]), len(others))).reshape(2, -1)
            i = i + rows.start
            if Y is None:
                i, j = i[i < j], j[i < j]
            out[i, j] = self._dist_of_pairs(X[i], others[j], (i, j))
            if Y is None:
                out[j, i] = out[i, j]
        if Y is None:
            np.fill_diagonal(out, 0.0)
        return out

    def _log_volume_density(self, x, y):
        if self.p == 1:  # the sphere
            distance = self._dist(x, y)
            if self.is_flat:
                return np.zeros_like(distance)
            return (self.n - 2) * log_sinc_to_pi(distance, math.pi - distance)
        A, B, _, _ = self._solve(x, y, unique=False)
        n_rest = self.n - self.p - B.shape[-2]
        lead = A.shape[:-2]
        A, B = (part.reshape(-1, *part.shape[-2:]) for part in (A, B))
        return log_density(A, B, self._beta, n_rest).reshape(lead)

    def _transport(self, x, y, v):
        A, B, q, reflector = self._solve(x, y, unique=True)
        a, rest = self._split(reflector, x, v)
        b = transpose(q) @ rest
        rest = rest - q @ b
        a, b, rest = transport_coordinates(A, B, self._beta, skew_part(a), b, rest)
        return self._project_tangent(y, self._join(reflector, x, a, q @ b + rest))

    def _project_tangent(self, x, v):
        along = transpose(x) @ v
        return v - x @ (0.5 * (along + transpose(along)))

    def _tangent_to_vector(self, x, v):
        a, b = self._split(Reflector.at(x), x, v)
        i, j = np.tril_indices(self.p, -1)
        scale = math.sqrt(2.0 * self._beta)
        b = b.reshape(*b.shape[:-2], -1)
        return np.concatenate([scale * skew_part(a)[..., i, j], b], axis=-1)

    def _vector_to_tangent(self, x, w):
        i, j = np.tril_indices(self.p, -1)
        a = np.zeros((*w.shape[:-1], self.p, self.p))
        a[..., i, j] = w[..., : len(i)] / math.sqrt(2.0 * self._beta)
        b = w[..., len(i) :].reshape(*w.shape[:-1], self.n - self.p, self.p)
        return self._join(Reflector.at(x), x, a - transpose(a), b)

    def _mean_start(self, X, weight):
        average = np.tensordot(weight, X, axes=1)
        left, size, right = np.linalg.svd(average, full_matrices=False)
        if size[-1] < _NOT_FULL:
            raise ValueError(
                f"The Fréchet mean on {self!r} is not identifiable: the columns of the "
                f"average of the points are linearly dependent. Pass init or "
                f"n_init > 1 for a local minimum."
            )
        return left @ right
