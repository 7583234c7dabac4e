"""Kendall's space of the shapes of landmarks in the plane."""

import math

import numpy as np

from geolearn.manifolds._hessians import HESSIAN, across, low_rank, positive_factors
from geolearn.manifolds._orthonormal import first_pair
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.special import log_sinc, sinc
from geolearn.utils.validation import check_integer

__all__ = ["PlanarShapes"]

_ORTHOGONAL = 1e-12  # angle to pi / 2 below which the alignment is noise
_NO_GAP = 1e-8  # eigenvalue gap of an average projector that is only rounding
_FAR = 1.0  # distance above which pi - 2 d has digits that d has lost
_CLOSE = 1e-2  # distance below which 1 - cos^2 has lost digits
_TILE_NUMBERS = 2**18  # complex numbers in the products of a tile, 4 MiB


class PlanarShapes(Manifold):
    """Represent the shapes of labelled landmarks in the plane [1]_.

    A point is a configuration of landmarks, an array of shape (n_landmarks, 2),
    centred and of Frobenius norm one. It stands for its shape: configurations that a
    rotation of the plane maps to each other are the same point, at distance zero;
    reflections are not divided out. A tangent vector at a configuration z is an array
    of the same shape whose rows sum to zero and which is orthogonal to z and to z
    turned by a right angle; it belongs to this representative of the shape.

    With landmarks as complex numbers this is complex projective space of dimension
    n_landmarks - 2, under the metric for which the distance is
    ``arccos(abs(vdot(z, w)))``, at most pi / 2. Its curvature is 4 in the planes of u
    and i u and 1 across them. Triangles form the sphere of radius 1 / 2.

    Parameters
    ----------
    n_landmarks : int
        Number of landmarks, at least 3. The manifold has 2 n_landmarks - 4 dimensions.

    See Also
    --------
    Manifold : The methods.
    geolearn.datasets.load_hand_shapes : Real landmarks.

    Notes
    -----
    `project` centres configurations and divides by their size, which turns raw
    landmarks into points. Where ``vdot(z, w)`` vanishes, no rotation aligns w best
    with z: `log`, `geodesic` and `transport` raise ValueError, while `dist` is pi / 2.

    References
    ----------
    .. [1] D. G. Kendall, "Shape manifolds, Procrustean metrics, and complex
       projective spaces", Bull. London Math. Soc. 16, 1984,
       doi:10.1112/blms/16.2.81.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.manifolds import PlanarShapes
    >>> triangles = PlanarShapes(3)
    >>> raw = [[[0, 0], [1, 0], [0.5, 0.8]], [[0, 0], [1, 0], [0.2, 0.6]]]
    >>> x, y = triangles.project(np.array(raw))
    >>> float(triangles.dist(x, y).round(12))
    0.244190627923
    >>> turned = y @ np.array([[0.0, -1.0], [1.0, 0.0]])  # the same shape
    >>> bool(triangles.dist(turned, y) < 1e-15)
    True
    """

    def __init__(self, n_landmarks: int):
        self.n_landmarks = check_integer(n_landmarks, "n_landmarks", minimum=3)
        self.dim = 2 * self.n_landmarks - 4
        self.point_shape = (self.n_landmarks, 2)
        self.injectivity_radius = math.pi / 2.0
        low = 4.0 if self.n_landmarks == 3 else 1.0
        self.sectional_curvature_bounds = (low, 4.0)

    def _origin(self):
        angles = 2.0 * math.pi * np.arange(self.n_landmarks) / self.n_landmarks
        return self._project(np.stack([np.cos(angles), np.sin(angles)], axis=-1))

    def _project(self, x):
        x = x - np.mean(x, axis=-2, keepdims=True)
        size = np.linalg.norm(x, axis=(-2, -1), keepdims=True)
        if not np.all(size > 0.0):
            n_wrong = int(np.sum(size == 0.0))
            raise ValueError(
                f"All landmarks coincide in {n_wrong} configuration(s), which have no "
                f"shape on {self!r}. Leave them out."
            )
        return x / size

    def _deviation(self, x):
        center = np.mean(x, axis=-2, keepdims=True)
        size = np.linalg.norm(x - center, axis=(-2, -1))
        shift = math.sqrt(self.n_landmarks) * np.linalg.norm(center, axis=(-2, -1))
        whole = np.hypot(size, shift)
        off = np.hypot(size - 1.0, shift)
        return np.where(whole > 0.0, off / np.where(whole > 0.0, whole, 1.0), np.inf)

    def _project_tangent(self, x, v):
        z, u = to_complex(x), to_complex(v)
        u = u - np.mean(u, axis=-1, keepdims=True)
        return to_real(u - _product(u, z) * z)

    def _sides(self, x, y):
        """Return z, the part h of w orthogonal to it, sin, cos, and w's phase.

        The part is that of w - z, which has all its digits where the two nearly
        agree; the second pass removes what rounding leaves along z.
        """
        z, w = to_complex(x), to_complex(y)
        gap = w - z
        gap = gap - _product(gap, z) * z
        gap = gap - _product(gap, z) * z
        sine = np.sqrt(np.sum(gap.real**2 + gap.imag**2, axis=-1, keepdims=True))
        product = _product(w, z)
        cosine = np.abs(product)
        phase = product / np.where(cosine > 0.0, cosine, 1.0)
        return z, gap, sine, cosine, phase

    def _dist(self, x, y):
        _, _, sine, cosine, _ = self._sides(x, y)
        return np.arctan2(sine, cosine)[..., 0]

    def _exp(self, x, v):
        angle = np.linalg.norm(v, axis=(-2, -1), keepdims=True)
        return self._project(np.cos(angle) * x + sinc(angle) * v)

    def _geodesic(self, x, y):
        """Return z, the unit velocity, the angle, its gap to pi / 2 and w's phase."""
        z, gap, sine, cosine, phase = self._sides(x, y)
        angle, rest = np.arctan2(sine, cosine), np.arctan2(cosine, sine)
        self._refuse_orthogonal(rest[..., 0])
        unit = gap * np.conj(phase) / np.where(sine > 0.0, sine, 1.0)
        return z, unit, angle, rest, phase

    def _refuse_orthogonal(self, rest):
        wrong = rest < _ORTHOGONAL
        if np.any(wrong):
            raise ValueError(
                f"Shapes are at the largest distance pi / 2 on {self!r} ("
                f"{first_pair(wrong)}): no rotation aligns them best and no shortest "
                f"geodesic is distinguished. dist is defined; move one of them for "
                f"log."
            )

    def _log(self, x, y):
        _, unit, angle, _, _ = self._geodesic(x, y)
        return to_real(angle * unit)

    def _transport(self, x, y, v):
        z, unit, angle, _, phase = self._geodesic(x, y)
        u = to_complex(v)
        along = _product(u, unit)
        # The complex line of the velocity turns towards -z; the rest stays.
        lost = np.sin(angle) * z + 2.0 * np.sin(angle / 2.0) ** 2 * unit
        return self._project_tangent(y, to_real((u - along * lost) * phase))

    def _angles(self, x, y):
        """Return the distance and its complement to pi / 2."""
        _, _, sine, cosine, _ = self._sides(x, y)
        return np.arctan2(sine, cosine)[..., 0], np.arctan2(cosine, sine)[..., 0]

    def _log_volume_density(self, x, y):
        return self._log_volume_of_angles(*self._angles(x, y))

    def _log_volume_of_angles(self, angle, complement):
        far = np.asarray(angle > _FAR)
        near = np.where(far, 0.0, angle)
        with np.errstate(divide="ignore"):  # minus infinity at the cut locus
            turned = np.log(np.sin(2.0 * complement) / np.where(far, 2.0 * angle, 1.0))
        turned = np.where(far, turned, log_sinc(2.0 * near))
        return turned + (self.dim - 2) * log_sinc(angle)

    def _log_volume_of_distance(self, distances):
        angle = np.minimum(distances, math.pi / 2.0)
        return self._log_volume_of_angles(angle, math.pi / 2.0 - angle)

    def _fill_log_volume(self, X, Y, distances, log_volume, symmetric):
        for rows in self._row_blocks(len(X), len(Y)):
            log_volume[rows] = self._log_volume_of_distance(distances[rows])
        # pi / 2 - d has lost digits there; the points have not.
        i, j = np.nonzero(distances > _FAR)
        for part in self._row_blocks(len(i), 4):
            log_volume[i[part], j[part]] = self._log_volume_density(
                X[i[part]], Y[j[part]]
            )

    def _turning(self, x, y):
        """Return coordinates of u and i u, and the factors of i u and of the rest."""
        _, unit, angle, rest, _ = self._geodesic(x, y)
        angle, rest = angle[..., 0], rest[..., 0]
        plane = [self._tangent_to_vector(x, to_real(i * unit)) for i in (1.0, 1j)]
        turned = positive_factors(2.0 * angle, 2.0 * rest)
        return *plane, turned, positive_factors(angle)

    def _hess_half_sqdist(self, x, y):
        u, v, turned, others = self._turning(x, y)
        f, rest = turned[HESSIAN], others[HESSIAN]
        values = np.stack([1.0 - rest, f - rest], axis=-1)
        return low_rank(rest, np.stack([u, v], axis=-2), values)

    def _scaled(self, x, y, w, which):
        u, v, turned, others = self._turning(x, y)
        along = np.sum(v * w, axis=-1, keepdims=True) * v
        rest = across(v, across(u, w))
        turned, others = turned[which] - 1.0, others[which] - 1.0
        return w + turned[..., None] * along + others[..., None] * rest

    def _tangent_to_vector(self, x, v):
        z, u = to_complex(x), to_complex(v)
        mirror, phase = self._mirror(z)
        # The phase makes coordinates the same for all representatives of a shape.
        w = np.conj(phase) * _reflect(mirror, _reduce(u))
        w = np.ascontiguousarray(w[..., 1:])
        return w.view(np.float64)

    def _vector_to_tangent(self, x, w):
        mirror, phase = self._mirror(to_complex(x))
        w = phase * np.ascontiguousarray(w, dtype=np.float64).view(np.complex128)
        padded = np.concatenate([np.zeros((*w.shape[:-1], 1)), w], axis=-1)
        return to_real(_expand(_reflect(mirror, padded)))

    def _mirror(self, z):
        """Return the mirror that maps z to a multiple of the first axis, and a phase.

        In coordinates of the centred configurations. The sign is chosen so that the
        mirror is never ill-defined.
        """
        mirror = _reduce(z)
        first = mirror[..., :1]
        size = np.abs(first)
        phase = np.where(size > 0.0, first / np.where(size > 0.0, size, 1.0), 1.0)
        mirror[..., :1] += phase
        return mirror, phase

    def _mean_start(self, X, weight):
        Z = to_complex(X)
        values, vectors = np.linalg.eigh((weight[:, None] * Z).T @ np.conj(Z))
        if values[-1] - values[-2] < _NO_GAP:
            raise ValueError(
                f"The Fréchet mean on {self!r} is not identifiable: the two largest "
                f"eigenvalues of the average projector are equal. Pass init or n_init "
                f"> 1 for a local minimum."
            )
        return self._project(to_real(np.ascontiguousarray(vectors[:, -1])))

    def _distance_table(self, X, Y=None, n_jobs=None, out=None):
        """Return all distances; Y=None stands for X."""
        from geolearn.utils._threads import matrix_threads  # numba loads when needed

        other = X if Y is None else Y
        if out is None:
            out = np.empty((len(X), len(other)))
        Z, W = to_complex(X), to_complex(other)
        step = max(1, math.isqrt(_TILE_NUMBERS))
        with matrix_threads(n_jobs):
            for i in range(0, len(X), step):
                rows = slice(i, i + step)
                for j in range(0 if Y is not None else i, len(other), step):
                    columns = slice(j, j + step)
                    tile = self._tile(Z[rows], W[columns], X[rows], other[columns])
                    if Y is None:
                        tile = (tile + tile.T) / 2.0 if i == j else tile
                        out[columns, rows] = tile.T
                    out[rows, columns] = tile
        if Y is None:
            np.fill_diagonal(out, 0.0)
        return out

    def _tile(self, Z, W, X, Y):
        cosines = np.abs(np.conj(Z) @ W.T)
        sines = np.sqrt(np.maximum((1.0 - cosines) * (1.0 + cosines), 0.0))
        tile = np.arctan2(sines, cosines)
        i, j = np.nonzero(tile < _CLOSE)
        for part in self._row_blocks(len(i), 4):
            tile[i[part], j[part]] = self._dist(X[i[part]], Y[j[part]])
        return tile


