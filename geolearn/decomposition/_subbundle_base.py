"""Base points of principal subbundles, and points moved onto the ridge of the data."""

from numbers import Integral

import numpy as np
from scipy.sparse import csgraph, csr_array
from sklearn.utils import check_random_state

from geolearn.decomposition._subbundle_types import GAP, LEFT_SUPPORT, OK, SINGULAR
from geolearn.graph import nearest_neighbors
from geolearn.utils.validation import check_points

__all__ = ["center_bases", "central_index", "choose_base", "project_to_ridge"]

_N_NEIGHBORS = 10
_MAX_SAMPLES = 2000
_RIDGE_ITERATIONS = 100
_RIDGE_TOL = 1e-8  # of the bandwidth


def choose_base(field, X, base_point, center_base, base_bandwidth, random_state):
    """Return the base point (d,) and its orthonormal frame (d, k)."""
    base = _given_base(field, X, base_point, random_state)[None]
    base = center_bases(field, base, center_base, base_bandwidth)
    return base[0], field.frame(base)[0]


def center_bases(field, bases, center_base, base_bandwidth):
    """Return base points (b, d) moved towards the middle of the noise.

    They stay where they are if `center_base` is False, or where there is no way.
    """
    if center_base is False:
        return bases
    if base_bandwidth is not None:
        field = field.with_bandwidth(base_bandwidth)
    if center_base == "ridge":
        points, status = project_to_ridge(field, bases)
        return np.where((status == OK)[:, None], points, bases)
    return field.local_pca(bases).mean


def _given_base(field, X, base_point, random_state):
    if isinstance(base_point, str):
        return X[central_index(X, field.manifold, random_state)].copy()
    if isinstance(base_point, Integral) and not isinstance(base_point, bool):
        if not -len(X) <= base_point < len(X):
            raise ValueError(
                f"base_point={base_point} must be the index of one of n_samples="
                f"{len(X)} samples; pass an index from 0 to {len(X) - 1}, a point, or "
                f"'central'."
            )
        return X[base_point].copy()
    base = np.asarray(base_point, dtype=np.float64)
    if base.shape != X.shape[1:]:
        raise ValueError(
            f"base_point has shape {base.shape}, but a point has shape {X.shape[1:]}; "
            f"pass one point, an index, or 'central'."
        )
    return check_points(field.manifold, base[None], name="base_point")[0]


def central_index(X, manifold, random_state=None):
    """Return the sample with the smallest mean distance on a neighbour graph."""
    rows = np.arange(len(X))
    if len(X) > _MAX_SAMPLES:
        rng = check_random_state(random_state)
        rows = np.sort(rng.choice(len(X), _MAX_SAMPLES, replace=False))
    k = min(_N_NEIGHBORS, len(rows) - 1)
    if k == 0:
        return 0
    lengths, indices = nearest_neighbors(X[rows], k, metric=manifold)
    graph = csr_array(
        (lengths.ravel(), indices.ravel(), k * np.arange(len(rows) + 1)),
        shape=(len(rows), len(rows)),
    )
    D = csgraph.dijkstra(graph, directed=False)
    reachable = np.isfinite(D)
    sizes = reachable.sum(axis=1)
    means = np.where(reachable, D, 0.0).sum(axis=1) / sizes
    means[sizes < sizes.max()] = np.inf
    return int(rows[np.argmin(means)])


def project_to_ridge(field, Q, max_iter=_RIDGE_ITERATIONS, tol=_RIDGE_TOL):
    """Move points across the tangent spaces until the local mean is among them."""
    points = Q.copy()
    manifold = field.manifold
    moving = np.arange(len(Q))
    for _ in range(max_iter):
        here = points[moving]
        spectra = field.local_pca(here)
        step = manifold.log(here, spectra.mean)
        for a in range(field.rank):
            e = spectra.vectors[:, :, a]
            step = step - manifold.inner(here, e, step)[:, None] * e
        known = np.isfinite(step).all(axis=1)
        here, step, moving = here[known], step[known], moving[known]
        points[moving] = manifold.exp(here, step)
        # A row stops by itself, so that it does not depend on the others.
        moving = moving[manifold.norm(here, step) > tol * field.bandwidth]
        if not len(moving):
            break
    status = _status(field, points)
    points[status != OK] = np.nan
    return points, status


def _status(field, points):
    """Return what curves that start at points would be told."""
    found, k = field.local_pca(points), field.rank
    status = np.full(len(points), OK, dtype=np.int8)
    if k < found.eigenvalues.shape[1]:
        tangent, normal = found.eigenvalues[:, k - 1], found.eigenvalues[:, k]
        status[~((tangent > 0.0) & (tangent - normal >= GAP * tangent))] = SINGULAR
    limit = 2.0 * max(field.bandwidth, field.spacing)
    status[~((found.nearest <= limit) & (found.n_eff >= k + 1))] = LEFT_SUPPORT
    return status
