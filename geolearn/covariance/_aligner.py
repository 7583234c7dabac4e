"""Transfer between sessions and subjects: common centre, dispersion and axes."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from geolearn import linalg
from geolearn.covariance._domains import (
    Statistics,
    check_named,
    describe,
    read_domains,
    update_statistics,
)
from geolearn.covariance._input import StackInput, check_labels, check_matrices
from geolearn.covariance._rotation import class_logarithms, rotations_to_target
from geolearn.covariance._translation import check_result, make_translation
from geolearn.manifolds.spd._names import canonical_name
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context
from geolearn.utils.validation import check_sample_weight

__all__ = ["SPDAligner"]

_REMEDY = "Set scale=False, remove outliers (Potato), or use metric='affine_invariant'."
_GROUPS = ("affine_invariant", "log_cholesky", "log_euclidean")
_TURNED = ("affine_invariant", "log_euclidean")  # orthogonal congruences are isometries

# Dispersions below this, a distance of 1e-8, come from the tolerance of the mean.
_NO_DISPERSION = 1e-16


class SPDAligner(  # type: ignore[call-arg]
    StackInput, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Align the SPD matrices of several domains, e.g. sessions or subjects [1]_ [2]_.

    Each domain is moved so that its mean is the identity matrix, scaled so that all
    domains have the same dispersion, and optionally turned so that its class means
    come close to those of a target domain. All three are symmetries of the metric, so
    that distances within a domain change by one factor only. Centring and scaling
    need no labels and work on new domains.

    Parameters
    ----------
    metric : str, default="affine_invariant"
        "affine_invariant", "log_euclidean" or "log_cholesky", or an alias.
        "log_cholesky" depends on the order of the channels and has no rotations.
    center : bool, default=True
        Whether to move the mean M of each domain to the identity matrix; for the
        affine-invariant metric by ``M^{-1/2} X M^{-1/2}``, the parallel transport.
    scale : bool, default=True
        Whether to bring the dispersion v of each domain, the mean squared distance
        from M, to that of `target_domain`: tangent vectors at the mean are multiplied
        by sqrt(v_target / v); after centring X becomes X^sqrt(v_target / v).
    rotate : bool, default=False
        Whether to turn each domain towards `target_domain` by X -> U X U^T with an
        orthogonal U, see Notes. Needs `y`, `target_domain` and `center`.
    target_domain : str, int or None, default=None
        Domain that sets the dispersion and the axes. None takes the pooled
        dispersion of the training domains, which has no axes.
    unseen : {"transductive", "error", "last"}, default="transductive"
        What `transform` does with a domain that was not there in `fit`.
        "transductive" takes the mean and the dispersion of its unlabeled matrices
        in that call: the result for one matrix then depends on the others of the
        call, which should be many and hold the classes in the usual shares.
        "last" takes those of the domain that `fit` or `partial_fit` saw last,
        "error" raises. A transductive domain is not turned.
    momentum : float, default=0.1
        Step of `partial_fit` towards the mean and dispersion of the new matrices,
        in (0, 1].
    tol : float, default=1e-8
        Stopping tolerance of the means, as in `geolearn.manifolds.SPD.frechet_mean`.
    max_iter : int, default=50
        Largest number of iterations of a mean.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all.

    Attributes
    ----------
    domains_ : list
        Domains in ascending order; ``[None]`` if `fit` had no `sample_domain`.
    means_ : dict
        Domain -> mean M, ndarray of shape (n, n).
    variances_ : dict
        Domain -> dispersion v.
    scales_ : dict
        Domain -> factor sqrt(v_target / v) of the tangent vectors; 1 if not `scale`.
    rotations_ : dict
        Domain -> orthogonal matrix U of shape (n, n); the identity if not `rotate`.
    target_variance_ : float
        Dispersion v_target; the first fit sets it, `partial_fit` leaves it, so that
        models of the output stay valid.
    last_domain_ : str, int or None
        Domain of the last matrix that `fit` or `partial_fit` saw.
    n_iter_ : int
        Number of iterations of the mean in the last `fit` or `partial_fit`, the largest
        of the domains; 0 for closed forms.
    n_features_in_ : int
        Size n of the matrices.

    See Also
    --------
    SPDNormalizer : Any common mean, and the Bures-Wasserstein metric.
    TangentSpace : What usually follows, with ``reference="identity"``.

    Notes
    -----
    The rotation of a domain minimises ``sum_k ||U log(M_k) U^T - log(T_k)||^2`` over
    orthogonal U, where M_k and T_k are the means of class k in the domain and in the
    target, both centred and scaled. This is the Procrustes problem of [2]_ with
    distances in the tangent space at the identity instead of along geodesics (the
    same for "log_euclidean"). Congruences by U keep all distances and the identity,
    so that the rotation undoes neither centring nor scaling; an orthogonal map of the
    n (n + 1) / 2 tangent coordinates, which has a closed form, does not keep affine-
    invariant distances and is not determined by a few class means. For one class U
    is closed in the eigenvectors of both means; for more, polar factors are iterated
    from such starts and from U = I, and the best wins.

    `sample_domain` reaches `fit` and `transform` in a pipeline by metadata routing:
    ``SPDAligner().set_fit_request(sample_domain=True)`` and
    ``.set_transform_request(sample_domain=True)`` with
    ``sklearn.set_config(enable_metadata_routing=True)``. In cross-validation use the
    score of the pipeline, ``scoring=None``: scikit-learn's named scorers do not pass
    metadata on to ``predict``. Neither does ``GridSearchCV.predict``; call
    ``best_estimator_.predict(X, sample_domain=...)``.

    References
    ----------
    .. [1] P. Zanini, M. Congedo, C. Jutten, S. Said, Y. Berthoumieu, "Transfer
       learning: a Riemannian geometry framework with applications to brain-computer
       interfaces", IEEE Transactions on Biomedical Engineering 65, 2018,
       doi:10.1109/TBME.2017.2742541.
    .. [2] P. L. C. Rodrigues, C. Jutten, M. Congedo, "Riemannian Procrustes
       analysis: transfer learning for brain-computer interfaces", IEEE Transactions
       on Biomedical Engineering 66, 2019, doi:10.1109/TBME.2018.2889705.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import SPDAligner
    >>> X = np.array([np.diag(d) for d in ([1.0, 4.0], [4.0, 1.0])])
    >>> X = np.concatenate([X, 100.0 * X])
    >>> session = ["mon", "mon", "tue", "tue"]
    >>> aligner = SPDAligner().fit(X, sample_domain=session)
    >>> aligner.means_["tue"].round(6)
    array([[200.,   0.],
           [  0., 200.]])
    >>> Z = aligner.transform(X, sample_domain=session)
    >>> np.allclose(Z[:2], Z[2:])
    True

    A session that was not there:

    >>> Z = aligner.transform(7.0 * X[:2], sample_domain=["wed", "wed"])
    >>> Z[0].round(6)
    array([[0.5, 0. ],
           [0. , 2. ]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "metric": [str],
        "center": ["boolean"],
        "scale": ["boolean"],
        "rotate": ["boolean"],
        "target_domain": [str, Real, None],
        "unseen": [StrOptions({"transductive", "error", "last"})],
        "momentum": [Interval(Real, 0.0, 1.0, closed="right")],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        metric="affine_invariant",
        *,
        center=True,
        scale=True,
        rotate=False,
        target_domain=None,
        unseen="transductive",
        momentum=0.1,
        tol=1e-8,
        max_iter=50,
        n_jobs=None,
    ):
        self.metric = metric
        self.center = center
        self.scale = scale
        self.rotate = rotate
        self.target_domain = target_domain
        self.unseen = unseen
        self.momentum = momentum
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_domain=None, sample_weight=None):
        """Find the mean, dispersion and rotation of each domain.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : array-like of shape (n_matrices,), default=None
            Labels of classes; used if `rotate`.
        sample_domain : array-like of shape (n_matrices,), default=None
            Domain of each matrix, strings or numbers; None is one domain without a
            name.
        sample_weight : array-like of shape (n_matrices,), default=None
            Non-negative weights of the matrices; None weighs all alike.

        Returns
        -------
        SPDAligner
            The fitted estimator.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, `target_domain` is not
            among the domains, or `rotate` lacks what it needs: labels, a target, and
            in each domain a class that the target has.

        Warns
        -----
        UserWarning
            If the matrices of a domain are equal, so that they cannot be scaled.
        ConvergenceWarning
            If a mean does not reach `tol` within `max_iter` iterations.
        """
        X = check_matrices(self, X, reset=True)
        translation = self._translation(X.shape[1])
        X = translation.check(X)
        weight = check_sample_weight(sample_weight, len(X))
        domains = read_domains(sample_domain, len(X))
        self._check_target(domains.rows)
        statistics = update_statistics(
            translation, X, weight, domains, **self._options()
        )
        target_variance = self._target_variance(statistics, weight, domains)
        self._store(statistics, target_variance, domains.last)
        self.rotations_ = {name: np.eye(X.shape[1]) for name in domains.rows}
        if self.rotate:
            _, codes = check_labels(self, X, y)
            self.rotations_ = self._rotations(translation, X, codes, weight, domains)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_domain=None, sample_weight=None):
        """Move the means and dispersions of domains towards those of new matrices.

        The mean of a domain goes the fraction `momentum` of the geodesic to the mean
        of its new matrices, the dispersion the same fraction to theirs. A domain that
        is new takes theirs as they are. Domains without new matrices stay.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : Ignored
            Not used; present for the interface.
        sample_domain : array-like of shape (n_matrices,), default=None
            As in `fit`; given if and only if it was given before.
        sample_weight : array-like of shape (n_matrices,), default=None
            As in `fit`.

        Returns
        -------
        SPDAligner
            The fitted estimator.

        Raises
        ------
        ValueError
            As `fit`, and if `rotate`: rotations need all labels at once.
        """
        if self.rotate:
            raise ValueError(
                "partial_fit cannot update the rotations of rotate=True, which need "
                "the labels of all matrices; use fit, or rotate=False."
            )
        if not hasattr(self, "means_"):
            return self.fit(X, sample_domain=sample_domain, sample_weight=sample_weight)
        X = check_matrices(self, X, reset=False)
        translation = self._translation(X.shape[1])
        X = translation.check(X)
        weight = check_sample_weight(sample_weight, len(X))
        domains = read_domains(sample_domain, len(X))
        check_named(self, self.means_, domains)
        before = Statistics(self.means_, self.variances_)
        statistics = update_statistics(
            translation,
            X,
            weight,
            domains,
            before,
            momentum=self.momentum,
            **self._options(),
        )
        self._store(statistics, self.target_variance_, domains.last)
        for name in domains.rows:
            self.rotations_.setdefault(name, np.eye(X.shape[1]))
        return self

    def transform(self, X, sample_domain=None):
        """Return the aligned matrices.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        sample_domain : array-like of shape (n_matrices,), default=None
            Domain of each matrix; given if and only if it was given to `fit`.

        Returns
        -------
        ndarray of shape (n_matrices, n, n)
            SPD matrices. Those of a domain that was not there in `fit` depend on
            the other matrices of the call if ``unseen="transductive"``.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, a domain is unknown and
            ``unseen="error"``, or it has only one matrix and
            ``unseen="transductive"``; or if a result is positive definite in theory
            but not after rounding.
        """
        check_is_fitted(self, "means_")
        X = check_matrices(self, X, reset=False)
        translation = self._translation(X.shape[1])
        X = translation.check(X)
        domains = read_domains(sample_domain, len(X))
        check_named(self, self.means_, domains)
        out = np.empty_like(X)
        for name, rows in domains.rows.items():
            M, factor, U = self._frame(translation, X[rows], name)
            target = None if self.center else M
            moved, _ = translation.move(X[rows], M, target, factor)
            if self.rotate:
                moved = linalg.congruence(U, moved, n_jobs=self.n_jobs)
            out[rows] = moved
        check_result(out, self.metric, _REMEDY, n_jobs=self.n_jobs)
        return out

    def fit_transform(self, X, y=None, sample_domain=None, sample_weight=None):
        """Fit, and return the aligned matrices.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : array-like of shape (n_matrices,), default=None
            Labels of classes; used if `rotate`.
        sample_domain : array-like of shape (n_matrices,), default=None
            As in `fit`.
        sample_weight : array-like of shape (n_matrices,), default=None
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_matrices, n, n)
            What ``fit`` and then ``transform`` return.
        """
        self.fit(X, y, sample_domain=sample_domain, sample_weight=sample_weight)
        return self.transform(X, sample_domain=sample_domain)

    def _translation(self, n):
        """Return the translation, having refused rotations that it does not have."""
        name = canonical_name(self.metric)
        if self.rotate and name not in _TURNED:
            raise ValueError(
                f"rotate=True, but congruences by orthogonal matrices change the "
                f"distances of metric={self.metric!r}; use one of "
                f"{', '.join(map(repr, _TURNED))}, or rotate=False."
            )
        if self.rotate and not self.center:
            raise ValueError(
                "rotate=True turns about the identity matrix and needs center=True."
            )
        return make_translation(
            self.metric,
            n,
            allowed=_GROUPS,
            n_jobs=self.n_jobs,
            whitening="symmetric" if name == "affine_invariant" else None,
        )

    def _options(self):
        return {"tol": self.tol, "max_iter": self.max_iter}

    def _check_target(self, names):
        if self.target_domain is None:
            if self.rotate:
                raise ValueError(
                    f"rotate=True needs target_domain, the domain whose axes the "
                    f"others take; there are {describe(names)}."
                )
        elif self.target_domain not in names:
            raise ValueError(
                f"target_domain={self.target_domain!r} is not among the domains of "
                f"sample_domain: {describe(names)}."
            )

    def _target_variance(self, statistics, weight, domains):
        variances = statistics.variances
        if self.target_domain is not None:
            return variances[self.target_domain]
        rows_of = domains.rows
        return float(sum(weight[rows_of[d]].sum() * variances[d] for d in rows_of))

    def _store(self, statistics, target_variance, last):
        """Set the attributes that follow from means and dispersions."""
        self.means_, self.variances_, self.n_iter_ = statistics
        self.target_variance_ = target_variance
        self.scales_ = {d: self._factor(v) for d, v in self.variances_.items()}
        self.domains_ = [None] if None in self.means_ else sorted(self.means_)
        self.last_domain_ = last
        equal = [d for d, v in self.variances_.items() if v <= _NO_DISPERSION]
        if self.scale and equal:
            what = "" if equal[0] is None else f" of the domain {equal[0]!r}"
            warnings.warn(
                f"The matrices{what} are all equal: their dispersion is 0 and cannot "
                f"be scaled. Give the domain more matrices, or set scale=False.",
                UserWarning,
                stacklevel=4,
            )

    def _factor(self, variance):
        if not self.scale or variance <= _NO_DISPERSION:
            return 1.0
        return float(np.sqrt(self.target_variance_ / variance))

    def _rotations(self, translation, X, codes, weight, domains):
        """Return rotations of the class means of each domain towards the target's."""
        logs = {}
        for name, rows in domains.rows.items():
            moved, _ = translation.move(
                X[rows], self.means_[name], None, self.scales_[name]
            )
            logs[name] = class_logarithms(
                translation, moved, codes[rows], weight[rows], **self._options()
            )
        return rotations_to_target(logs, self.target_domain)

    def _frame(self, translation, X, name):
        """Return mean, factor and rotation of a domain, known or not."""
        if name not in self.means_ and self.unseen == "last":
            name = self.last_domain_
        if name in self.means_:
            return self.means_[name], self.scales_[name], self.rotations_[name]
        if self.unseen == "error":
            raise ValueError(
                f"sample_domain has {name!r}, which was not there in fit; known are "
                f"{describe(self.means_)}. Call partial_fit with matrices of that "
                f"domain, or set unseen='transductive' or 'last'."
            )
        if len(X) == 1:
            raise ValueError(
                f"sample_domain has {name!r}, which was not there in fit, with a "
                f"single matrix: centred by its own mean it would become the identity "
                f"matrix. Transform more matrices of it at once, call partial_fit "
                f"with some before, or set unseen='last'."
            )
        weight = np.full(len(X), 1.0 / len(X))
        M, v, _ = translation.statistics(X, weight, **self._options())
        return M, self._factor(v), np.eye(len(M))
