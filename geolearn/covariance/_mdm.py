"""Classification by the nearest class mean."""

import warnings
from numbers import Integral
from typing import ClassVar

import numpy as np
from scipy.special import softmax
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._geometry import (
    check_spd,
    distances_to,
    fit_mean,
    resolve_geometry,
)
from geolearn.covariance._input import StackInput, check_labels, check_matrices
from geolearn.manifolds import Manifold
from geolearn.utils._sklearn import StrOptions, _fit_context
from geolearn.utils.validation import check_sample_weight

__all__ = ["MDM", "class_means", "probabilities"]


def class_means(X, codes, classes, weight, *, mean_geometry, geometry, n_jobs=None):
    """Return the mean of each class and the spread around them.

    Parameters
    ----------
    X : ndarray of shape (n_matrices, n, n)
        Valid points of both geometries.
    codes : ndarray of int of shape (n_matrices,)
        Positions in `classes`.
    classes : ndarray of shape (n_classes,)
        Labels, for the messages.
    weight : ndarray of shape (n_matrices,)
        Weights that sum to one.
    mean_geometry : Manifold
        Geometry of the means.
    geometry : Manifold
        Geometry of the distances.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    means : ndarray of shape (n_classes, n, n)
        Class means.
    scale : float
        Root of the weighted mean squared distance from the own class mean.

    Raises
    ------
    ValueError
        If the weights of a whole class are zero.
    """
    means = np.empty((len(classes), *X.shape[1:]))
    variance = 0.0
    for c, label in enumerate(classes):
        members = np.flatnonzero((codes == c) & (weight > 0.0))
        if members.size == 0:
            raise ValueError(
                f"sample_weight is zero for every sample of class {label}: its mean "
                f"is undefined. Remove the class from X and y, or weigh it."
            )
        own, total = X[members], weight[members].sum()
        result = fit_mean(mean_geometry, own, weight[members], n_jobs=n_jobs)
        means[c] = result.mean
        if mean_geometry == geometry:
            variance += total * result.variance
        else:
            d = distances_to(geometry, own, means[c : c + 1], n_jobs=n_jobs)[:, 0]
            variance += float(weight[members] @ d**2)
    return means, float(np.sqrt(variance))


def probabilities(distances, scale):
    """Return softmax(-d^2 / (2 s^2)) along rows, one-hot at the minimum for s = 0."""
    squares = distances**2
    squares = squares - squares.min(axis=1, keepdims=True)
    with np.errstate(divide="ignore", over="ignore"):
        exponent = np.where(squares > 0.0, -0.5 * squares / scale**2, 0.0)
    return softmax(exponent, axis=1)


