"""What the manifolds of matrices with orthonormal columns share."""

from typing import NamedTuple

import numpy as np

from geolearn.manifolds._rotations import transpose
from geolearn.manifolds.base import Manifold
from geolearn.utils.validation import check_integer

__all__ = ["OrthonormalColumns", "Reflector", "first_pair", "polished", "residual"]


def residual(x, y):
    """Return the part of y orthogonal to the columns of x.

    It is that of y - x, which has all its digits where the columns nearly agree
    and is zero where they are equal; the second pass removes what rounding leaves
    along x.
    """
    gap = y - x
    gap = gap - x @ (transpose(x) @ gap)
    return gap - x @ (transpose(x) @ gap)


def polished(x):
    """Return nearly orthonormal columns with the square of their deviation.

    It is one step of Newton's iteration to the polar factor.
    """
    return 1.5 * x - 0.5 * x @ (transpose(x) @ x)


def first_pair(wrong, names=None):
    """Describe the first pair of points for which `wrong` holds.

    `names` holds the two indices of each pair; None takes the place in `wrong`.
    """
    wrong = np.asarray(wrong)
    if not wrong.ndim:
        return "the pair"
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    if names is not None:
        index = tuple(int(name[index]) for name in names)
    count = f"{int(np.sum(wrong))} of {wrong.size} pair(s)"
    return f"{count}, first the pair {index if len(index) > 1 else index[0]}"


class Reflector(NamedTuple):
    """Hold reflections H that map the columns of x into the first p coordinates.

    H x = [S; 0] with S orthogonal, so the last columns of H are an orthonormal
    basis of the complement of x. H = I - mirror diag(weight) mirror^T costs
    O(n p^2) where a full basis would cost O(n^2 p).

    Parameters
    ----------
    mirror : ndarray of shape (..., n, p)
        Orthogonal columns.
    weight : ndarray of shape (..., p)
        Twice the inverse squared lengths of these.
    top : ndarray of shape (..., p, p)
        Orthogonal matrices S.
    """

    mirror: np.ndarray
    weight: np.ndarray
    top: np.ndarray

    @classmethod
    def at(cls, x):
        """Return the reflectors of points."""
        p = x.shape[-1]
        left, size, right = np.linalg.svd(x[..., :p, :])
        # The sign is the one for which the mirror is never ill-defined.
        mirror = x @ transpose(right)
        mirror[..., :p, :] += left
        return cls(mirror, 1.0 / (1.0 + size), -left @ right)

    def apply(self, v):
        """Return H v."""
        return v - self.mirror @ (self.weight[..., None] * (transpose(self.mirror) @ v))


class OrthonormalColumns(Manifold):
    """Share construction, projection and membership of n x p orthonormal columns."""

    n: int
    p: int

    def _define(self, n, p, equal):
        """Assign the sizes; `equal` says why p = n is refused."""
        self.n = check_integer(n, "n")
        self.p = check_integer(p, "p")
        if self.p >= self.n:
            why = equal if self.p == self.n else "p columns need p <= n"
            raise ValueError(
                f"p={p} must be below n={n} for {type(self).__name__}: {why}."
            )
        self.point_shape = (self.n, self.p)

    def _project(self, x):
        left, size, right = np.linalg.svd(x, full_matrices=False)
        flat = size[..., -1] <= self.n * np.finfo(float).eps * size[..., 0]
        if np.any(flat):
            raise ValueError(
                f"{int(np.sum(flat))} matrices have linearly dependent columns, so "
                f"no point of {self!r} is nearest. Remove the dependent columns, or "
                f"lower p."
            )
        return left @ right

    def _deviation(self, x):
        size = np.linalg.svd(x, compute_uv=False)
        norm = np.linalg.norm(size, axis=-1)
        off = np.linalg.norm(size - 1.0, axis=-1)
        return off / np.where(norm > 0.0, norm, 1.0)
