"""Compiled comparison of the diagrams of annuli with those of flat models."""

import numpy as np

from geolearn.topology._bottleneck_kernels import bottleneck_deaths, bottleneck_pairs
from geolearn.utils._jit import kernel

# kernels: _bottleneck_kernels=733a024a

__all__ = [
    "bin_of",
    "compare_interval",
    "compare_models",
    "mean_cells",
    "null_distances",
    "top_degrees",
]


@kernel
def bin_of(inner, outer, n_bins):
    """Return the bin of the ratio of two radii, inner < outer.

    Parameters
    ----------
    inner, outer : float
        Radii of the annulus.
    n_bins : int
        Number of bins.

    Returns
    -------
    int
        Nearest bin, below `n_bins`.
    """
    return min(int(n_bins * (inner / outer) + 0.5), n_bins - 1)


@kernel
def _pool(deaths, pairs):
    # All degrees in one diagram.
    n = deaths.shape[0]
    pooled = np.zeros((n + pairs.shape[0], 2))
    pooled[:n, 1] = deaths
    pooled[n:] = pairs
    return pooled


@kernel
def _deaths(store, cloud):
    return store.deaths[store.death_ptr[cloud] : store.death_ptr[cloud + 1]]


@kernel
def _pairs(store, cloud, degree):
    # Degree 1 and above; degree 0 stands for all of these.
    n = store.n_degrees - 1
    first, last = cloud * n, (cloud + 1) * n
    if degree > 0:
        first, last = first + degree - 1, first + degree
    return store.pairs[store.pair_ptr[first] : store.pair_ptr[last]]


@kernel
def _distances(store, cloud, models, model, scale, out):
    # Bottleneck distance in each degree of a cloud over scale to a model.
    out[0] = bottleneck_deaths(_deaths(store, cloud) / scale, _deaths(models, model))
    for i in range(1, store.n_degrees):
        P = _pairs(store, cloud, i) / scale
        out[i] = bottleneck_pairs(P, _pairs(models, model, i))


@kernel
def _pooled_distance(store, cloud, models, model, scale):
    P = _pool(_deaths(store, cloud), _pairs(store, cloud, 0)) / scale
    return bottleneck_pairs(P, _pool(_deaths(models, model), _pairs(models, model, 0)))


