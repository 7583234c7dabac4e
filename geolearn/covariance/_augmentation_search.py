"""Cross-validated choice of order, lag and inner model, sharing what can be shared.

The covariances depend on (order, lag) only, the mean and the tangent vectors also on
the fold; the inner model's parameters need neither again.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from geolearn.covariance._geometry import check_spd, resolve_geometry

__all__ = ["SearchResult", "search_augmentation"]


class SearchResult(NamedTuple):
    """Hold the scores of a search, and its winner.

    Parameters
    ----------
    order : int
        Best order.
    lag : int
        Best lag.
    params : dict
        Best parameters of the inner model.
    cv_results : dict of ndarray
        One entry a candidate, as in `sklearn.model_selection.GridSearchCV`.
    """

    order: int
    lag: int
    params: dict
    cv_results: dict


def search_augmentation(
    X: np.ndarray,
    y: np.ndarray,
    pairs: list[tuple[int, int]],
    candidates: list[dict],
    parts: Any,
    *,
    folds: list[tuple[np.ndarray, np.ndarray]],
    scorer: Any,
    sample_weight: np.ndarray | None,
    progress: Any,
) -> SearchResult:
    """Score every order, lag and parameter set on the same folds.

    Parameters
    ----------
    X : ndarray of shape (n_trials, n_channels, n_times)
        Trials.
    y : ndarray of shape (n_trials,)
        Labels.
    pairs : list of (order, lag)
        Candidates, cheapest first: the first of equal scores wins.
    candidates : list of dict
        Parameter sets of the inner model.
    parts : callable
        ``parts(order, lag)`` returns the covariance estimator, the tangent space or
        None, and the inner model, all unfitted.
    folds : list of (ndarray, ndarray)
        Training and test rows.
    scorer : callable
        ``scorer(model, X, y)``, larger is better.
    sample_weight : ndarray of shape (n_trials,) or None
        Weights of the trials in fitting.
    progress : callable
        Receives one message a pair.

    Returns
    -------
    SearchResult
        The best candidate and all scores.

    Raises
    ------
    ValueError
        If no pair gives covariances that can be classified; the first pair's reason
        is given.
    """
    scores = np.full((len(pairs), len(candidates), len(folds)), np.nan)
    failures: list[tuple[tuple[int, int], ValueError]] = []
    for i, (order, lag) in enumerate(pairs):
        try:
            scores[i] = _score_pair(
                X, y, parts(order, lag), candidates, folds, scorer, sample_weight
            )
        except ValueError as error:
            failures.append(((order, lag), error))
            progress("order %d, lag %d: %s", order, lag, error)
            continue
        progress(
            "order %d, lag %d (%d of %d): best score %.3f",
            *(order, lag, i + 1, len(pairs), scores[i].mean(axis=-1).max()),
        )
    _report(failures, len(pairs))
    mean = scores.mean(axis=-1)
    best, inner = np.unravel_index(np.nanargmax(mean), mean.shape)
    return SearchResult(
        *pairs[best], candidates[inner], _results(pairs, candidates, scores)
    )


def _score_pair(X, y, parts, candidates, folds, scorer, sample_weight):
    """Return the scores (n_candidates, n_folds) of one order and lag."""
    covariances, tangent_space, model = parts
    matrices = covariances.fit_transform(X)
    _check_all(matrices, model if tangent_space is None else tangent_space, candidates)
    scores = np.empty((len(candidates), len(folds)))
    for k, (train, test) in enumerate(folds):
        weight = (
            {} if sample_weight is None else {"sample_weight": sample_weight[train]}
        )
        features = matrices
        if tangent_space is not None:
            mapped = clone(tangent_space).set_output(transform="default")
            mapped.fit(matrices[train], **weight)
            features = mapped.transform(matrices)
        for j, params in enumerate(candidates):
            fitted = clone(model).set_params(**params)
            fitted.fit(features[train], y[train], **weight)
            scores[j, k] = scorer(fitted, features[test], y[test])
    return scores


def _check_all(matrices, first, candidates):
    """Name the first bad trial; the folds would count among their training rows."""
    if any("metric" in params for params in candidates):
        return  # metrics differ in what they need
    geometry = resolve_geometry(first.metric, matrices.shape[1], first.metric_params)
    check_spd(geometry, matrices)


def _report(failures, n_pairs):
    if len(failures) == n_pairs:
        (order, lag), error = failures[0]
        raise ValueError(
            f"No order and lag could be scored; order={order}, lag={lag}: {error}"
        ) from error
    if failures:
        (order, lag), error = failures[0]
        warnings.warn(
            f"{len(failures)} of {n_pairs} pairs of order and lag could not be scored "
            f"and are left out; the first is order={order}, lag={lag}: {error}",
            ConvergenceWarning if "converge" in str(error) else UserWarning,
            stacklevel=4,
        )


def _results(pairs, candidates, scores):
    """Return the scores in the form of `GridSearchCV.cv_results_`."""
    n_inner = len(candidates)
    mean = scores.mean(axis=-1).ravel()
    params = np.empty(len(mean), dtype=object)
    params[:] = [inner for _ in pairs for inner in candidates]
    rank = 1 + np.array(
        [np.sum(mean > value) for value in np.nan_to_num(mean, nan=-np.inf)]
    )
    results = {
        "order": np.repeat([order for order, _ in pairs], n_inner),
        "lag": np.repeat([lag for _, lag in pairs], n_inner),
        "params": params,
        "mean_test_score": mean,
        "std_test_score": scores.std(axis=-1).ravel(),
        "rank_test_score": rank,
    }
    for k in range(scores.shape[-1]):
        results[f"split{k}_test_score"] = scores[:, :, k].ravel()
    return results
