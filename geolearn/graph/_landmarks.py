"""Landmarks: a few samples that represent all others."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from geolearn.graph._precomputed import check_distances, is_precomputed
from geolearn.metrics import pairwise_distances
from geolearn.metrics._resolve import resolve_metric


def select_landmarks(
    n_landmarks,
    *,
    X=None,
    n_samples=None,
    labels=None,
    method="random",
    metric="euclidean",
    metric_params=None,
    random_state=None,
    n_jobs=None,
) -> np.ndarray:
    """Choose distinct samples, at least one in every component.

    Parameters
    ----------
    n_landmarks : int
        Number of landmarks m, at least the number of components and at most the
        number of samples.
    X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
        Points, or dense distances if `metric` is "precomputed". May be None for
        ``method="random"`` with `n_samples`.
    n_samples : int, default=None
        Number of samples when `X` is None.
    labels : array-like of int of shape (n_samples,), default=None
        Component of every sample. None means one component.
    method : {"random", "kmeans++", "farthest"}, default="random"
        "random" draws uniformly. "kmeans++" draws the next landmark with a
        probability proportional to its squared distance from the chosen ones [1]_,
        "farthest" takes the sample farthest from them [2]_; both need m rows of
        distances, hence O(m n) time, and reach into sparse regions.
    metric : str, callable or Manifold, default="euclidean"
        Distance between rows, as in `geolearn.metrics`, or "precomputed".
    metric_params : dict, default=None
        Further arguments of the metric.
    random_state : int, RandomState instance or None, default=None
        Draws the landmarks. Pass an int for reproducible results.
    n_jobs : int, default=None
        Number of threads; None means 1.

    Returns
    -------
    landmarks : ndarray of int of shape (n_landmarks,)
        Increasing sample indices.

    Raises
    ------
    ValueError
        If `n_landmarks` is out of its range, or `X` is missing or has the wrong
        shape.

    References
    ----------
    .. [1] D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful
       seeding", SODA 2007.
    .. [2] T. Gonzalez, "Clustering to minimize the maximum intercluster distance",
       Theoretical Computer Science 38, 1985, doi:10.1016/0304-3975(85)90224-5.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import select_landmarks
    >>> X = np.array([[0.0], [0.1], [0.2], [9.0]])
    >>> select_landmarks(2, X=X, method="farthest", random_state=0)
    array([2, 3])
    """
    if method not in ("random", "kmeans++", "farthest"):
        raise ValueError(
            f"method must be 'random', 'kmeans++' or 'farthest', got {method!r}."
        )
    if X is None and (n_samples is None or method != "random"):
        raise ValueError(f"method={method!r} needs X (or n_samples, if random).")
    n = int(n_samples) if X is None else np.shape(X)[0]
    labels = np.zeros(n, dtype=np.intp) if labels is None else np.asarray(labels)
    if labels.shape != (n,):
        raise ValueError(f"labels must have shape ({n},), got {labels.shape}.")
    _, labels = np.unique(labels, return_inverse=True)
    n_components = int(labels.max()) + 1
    is_int = isinstance(n_landmarks, Integral)
    if not is_int or not n_components <= n_landmarks <= n:
        raise ValueError(
            f"n_landmarks={n_landmarks!r} must be an integer between the number of "
            f"components, {n_components}, and n_samples={n}."
        )
    rng = check_random_state(random_state)
    # The first sample of a component in a random order is a uniform draw from it.
    order = rng.permutation(n)
    _, place = np.unique(labels[order], return_index=True)
    first = order[np.sort(place)]
    if method == "random":
        rest = np.setdiff1d(np.arange(n), np.sort(place))
        chosen = np.concatenate([first, order[rest][: n_landmarks - n_components]])
        return np.sort(chosen)
    rows = _distance_rows(X, metric, metric_params, n_jobs)
    return np.sort(_spread(first, n_landmarks, n, rows, method, rng))


def _distance_rows(X, metric, metric_params, n_jobs):
    """Return the function i -> distances of sample i to all."""
    if is_precomputed(metric):
        D = check_distances(X)
        if not isinstance(D, np.ndarray):
            raise ValueError(
                "Sparse distances serve method='random' only; pass dense ones."
            )
        return lambda i: D[i]
    X, _ = resolve_metric(metric, metric_params).validate(X, None)
    return lambda i: pairwise_distances(
        X[i : i + 1], X, metric, metric_params=metric_params, n_jobs=n_jobs
    )[0]


def _spread(first, n_landmarks, n, rows, method, rng):
    """Extend the first landmarks by samples far from all chosen ones."""
    nearest = np.full(n, np.inf)
    chosen = list(first)
    for i in first:
        np.minimum(nearest, rows(i), out=nearest)
    while len(chosen) < n_landmarks:
        nearest[chosen] = -1.0  # chosen samples are not drawn again
        largest = nearest.max()
        if method == "farthest" or largest == 0 or not np.isfinite(largest):
            i = int(np.argmax(nearest))
        else:
            weights = (np.maximum(nearest, 0.0) / largest) ** 2
            total = np.cumsum(weights)
            # The first sample beyond a uniform share; its own weight is positive.
            i = int(np.searchsorted(total, rng.uniform() * total[-1], side="right"))
            i = min(i, int(np.flatnonzero(weights)[-1]))
        chosen.append(i)
        np.minimum(nearest, rows(i), out=nearest)
    return np.array(chosen, dtype=np.intp)


__all__ = ["select_landmarks"]
