"""The rotations of Euclidean space of any dimension."""

import math

import numpy as np

from geolearn.manifolds._hessians import positive_factors
from geolearn.manifolds._rotations import (
    cross_matrix,
    logarithm,
    quaternion,
    rotation,
    rotation_angles,
    skew_part,
    transpose,
)
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.special import log_sinc, log_sinc_to_pi
from geolearn.utils.validation import check_integer

__all__ = ["SpecialOrthogonal"]

_CUT = 1e-12  # gap of an angle to pi below which its sense is noise
_CANCELLED = 1e-8  # singular values of an average of rotations that are rounding
_CLOSE = 1e-2  # distance below which differences of quaternions have lost digits
_ROWS = 32  # of a block, so that little more than half of a symmetric table is done
_BLOCK_NUMBERS = 2**21  # 16 MiB of float64 in each temporary of a block


class SpecialOrthogonal(Manifold):
    r"""Represent the rotations of R^n with the bi-invariant metric.

    The inner product at X is ``tr(U.T @ V) / 2``, so that the distance of two
    rotations of space is the angle between them, and in general the root of the sum
    of the squares of the floor(n / 2) rotation angles of ``X.T @ Y``. Libraries
    that take ``tr(U.T @ V)`` report sqrt(2) times these distances. Left and right
    multiplication by a rotation are isometries. Distances and logarithms keep their
    relative precision from coincident rotations to half turns.

    Parameters
    ----------
    n : int
        Dimension of the space that is rotated, at least 2; points are n x n
        orthogonal matrices of determinant 1.

    Attributes
    ----------
    dim : int
        Dimension n (n - 1) / 2 of the manifold.

    See Also
    --------
    Manifold : The methods.

    Notes
    -----
    Where ``X.T @ Y`` has an angle of pi, in other words the eigenvalue -1, the
    shortest geodesic is not unique: `log`, `geodesic` and `transport` raise
    ValueError, while `dist` is right. Where several angles are within g of pi, the
    planes of rotation are known to about 1e-16 / g only.

    Tangent vectors at X are the matrices V with skew ``X.T @ V``. Their
    coordinates are the entries of that matrix below the diagonal, row by row; for
    n = 3 they are the rotation vector in the frame of the body, so that
    ``log_vector(X, Y)`` is what `scipy.spatial.transform.Rotation.as_rotvec` gives
    for ``X.T @ Y``.

    References
    ----------
    .. [1] A. Edelman, T. A. Arias, S. T. Smith, "The geometry of algorithms with
       orthogonality constraints", SIAM J. Matrix Anal. Appl. 20, 1998,
       arXiv:physics/9806030.

    Examples
    --------
    >>> from scipy.spatial.transform import Rotation
    >>> from geolearn.manifolds import SpecialOrthogonal
    >>> vectors = [[0.0, 0.0, 0.0], [0.0, 0.0, 10.0], [0.0, 0.0, 50.0]]
    >>> turns = Rotation.from_rotvec(vectors, degrees=True).as_matrix()
    >>> space = SpecialOrthogonal(3)
    >>> float(np.degrees(space.dist(turns[0], turns[2])).round(6))
    50.0
    >>> mean = Rotation.from_matrix(space.frechet_mean(turns))
    >>> mean.as_rotvec(degrees=True).round(6)
    array([ 0.,  0., 20.])
    """

    def __init__(self, n: int):
        self.n = check_integer(n, "n", minimum=2)
        self.dim = self.n * (self.n - 1) // 2
        self.point_shape = (self.n, self.n)
        self.injectivity_radius = math.pi
        bounds = {2: (0.0, 0.0), 3: (0.25, 0.25)}
        self.sectional_curvature_bounds = bounds.get(self.n, (0.0, 0.5))

    def _origin(self):
        return np.eye(self.n)

    def _inner(self, x, u, v):
        return np.sum(u * v, axis=(-2, -1)) / 2.0

    def _exp(self, x, v):
        y = x @ rotation(skew_part(transpose(x) @ v))
        return y + y @ (np.eye(self.n) - transpose(y) @ y) / 2.0  # no drift

    def _log(self, x, y):
        return x @ self._relative_log(x, y)

    def _dist(self, x, y):
        return np.linalg.norm(rotation_angles(x, y)[0], axis=-1)

    def _transport(self, x, y, v):
        half = rotation(self._relative_log(x, y) / 2.0)
        return x @ (half @ skew_part(transpose(x) @ v) @ half)

    def _relative_log(self, x, y):
        """Return log(X^T Y), refusing half turns."""
        logs, gap = logarithm(x, y)
        n_pairs = int(np.sum(gap < _CUT))
        if n_pairs:
            raise ValueError(
                f"{n_pairs} pair(s) of rotations on {self!r} differ by an angle of "
                f"pi, in either sense: no shortest geodesic is distinguished. Move one "
                f"of them by a random tangent vector of length above {_CUT:.0e}."
            )
        return logs

    def _log_volume_density(self, x, y):
        if self.is_flat:
            return np.zeros(np.broadcast_shapes(x.shape[:-2], y.shape[:-2]))
        angles, rest = rotation_angles(x, y)
        i, j = np.triu_indices(self.n // 2, 1)
        lower = log_sinc((angles[..., i] - angles[..., j]) / 2.0)
        upper = log_sinc_to_pi(
            (angles[..., i] + angles[..., j]) / 2.0,
            (rest[..., i] + rest[..., j]) / 2.0,
        )
        roots = np.sum(lower + upper, axis=-1)
        if self.n % 2:
            roots = roots + np.sum(log_sinc(angles / 2.0), axis=-1)
        return 2.0 * roots

    def _project(self, x):
        U, _, Vt = np.linalg.svd(x)
        return _last_column_turned(U, np.linalg.det(U @ Vt)) @ Vt

    def _project_tangent(self, x, v):
        return x @ skew_part(transpose(x) @ v)

    @property
    def _below(self):
        """Rows and columns of the coordinates in a skew matrix."""
        if self.n == 3:
            return np.array([2, 0, 1]), np.array([1, 2, 0])
        return np.tril_indices(self.n, -1)

    def _tangent_to_vector(self, x, v):
        rows, columns = self._below
        return skew_part(transpose(x) @ v)[..., rows, columns]

    def _vector_to_tangent(self, x, w):
        return x @ self._skew(w)

    def _skew(self, w):
        """Return the skew matrices with given coordinates."""
        if self.n == 3:
            return cross_matrix(w)
        rows, columns = self._below
        a = np.zeros((*w.shape[:-1], self.n, self.n))
        a[..., rows, columns] = w
        return a - transpose(a)

    def _scaled(self, x, y, w, which):
        # The curvature operator of A is -ad(A)^2 / 4, diagonal for the products of
        # eigenvectors of A.
        angles, V = np.linalg.eigh(1j * self._relative_log(x, y))
        roots = np.abs(angles[..., :, None] - angles[..., None, :]) / 2.0
        back = np.conj(transpose(V))
        C = positive_factors(roots)[which] * (back @ self._skew(w) @ V)
        rows, columns = self._below
        return skew_part((V @ C @ back).real)[..., rows, columns]

    def _random_point(self, n_samples, rng):
        Q, R = np.linalg.qr(rng.standard_normal((n_samples, self.n, self.n)))
        # Positive diagonals of R make Q uniform.
        Q = Q * np.where(np.diagonal(R, axis1=1, axis2=2) < 0.0, -1.0, 1.0)[:, None, :]
        return _last_column_turned(Q, np.linalg.det(Q))

    def _mean_start(self, X, weight):
        average = np.tensordot(weight, X, axes=1)
        U, values, Vt = np.linalg.svd(average)
        sign = math.copysign(1.0, np.linalg.det(U @ Vt))
        if values[-2] + sign * values[-1] < _CANCELLED:
            raise ValueError(
                f"The Fréchet mean on {self!r} is not identifiable: several rotations "
                f"are nearest to the average matrix. Pass init or n_init > 1 for a "
                f"local minimum."
            )
        return _last_column_turned(U, sign) @ Vt

    def _off_manifold(self, X, valid, atol, name):
        """Explain orthogonal matrices that are no rotations."""
        first = int(np.argmin(valid))
        gram = X[first].T @ X[first]
        if np.linalg.norm(gram - np.eye(self.n)) > 2.0 * math.sqrt(self.n) * atol:
            return None
        return ValueError(
            f"{name}[{first}] is orthogonal but its determinant is -1: it is a "
            f"reflection, and points of {self!r} are rotations. Negate one row or "
            f"column if its sign is arbitrary, or take the nearest rotations, "
            f"{name} = manifold.project({name})."
        )

    def _distance_table(self, X, Y=None, n_jobs=None, out=None):
        """Return all distances; Y=None stands for X."""
        if out is None:
            out = np.empty((len(X), len(X if Y is None else Y)))
        if self.n == 3:
            return self._quaternion_table(X, Y, n_jobs, out)
        other = X if Y is None else Y
        step = max(1, min(_ROWS, _BLOCK_NUMBERS // (self.n**2 * len(other))))
        for start in range(0, len(X), step):
            rows = slice(start, start + step)
            first = 0 if Y is not None else start
            angles = rotation_angles(X[rows, None], other[None, first:], n_jobs)[0]
            block = np.linalg.norm(angles, axis=-1)
            if Y is None:  # exactly symmetric
                square = np.triu(block[:, : len(block)], 1)
                block[:, : len(block)] = square + square.T
                out[first:, rows] = block.T
            out[rows, first:] = block
        return out

    def _quaternion_table(self, X, Y, n_jobs, out):
        """Measure on the sphere of quaternions, where antipodes are one rotation."""
        from geolearn.metrics import pairwise_distances  # numba loads when needed

        quaternions = [quaternion(np.eye(3), Z) for Z in (X, X if Y is None else Y)]
        pairwise_distances(
            quaternions[0],
            None if Y is None else quaternions[1],
            metric="sphere",
            n_jobs=n_jobs,
            out=out,
        )
        np.minimum(out, math.pi - out, out=out)
        out *= 2.0
        other = X if Y is None else Y
        for rows in self._row_blocks(len(X), len(other)):
            i, j = np.nonzero(out[rows] < _CLOSE)
            i += rows.start
            if Y is None:  # the table stays exactly symmetric
                i, j = i[i < j], j[i < j]
            out[i, j] = self._dist(X[i], other[j])
            if Y is None:
                out[j, i] = out[i, j]
        return out


def _last_column_turned(Q, determinants):
    """Return orthogonal matrices with the last columns times the given signs."""
    signs = np.ones((*np.shape(determinants), 1, Q.shape[-1]))
    signs[..., 0, -1] = np.where(determinants < 0.0, -1.0, 1.0)
    return Q * signs