class MDM(
    StackInput,
    ClassNamePrefixFeaturesOutMixin,
    ClassifierMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Classify SPD matrices by the minimum distance to class means [1]_.

    Parameters
    ----------
    metric : str, Manifold or dict, default="affine_invariant"
        Metric of `geolearn.manifolds.SPD`, by name or alias, or a manifold of
        n x n matrices. ``{"mean": ..., "distance": ...}`` gives two metrics, as
        pyRiemann's users write it; then `metric_mean` must be None.
    metric_mean : str, Manifold or None, default=None
        Metric of the means; None takes `metric`. "log_euclidean" means are cheap
        and often as good.
    metric_params : dict or None, default=None
        Further parameters of `metric` where it is a name, e.g. ``{"power": 0.5}``.
    proba : {"scaled", "raw"}, default="scaled"
        Probabilities are the softmax of -d^2 / (2 s^2) with the spread s of the
        training data, or of -d^2, as in pyRiemann, which grows ever surer with
        the size of the matrices.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all.

    Attributes
    ----------
    means_ : ndarray of shape (n_classes, n, n)
        Class means.
    classes_ : ndarray of shape (n_classes,)
        Labels in ascending order.
    scale_ : float
        Spread s, the root of the mean squared distance of the training matrices
        from their class means.
    manifold_ : Manifold
        Geometry of the distances.
    n_features_in_ : int
        Size n of the matrices.

    See Also
    --------
    FgMDM : The same after filtering by discriminant analysis.
    TangentSpace : Features for any other classifier.

    References
    ----------
    .. [1] A. Barachant, S. Bonnet, M. Congedo, C. Jutten, "Multiclass
       brain-computer interface classification by Riemannian geometry", IEEE
       Transactions on Biomedical Engineering 59, 2012,
       doi:10.1109/TBME.2011.2172210. The scaled probabilities are not in the paper.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import MDM
    >>> X = np.array([np.diag(d) for d in ([1.0, 4.0], [1.0, 9.0], [4.0, 1.0])])
    >>> mdm = MDM().fit(X, ["b", "b", "a"])
    >>> mdm.means_[1].round(6)
    array([[1., 0.],
           [0., 6.]])
    >>> mdm.predict(X).tolist()
    ['b', 'b', 'a']
    >>> mdm.transform(X[:1]).round(4)
    array([[1.9605, 0.4055]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "metric": [str, Manifold, dict],
        "metric_mean": [str, Manifold, None],
        "metric_params": [dict, None],
        "proba": [StrOptions({"scaled", "raw"})],
        "n_jobs": [Integral, None],
    }

    _distances_only = True  # whether new matrices are only compared with the means

    def __init__(
        self,
        metric="affine_invariant",
        *,
        metric_mean=None,
        metric_params=None,
        proba="scaled",
        n_jobs=None,
    ):
        self.metric = metric
        self.metric_mean = metric_mean
        self.metric_params = metric_params
        self.proba = proba
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Find the class means.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : array-like of shape (n_matrices,)
            Labels of classes.
        sample_weight : array-like of shape (n_matrices,), default=None
            Non-negative weights; None weighs all alike.

        Returns
        -------
        MDM
            The fitted estimator.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, weights are negative, or
            those of a whole class are zero.

        Warns
        -----
        UserWarning
            If there is only one class.
        ConvergenceWarning
            If a mean does not converge.
        """
        X, codes, weight, mean_geometry = self._door(X, y, sample_weight)
        if len(self.classes_) == 1:
            warnings.warn(
                f"y holds only the class {self.classes_[0]}; MDM will predict it for "
                f"every matrix. Pass at least two classes to tell them apart.",
                UserWarning,
                stacklevel=3,
            )
        self._fit_means(X, codes, weight, mean_geometry)
        return self

    def transform(self, X):
        """Return the distances from the class means.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices, n_classes)
            Distances, in the order of `classes_`.
        """
        return self._distances(X)

    def predict(self, X):
        """Return the class of the nearest mean.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices,)
            Labels.
        """
        nearest = self._distances(X).argmin(axis=1)
        return self.classes_[nearest]

    def decision_function(self, X):
        """Return the negative squared distances from the class means.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices, n_classes) or (n_matrices,)
            -d^2 for each class; for two classes their difference, positive for
            ``classes_[1]``.
        """
        scores = -(self._distances(X) ** 2)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X):
        """Return probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices, n_classes)
            Softmax of the squared distances, see `proba`; rows sum to one. If the
            training matrices have no spread, the nearest class has probability one.
        """
        distances = self._distances(X)
        scale = self.scale_ if self.proba == "scaled" else np.sqrt(0.5)
        return probabilities(distances, scale)

    def get_feature_names_out(self, input_features=None):
        """Return names of the distances.

        Parameters
        ----------
        input_features : array-like of str of shape (n,), default=None
            Only its length is checked; present for the interface.

        Returns
        -------
        ndarray of str objects
            The prefix ``"mdm_"`` and the label of the class.
        """
        super().get_feature_names_out(input_features)
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}_{label}" for label in self.classes_], dtype=object)

    @property
    def _n_features_out(self):
        return len(self.classes_)

    def _door(self, X, y, sample_weight):
        """Validate; return matrices, class codes, weights, geometry of means."""
        X = check_matrices(self, X, reset=True)
        self.classes_, codes = check_labels(self, X, y)
        weight = check_sample_weight(sample_weight, len(X))
        metric, metric_mean = self._metrics()
        self.manifold_ = resolve_geometry(metric, X.shape[1], self.metric_params)
        X = check_spd(self.manifold_, X)
        if metric_mean is None:
            return X, codes, weight, self.manifold_
        mean_geometry = resolve_geometry(metric_mean, X.shape[1])
        return check_spd(mean_geometry, X), codes, weight, mean_geometry

    def _metrics(self):
        """Return the metric of distances and that of means, or None for the same."""
        if not isinstance(self.metric, dict):
            return self.metric, self.metric_mean
        if set(self.metric) != {"mean", "distance"} or self.metric_mean is not None:
            raise ValueError(
                f"metric={self.metric!r} with metric_mean={self.metric_mean!r}: a "
                f"dictionary must have the keys 'mean' and 'distance', and "
                f"metric_mean must be None."
            )
        return self.metric["distance"], self.metric["mean"]

    def _fit_means(self, X, codes, weight, mean_geometry):
        self.means_, self.scale_ = class_means(
            X,
            codes,
            self.classes_,
            weight,
            mean_geometry=mean_geometry,
            geometry=self.manifold_,
            n_jobs=self.n_jobs,
        )

    def _points(self, X):
        """Return what is compared with the means; a hook."""
        return X

    def _distances(self, X):
        check_is_fitted(self)
        X = check_matrices(self, X, reset=False)
        X = check_spd(self.manifold_, X, for_distances=self._distances_only)
        return distances_to(
            self.manifold_, self._points(X), self.means_, n_jobs=self.n_jobs
        )
