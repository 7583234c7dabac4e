"""Normal distributions of tangent vectors, wrapped onto spaces of constant curvature.

On a sphere a long tangent vector passes the antipode and comes back; the density
adds all vectors that end in the same point, so that it integrates to one for every
covariance.
"""

import itertools
import math
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp
from sklearn.utils import check_random_state

from geolearn.manifolds.base import Manifold
from geolearn.manifolds.euclidean import Euclidean
from geolearn.manifolds.hyperboloid import Hyperboloid
from geolearn.manifolds.klein import KleinBall
from geolearn.manifolds.poincare import PoincareBall
from geolearn.manifolds.product import ProductManifold
from geolearn.manifolds.sphere import Sphere
from geolearn.utils.validation import check_integer, check_points

__all__ = ["WrappedNormal"]

_SIMPLE = (Euclidean, Hyperboloid, KleinBall, PoincareBall, Sphere)
_TAIL = 8.0  # standard deviations beyond which no mass is left, plus sqrt(dim)
_MOST_TERMS = 100_000  # of the sum over turns around the spheres


class WrappedNormal:
    r"""Describe a wrapped normal distribution on a space of constant curvature [1]_.

    A sample is the exponential at the mean mu of a tangent vector that was drawn
    from N(0, cov) at the origin and transported to mu along the geodesic. The space
    is chosen by its curvature, or given as `manifold`, which may be a product.

    Parameters
    ----------
    mean : array_like of shape (n_columns,)
        Point mu: on the hyperboloid or sphere, time or pole first, for negative or
        positive curvature, and of flat space for curvature 0.
    cov : float, array_like of shape (dim,) or (dim, dim), default=1.0
        Covariance of the tangent vector in squared geodesic lengths: one variance,
        one for each axis, or a positive definite matrix. The axes are those of the
        coordinates without the first, moved from the origin to mu.
    curvature : float, default=None
        Sectional curvature of the space; None takes -1, unless `manifold` is given.
    manifold : Manifold, default=None
        Space, if not the one of `curvature`: `Hyperboloid`, `PoincareBall`,
        `KleinBall`, `Sphere`, `Euclidean` or a `ProductManifold` of them.

    Attributes
    ----------
    mean : ndarray of shape (n_columns,)
        Point mu.
    cov : ndarray of shape (dim, dim)
        Covariance matrix.
    manifold : Manifold
        Space.

    Raises
    ------
    TypeError
        If `manifold` is not a manifold.
    ValueError
        If the mean is not a point of the space, the covariance is not symmetric and
        positive definite of the right shape, both `curvature` and `manifold` are
        given, or the manifold is none of those above.

    See Also
    --------
    Manifold.random_normal : Draw from the isotropic case on any manifold.
    geolearn.datasets.make_wrapped_normal_mixture : Labelled mixtures.

    Notes
    -----
    With the tangent vector v = log_mu(z) moved to the origin, the logarithm of the
    density with respect to the Riemannian volume is
    log N(v; 0, cov) - (dim - 1) log(sinh(r) / r), r = norm(v) / R, with sin for sinh on
    the sphere. There the vectors v + 2 pi R k v / norm(v) end in the same point; their
    densities are added. At the antipode of mu the density of a sphere of dimension
    above 1 has no bound.

    No shortest geodesic leads from the pole of a sphere to its antipode; for a mean
    there, the axes are those of `Sphere.vector_to_tangent`.

    References
    ----------
    .. [1] Y. Nagano, S. Yamaguchi, Y. Fujita, M. Koyama, "A wrapped normal
       distribution on hyperbolic space for gradient-based learning", ICML 2019,
       arXiv:1902.02992.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.manifolds import WrappedNormal
    >>> normal = WrappedNormal([1.25, 0.75, 0.0], [[0.2, 0.1], [0.1, 0.3]])
    >>> X = normal.rvs(500, random_state=0)
    >>> X.shape
    (500, 3)
    >>> round(float(normal.logpdf([[1.25, 0.75, 0.0]])[0]), 6)
    -0.340011
    """

    def __init__(
        self,
        mean: Any,
        cov: Any = 1.0,
        curvature: float | None = None,
        *,
        manifold: Manifold | None = None,
    ):
        self.manifold = _space(mean, curvature, manifold)
        self._leaves = _leaves(self.manifold, 1.0)
        self.mean = check_points(self.manifold, np.asarray(mean)[None], name="mean")[0]
        self.cov = _covariance(cov, self.manifold.dim)
        self._root = np.linalg.cholesky(self.cov)

    def __repr__(self) -> str:
        return (
            f"WrappedNormal({self.mean.tolist()}, {self.cov.tolist()}, "
            f"manifold={self.manifold!r})"
        )

    def rvs(self, size: int = 1, random_state: Any = None) -> np.ndarray:
        """Draw independent points.

        Parameters
        ----------
        size : int, default=1
            Number of points.
        random_state : int, RandomState instance or None, default=None
            Source of randomness. Pass an int for reproducible results.

        Returns
        -------
        ndarray of shape (size, n_columns)
            Points.
        """
        size = check_integer(size, "size")
        rng = check_random_state(random_state)
        vectors = rng.standard_normal((size, self.manifold.dim)) @ self._root.T
        return self.manifold.exp(
            self.mean, transport_from_origin(self.manifold, self.mean, vectors)
        )

    def logpdf(self, X: Any) -> np.ndarray:
        """Return the logarithm of the density with respect to Riemannian volume.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_columns)
            Points of the space.

        Returns
        -------
        ndarray of shape (n_samples,)
            Log densities; infinity at the antipode of the mean on a sphere.

        Raises
        ------
        ValueError
            If a row is not a point of the space, or the covariance is so wide that
            the turns around the spheres cannot be enumerated.
        """
        X = check_points(self.manifold, X)
        columns = np.cumsum([math.prod(leaf.point_shape) for leaf, _ in self._leaves])
        parts = zip(
            self._leaves,
            np.split(X, columns[:-1], axis=1),
            np.split(self.mean, columns[:-1]),
            strict=True,
        )
        turns, start = [], 0
        for (leaf, scale), x, mean in parts:
            block = self.cov[start : start + leaf.dim, start : start + leaf.dim] / scale
            start += leaf.dim
            turns.append(_preimages(leaf, math.sqrt(scale), mean, x, block))
        n_terms = math.prod(len(choices) for choices in turns)
        if n_terms > _MOST_TERMS:
            raise ValueError(
                f"cov lets tangent vectors turn around the spheres in {n_terms} ways "
                f"that matter, at most {_MOST_TERMS} are added up; lower cov or "
                f"evaluate fewer factors at once."
            )
        terms = [self._log_term(choice) for choice in itertools.product(*turns)]
        if len(terms) == 1:
            return terms[0]
        return logsumexp(terms, axis=0)

    def _log_term(self, preimages):
        """Return log N(v; 0, cov) minus the log volumes of one choice of vectors."""
        vectors = np.concatenate([vector for vector, _ in preimages], axis=1)
        volume = sum(log_volume for _, log_volume in preimages)
        white = solve_triangular(self._root, vectors.T, lower=True)
        log_root = np.sum(np.log(np.diag(self._root)))
        constant = 0.5 * self.manifold.dim * math.log(2.0 * math.pi) + log_root
        return -0.5 * np.sum(white**2, axis=0) - constant - volume


