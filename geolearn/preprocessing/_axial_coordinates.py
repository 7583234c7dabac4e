"""Hyperbolic points as features on which thresholds are geodesic hyperplanes."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from geolearn.manifolds import axial_coordinates, from_axial_coordinates
from geolearn.manifolds._hyperbolic_points import check_hyperbolic_points
from geolearn.utils._hyperbolic_models import HYPERBOLIC_MODELS
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context

__all__ = ["GEOMETRY_CONSTRAINTS", "AxialCoordinates", "axial_features"]

GEOMETRY_CONSTRAINTS: dict[str, Any] = {
    "model": [StrOptions(set(HYPERBOLIC_MODELS))],
    "curvature": [Interval(Real, None, 0, closed="neither")],
    "time_axis": [Interval(Integral, None, None, closed="neither")],
}


def axial_features(estimator, X, *, check_input=True):
    """Return the axial coordinates of a validated table, by an estimator's geometry.

    Parameters
    ----------
    estimator : object
        Has the attributes `model`, `curvature` and `time_axis`.
    X : ndarray of float32 or float64 of shape (n_samples, n_columns)
        Points; NaN is allowed, infinity is not.
    check_input : bool, default=True
        Whether to test that the rows are points of the model.

    Returns
    -------
    ndarray of float64 of shape (n_samples, dim)
        Axial coordinates.
    """
    dtype, X = X.dtype, X.astype(np.float64, copy=False)
    model, curvature = estimator.model, estimator.curvature
    if check_input:
        check_hyperbolic_points(
            X, model, curvature, time_axis=estimator.time_axis, dtype=dtype
        )
    return axial_coordinates(X, model, curvature, time_axis=estimator.time_axis)


class AxialCoordinates(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Map hyperbolic points to their signed positions along the axes.

    The d-th axial coordinate of a point is the place, a geodesic length from the
    origin, where the perpendicular from the point meets the d-th coordinate axis.
    Its level sets are totally geodesic hyperplanes, and the point half-way between
    two places is their arithmetic mean. A decision tree on axial coordinates is
    therefore a hyperbolic decision tree [1]_, thresholds included, whatever library
    grows it: scikit-learn, XGBoost, LightGBM and others work unchanged behind this
    transformer.

    Parameters
    ----------
    model : {"hyperboloid", "poincare", "klein"}, default="hyperboloid"
        Coordinates of the points: dim + 1 columns on the hyperboloid, dim columns in
        the balls of radius 1/sqrt(-curvature). Only the hyperboloid holds points
        farther than about 18 (Klein) or 37 (Poincaré) radii of curvature.
    curvature : float, default=-1.0
        Sectional curvature of the space, negative.
    time_axis : int, default=0
        Column of the time coordinate of hyperboloid points; other models ignore it.
    check_input : bool, default=True
        Whether to test that the rows are points of the model. The test is relative,
        with the tolerance 1e-6 (1e-3 for float32).

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns seen during `fit`, if they were all strings.

    See Also
    --------
    geolearn.manifolds.axial_coordinates : The same as a function, without checks.

    Notes
    -----
    Nothing is learned from the data, and rows do not depend on each other. NaN
    passes through: a hyperboloid point without its d-th spatial coordinate has no
    d-th axial coordinate, and the others follow from its time coordinate.

    Axial coordinates are not invariant under rotations and boosts; centre the points
    at the origin first if they are not.

    References
    ----------
    .. [1] P. Chlenski, E. Turok, A. Moretti, I. Pe'er, "Fast hyperboloid decision
       tree algorithms", ICLR 2024, arXiv:2310.13841. Its angles are the
       arccotangents of tanh(s / R) for axial coordinates s and the radius of
       curvature R, and its hyperbolic midpoint of two angles is the mean of s.
    .. [2] P. Chlenski, I. Pe'er, "Even faster hyperbolic random forests: a
       Beltrami-Klein wrapper approach", 2025, arXiv:2506.04360. Its Klein ratios
       tanh(s / R), held in single precision, end at a radius of about 8; axial
       coordinates do not.

    Examples
    --------
    >>> from geolearn.preprocessing import AxialCoordinates
    >>> AxialCoordinates().fit_transform([[2.5, 1.0, 2.0, -0.5]]).round(8)
    array([[ 0.42364893,  1.09861229, -0.20273255]])

    Any estimator on these features is a hyperbolic one:

    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> model = make_pipeline(AxialCoordinates(model="klein"), DecisionTreeClassifier())
    >>> model.fit([[0.4, 0.8], [-0.4, 0.8]], ["right", "left"]).predict([[0.1, 0.0]])
    array(['right'], dtype='<U5')
    """

    _parameter_constraints: ClassVar[dict] = {
        **GEOMETRY_CONSTRAINTS,
        "check_input": ["boolean"],
    }

    def __init__(
        self, model="hyperboloid", *, curvature=-1.0, time_axis=0, check_input=True
    ):
        self.model = model
        self.curvature = curvature
        self.time_axis = time_axis
        self.check_input = check_input

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the points and remember their number of columns.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.
        y : Ignored
            Present for the interface.

        Returns
        -------
        AxialCoordinates
            The estimator.

        Raises
        ------
        ValueError
            If points are off the model or infinite.
        """
        self._features(X, reset=True)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Return the axial coordinates of the points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.
        y : Ignored
            Present for the interface.

        Returns
        -------
        ndarray of shape (n_samples, dim)
            Axial coordinates, geodesic lengths.

        Raises
        ------
        ValueError
            If points are off the model or infinite.
        """
        return self._features(X, reset=True)

    def transform(self, X):
        """Return the axial coordinates of points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the model.

        Returns
        -------
        ndarray of shape (n_samples, dim)
            Axial coordinates, geodesic lengths.

        Raises
        ------
        ValueError
            If points are off the model or infinite.
        """
        return self._features(X, reset=False)

    def inverse_transform(self, X):
        """Return the points that have given axial coordinates.

        Parameters
        ----------
        X : array-like of shape (n_samples, dim)
            Axial coordinates, geodesic lengths.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Points of the model. Rows with NaN are NaN, but for the Klein ball,
            where each column stands for itself.

        Raises
        ------
        ValueError
            If rows are not the axial coordinates of a point: the squares of
            tanh(s / R) must sum to less than one.
        """
        check_is_fitted(self)
        S = np.asarray(X, dtype=np.float64)
        n_columns = getattr(self, "n_features_in_", None)
        expected = None if n_columns is None else n_columns - self._n_time
        if S.ndim != 2 or expected not in (None, S.shape[1]):
            raise ValueError(
                f"X has shape {S.shape}; expected (n_samples, {expected or 'dim'}), "
                f"one column for each axis."
            )
        if np.isinf(S).any():
            raise ValueError("X contains infinity; axial coordinates are finite.")
        return from_axial_coordinates(
            S, self.model, self.curvature, time_axis=self.time_axis
        )

    def get_feature_names_out(self, input_features=None):
        """Return names of the axial coordinates.

        Parameters
        ----------
        input_features : array-like of str of shape (n_columns,), default=None
            Only checked against the names seen in `fit`.

        Returns
        -------
        ndarray of str objects
            "axial0", "axial1" and so on.
        """
        super().get_feature_names_out(input_features)
        return np.array([f"axial{d}" for d in range(self._n_features_out)], object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.allow_nan = True
        return tags

    @property
    def _n_time(self):
        return 1 if self.model == "hyperboloid" else 0

    @property
    def _n_features_out(self):
        return self.n_features_in_ - self._n_time

    def _features(self, X, *, reset):
        X = validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            order="C",
            ensure_all_finite="allow-nan",
        )
        return axial_features(self, X, check_input=self.check_input)
