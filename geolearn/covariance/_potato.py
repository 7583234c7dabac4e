"""Detection of artefacts by the distance to a robust mean."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._geometry import (
    check_spd,
    distances_to,
    fit_mean,
    resolve_geometry,
)
from geolearn.covariance._input import StackInput, check_matrices
from geolearn.manifolds import Manifold
from geolearn.utils._sklearn import Interval, _fit_context
from geolearn.utils.validation import check_sample_weight

# Distances below this part of the distance from M to 2 M are rounding. The unit
# makes the rule independent of the units of X, for any metric.
_SMALLEST_DISTANCE = 1e-12

# Standard deviations of log-distances below this count as this: the mean, and with
# it the distances, are known to the tolerance of the mean only.
_SMALLEST_SPREAD = 1e-6


class Potato(StackInput, OutlierMixin, BaseEstimator):
    """Detect SPD matrices that are unusually far from the mean [1]_.

    With the mean M of the clean training matrices, the score of a matrix is ``z =
    (log d(X, M) - m) / s``, where m and s are mean and standard deviation of the
    logarithm of the distance over the clean training matrices. Training matrices of
    scores above the threshold are taken off and the rest is fitted again, until
    none is left to take off.

    Parameters
    ----------
    metric : str or Manifold, default="affine_invariant"
        Metric of `geolearn.manifolds.SPD`, by name or alias, or a manifold of
        n x n matrices.
    metric_params : dict or None, default=None
        Further parameters of `metric` where it is a name, e.g. ``{"power": 0.5}``.
    threshold : float, default=3.0
        Largest score z of a clean matrix, in standard deviations.
    max_iter : int, default=100
        Largest number of rounds.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all.

    Attributes
    ----------
    mean_ : ndarray of shape (n, n)
        Mean M of the clean training matrices.
    log_mean_ : float
        Mean m of their log-distances.
    log_std_ : float
        Standard deviation s of their log-distances (divided by their number).
    offset_ : float
        ``decision_function = score_samples - offset_``; minus the threshold.
    support_ : ndarray of bool of shape (n_matrices,)
        Training matrices that were kept in the last round.
    n_iter_ : int
        Number of rounds.
    manifold_ : Manifold
        Geometry in use.
    n_features_in_ : int
        Size n of the matrices.

    References
    ----------
    .. [1] A. Barachant, A. Andreev, M. Congedo, "The Riemannian potato: an automatic
       and adaptive artifact detection method for online experiments using Riemannian
       geometry", TOBI Workshop IV, 2013. The paper scores the distance; the
       logarithm, whose distribution is nearer to normal, is what users run today.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import Potato
    >>> trials = np.random.default_rng(0).normal(size=(50, 3, 100))
    >>> trials[7] *= 5.0
    >>> X = trials @ np.swapaxes(trials, 1, 2) / 100
    >>> np.flatnonzero(Potato().fit_predict(X) == -1)
    array([7])
    """

    _parameter_constraints: ClassVar[dict] = {
        "metric": [str, Manifold],
        "metric_params": [dict, None],
        "threshold": [Interval(Real, 0.0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        metric="affine_invariant",
        *,
        metric_params=None,
        threshold=3.0,
        max_iter=100,
        n_jobs=None,
    ):
        self.metric = metric
        self.metric_params = metric_params
        self.threshold = threshold
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Find mean and spread of the clean training matrices.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices, most of them clean.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_matrices,), default=None
            Non-negative weights in the means and the standard deviation; None
            weighs all alike. Matrices of weight zero are never counted as clean.

        Returns
        -------
        Potato
            The fitted estimator.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite.

        Warns
        -----
        UserWarning
            If the clean matrices are all at the same distance from their mean, as
            two matrices or copies of one are: then every matrix farther away is an
            outlier.
        ConvergenceWarning
            If matrices are still taken off in the last round, or a mean does not
            converge.
        """
        X = check_matrices(self, X, reset=True)
        self.manifold_ = resolve_geometry(self.metric, X.shape[1], self.metric_params)
        X = check_spd(self.manifold_, X)
        weight = check_sample_weight(sample_weight, len(X))
        self.offset_ = -float(self.threshold)
        self._reject(X, weight)
        if self.log_std_ < _SMALLEST_SPREAD:
            warnings.warn(
                f"The {self.support_.sum()} clean matrices are all at the same "
                f"distance from their mean, so that any matrix farther away is an "
                f"outlier. Fit on more and on distinct matrices.",
                UserWarning,
                stacklevel=3,
            )
        return self

    def _reject(self, X, weight):
        """Fit and take off outliers until none is left."""
        kept = weight > 0.0
        for n_iter in range(1, self.max_iter + 1):
            outlying = self._round(X[kept], weight[kept])
            self.n_iter_, self.support_ = n_iter, kept.copy()
            if not outlying.any():
                return
            kept[np.flatnonzero(kept)[outlying]] = False
        warnings.warn(
            f"Potato still found outliers after max_iter={self.max_iter} rounds; raise "
            f"max_iter or threshold.",
            ConvergenceWarning,
            stacklevel=4,
        )

    def score_samples(self, X):
        """Return minus the score z; lower is more unusual.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices,)
            -z, in standard deviations of the training log-distances.
        """
        check_is_fitted(self)
        X = check_matrices(self, X, reset=False)
        X = check_spd(self.manifold_, X, for_distances=True)
        return -self._scores(X)

    def decision_function(self, X):
        """Return the threshold less the score z.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices,)
            Negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Tell clean matrices from outliers.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of int of shape (n_matrices,)
            1 for clean matrices, -1 for outliers.
        """
        return np.where(self.decision_function(X) < 0.0, -1, 1)

    def _round(self, X, weight):
        """Fit mean and spread to matrices and return which of them are outliers."""
        weight = weight / weight.sum()
        self.mean_ = fit_mean(self.manifold_, X, weight, n_jobs=self.n_jobs).mean
        logs = self._log_distances(X)
        self.log_mean_ = float(weight @ logs)
        self.log_std_ = float(np.sqrt(weight @ (logs - self.log_mean_) ** 2))
        return self._standardised(logs) > self.threshold

    def _log_distances(self, X):
        mean = self.mean_[np.newaxis]
        unit = distances_to(self.manifold_, 2.0 * mean, mean)[0, 0]
        d = distances_to(self.manifold_, X, mean, n_jobs=self.n_jobs)[:, 0]
        return np.log(np.maximum(d, _SMALLEST_DISTANCE * unit))

    def _standardised(self, logs):
        return (logs - self.log_mean_) / max(self.log_std_, _SMALLEST_SPREAD)

    def _scores(self, X):
        return self._standardised(self._log_distances(X))