@kernel(nogil=True)
def compare_models(
    owner, inner, outer, counts, store, models, key_of, null, pooled, max_points, out
):
    """Compare the diagrams of all annuli with those of the draws of their models.

    Parameters
    ----------
    owner : ndarray of intp of shape (n_queries, n_cells)
        Number of the diagram of each cell, -1 where there is none.
    inner, outer : ndarray of shape (n_queries, n_steps)
        Radii.
    counts : ndarray of intp of shape (n_queries, n_cells)
        Points of the annuli before thinning.
    store, models : Diagrams
        Diagrams of the annuli, and of the draws at outer radius 1.
    key_of : ndarray of intp of shape (n_points, n_bins)
        Number of the model of so many points and of the bin of inner / outer.
    null : ndarray of shape (n_keys, n_degrees + 1)
        Distances that are subtracted in each degree, the last for `pooled`; of shape
        (0, 0) to subtract none.
    pooled : bool
        Whether all degrees are compared as one diagram.
    max_points : int
        Largest number of points after thinning.
    out : ndarray of shape (n_queries, n_cells, n_degrees + 1)
        Filled with the mean distances in each degree, and combined.
    """
    n_steps, n_degrees = inner.shape[1], store.n_degrees
    n_draws = models.n_draws
    one = np.empty(n_degrees)
    for q in range(owner.shape[0]):
        for cell in range(owner.shape[1]):
            values = out[q, cell]
            if owner[q, cell] < 0:
                values[:] = np.nan
                continue
            s = outer[q, cell % n_steps]
            b = bin_of(inner[q, cell // n_steps], s, key_of.shape[1])
            key = key_of[min(counts[q, cell], max_points), b]
            values[:] = 0.0
            for m in range(key * n_draws, (key + 1) * n_draws):
                _distances(store, owner[q, cell], models, m, s, one)
                values[:n_degrees] += one
                if pooled:
                    values[-1] += _pooled_distance(store, owner[q, cell], models, m, s)
                else:
                    values[-1] += one.max()
            values /= n_draws
            if null.shape[0] > 0 and pooled:
                values[-1] -= null[key, n_degrees]
            elif null.shape[0] > 0:
                values[-1] = (values[:n_degrees] - null[key, :n_degrees]).max()
            values *= s


@kernel(nogil=True)
def compare_interval(owner, inner, outer, store, degree, pooled, out):
    """Compare the diagrams of all annuli with the one interval (inner, outer).

    Parameters
    ----------
    owner, inner, outer : ndarray
        As in `compare_models`.
    store : Diagrams
        Diagrams of the annuli.
    degree : int
        Degree of the interval.
    pooled : bool
        Whether all degrees are compared as one diagram.
    out : ndarray of shape (n_queries, n_cells, n_degrees + 1)
        Filled as by `compare_models`.
    """
    n_steps, n_degrees = inner.shape[1], store.n_degrees
    nothing = np.empty((0, 2))
    interval = np.empty((1, 2))
    for q in range(owner.shape[0]):
        for cell in range(owner.shape[1]):
            values, cloud = out[q, cell], owner[q, cell]
            if cloud < 0:
                values[:] = np.nan
                continue
            interval[0, 0] = inner[q, cell // n_steps]
            interval[0, 1] = outer[q, cell % n_steps]
            values[0] = bottleneck_deaths(_deaths(store, cloud), np.empty(0))
            for i in range(1, n_degrees):
                model = interval if i == degree else nothing
                values[i] = bottleneck_pairs(_pairs(store, cloud, i), model)
            values[-1] = values[:n_degrees].max()
            if pooled:
                P = _pool(_deaths(store, cloud), _pairs(store, cloud, 0))
                values[-1] = bottleneck_pairs(P, interval)


@kernel(nogil=True)
def null_distances(models, pooled, out):
    """Average the distances between the draws of each model.

    Parameters
    ----------
    models : Diagrams
        Diagrams of at least two draws a model.
    pooled : bool
        Whether the pooled distance is wanted, else 0.
    out : ndarray of shape (n_keys, n_degrees + 1)
        Filled with the mean distances in each degree, and pooled.
    """
    n_draws = models.n_draws
    one = np.empty(models.n_degrees)
    for key in range(out.shape[0]):
        out[key] = 0.0
        for m in range(key * n_draws, (key + 1) * n_draws):
            for other in range(key * n_draws, m):
                _distances(models, m, models, other, 1.0, one)
                out[key, : models.n_degrees] += one
                if pooled:
                    out[key, -1] += _pooled_distance(models, m, models, other, 1.0)
        out[key] /= n_draws * (n_draws - 1) / 2


@kernel(nogil=True)
def top_degrees(owner, outer, store, threshold, out):
    """Find the highest degree with a class that lives longer than a threshold.

    Parameters
    ----------
    owner : ndarray of intp of shape (n_queries, n_cells)
        Number of the diagram of each cell, -1 where there is none.
    outer : ndarray of shape (n_queries, n_steps)
        Outer radii.
    store : Diagrams
        Diagrams of the annuli.
    threshold : float
        Lifetime over the outer radius that a class has to exceed.
    out : ndarray of intp of shape (n_queries, n_cells)
        Filled with the degrees, 0 if there is no such class, -1 for void cells.
    """
    n_steps = outer.shape[1]
    for q in range(owner.shape[0]):
        for cell in range(owner.shape[1]):
            out[q, cell] = min(owner[q, cell], 0)
            if owner[q, cell] < 0:
                continue
            least = threshold * outer[q, cell % n_steps]
            for i in range(1, store.n_degrees):
                P = _pairs(store, owner[q, cell], i)
                for t in range(P.shape[0]):
                    if P[t, 1] - P[t, 0] > least:
                        out[q, cell] = i


@kernel(nogil=True)
def mean_cells(owner, cells, outer, scores, n_valid):
    """Average the distances over the outer radii of all cells that are not void.

    Parameters
    ----------
    owner : ndarray of intp of shape (n_queries, n_cells)
        Number of the diagram of each cell, -1 for void ones.
    cells : ndarray of shape (n_queries, n_cells)
        Distances.
    outer : ndarray of shape (n_queries, n_steps)
        Outer radii, or ones.
    scores : ndarray of shape (n_queries,)
        Filled with the means, NaN where all cells are void.
    n_valid : ndarray of intp of shape (n_queries,)
        Filled with the numbers of cells.
    """
    n_steps = outer.shape[1]
    for q in range(owner.shape[0]):
        total, count = 0.0, 0
        for cell in range(owner.shape[1]):
            if owner[q, cell] >= 0:
                total += cells[q, cell] / outer[q, cell % n_steps]
                count += 1
        n_valid[q] = count
        scores[q] = total / count if count > 0 else np.nan