def to_complex(x):
    """Return landmarks of shape (..., n, 2) as complex numbers of shape (..., n)."""
    return np.ascontiguousarray(x, dtype=np.float64).view(np.complex128)[..., 0]


def to_real(z):
    """Undo `to_complex`."""
    z = np.ascontiguousarray(z)
    return z[..., None].view(np.float64)


def _product(u, v):
    """Return the sums of u times the conjugate of v, with an axis for it."""
    return np.sum(u * np.conj(v), axis=-1, keepdims=True)


def _centring_mirror(n):
    """Return the mirror that maps the vector of ones to the last axis."""
    mirror = np.full(n, 1.0 / math.sqrt(n))
    mirror[-1] += 1.0
    return mirror / np.linalg.norm(mirror)


def _reduce(u):
    """Return orthonormal coordinates of centred configurations."""
    mirror = _centring_mirror(u.shape[-1])
    along = np.sum(u * mirror, axis=-1, keepdims=True)
    return (u - 2.0 * along * mirror)[..., :-1]


def _expand(w):
    """Undo `_reduce`."""
    padded = np.concatenate([w, np.zeros((*w.shape[:-1], 1))], axis=-1)
    mirror = _centring_mirror(padded.shape[-1])
    return padded - 2.0 * np.sum(padded * mirror, axis=-1, keepdims=True) * mirror


def _reflect(mirror, v):
    squares = _product(mirror, mirror).real
    return v - 2.0 * _product(v, mirror) / squares * mirror
