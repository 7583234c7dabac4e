"""Compiled comparison of the diagrams of annuli with those of flat models."""

import numpy as np
from numba import types

from geolearn.topology._bottleneck_kernels import (
    PAIRS,
    bottleneck_deaths,
    bottleneck_pairs,
)
from geolearn.topology._euclidicity_diagrams import Diagrams
from geolearn.topology._euclidicity_kernels import INDEX
from geolearn.utils._jit import POINTS, TABLE, first_class, kernel

# kernels: _bottleneck_kernels=b80eceec

__all__ = [
    "bin_of",
    "compare_interval",
    "compare_models",
    "mean_cells",
    "null_distances",
    "top_degrees",
]


_MATCHING = types.FunctionType(PAIRS)
_DIAGRAMS = types.NamedTuple((POINTS, INDEX, types.intp, types.intp), Diagrams)
_NUMBERS = types.Array(types.intp, 2, "C", readonly=True)
_OUT = types.float64[:, :, ::1]


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
def _scaled(store, cloud, scale, scratch):
    """Return all diagrams of a cloud over scale, one after the other, in scratch."""
    first = store.starts[cloud * store.n_degrees]
    n = store.starts[(cloud + 1) * store.n_degrees] - first
    if n > scratch.shape[0]:
        scratch = np.empty((2 * n, 2))
    for k in range(n):
        scratch[k, 0] = store.pairs[first + k, 0] / scale
        scratch[k, 1] = store.pairs[first + k, 1] / scale
    return scratch


@kernel
def _distances(matching, P, store, cloud, models, model, out):
    """Fill in the bottleneck distances of scaled diagrams to a model, by degree."""
    n = store.n_degrees
    own = store.starts[cloud * n : (cloud + 1) * n + 1]
    theirs = models.starts[model * n : (model + 1) * n + 1]
    Q = models.pairs
    a = P[: own[1] - own[0], 1]
    out[0] = bottleneck_deaths(a, Q[theirs[0] : theirs[1], 1])
    for i in range(1, n):
        part = P[own[i] - own[0] : own[i + 1] - own[0]]
        out[i] = matching(part, Q[theirs[i] : theirs[i + 1]])


@kernel
def _pooled_distance(matching, P, store, cloud, models, model):
    """Return the distance of the diagrams of all degrees thrown together."""
    n = store.n_degrees
    size = store.starts[(cloud + 1) * n] - store.starts[cloud * n]
    first, last = models.starts[model * n], models.starts[(model + 1) * n]
    return matching(P[:size], models.pairs[first:last])


