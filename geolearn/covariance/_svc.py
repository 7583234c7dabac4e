"""Support vector classification of SPD matrices."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._geometry import (
    check_spd,
    distances_between,
    distances_to,
    fit_mean,
    metric_name,
    require_tangent_space,
    resolve_geometry,
    tangent_vectors,
)
from geolearn.covariance._input import StackInput, check_labels, check_matrices
from geolearn.manifolds import Manifold
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context
from geolearn.utils.validation import check_sample_weight

_BLOCK_NUMBERS = 2**22  # 32 MiB of kernel values at a time


class RiemannianSVC(StackInput, ClassifierMixin, BaseEstimator):
    """Classify SPD matrices by a support vector machine with a Riemannian kernel [1]_.

    The linear kernel is the inner product of tangent vectors at the mean of the
    training matrices; the result is that of a linear support vector machine after
    `TangentSpace`. The Gaussian kernel is ``exp(-gamma d^2)``.

    `fit` takes matrices, not kernels, so that cross-validation works. It keeps the
    kernel of all pairs of training matrices, 8 N^2 bytes.

    Parameters
    ----------
    metric : str or Manifold, default="affine_invariant"
        Metric of `geolearn.manifolds.SPD`, by name or alias, or a manifold of
        n x n matrices. The linear kernel needs a tangent space.
    kernel : {"linear", "gaussian"}, default="linear"
        Kernel. The Gaussian one is positive definite for every `gamma` for flat
        metrics only ("log_euclidean", "log_cholesky", "power_euclidean", ...), and
        for "stein" if `gamma` is 1/2, 1, ..., (n - 2)/2 or at least (n - 1)/2 [2]_;
        otherwise `fit` warns.
    gamma : float or "scale", default="scale"
        Factor of the Gaussian kernel, in units of one over a squared distance.
        "scale" is one over half the mean squared distance between training
        matrices, which for flat metrics is one over their variance; 1 if they are
        all alike.
    C : float, default=1.0
        Inverse strength of the regularisation.
    metric_mean : str, Manifold or None, default=None
        Metric of the mean at which the linear kernel is taken; None takes `metric`.
    metric_params : dict or None, default=None
        Further parameters of `metric` where it is a name, e.g. ``{"power": 0.5}``.
    class_weight : dict, "balanced" or None, default=None
        Factors of `C` for the classes, as in `sklearn.svm.SVC`.
    shrinking : bool, default=True
        Whether the solver uses the shrinking heuristic.
    tol : float, default=1e-3
        Stopping tolerance of the solver.
    max_iter : int, default=-1
        Largest number of iterations of the solver; -1 for no limit.
    decision_function_shape : {"ovr", "ovo"}, default="ovr"
        Shape of the decision function for more than two classes: one value for
        each class, or for each pair.
    break_ties : bool, default=False
        Whether `predict` breaks ties by the decision function, as in
        `sklearn.svm.SVC`.
    n_jobs : int or None, default=None
        Number of threads for means, logarithms and distances; None means 1, -1 all.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels in ascending order.
    reference_ : ndarray of shape (n, n)
        Mean of the training matrices; only for the linear kernel.
    gamma_ : float
        Factor in use; only for the Gaussian kernel.
    support_ : ndarray of int of shape (n_support_vectors,)
        Training matrices that are support vectors.
    support_matrices_ : ndarray of shape (n_support_vectors, n, n)
        These matrices.
    n_iter_ : ndarray of int of shape (n_classes * (n_classes - 1) / 2,)
        Number of iterations of the solver for each pair of classes.
    n_support_ : ndarray of int of shape (n_classes,)
        Number of support vectors of each class.
    dual_coef_ : ndarray of shape (n_classes - 1, n_support_vectors)
        Coefficients of the support vectors in the decision function.
    intercept_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Constants of the decision function.
    manifold_ : Manifold
        Geometry in use.
    n_features_in_ : int
        Size n of the matrices.

    See Also
    --------
    TangentSpace : Tangent vectors as features for other classifiers.

    Notes
    -----
    For probabilities, wrap it: ``CalibratedClassifierCV(RiemannianSVC())``.

    References
    ----------
    .. [1] A. Barachant, S. Bonnet, M. Congedo, C. Jutten, "Classification of
       covariance matrices using a Riemannian-based kernel for BCI applications",
       Neurocomputing 112, 2013, doi:10.1016/j.neucom.2012.12.039.
    .. [2] S. Sra, "Positive definite matrices and the S-divergence", Proceedings of
       the American Mathematical Society 144, 2016, arXiv:1110.1773.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import RiemannianSVC
    >>> X = np.array([np.diag([1.0, d]) for d in (1.0, 2.0, 8.0, 9.0)])
    >>> svc = RiemannianSVC().fit(X, ["a", "a", "b", "b"])
    >>> svc.predict([np.diag([1.0, 3.0]), np.diag([1.0, 7.0])]).tolist()
    ['a', 'b']
    """

    _parameter_constraints: ClassVar[dict] = {
        "metric": [str, Manifold],
        "kernel": [StrOptions({"linear", "gaussian"})],
        "gamma": [StrOptions({"scale"}), Interval(Real, 0.0, None, closed="neither")],
        "C": [Interval(Real, 0.0, None, closed="neither")],
        "metric_mean": [str, Manifold, None],
        "metric_params": [dict, None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "shrinking": ["boolean"],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "max_iter": [Interval(Integral, -1, None, closed="left")],
        "decision_function_shape": [StrOptions({"ovr", "ovo"})],
        "break_ties": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        metric="affine_invariant",
        *,
        kernel="linear",
        gamma="scale",
        C=1.0,
        metric_mean=None,
        metric_params=None,
        class_weight=None,
        shrinking=True,
        tol=1e-3,
        max_iter=-1,
        decision_function_shape="ovr",
        break_ties=False,
        n_jobs=None,
    ):
        self.metric = metric
        self.kernel = kernel
        self.gamma = gamma
        self.C = C
        self.metric_mean = metric_mean
        self.metric_params = metric_params
        self.class_weight = class_weight
        self.shrinking = shrinking
        self.tol = tol
        self.max_iter = max_iter
        self.decision_function_shape = decision_function_shape
        self.break_ties = break_ties
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Find the support vectors.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : array-like of shape (n_matrices,)
            Labels of at least two classes.
        sample_weight : array-like of shape (n_matrices,), default=None
            Non-negative weights of the matrices in the mean, and factors of `C`.

        Returns
        -------
        RiemannianSVC
            The fitted estimator.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, there is one class only,
            the weights of a class are zero, or the metric has no tangent space for
            the linear kernel.

        Warns
        -----
        UserWarning
            If the Gaussian kernel need not be positive definite.
        ConvergenceWarning
            If the mean or the solver does not converge.
        """
        X = check_matrices(self, X, reset=True)
        self.classes_, codes = check_labels(self, X, y)
        weight = check_sample_weight(sample_weight, len(X))
        self.manifold_ = resolve_geometry(self.metric, X.shape[1], self.metric_params)
        X = check_spd(self.manifold_, X)
        # The solver counts its support vectors among those of positive weight.
        used = np.flatnonzero(weight > 0.0)
        self._check_classes(codes[used])
        X, weight, factors = X[used], weight[used], None
        if sample_weight is not None:
            factors = np.asarray(sample_weight, dtype=np.float64)[used]
        if self.kernel == "linear":
            vectors = self._fit_reference(X, weight)
            K = vectors @ vectors.T
        else:
            K = self._fit_gaussian(X, weight)
        self._svc = self._machine().fit(K, self.classes_[codes[used]], factors)
        own = self._svc.support_
        self.support_, self.support_matrices_ = used[own], X[own]
        if self.kernel == "linear":
            self._support_vectors = vectors[own]
        return self

    def predict(self, X):
        """Return the predicted classes.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices,)
            Labels.
        """
        return self._blockwise("predict", X)

    def decision_function(self, X):
        """Return signed distances from the separating hyperplanes.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.

        Returns
        -------
        ndarray of shape (n_matrices,), (n_matrices, n_classes) or (n_matrices, n_pairs)
            For two classes, positive for ``classes_[1]``; else as
            `decision_function_shape` says.
        """
        return self._blockwise("decision_function", X)

    @property
    def n_iter_(self):
        """Number of iterations of the solver for each pair of classes."""
        return self._svc.n_iter_

    @property
    def n_support_(self):
        """Number of support vectors of each class."""
        return self._svc.n_support_

    @property
    def dual_coef_(self):
        """Coefficients of the support vectors in the decision function."""
        return self._svc.dual_coef_

    @property
    def intercept_(self):
        """Constants of the decision function."""
        return self._svc.intercept_

    def _check_classes(self, codes):
        if len(self.classes_) < 2:
            raise ValueError(
                f"RiemannianSVC needs samples of at least 2 classes in y, but got only "
                f"1 class: {self.classes_[0]}. Use MDM for a single class."
            )
        counts = np.bincount(codes, minlength=len(self.classes_))
        if counts.min() == 0:
            raise ValueError(
                f"sample_weight is zero for every sample of class "
                f"{self.classes_[counts.argmin()]}. Remove the class from X and y, or "
                f"weigh it."
            )

    def _machine(self):
        return SVC(
            kernel="precomputed",
            C=self.C,
            class_weight=self.class_weight,
            shrinking=self.shrinking,
            tol=self.tol,
            max_iter=self.max_iter,
            decision_function_shape=self.decision_function_shape,
            break_ties=self.break_ties,
        )

    def _fit_reference(self, X, weight):
        """Set the reference and return the tangent vectors."""
        require_tangent_space(self.manifold_, X)
        geometry = self.manifold_
        if self.metric_mean is not None:
            geometry = resolve_geometry(self.metric_mean, X.shape[1])
            X = check_spd(geometry, X)
        self.reference_ = fit_mean(geometry, X, weight, n_jobs=self.n_jobs).mean
        return tangent_vectors(self.manifold_, self.reference_, X, n_jobs=self.n_jobs)

    def _fit_gaussian(self, X, weight):
        """Set gamma and return the kernel of the training matrices."""
        squares = distances_between(self.manifold_, X, n_jobs=self.n_jobs) ** 2
        self.gamma_ = self.gamma
        if self.gamma == "scale":
            variance = 0.5 * float(weight @ squares @ weight)
            self.gamma_ = 1.0 / variance if variance > 0.0 else 1.0
        _warn_unless_positive(self.manifold_, self.gamma_, X.shape[1])
        return np.exp(-self.gamma_ * squares)

    def _kernel(self, X):
        """Return the kernel of matrices with the support vectors."""
        if self.kernel == "linear":
            vectors = tangent_vectors(
                self.manifold_, self.reference_, X, n_jobs=self.n_jobs
            )
            return vectors @ self._support_vectors.T
        d = distances_to(self.manifold_, X, self.support_matrices_, n_jobs=self.n_jobs)
        return np.exp(-self.gamma_ * d**2)

    def _blockwise(self, method, X):
        """Apply a method of the inner machine to blocks of the kernel."""
        check_is_fitted(self)
        X = check_spd(self.manifold_, check_matrices(self, X, reset=False))
        n_fit = self._svc.shape_fit_[0]
        step = max(1, _BLOCK_NUMBERS // n_fit)
        parts = []
        for start in range(0, len(X), step):
            part = X[start : start + step]
            # The machine reads the columns of its support vectors only.
            K = np.zeros((len(part), n_fit))
            K[:, self._svc.support_] = self._kernel(part)
            parts.append(getattr(self._svc, method)(K))
        return np.concatenate(parts)


def _warn_unless_positive(geometry, gamma, n):
    """Warn where exp(-gamma d^2) is not known to be positive definite."""
    if geometry.is_flat:
        return
    remedy = "metric='log_euclidean' or another flat metric"
    if metric_name(geometry) == "stein":
        twice = 2.0 * gamma
        whole = abs(twice - round(twice)) <= 1e-9 * twice and round(twice) >= 1
        if whole or twice >= n - 1:
            return
        nearest = min(max(round(twice), 1), n - 1) / 2.0
        remedy = f"gamma={nearest:g}, or {remedy}"
    warnings.warn(
        f"kernel='gaussian' with metric={geometry!r} and gamma={gamma:.3g} need not "
        f"be positive definite, so that the solution may not be optimal. Use {remedy}.",
        UserWarning,
        stacklevel=5,
    )
