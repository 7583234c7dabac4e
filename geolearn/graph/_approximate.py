"""Approximate neighbours: candidates of pynndescent, ranked anew in float64."""

import warnings

import numpy as np
from numba import prange, types
from sklearn.utils import check_random_state

from geolearn.graph._precomputed import sort_rows
from geolearn.metrics import kneighbors
from geolearn.metrics._resolve import KernelMetric, SklearnMetric, resolve_metric
from geolearn.utils._jit import POINT, POINTS, ROW, TABLE, first_class, kernel
from geolearn.utils._threads import numba_threads

_INDICES = types.Array(types.intp, 2, "C", readonly=True)
# Candidates beyond the k that are returned: float32 mixes up near ties, and the
# search finds the nearest more reliably than the k-th.
_MIN_SPARE = 10
# Metrics that mean the same in scikit-learn and in pynndescent.
_SHARED_NAMES = frozenset(
    [
        "braycurtis",
        "canberra",
        "chebyshev",
        "cityblock",
        "correlation",
        "cosine",
        "hamming",
        "l1",
        "manhattan",
        "minkowski",
    ]
)


@kernel(parallel=True)
def _gathered(row, X, candidates, params, out):
    for i in prange(X.shape[0]):
        near = np.empty((candidates.shape[1], X.shape[1]))
        for j in range(candidates.shape[1]):
            near[j] = X[candidates[i, j]]
        row(X, np.intp(i), near, params, out)


def approximate_neighbors(
    X, k, *, metric, metric_params=None, random_state=None, n_jobs=None
) -> tuple[np.ndarray, np.ndarray]:
    """Find approximate neighbours of every row among the others.

    `X` is a validated float64 table and `k` less than its length. The candidates
    are approximate, their distances are not. Rows for which fewer than k distinct
    candidates come back are searched exactly.
    """
    resolved = resolve_metric(metric, metric_params)
    X, _ = resolved.validate(X, None)
    n = X.shape[0]
    n_candidates = min(k + max(_MIN_SPARE, k // 2), n - 1)
    index = build_index(
        X, n_candidates + 1, resolved, random_state=random_state, n_jobs=n_jobs
    )
    candidates = index.neighbor_graph[0].astype(np.intp)
    usable = distinct_others(candidates, np.arange(n))
    candidates[~usable] = 0
    distances = _exact_distances(X, candidates, resolved, n_jobs)
    distances[~usable] = np.inf
    distances, candidates = sort_rows(distances, candidates)
    distances = np.ascontiguousarray(distances[:, :k])
    indices = np.ascontiguousarray(candidates[:, :k])
    missing = np.flatnonzero(usable.sum(axis=1) < k)
    if missing.size:
        distances[missing], indices[missing] = _complete(
            X, missing, k, metric, metric_params, n_jobs
        )
    return distances, indices


def build_index(
    X, n_neighbors, resolved, *, same_distances=False, random_state=None, n_jobs=None
):
    """Build a pynndescent index over the points.

    It finds the same neighbours as the metric; only with `same_distances` are its
    distances those of the metric, and its queries take points as they are.

    pynndescent's result depends on its number of threads. With a seed it runs on
    one, so that `n_jobs` does not change the result; without, on `n_jobs`.
    """
    from pynndescent import NNDescent

    points, metric, options = _as_pynndescent(X, resolved, same_distances)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    with (
        numba_threads(n_jobs if random_state is None else None),
        warnings.catch_warnings(),
    ):
        # Incomplete rows are completed by the caller.
        warnings.filterwarnings("ignore", message="Failed to correctly find")
        return NNDescent(
            points.astype(np.float32),
            metric=metric,
            metric_kwds=options,
            n_neighbors=n_neighbors,
            random_state=seed,
        )


def _as_pynndescent(X, resolved, same_distances):
    """Return points, metric and options that give pynndescent the same neighbours."""
    if isinstance(resolved, KernelMetric):
        name = resolved.metric.name
        if name == "euclidean":
            return X if same_distances else _centred(X), "euclidean", None
        # The chord grows with the angle; Fisher-Rao is the angle of the roots.
        if name == "sphere" and not same_distances:
            return X / resolved.options["radius"], "euclidean", None
        if name == "fisher_rao" and not same_distances:
            return np.sqrt(np.maximum(X, 0.0)), "euclidean", None
        if name == "product":
            return X, resolved.metric.distance, {"signature": resolved.params}
        return X, resolved.metric.distance, resolved.options
    if isinstance(resolved, SklearnMetric):
        metric = resolved.metric
        known = metric in _SHARED_NAMES if isinstance(metric, str) else False
        if metric == "cityblock":  # pynndescent has the other names only
            metric = "manhattan"
        if known or hasattr(metric, "py_func"):
            return X, metric, resolved.options
        name = repr(metric)
    else:
        name = repr(resolved.manifold)
    raise ValueError(
        f"There is no compiled kernel of metric={name} for the approximate search; "
        "use the exact one (method='exact', knn_method='exact')."
    )


def _centred(X):
    """Shift and scale the cloud to what float32 resolves best."""
    Z = X - X.mean(axis=0)
    size = np.abs(Z).max()
    return Z / size if size > 0 else Z


def distinct_others(candidates, rows):
    """Mask the candidates of rows: found, not the row itself, and not repeated."""
    usable = (candidates >= 0) & (candidates != rows[:, None])
    order = np.argsort(candidates, axis=1, kind="stable")
    ordered = np.take_along_axis(candidates, order, axis=1)
    repeated = np.zeros_like(usable)
    repeated[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    np.put_along_axis(repeated, order, repeated.copy(), axis=1)
    return usable & ~repeated


def _exact_distances(X, candidates, resolved, n_jobs):
    out = np.empty(candidates.shape)
    if isinstance(resolved, KernelMetric):
        row = first_class(resolved.row, *ROW.args)
        driver = first_class(
            _gathered, types.FunctionType(ROW), POINTS, _INDICES, POINT, TABLE
        )
        with numba_threads(n_jobs):
            driver(row, X, candidates, resolved.params, out)
        return out
    from sklearn import config_context
    from sklearn.metrics import pairwise_distances

    with config_context(assume_finite=True, skip_parameter_validation=True):
        for i, near in enumerate(candidates):
            out[i] = pairwise_distances(
                X[i : i + 1], X[near], metric=resolved.metric, **resolved.options
            )
    return out


def _complete(X, rows, k, metric, metric_params, n_jobs):
    """Search some rows exactly: one neighbour more, then drop the row itself."""
    distances, indices = kneighbors(
        X[rows], X, k + 1, metric, metric_params=metric_params, n_jobs=n_jobs
    )
    others = indices != rows[:, None]
    others[others.all(axis=1), -1] = False
    shape = rows.size, k
    return distances[others].reshape(shape), indices[others].reshape(shape)
