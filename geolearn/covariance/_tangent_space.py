"""Tangent vectors of SPD matrices as features for any vector estimator."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_array, check_is_fitted

from geolearn.covariance._geometry import (
    check_spd,
    fit_mean,
    from_tangent,
    metric_name,
    require_tangent_space,
    resolve_geometry,
    tangent_vectors,
)
from geolearn.covariance._input import StackInput, check_matrices
from geolearn.manifolds import SPD, Manifold
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context

# Metrics whose coordinates list the diagonal of the Cholesky factor first.
_DIAGONAL_FIRST = ("cholesky", "log_cholesky")


class TangentSpace(
    StackInput, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Map SPD matrices to tangent vectors at their mean [1]_.

    The vectors are coordinates in a basis that is orthonormal for the metric, so
    that their Euclidean norm is the distance from the reference, for every metric.
    Any estimator of vectors can follow in a pipeline.

    Parameters
    ----------
    metric : str or Manifold, default="affine_invariant"
        Metric of `geolearn.manifolds.SPD`, by name or alias, or a manifold of
        n x n matrices. Metrics without logarithm, e.g. "stein", have no tangent
        space. "log_cholesky" and "cholesky" depend on the order of the channels.
    metric_mean : str, Manifold or None, default=None
        Metric of the mean; None takes `metric`.
    metric_params : dict or None, default=None
        Further parameters of `metric` where it is a name, e.g. ``{"power": 0.5}``.
    reference : array-like of shape (n, n), "identity" or None, default=None
        Matrix at which the tangent space is attached. None takes the mean of the
        training matrices. "identity" suits matrices that have been re-centred.
    tol : float, default=1e-8
        Stopping tolerance of the mean, as in `geolearn.manifolds.SPD.frechet_mean`.
    max_iter : int, default=50
        Largest number of iterations of the mean.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all.

    Attributes
    ----------
    reference_ : ndarray of shape (n, n)
        Matrix at which the tangent space is attached.
    n_iter_ : int
        Number of iterations of the mean; 0 for closed forms and for a given
        `reference`.
    grad_norm_ : float
        Norm of the mean tangent vector at the mean; for the affine-invariant metric
        it bounds the distance to the exact mean. 0 where `n_iter_` is.
    manifold_ : Manifold
        Geometry in use.
    n_features_in_ : int
        Size n of the matrices.

    See Also
    --------
    FgMDM : Filter tangent vectors by discriminant analysis.
    RiemannianSVC : Separate matrices by a kernel in the tangent space.

    References
    ----------
    .. [1] A. Barachant, S. Bonnet, M. Congedo, C. Jutten, "Multiclass
       brain-computer interface classification by Riemannian geometry", IEEE
       Transactions on Biomedical Engineering 59, 2012,
       doi:10.1109/TBME.2011.2172210. Its coordinates are orthonormal for the
       affine-invariant metric only; here they are for all metrics.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import TangentSpace
    >>> X = np.array([np.diag([1.0, 4.0]), np.diag([9.0, 1.0])])
    >>> ts = TangentSpace().fit(X)
    >>> ts.reference_.round(6)
    array([[3., 0.],
           [0., 2.]])
    >>> ts.transform(X).round(4)
    array([[-1.0986,  0.    ,  0.6931],
           [ 1.0986,  0.    , -0.6931]])
    >>> ts.get_feature_names_out()
    array(['ts_0_0', 'ts_0_1', 'ts_1_1'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        "metric": [str, Manifold],
        "metric_mean": [str, Manifold, None],
        "metric_params": [dict, None],
        "reference": ["array-like", StrOptions({"identity"}), None],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        metric="affine_invariant",
        *,
        metric_mean=None,
        metric_params=None,
        reference=None,
        tol=1e-8,
        max_iter=50,
        n_jobs=None,
    ):
        self.metric = metric
        self.metric_mean = metric_mean
        self.metric_params = metric_params
        self.reference = reference
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Find the reference.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_matrices,), default=None
            Non-negative weights of the matrices in the mean; None weighs all alike.

        Returns
        -------
        TangentSpace
            The fitted estimator.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, the metric has no
            tangent space, or `reference` does not fit `X`.

        Warns
        -----
        ConvergenceWarning
            If the mean does not reach `tol` within `max_iter` iterations.
        """
        self._fit(X, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, sample_weight=None):
        """Find the reference and return the tangent vectors.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_matrices,), default=None
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_matrices, n (n + 1) / 2)
            What ``fit(X).transform(X)`` returns, with one validation of `X`.
        """
        return self._vectors(self._fit(X, sample_weight))

    def transform(self, X):
        """Return the tangent vectors of matrices at the reference.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices, n (n + 1) / 2)
            Coordinates. For most metrics these are the upper triangle of a symmetric
            matrix row by row, off-diagonal entries times sqrt(2); for
            "log_cholesky" and "cholesky" the diagonal of the difference of Cholesky
            factors and then its strict lower triangle; "bures_wasserstein" uses the
            eigenbasis of the reference.
        """
        check_is_fitted(self)
        X = check_matrices(self, X, reset=False)
        return self._vectors(check_spd(self.manifold_, X))

    def inverse_transform(self, X):
        """Return the matrices with given tangent vectors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n (n + 1) / 2)
            Coordinates, in the order of `transform`.

        Returns
        -------
        ndarray of shape (n_samples, n, n)
            SPD matrices.

        Raises
        ------
        ValueError
            If the number of coordinates is wrong, or a vector leaves the domain of
            the exponential, as long ones do for "bures_wasserstein".
        """
        check_is_fitted(self)
        X = check_array(X, dtype=np.float64, order="C")
        if X.shape[1] != self.manifold_.dim:
            raise ValueError(
                f"X has {X.shape[1]} columns, but tangent vectors of "
                f"{self.manifold_!r} have {self.manifold_.dim} coordinates."
            )
        return from_tangent(self.manifold_, self.reference_, X, n_jobs=self.n_jobs)

    def get_feature_names_out(self, input_features=None):
        """Return names of the coordinates.

        Parameters
        ----------
        input_features : array-like of str of shape (n,), default=None
            Only its length is checked; present for the interface.

        Returns
        -------
        ndarray of str objects
            "ts_i_j" for the entry of row i and column j, in the order of
            `transform`; "ts_k" for manifolds of fewer dimensions.
        """
        super().get_feature_names_out(input_features)
        n = self.n_features_in_
        rows, columns = np.triu_indices(n)
        if metric_name(self.manifold_) in _DIAGONAL_FIRST:
            low = np.tril_indices(n, -1)
            rows = np.concatenate([np.arange(n), low[0]])
            columns = np.concatenate([np.arange(n), low[1]])
        names = [f"ts_{i}_{j}" for i, j in zip(rows, columns, strict=True)]
        if not isinstance(self.manifold_, SPD):
            names = [f"ts_{k}" for k in range(self.manifold_.dim)]
        return np.array(names, dtype=object)

    @property
    def _n_features_out(self):
        return self.manifold_.dim

    def _fit(self, X, sample_weight):
        """Set the fitted attributes and return the validated matrices."""
        X = check_matrices(self, X, reset=True)
        n = X.shape[1]
        self.manifold_ = resolve_geometry(self.metric, n, self.metric_params)
        X = check_spd(self.manifold_, X)
        require_tangent_space(self.manifold_, X)
        self.n_iter_, self.grad_norm_ = 0, 0.0
        if self.reference is None:
            self._fit_reference(X, sample_weight)
        elif isinstance(self.reference, str):
            self.reference_ = np.eye(n)
        else:
            self.reference_ = self._given_reference(n)
        return X

    def _fit_reference(self, X, sample_weight):
        geometry = self.manifold_
        if self.metric_mean is not None:
            geometry = resolve_geometry(self.metric_mean, X.shape[1])
            X = check_spd(geometry, X)
        result = fit_mean(
            geometry,
            X,
            sample_weight,
            tol=self.tol,
            max_iter=self.max_iter,
            n_jobs=self.n_jobs,
        )
        self.reference_ = result.mean
        self.n_iter_, self.grad_norm_ = result.n_iter, result.gradient_norm

    def _given_reference(self, n):
        reference = np.array(self.reference, dtype=np.float64)
        if reference.shape != (n, n):
            raise ValueError(
                f"reference has shape {reference.shape}, but X holds {n} x {n} "
                f"matrices; pass an array of shape ({n}, {n}), 'identity' or None."
            )
        try:
            return self.manifold_.check_points(reference[np.newaxis])[0]
        except ValueError as error:
            raise ValueError(f"reference is not a valid matrix: {error}") from error

    def _vectors(self, X):
        return tangent_vectors(self.manifold_, self.reference_, X, n_jobs=self.n_jobs)
