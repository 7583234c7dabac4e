"""Curvature of a sample by a quadratic fit around each point."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from geolearn.diagnostics._aggregate import aggregate_dimension
from geolearn.diagnostics._checks import check_choice
from geolearn.diagnostics._local_dimension import local_intrinsic_dimension
from geolearn.diagnostics._neighborhoods import (
    check_k,
    check_queries,
    distinct_sample,
    search,
    warn_undefined,
)
from geolearn.utils._threads import matrix_threads, resolve_threads

# Neighbours without which curvature drowns in noise, if the fit needs fewer.
_LEAST_NEIGHBORS = 30
# Singular values below this share of the first one are rounding errors.
_RELATIVE_RANK = 1e-10
# Numbers held at a time by a thread: 32 MiB.
_BLOCK_VALUES = 2**22


class SecondOrderCurvature(NamedTuple):
    """Curvature around each point, in one over the unit of the data.

    Parameters
    ----------
    mean_absolute : ndarray of shape (n_queries,)
        Mean absolute principal curvature (MAPC) over all normal directions.
    max_normal : ndarray of shape (n_queries,)
        Mean absolute principal curvature of the most curved normal direction.
    norm : ndarray of shape (n_queries,)
        Norm of the second fundamental form: the root of the sum of all squared
        principal curvatures.
    radius : ndarray of shape (n_queries,)
        Distance to the last neighbour, the scale of the fit, in the unit of the data.
    """

    mean_absolute: np.ndarray
    max_normal: np.ndarray
    norm: np.ndarray
    radius: np.ndarray


def second_order_curvature(
    X,
    *,
    queries=None,
    intrinsic_dim=None,
    n_neighbors=None,
    normals="all",
    n_jobs=None,
) -> SecondOrderCurvature:
    r"""Estimate the curvature of a sample around each point.

    The singular vectors of the neighbours minus the point give d tangent coordinates
    u and normal coordinates :math:`f_\alpha`; least squares fit
    :math:`f_\alpha(u) \approx g_\alpha^\top u + \frac12 u^\top H_\alpha u`. The
    eigenvalues of :math:`H_\alpha` are the principal curvatures along normal
    :math:`\alpha` [1]_, [2]_.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Sample in Euclidean space.
    queries : array-like of shape (n_queries, n_features), default=None
        Points on the sampled manifold where the curvature is wanted; None means the
        rows of `X`.
    intrinsic_dim : int or None, default=None
        Dimension d of the manifold, the same for all points. None rounds the
        geometric mean of `local_intrinsic_dimension`.
    n_neighbors : int or None, default=None
        Number of neighbours, at least twice the d + d (d + 1) / 2 unknowns of the fit;
        fewer would fit the noise. None takes that number, or 30 if it is larger.
    normals : {"all", "occupied"}, default="all"
        Normal directions that `mean_absolute` averages: all ``n_features - d``, as
        the paper does [1]_, so that empty features dilute it, or those in which the
        neighbours vary.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all. The result does not depend on it.

    Returns
    -------
    curvature : SecondOrderCurvature
        Named tuple of the arrays `mean_absolute`, `max_normal`, `norm` and `radius`
        of shape (n_queries,).

    Raises
    ------
    ValueError
        If `intrinsic_dim` is not between 1 and the number of features, or there are
        too few neighbours for the fit.

    Warns
    -----
    UserWarning
        If there are fewer than `n_neighbors` other distinct points, or an estimate
        is NaN since distances underflow to 0.

    Notes
    -----
    On a sphere of radius R all principal curvatures are 1/R: `mean_absolute` is 1/R in
    d + 1 features, and `norm` is :math:`\sqrt d / R`. Noise of size s perpendicular to
    the manifold appears as a curvature of about :math:`s / h^2`, with h the `radius`:
    raise `n_neighbors` until the result no longer falls. Where d is all features, the
    curvature is 0.

    References
    ----------
    .. [1] I. Kaufman, O. Azencot, "Data representations' study of latent image
       manifolds", International Conference on Machine Learning, 2023,
       arXiv:2305.19730.
    .. [2] Y. Li, "Curvature-aware manifold learning", 2017, arXiv:1706.07167.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import second_order_curvature
    >>> from geolearn.manifolds import Sphere
    >>> X = 2.0 * Sphere(2).random_point(2000, random_state=0)
    >>> curvature = second_order_curvature(X, intrinsic_dim=2)
    >>> round(float(curvature.mean_absolute.mean()), 2)
    0.51
    """
    check_choice("normals", normals, ("all", "occupied"))
    sample = distinct_sample(X)
    targets = check_queries(sample, queries)
    d = _dimension(X, sample, intrinsic_dim, n_jobs)
    k = _neighbors(n_neighbors, d, sample)
    centers = sample.searcher.points if targets is None else targets
    values = np.empty((4, centers.shape[0]))
    step = _block_rows(k, d, centers.shape[1])

    def fit(rows, found):
        own = centers[rows.start : rows.stop]
        near = sample.searcher.points[found.indices] - own[:, None]
        values[:, rows] = _fit(near, found.distances[:, -1], d, normals)

    with matrix_threads(1):  # the matrices are small: threads run over points
        for block, found in search(sample, targets, k, n_jobs):
            starts = range(block.start, block.stop, step)
            Parallel(n_jobs=resolve_threads(n_jobs), prefer="threads")(
                delayed(fit)(*_part(block, found, start, step)) for start in starts
            )
    if targets is None:
        values = values[:, sample.inverse]
    warn_undefined(
        values[0], "distances to neighbours underflow to 0; rescale the data."
    )
    return SecondOrderCurvature(*values)


def _part(block, found, start, step):
    rows = slice(start, min(start + step, block.stop))
    local = slice(rows.start - block.start, rows.stop - block.start)
    return rows, type(found)(*(array[local] for array in found))


def _block_rows(k, d, n_features):
    unknowns = d + d * (d + 1) // 2
    each = k * (2 * n_features + 2 * unknowns) + min(k, n_features) * (d * d + unknowns)
    return max(1, _BLOCK_VALUES // each)


def _dimension(X, sample, intrinsic_dim, n_jobs):
    n_features = sample.searcher.points.shape[1]
    if intrinsic_dim is None:
        k = max(3, min(50, sample.searcher.n_samples - 1))
        dimensions = local_intrinsic_dimension(X, n_neighbors=k, n_jobs=n_jobs)
        return int(np.clip(round(aggregate_dimension(dimensions)), 1, n_features))
    is_int = isinstance(intrinsic_dim, Integral) and not isinstance(intrinsic_dim, bool)
    if not is_int or not 1 <= intrinsic_dim <= n_features:
        raise ValueError(
            f"intrinsic_dim must be an int from 1 to the {n_features} features of X, "
            f"got {intrinsic_dim!r}."
        )
    return int(intrinsic_dim)


def _neighbors(n_neighbors, d, sample):
    least = 2 * (d + d * (d + 1) // 2)
    # A query may be a point of the sample, which is not its own neighbour.
    if n_neighbors is None:
        # Sphere and plane are fitted well by the first; noise wants the second.
        available = sample.searcher.n_samples - 1
        n_neighbors = max(least, min(_LEAST_NEIGHBORS, available))
    k = check_k(n_neighbors, sample, None)
    if k < least:
        raise ValueError(
            f"n_neighbors={k} is too few for intrinsic_dim={d}: the quadratic fit has "
            f"{least // 2} unknowns and needs {least} neighbours. Raise n_neighbors, "
            "lower intrinsic_dim or take more samples."
        )
    return k


def _fit(near, radius, d, normals):
    """Return mean absolute, largest and total curvature, and the radius."""
    n, k, n_features = near.shape
    if d == n_features:
        zeros = np.zeros(n)
        return zeros, zeros, zeros, radius
    near = near / radius[:, None, None]
    missing = np.isnan(radius)
    near[missing] = 0.0
    if n_features > 2 * k:  # the same singular values and left vectors, sooner
        near = np.swapaxes(np.linalg.qr(np.swapaxes(near, 1, 2), mode="r"), 1, 2)
    left, s, _ = np.linalg.svd(near, full_matrices=False)
    coordinates = left * s[:, None, :]
    u, f = coordinates[:, :, :d], coordinates[:, :, d:]
    occupied = s[:, d:] > _RELATIVE_RANK * s[:, :1]
    f = np.where(occupied[:, None, :], f, 0.0)
    i, j = np.triu_indices(d)
    products = u[:, :, i] * u[:, :, j]
    products[:, :, i == j] *= 0.5
    design = np.concatenate([u, products], axis=2)
    solution = np.linalg.pinv(design, rcond=_RELATIVE_RANK) @ f
    H = np.empty((n, f.shape[2], d, d))
    H[:, :, i, j] = H[:, :, j, i] = np.swapaxes(solution[:, d:], 1, 2)
    curvatures = np.abs(np.linalg.eigvalsh(H)) / radius[:, None, None]
    of_normal = curvatures.mean(axis=2)
    count = n_features - d if normals == "all" else np.maximum(occupied.sum(axis=1), 1)
    norm = np.sqrt(np.einsum("nad,nad->n", curvatures, curvatures))
    return of_normal.sum(axis=1) / count, of_normal.max(axis=1), norm, radius