def transport_from_origin(manifold, x, vectors):
    """Move vectors (..., dim), given in the axes at the origin, to the points x."""
    if isinstance(manifold, ProductManifold):
        factors = list(zip(manifold.manifolds, manifold._weights, strict=True))
        ends = np.cumsum([factor.dim for factor, _ in factors])[:-1]
        parts = zip(
            factors, manifold.split(x), np.split(vectors, ends, axis=-1), strict=True
        )
        return manifold.join(
            [
                transport_from_origin(factor, point, vector / math.sqrt(scale))
                for (factor, scale), point, vector in parts
            ]
        )
    if isinstance(manifold, Sphere):
        return _from_pole(manifold, x, vectors)
    # The frames of the other spaces are transported from the origin.
    return manifold.vector_to_tangent(x, vectors)


def _from_pole(sphere, x, vectors):
    """Transport from the pole; at its antipode, take the frame of the sphere."""
    padded = np.concatenate([np.zeros((*vectors.shape[:-1], 1)), vectors], axis=-1)
    pole = np.zeros(sphere.dim + 1)
    pole[0] = sphere.radius
    mirror = x + pole
    # R + x_0 without its cancellation near the antipode of the pole
    across = np.sum(x[..., 1:] ** 2, axis=-1) / (sphere.radius + np.abs(x[..., 0]))
    mirror[..., 0] = np.where(x[..., 0] < 0.0, across, mirror[..., 0])
    square = np.sum(mirror**2, axis=-1, keepdims=True)
    antipode = square == 0.0
    along = np.sum(x * padded, axis=-1, keepdims=True)
    # |x + pole|^2 = 2 R (R + x_0)
    moved = padded - 2.0 * along / np.where(antipode, 1.0, square) * mirror
    return np.where(antipode, sphere.vector_to_tangent(x, vectors), moved)


def _to_pole(sphere, x, tangent):
    """Undo `_from_pole` for tangent vectors at one point x."""
    frame = _from_pole(sphere, x, np.eye(sphere.dim))
    return tangent @ frame.T


