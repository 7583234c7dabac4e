"""Random rotations that do not change with the version of SciPy."""

import numpy as np


def random_rotation(dim, rng):
    """Draw a rotation of SO(dim) uniformly, as a product of reflections.

    `scipy.stats.special_ortho_group` drew the same matrix from the same stream
    up to SciPy 1.15; later versions draw another one. The Householder form is
    kept here so that a seed means the same data under every SciPy.

    Parameters
    ----------
    dim : int
        Dimension of the space, at least 2.
    rng : RandomState instance
        Stream; gives dim + (dim - 1) + ... + 2 normal numbers.

    Returns
    -------
    ndarray of shape (dim, dim)
        Orthogonal matrix of determinant 1.
    """
    rotation = np.eye(dim)
    signs = np.ones(dim)
    for k in range(dim - 1):
        v = rng.normal(size=dim - k)
        signs[k] = -1.0 if v[0] < 0.0 else 1.0
        # The sign avoids cancellation; v is the normal of the mirror that takes
        # the drawn direction to the k-th axis.
        v[0] += signs[k] * np.linalg.norm(v)
        tail = rotation[:, k:]
        tail -= np.outer(tail @ v, v) * (2.0 / (v @ v))
    # dim - 1 reflections have determinant (-1)**(dim - 1).
    signs[-1] = (-1.0) ** (dim - 1) * np.prod(signs[:-1])
    return signs[:, np.newaxis] * rotation
