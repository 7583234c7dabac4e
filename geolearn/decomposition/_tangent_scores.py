"""What analyses at a mean share: scores to points and back, residuals."""

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_array, check_is_fitted

from geolearn.decomposition._bsa_input import check_new
from geolearn.graph._samples import takes_matrices
from geolearn.utils.validation import check_sample_weight

__all__ = ["TangentScores", "signed"]


class TangentScores(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Transform by coordinates of tangent vectors at ``mean_``.

    Classes derived from it have a parameter `manifold`, and assign ``manifold_``,
    ``mean_`` and ``components_`` when they are fitted.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = not takes_matrices(self.manifold)
        tags.input_tags.three_d_array = takes_matrices(self.manifold)
        return tags

    @property
    def _n_features_out(self):
        return len(self.components_)

    def _basis(self):
        """Return the components in the orthonormal frame at the mean."""
        return self.manifold_.tangent_to_vector(self.mean_, self.components_)

    def _scores(self, X):
        """Return the scores of checked points."""
        return self.manifold_.log_vector(self.mean_, X) @ self._basis().T

    def _points(self, scores):
        return self.manifold_.exp_vector(self.mean_, scores @ self._basis())

    def fit_transform(self, X, y=None, sample_weight=None):
        r"""Fit and return the scores of the training samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, \*point_shape)
            As in `fit`.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            What ``fit(X).transform(X)`` returns.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        return self._scores(self._fit(X, sample_weight))

    def transform(self, X):
        r"""Return the scores of samples.

        Parameters
        ----------
        X : array-like of shape (n, \*point_shape)
            Samples.

        Returns
        -------
        ndarray of shape (n, n_components)
            Coordinates along the components, in units of distance.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, not on the manifold or of another shape than in
            `fit`.
        """
        check_is_fitted(self)
        return self._scores(check_new(self, X, self.manifold_))

    def inverse_transform(self, X):
        r"""Return the points with given scores.

        Parameters
        ----------
        X : array-like of shape (n, n_components)
            Scores.

        Returns
        -------
        ndarray of shape (n, \*point_shape)
            Points, in the form of the samples of `fit`.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, or the number of columns is not `n_components`.
        """
        check_is_fitted(self)
        scores = check_array(X, dtype=np.float64, input_name="X")
        if scores.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {scores.shape[1]} columns, but there are "
                f"{self._n_features_out} components: pass what transform returned."
            )
        return self._shaped(self._points(scores))

    def _shaped(self, points):
        return points.reshape(len(points), -1) if self._as_rows else points

    def reconstruct(self, X):
        r"""Return the points of the subspace that stand for samples.

        Parameters
        ----------
        X : array-like of shape (n, \*point_shape)
            Samples.

        Returns
        -------
        ndarray of shape (n, \*point_shape)
            What ``inverse_transform(transform(X))`` returns.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            As `transform` does.
        """
        check_is_fitted(self)
        X = check_new(self, X, self.manifold_)
        return self._shaped(self._points(self._scores(X)))

    def score_samples(self, X):
        r"""Return minus the squared distances to the reconstructions.

        Parameters
        ----------
        X : array-like of shape (n, \*point_shape)
            Samples.

        Returns
        -------
        ndarray of shape (n,)
            Values of at most 0; greater is better.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            As `transform` does.
        """
        check_is_fitted(self)
        X = check_new(self, X, self.manifold_)
        return -(self.manifold_.dist(X, self._points(self._scores(X))) ** 2)

    def score(self, X, y=None, sample_weight=None):
        r"""Return the mean of `score_samples`.

        Parameters
        ----------
        X : array-like of shape (n, \*point_shape)
            Samples.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights of the samples; None weighs all alike.

        Returns
        -------
        float
            Minus the unexplained variance.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            As `transform` does.
        """
        values = self.score_samples(X)
        return float(check_sample_weight(sample_weight, len(values)) @ values)


def signed(components):
    """Turn tangent vectors so that their largest coordinate is positive."""
    flat = components.reshape(len(components), -1)
    largest = flat[np.arange(len(flat)), np.argmax(np.abs(flat), axis=1)]
    flat = flat * np.where(largest < 0.0, -1.0, 1.0)[:, None]
    return flat.reshape(components.shape)