@kernel(nogil=True)
def _models(
    matching,
    owner,
    inner,
    outer,
    counts,
    store,
    models,
    key_of,
    null,
    pooled,
    max_points,
    out,
):
    n_steps, n_degrees = inner.shape[1], store.n_degrees
    n_draws = models.n_draws
    one = np.empty(n_degrees)
    P = np.empty((64, 2))
    for q in range(owner.shape[0]):
        for cell in range(owner.shape[1]):
            values, cloud = out[q, cell], owner[q, cell]
            for i in range(n_degrees + 1):
                values[i] = 0.0 if cloud >= 0 else np.nan
            if cloud < 0:
                continue
            s = outer[q, cell % n_steps]
            b = bin_of(inner[q, cell // n_steps], s, key_of.shape[1])
            key = key_of[min(counts[q, cell], max_points), b]
            P = _scaled(store, cloud, s, P)
            for m in range(key * n_draws, (key + 1) * n_draws):
                _distances(matching, P, store, cloud, models, m, one)
                largest = 0.0
                for i in range(n_degrees):
                    values[i] += one[i]
                    largest = max(largest, one[i])
                if pooled:
                    largest = _pooled_distance(matching, P, store, cloud, models, m)
                values[n_degrees] += largest
            for i in range(n_degrees + 1):
                values[i] /= n_draws
            if null.shape[0] > 0 and pooled:
                values[n_degrees] -= null[key, n_degrees]
            elif null.shape[0] > 0:
                values[n_degrees] = -np.inf
                for i in range(n_degrees):
                    excess = values[i] - null[key, i]
                    values[n_degrees] = max(values[n_degrees], excess)
            for i in range(n_degrees + 1):
                values[i] *= s


_MODELS = (
    *(_MATCHING, _NUMBERS, POINTS, POINTS, _NUMBERS, _DIAGRAMS, _DIAGRAMS, _NUMBERS),
    *(POINTS, types.boolean, types.intp, _OUT),
)


def compare_models(
    owner, inner, outer, counts, store, models, key_of, null, pooled, max_points
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

    Returns
    -------
    ndarray of shape (n_queries, n_cells, n_degrees + 1)
        Mean distances in each degree, and combined.
    """
    out = np.empty((*owner.shape, store.n_degrees + 1))
    first_class(_models, *_MODELS)(
        *(first_class(bottleneck_pairs, *PAIRS.args), owner, inner, outer, counts),
        *(store, models, key_of, null, pooled, max_points, out),
    )
    return out


@kernel(nogil=True)
def _interval(matching, owner, inner, outer, store, degree, pooled, out):
    n_steps, n_degrees = inner.shape[1], store.n_degrees
    interval = np.empty((1, 2))
    for q in range(owner.shape[0]):
        for cell in range(owner.shape[1]):
            values, cloud = out[q, cell], owner[q, cell]
            for i in range(n_degrees + 1):
                values[i] = 0.0 if cloud >= 0 else np.nan
            if cloud < 0:
                continue
            interval[0, 0] = inner[q, cell // n_steps]
            interval[0, 1] = outer[q, cell % n_steps]
            ends = store.starts[cloud * n_degrees : (cloud + 1) * n_degrees + 1]
            for i in range(n_degrees):
                P = store.pairs[ends[i] : ends[i + 1]]
                n_model = 1 if i == degree and i > 0 else 0
                values[i] = matching(P, interval[:n_model])
                values[n_degrees] = max(values[n_degrees], values[i])
            if pooled:
                P = store.pairs[ends[0] : ends[n_degrees]]
                values[n_degrees] = matching(P, interval)


_INTERVAL = (
    *(_MATCHING, _NUMBERS, POINTS, POINTS, _DIAGRAMS),
    *(types.intp, types.boolean, _OUT),
)


def compare_interval(owner, inner, outer, store, degree, pooled):
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

    Returns
    -------
    ndarray of shape (n_queries, n_cells, n_degrees + 1)
        As by `compare_models`.
    """
    out = np.empty((*owner.shape, store.n_degrees + 1))
    first_class(_interval, *_INTERVAL)(
        *(first_class(bottleneck_pairs, *PAIRS.args), owner, inner, outer, store),
        *(degree, pooled, out),
    )
    return out


@kernel(nogil=True)
def _null(matching, models, pooled, out):
    n_draws, n_degrees = models.n_draws, models.n_degrees
    n_pairs = n_draws * (n_draws - 1) / 2
    one = np.empty(n_degrees)
    P = np.empty((64, 2))
    for key in range(out.shape[0]):
        for i in range(n_degrees + 1):
            out[key, i] = 0.0
        for m in range(key * n_draws, (key + 1) * n_draws):
            P = _scaled(models, m, 1.0, P)
            for other in range(key * n_draws, m):
                _distances(matching, P, models, m, models, other, one)
                for i in range(n_degrees):
                    out[key, i] += one[i]
                if pooled:
                    out[key, n_degrees] += _pooled_distance(
                        matching, P, models, m, models, other
                    )
        for i in range(n_degrees + 1):
            out[key, i] /= n_pairs


_NULL = (_MATCHING, _DIAGRAMS, types.boolean, TABLE)


def null_distances(models, pooled):
    """Average the distances between the draws of each model.

    Parameters
    ----------
    models : Diagrams
        Diagrams of at least two draws a model.
    pooled : bool
        Whether the pooled distance is wanted, else 0.

    Returns
    -------
    ndarray of shape (n_keys, n_degrees + 1)
        Mean distances in each degree, and pooled.
    """
    n_clouds = (models.starts.size - 1) // models.n_degrees
    out = np.empty((n_clouds // models.n_draws, models.n_degrees + 1))
    matching = first_class(bottleneck_pairs, *PAIRS.args)
    first_class(_null, *_NULL)(matching, models, pooled, out)
    return out


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
                diagram = owner[q, cell] * store.n_degrees + i
                for t in range(store.starts[diagram], store.starts[diagram + 1]):
                    if store.pairs[t, 1] - store.pairs[t, 0] > least:
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
