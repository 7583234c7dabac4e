"""Nearest neighbours among SPD matrices."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._geometry import (
    check_spd,
    distances_to,
    resolve_geometry,
    tangent_vectors,
)
from geolearn.covariance._input import StackInput, check_labels, check_matrices
from geolearn.manifolds import Manifold
from geolearn.metrics import _drivers, kneighbors
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context
from geolearn.utils.validation import check_integer

_BLOCK_NUMBERS = 2**23  # 64 MiB of distances at a time


class SPDKNeighborsClassifier(StackInput, ClassifierMixin, BaseEstimator):
    """Classify SPD matrices by a vote of the nearest training matrices.

    The search is exact. Distances are computed in blocks of 64 MiB; for flat metrics
    ("log_euclidean", "log_cholesky", "power_euclidean", ...) matrices are first
    mapped to vectors with the same distances, which is faster by far.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours k, at most the number of training matrices.
    metric : str or Manifold, default="affine_invariant"
        Metric of `geolearn.manifolds.SPD`, by name or alias, or a manifold of
        n x n matrices.
    metric_params : dict or None, default=None
        Further parameters of `metric` where it is a name, e.g. ``{"power": 0.5}``.
    weights : {"uniform", "distance"}, default="uniform"
        Weight of a vote: 1, or one over the distance. Neighbours at distance zero,
        if there are any, share the vote alone.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels in ascending order.
    n_samples_fit_ : int
        Number of training matrices.
    manifold_ : Manifold
        Geometry in use.
    n_features_in_ : int
        Size n of the matrices.

    See Also
    --------
    MDM : Compare with one mean of each class only.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import SPDKNeighborsClassifier
    >>> X = np.array([np.diag([1.0, d]) for d in (1.0, 2.0, 8.0, 9.0)])
    >>> knn = SPDKNeighborsClassifier(n_neighbors=1).fit(X, ["a", "a", "b", "b"])
    >>> knn.predict([np.diag([1.0, 3.0])]).tolist()
    ['a']
    >>> distances, indices = knn.kneighbors([np.diag([1.0, 4.0])], n_neighbors=2)
    >>> distances.round(4), indices
    (array([[0.6931, 0.6931]]), array([[1, 2]]))
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [str, Manifold],
        "metric_params": [dict, None],
        "weights": [StrOptions({"uniform", "distance"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_neighbors=5,
        *,
        metric="affine_invariant",
        metric_params=None,
        weights="uniform",
        n_jobs=None,
    ):
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.metric_params = metric_params
        self.weights = weights
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Store the training matrices.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : array-like of shape (n_matrices,)
            Labels of classes.

        Returns
        -------
        SPDKNeighborsClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, or there are fewer
            matrices than `n_neighbors`.
        """
        X = check_matrices(self, X, reset=True)
        self.classes_, self._codes = check_labels(self, X, y)
        self.manifold_ = resolve_geometry(self.metric, X.shape[1], self.metric_params)
        X = check_spd(self.manifold_, X, for_distances=True)
        _check_count(self.n_neighbors, len(X))
        self.n_samples_fit_ = len(X)
        # Flat metrics: the base of the vectors is a sample, in the units of X.
        self._base = X[0].copy() if self.manifold_.is_flat else None
        self._training = self._embedded(X)
        return self

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        """Return the nearest training matrices.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n), default=None
            SPD matrices. None takes the training matrices, each of which is then
            left out of its own list; copies of it are found.
        n_neighbors : int, default=None
            Number of neighbours; None takes that of the constructor.
        return_distance : bool, default=True
            Whether to return the distances too.

        Returns
        -------
        distances : ndarray of shape (n_matrices, n_neighbors)
            Distances in ascending order; only if `return_distance`.
        indices : ndarray of int of shape (n_matrices, n_neighbors)
            Training matrices; equal distances are in the order of the indices.

        Raises
        ------
        ValueError
            If `n_neighbors` is larger than the number of candidates.
        """
        check_is_fitted(self)
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        k = check_integer(k, "n_neighbors")
        _check_count(k, self.n_samples_fit_ - (X is None))
        if X is not None:
            X = check_matrices(self, X, reset=False)
            X = check_spd(self.manifold_, X, for_distances=True)
            X = self._embedded(X)
        search = self._search_curved if self._base is None else self._search_flat
        distances, indices = search(X, k)
        return (distances, indices) if return_distance else indices

    def predict(self, X):
        """Return the class with most votes; of equals, the first in `classes_`.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices,)
            Labels.
        """
        winner = self.predict_proba(X).argmax(axis=1)
        return self.classes_[winner]

    def predict_proba(self, X):
        """Return the shares of the votes.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices, n_classes)
            Shares, in the order of `classes_`; rows sum to one.
        """
        distances, indices = self.kneighbors(X)
        votes = np.ones_like(distances)
        if self.weights == "distance":
            votes = _inverse(distances)
        shares = np.zeros((len(distances), len(self.classes_)))
        rows = np.arange(len(distances))[:, np.newaxis]
        np.add.at(shares, (rows, self._codes[indices]), votes)
        return shares / shares.sum(axis=1, keepdims=True)

    def _embedded(self, X):
        """Return vectors with the same distances, or the matrices themselves."""
        if self._base is None:
            return X
        return tangent_vectors(self.manifold_, self._base, X, n_jobs=self.n_jobs)

    def _search_flat(self, V, k):
        if V is None:
            return kneighbors(self._training, n_neighbors=k, n_jobs=self.n_jobs)
        return kneighbors(V, self._training, n_neighbors=k, n_jobs=self.n_jobs)

    def _search_curved(self, X, k):
        skip = np.full(self.n_samples_fit_ if X is None else len(X), -1, dtype=np.intp)
        if X is None:
            X, skip = self._training, np.arange(len(skip), dtype=np.intp)
        distances = np.empty((len(X), k))
        indices = np.empty((len(X), k), dtype=np.intp)
        step = max(1, _BLOCK_NUMBERS // self.n_samples_fit_)
        for start in range(0, len(X), step):
            part = slice(start, start + step)
            block = distances_to(
                self.manifold_, X[part], self._training, n_jobs=self.n_jobs
            )
            _drivers.select(block, skip[part], distances[part], indices[part])
        return distances, indices


def _check_count(n_neighbors, n_candidates):
    if n_neighbors > n_candidates:
        raise ValueError(
            f"n_neighbors={n_neighbors} is more than the n_samples={n_candidates} "
            f"matrices to choose from; lower n_neighbors or give more matrices."
        )


def _inverse(distances):
    """Return weights in proportion to 1 / d; where a row has zeros, only those."""
    nearest = distances[:, :1]
    with np.errstate(invalid="ignore"):
        return np.where(nearest > 0.0, nearest / distances, distances == 0.0)
