"""Normalisation of SPD matrices: centre, scale and bias of a cloud."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from geolearn.covariance._domains import (
    Statistics,
    check_named,
    describe,
    read_domains,
    update_statistics,
)
from geolearn.covariance._input import StackInput, check_matrices
from geolearn.covariance._translation import check_result, make_translation
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context
from geolearn.utils.validation import check_sample_weight

__all__ = ["SPDNormalizer"]

_REMEDY = (
    "Lower scale, set with_std=False, remove outliers (Potato), or use "
    "metric='affine_invariant'."
)


class SPDNormalizer(  # type: ignore[call-arg]
    StackInput, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Give SPD matrices a common mean and dispersion [1]_ [2]_.

    Subtracts the Fréchet mean M, divides by the dispersion, and adds a bias B, each
    in the sense of the metric: the result has the mean B and the dispersion
    ``scale**2 * v / (v + eps)``, where v is the dispersion of the training matrices,
    the weighted mean of their squared distances from M. It is the normalisation layer
    of Riemannian networks without the network.

    With `sample_domain`, e.g. the session of each trial, every domain has its own
    statistics.

    Parameters
    ----------
    metric : str, default="affine_invariant"
        "affine_invariant", "log_euclidean" or "log_cholesky", whose translations
        form a group and are defined everywhere, or "bures_wasserstein", by parallel
        transport, which is valid near the mean only (see `on_domain_error`); or an
        alias of these. "log_cholesky" depends on the order of the channels.
    with_mean : bool, default=True
        Whether to move the mean to `bias`; otherwise it stays where it is.
    with_std : bool, default=True
        Whether to scale the dispersion.
    scale : float, default=1.0
        Root s of the dispersion to reach. Must be 1 if not `with_std`.
    bias : array-like of shape (n, n) or None, default=None
        SPD matrix B, the mean to reach; None is the identity matrix. Must be None
        if not `with_mean`.
    power : float, default=1.0
        Power deformation theta, not 0: everything happens to X^theta with
        distances divided by theta, and is undone in the end. Small powers approach
        "log_euclidean", which no power changes.
    metric_matrix : array-like of shape (n, n) or None, default=None
        SPD matrix Q of the generalised Bures-Wasserstein metric: everything happens
        to Q^{-1/2} X^theta Q^{-1/2}. None is the identity matrix.
    eps : float, default=1e-5
        Added to v before dividing, in units of squared distance.
    whitening : {"cholesky", "symmetric"}, default="cholesky"
        Root of the mean that the affine-invariant metric centres with: the Cholesky
        factor L gives L^{-1} X L^{-T}, the group translation, and is the more
        accurate one; "symmetric" gives M^{-1/2} X M^{-1/2}. They differ by a
        rotation, which depends on M: prefer "symmetric" to compare domains.
    on_domain_error : {"raise", "clip"}, default="raise"
        What to do with matrices that the Bures-Wasserstein metric cannot move
        because they are too far from the mean: I + L has an eigenvalue that is not
        positive, with the tangent vector of the result LB + BL. "clip" floors the
        eigenvalues at 1e-6 and warns; the mean is then no longer B.
    momentum : float, default=0.1
        Step of `partial_fit` towards the mean and dispersion of the new matrices,
        in (0, 1].
    tol : float, default=1e-8
        Stopping tolerance of the mean, as in `geolearn.manifolds.SPD.frechet_mean`.
    max_iter : int, default=50
        Largest number of iterations of the mean.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all.

    Attributes
    ----------
    mean_ : ndarray of shape (n, n)
        Mean M; only without `sample_domain`.
    means_ : dict
        Domain -> mean; only with `sample_domain`.
    variance_ : float or dict
        Dispersion v; with `sample_domain`, domain -> dispersion.
    n_iter_ : int
        Number of iterations of the mean in the last `fit` or `partial_fit`, the largest
        of the domains; 0 for closed forms.
    n_features_in_ : int
        Size n of the matrices.

    See Also
    --------
    SPDAligner : Carry domains over to each other, new domains included.

    Notes
    -----
    The dispersion is measured from the converged mean. Reference [2]_ measures it
    from the identity matrix, takes one step towards the mean, and does not check the
    domain; outside, its results are wrong without a sign of it.

    References
    ----------
    .. [1] Z. Chen, Y. Song, Y. Liu, N. Sebe, "A Lie group approach to Riemannian
       batch normalization", ICLR 2024, arXiv:2403.11261.
    .. [2] R. Wang, S. Jin, Z. Chen, X. Luo, X.-J. Wu, "Learning to normalize on the
       SPD manifold under Bures-Wasserstein geometry", CVPR 2025, arXiv:2504.00660.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import SPDNormalizer
    >>> X = np.array([np.diag([1.0, 4.0]), np.diag([9.0, 1.0])])
    >>> normalizer = SPDNormalizer(eps=0.0).fit(X)
    >>> normalizer.mean_.round(6)
    array([[3., 0.],
           [0., 2.]])
    >>> Z = normalizer.transform(X)
    >>> Z[0].round(4)
    array([[0.4292, 0.    ],
           [0.    , 1.7051]])
    >>> SPDNormalizer(eps=0.0).fit(Z).variance_.__round__(6)
    1.0
    >>> normalizer.inverse_transform(Z)[0].round(6)
    array([[1., 0.],
           [0., 4.]])

    Each session by its own mean:

    >>> sessions = SPDNormalizer(with_std=False).fit(X, sample_domain=["a", "b"])
    >>> sessions.transform(X[:1], sample_domain=["a"]).round(6)
    array([[[1., 0.],
            [0., 1.]]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "metric": [str],
        "with_mean": ["boolean"],
        "with_std": ["boolean"],
        "scale": [Interval(Real, 0.0, None, closed="neither")],
        "bias": ["array-like", None],
        "power": [Interval(Real, None, None, closed="neither")],
        "metric_matrix": ["array-like", None],
        "eps": [Interval(Real, 0.0, None, closed="left")],
        "whitening": [StrOptions({"cholesky", "symmetric"})],
        "on_domain_error": [StrOptions({"raise", "clip"})],
        "momentum": [Interval(Real, 0.0, 1.0, closed="right")],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        metric="affine_invariant",
        *,
        with_mean=True,
        with_std=True,
        scale=1.0,
        bias=None,
        power=1.0,
        metric_matrix=None,
        eps=1e-5,
        whitening="cholesky",
        on_domain_error="raise",
        momentum=0.1,
        tol=1e-8,
        max_iter=50,
        n_jobs=None,
    ):
        self.metric = metric
        self.with_mean = with_mean
        self.with_std = with_std
        self.scale = scale
        self.bias = bias
        self.power = power
        self.metric_matrix = metric_matrix
        self.eps = eps
        self.whitening = whitening
        self.on_domain_error = on_domain_error
        self.momentum = momentum
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_domain=None, sample_weight=None):
        """Find the mean and the dispersion, of each domain if there are domains.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : Ignored
            Not used; present for the interface.
        sample_domain : array-like of shape (n_matrices,), default=None
            Domain of each matrix, strings or numbers; None is one domain without a
            name.
        sample_weight : array-like of shape (n_matrices,), default=None
            Non-negative weights of the matrices; None weighs all alike.

        Returns
        -------
        SPDNormalizer
            The fitted estimator.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, the metric has no
            translations or no use for a parameter that is set, or the weights of a
            domain are zero.

        Warns
        -----
        UserWarning
            If `eps` exceeds the dispersion, as it does for equal matrices.
        ConvergenceWarning
            If a mean does not reach `tol` within `max_iter` iterations.
        """
        X = check_matrices(self, X, reset=True)
        self._update(X, sample_domain, sample_weight, None)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_domain=None, sample_weight=None):
        """Move the means and dispersions towards those of new matrices.

        The mean goes the fraction `momentum` of the geodesic to the mean of the
        new matrices, the dispersion the same fraction to theirs. A domain that is
        new, as on the first call, takes theirs as they are. Domains without new
        matrices stay.

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
        SPDNormalizer
            The fitted estimator.
        """
        fitted = hasattr(self, "variance_")
        X = check_matrices(self, X, reset=not fitted)
        self._update(
            X, sample_domain, sample_weight, self._statistics() if fitted else None
        )
        return self

    def transform(self, X, sample_domain=None):
        """Return the normalised matrices.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        sample_domain : array-like of shape (n_matrices,), default=None
            Domain of each matrix, one of those of `fit`; given if and only if it was
            given there.

        Returns
        -------
        ndarray of shape (n_matrices, n, n)
            SPD matrices.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, a domain is unknown, the
            Bures-Wasserstein metric cannot move a matrix, or a result is positive
            definite in theory but not after rounding.
        """
        return self._apply(X, sample_domain, inverse=False)

    def inverse_transform(self, X, sample_domain=None):
        """Undo `transform`, exactly except where it clipped.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            Normalised matrices.
        sample_domain : array-like of shape (n_matrices,), default=None
            As in `transform`.

        Returns
        -------
        ndarray of shape (n_matrices, n, n)
            SPD matrices.

        Raises
        ------
        ValueError
            As `transform`.
        """
        return self._apply(X, sample_domain, inverse=True)

    def fit_transform(self, X, y=None, sample_domain=None, sample_weight=None):
        """Find the statistics and return the normalised matrices.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices.
        y : Ignored
            Not used; present for the interface.
        sample_domain : array-like of shape (n_matrices,), default=None
            As in `fit`.
        sample_weight : array-like of shape (n_matrices,), default=None
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_matrices, n, n)
            What ``fit`` and then ``transform`` return.
        """
        self.fit(X, sample_domain=sample_domain, sample_weight=sample_weight)
        return self.transform(X, sample_domain=sample_domain)

    def _translation(self, n):
        """Return the translation, having refused parameters that have no use."""
        self._check_relations()
        return make_translation(
            self.metric,
            n,
            power=self.power,
            n_jobs=self.n_jobs,
            whitening=_unless(self.whitening, "cholesky"),
            metric_matrix=self.metric_matrix,
            on_domain_error=_unless(self.on_domain_error, "raise"),
        )

    def _check_relations(self):
        if self.power == 0.0:
            raise ValueError(
                "power=0 maps every matrix to the identity; use a power that is not 0, "
                "or metric='log_euclidean', the limit of small powers."
            )
        if not self.with_mean and self.bias is not None:
            raise ValueError(
                "bias is given, but with_mean=False leaves the mean where it is; set "
                "bias=None or with_mean=True."
            )
        if not self.with_std and self.scale != 1.0:
            raise ValueError(
                f"scale={self.scale}, but with_std=False leaves the dispersion as it "
                f"is; set scale=1.0 or with_std=True."
            )

    def _update(self, X, sample_domain, sample_weight, before):
        """Merge the statistics of new matrices into those that there are."""
        translation = self._translation(X.shape[1])
        X = translation.check(X)
        weight = check_sample_weight(sample_weight, len(X))
        if self.bias is not None:
            translation.check_parameter(self.bias, "bias")
        domains = read_domains(sample_domain, len(X))
        if before is not None:
            check_named(self, before.means, domains)
        means, variances, self.n_iter_ = update_statistics(
            translation,
            X,
            weight,
            domains,
            before,
            momentum=self.momentum,
            tol=self.tol,
            max_iter=self.max_iter,
        )
        self._warn_of_dispersion(variances)
        for name in ("mean_", "means_"):
            vars(self).pop(name, None)
        if sample_domain is None:
            self.mean_, self.variance_ = means[None], variances[None]
        else:
            self.means_, self.variance_ = means, variances

    def _statistics(self):
        """Return the fitted attributes by domain."""
        if hasattr(self, "means_"):
            return Statistics(self.means_, self.variance_)
        return Statistics({None: self.mean_}, {None: self.variance_})

    def _warn_of_dispersion(self, variances):
        if not self.with_std:
            return
        small = [name for name, v in variances.items() if v <= self.eps]
        if not small:
            return
        name = small[0]
        where = "" if name is None else f" of the domain {name!r}"
        warnings.warn(
            f"The dispersion{where} is {variances[name]:.3g}, not above "
            f"eps={self.eps:.3g}: the normalised matrices have a dispersion well "
            f"below scale**2. Lower eps, bring X to larger units if the metric "
            f"depends on them, or set with_std=False.",
            UserWarning,
            stacklevel=5,
        )

    def _apply(self, X, sample_domain, *, inverse):
        """Normalise matrices, or undo it."""
        check_is_fitted(self, "variance_")
        X = check_matrices(self, X, reset=False)
        translation = self._translation(X.shape[1])
        X = translation.check(X)
        means, variances, _ = self._statistics()
        domains = read_domains(sample_domain, len(X))
        check_named(self, means, domains)
        rows_of = domains.rows
        unknown = [name for name in rows_of if name not in means]
        if unknown:
            raise ValueError(
                f"sample_domain has {unknown[0]!r}, which was not there in fit; known "
                f"are {describe(means)}. Call partial_fit with matrices of that "
                f"domain, or use SPDAligner, which re-centres new domains."
            )
        bias = self.bias
        if bias is not None:
            bias = translation.check_parameter(bias, "bias")
        out, margins = np.empty_like(X), np.empty(len(X))
        for name, rows in rows_of.items():
            exponent = self._exponent(variances[name])
            bases = (means[name], bias if self.with_mean else means[name])
            if inverse:
                bases, exponent = bases[::-1], 1.0 / exponent
            out[rows], margins[rows] = translation.move(X[rows], *bases, exponent)
        self._check_margins(margins)
        check_result(out, self.metric, _REMEDY, n_jobs=self.n_jobs)
        return out

    def _exponent(self, variance):
        if not self.with_std:
            return 1.0
        if variance + self.eps == 0.0:
            raise ValueError(
                "The dispersion is 0, and eps=0 cannot divide by it; use eps > 0 or "
                "with_std=False."
            )
        return self.scale / np.sqrt(variance + self.eps)

    def _check_margins(self, margins):
        clips = self.on_domain_error == "clip"
        bad = margins < 1e-6 if clips else ~(margins > 0.0)
        if not bad.any():
            return
        first = int(np.argmax(bad))
        what = (
            f"{int(bad.sum())} of {len(bad)} matrices are too far from the mean for "
            f"metric={self.metric!r}: the smallest eigenvalue of I + L is "
            f"{margins[first]:.3g} for X[{first}]"
        )
        remedy = (
            "Lower scale, set with_std=False or power=0.5, or use "
            "metric='affine_invariant', which has no such limit"
        )
        if not clips:
            raise ValueError(f"{what}. {remedy}; or set on_domain_error='clip'.")
        warnings.warn(
            f"{what}; the eigenvalues are floored at 1e-6 and the mean is no longer "
            f"the bias. {remedy}.",
            UserWarning,
            stacklevel=4,
        )


def _unless(value, default):
    """Return None for the default, which every metric takes."""
    return None if value == default else value
