"""Spectral embedding of scaled distances in hyperbolic space, and its quality."""

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from geolearn.metrics import pairwise_distances_blocks

# Below, all eigenvalues of a dense matrix are as fast as a few by Lanczos.
_DENSE_UP_TO = 300
_BLOCK_MIB = 32.0
# Largest distances after scaling that scale="auto" tries.
DIAMETERS = (1.0, 2.0, 4.0, 8.0, 16.0)


def normalised_cosh(D, scale, diameter):
    """Return cosh(scale D) / cosh(scale diameter) without overflow."""
    top = scale * diameter
    scaled = scale * D
    out = np.exp(-2.0 * scaled)
    out += 1.0
    scaled -= top
    np.exp(scaled, out=scaled)
    out *= scaled
    out /= 1.0 + np.exp(-2.0 * top)
    return out


def leading_pairs(Y, n_pairs, eigen_solver):
    """Return the largest eigenvalues of -Y, descending, and their vectors.

    The start of the Lanczos iteration is fixed, so that the result is too.
    """
    n = Y.shape[0]
    if eigen_solver == "auto":
        few = n > _DENSE_UP_TO and 10 * n_pairs < n
        eigen_solver = "arpack" if few else "dense"
    if eigen_solver == "arpack" and n_pairs < n - 1:
        negative = LinearOperator((n, n), matvec=lambda v: -(Y @ v), dtype=np.float64)
        start = np.random.default_rng(0).standard_normal(n)
        subspace = min(n, max(20, 4 * n_pairs))
        try:
            values, vectors = eigsh(
                negative, n_pairs, which="LA", v0=start, ncv=subspace
            )
            order = np.argsort(-values)
            return values[order], vectors[:, order]
        except ArpackError:  # a cluster of eigenvalues: the dense solver takes it
            pass
    values, vectors = linalg.eigh(-Y, subset_by_index=[n - n_pairs, n - 1])
    return values[::-1], vectors[:, ::-1]


def rounding_level(Y):
    """Return the size below which eigenvalues of Y are rounding errors.

    The Frobenius norm bounds the modulus of the one large eigenvalue closely.
    """
    return np.finfo(np.float64).eps * Y.shape[0] * linalg.norm(Y)


def with_time(space):
    """Prepend x_0 = sqrt(1 + |x|^2)."""
    time = np.sqrt(1.0 + np.sum(space**2, axis=1, keepdims=True))
    return np.hstack([time, space])


def spectral_embedding(D, scale, diameter, n_components, eigen_solver):
    """Embed distances by eigenvectors of -cosh(scale D).

    Parameters
    ----------
    D : ndarray of shape (n, n)
        Distances.
    scale : float
        Factor of the distances.
    diameter : float
        Largest distance.
    n_components : int
        Dimension.
    eigen_solver : {"auto", "dense", "arpack"}
        Solver.

    Returns
    -------
    embedding : ndarray of shape (n, n_components + 1)
        Points of the unit hyperboloid; zeros where eigenvalues are not positive.
    eigenvalues : ndarray of shape (n_components,)
        Largest eigenvalues of -cosh(scale D), 0 where not positive.
    """
    n = D.shape[0]
    Y = normalised_cosh(D, scale, diameter)
    found = min(n_components, n)
    values, vectors = leading_pairs(Y, found, eigen_solver)
    positive = values > rounding_level(Y)
    values = np.where(positive, values, 0.0) * np.cosh(scale * diameter)
    strongest = vectors[np.abs(vectors).argmax(axis=0), np.arange(found)]
    signs = np.where(strongest < 0.0, -1.0, 1.0)
    space = np.zeros((n, n_components))
    space[:, :found] = vectors * (signs * np.sqrt(values))
    eigenvalues = np.zeros(n_components)
    eigenvalues[:found] = values
    return with_time(space), eigenvalues


def relative_error(D, embedding, scale, n_jobs):
    """Average |d' / scale - d| / d over the pairs at positive distance d."""
    total, count = 0.0, 0
    blocks = pairwise_distances_blocks(
        embedding, metric="hyperboloid", block_mib=_BLOCK_MIB, n_jobs=n_jobs
    )
    for rows, found in blocks:
        given = D[rows]
        apart = given > 0.0
        error = np.abs(found / scale - given)
        total += float(np.sum(np.divide(error, given, out=error, where=apart)[apart]))
        count += int(np.count_nonzero(apart))
    return total / count if count else 0.0


def place(C, space, eigenvalues):
    """Return the points whose cosh-distances from the training points are `C`.

    x = -Lambda^-1 X' C, row by row: a matrix product rounds a row by how many come
    with it.
    """
    weights = np.zeros_like(space)
    np.divide(space, -eigenvalues, out=weights, where=eigenvalues > 0.0)
    return with_time(np.einsum("ij,kj->ik", C, np.ascontiguousarray(weights.T)))