def _preimages(leaf, root_scale, mean, x, block):
    """Return (vectors, log volumes) for all turns of log_mean(x) that carry mass.

    `block` is the covariance in the units of the leaf; vectors are in those of the
    product.
    """
    if not isinstance(leaf, Sphere):
        vectors = leaf.log_vector(mean, x)
        return [(root_scale * vectors, leaf.log_volume_density(mean, x))]
    apart, together = leaf._half_chords(mean, x)
    angle = 2.0 * np.arctan2(apart, together)
    across = leaf._project_tangent(mean, x - mean)
    length = np.linalg.norm(across, axis=1, keepdims=True)
    # No direction leads from the mean to itself or to its antipode: take the first.
    first = np.eye(leaf.dim)[0]
    direction = np.where(
        length > 0.0,
        _to_pole(leaf, mean, across / np.where(length > 0.0, length, 1.0)),
        first,
    )
    deviation = math.sqrt(np.linalg.eigvalsh(block)[-1])
    reach = (math.sqrt(leaf.dim) + _TAIL) * deviation / (math.pi * leaf.radius)
    n_turns = max(0, math.ceil((reach - 1.0) / 2.0))
    shortest = leaf._log_volume_density(mean, x)
    preimages = []
    for k in range(-n_turns, n_turns + 1):
        turned = angle + 2.0 * math.pi * k
        log_volume = shortest
        if k != 0 and leaf.dim > 1:
            ratio = np.where(angle > 0.0, angle, 1.0) / np.abs(turned)
            log_volume = shortest + (leaf.dim - 1) * np.log(ratio)
            # The mean itself is a null set; there the vector 0 alone is counted.
            log_volume = np.where(angle > 0.0, log_volume, np.inf)
        vectors = root_scale * leaf.radius * turned[:, None] * direction
        preimages.append((vectors, log_volume))
    return preimages


def _space(mean, curvature, manifold):
    if manifold is not None:
        if not isinstance(manifold, Manifold):
            raise TypeError(
                f"manifold must be a Manifold such as Sphere(2), got {manifold!r}."
            )
        if curvature is not None:
            raise ValueError(
                f"curvature={curvature} and manifold={manifold!r} are both given; "
                f"leave one out."
            )
        return manifold
    curvature = -1.0 if curvature is None else curvature
    n_columns = np.asarray(mean).size
    if np.ndim(mean) != 1 or n_columns < (1 if curvature == 0.0 else 2):
        raise ValueError(
            f"mean must be one point with shape (n_columns,), got shape "
            f"{np.shape(mean)}."
        )
    if curvature == 0.0:
        return Euclidean(n_columns)
    if curvature > 0.0:
        return Sphere(n_columns - 1, radius=1.0 / math.sqrt(curvature))
    return Hyperboloid(n_columns - 1, curvature=curvature)


def _leaves(manifold, scale):
    """Return the factors that are not products, with the scales of their metrics."""
    if isinstance(manifold, ProductManifold):
        pairs = zip(manifold.manifolds, manifold._weights, strict=True)
        return [leaf for factor, s in pairs for leaf in _leaves(factor, scale * s)]
    if not isinstance(manifold, _SIMPLE):
        raise ValueError(
            f"manifold={manifold!r} is not of constant curvature; choose one of "
            f"{', '.join(space.__name__ for space in _SIMPLE)} or a ProductManifold "
            f"of them. Manifold.random_normal draws on any manifold."
        )
    return [(manifold, scale)]


def _covariance(cov, dim):
    """Return the full covariance matrix, or explain what is wrong with it."""
    cov = np.asarray(cov, dtype=np.float64)
    if cov.ndim == 0:
        cov = np.full(dim, cov)
    if cov.ndim == 1:
        cov = np.diag(cov)
    if cov.shape != (dim, dim):
        raise ValueError(
            f"cov must be a number or have shape ({dim},) or ({dim}, {dim}), the "
            f"dimension of the space, got shape {cov.shape}."
        )
    if not np.isfinite(cov).all():
        raise ValueError("cov contains NaN or infinity; pass finite variances.")
    if np.max(np.abs(cov - cov.T)) > 1e-8 * np.max(np.abs(cov)):
        raise ValueError("cov must be symmetric; take (cov + cov.T) / 2.")
    cov = (cov + cov.T) / 2.0
    lowest = float(np.linalg.eigvalsh(cov)[0])
    if not lowest > np.finfo(float).eps * np.max(np.abs(cov)):
        raise ValueError(
            f"cov must be positive definite, but its smallest eigenvalue is "
            f"{lowest:.3g}; add a small multiple of the identity."
        )
    return cov
