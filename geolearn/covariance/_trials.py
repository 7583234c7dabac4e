"""From trials to covariance matrices: the checks and messages around the kernels."""

import numpy as np
from sklearn.utils.validation import validate_data

from geolearn.covariance._estimation import NON_FINITE, covariance_kernel
from geolearn.manifolds.spd._chunks import pieces
from geolearn.manifolds.spd._forms import ASYMMETRY, symmetrise

__all__ = [
    "ESTIMATORS",
    "check_finite_trials",
    "check_regularisation",
    "check_trials",
    "covariance_stack",
    "is_regularised",
]

ESTIMATORS = ("scm", "cov", "lwf", "oas", "corr")


def check_trials(estimator, X, *, reset):
    """Return trials as a C-contiguous array of float64 or float32.

    Only the shape is checked, so that memory maps are not read.

    Parameters
    ----------
    estimator : estimator
        Receives `n_features_in_`, the number of channels, if `reset`.
    X : array_like of shape (n_trials, n_channels, n_times)
        Trials.
    reset : bool
        Whether to set `n_features_in_`; otherwise it is compared.

    Returns
    -------
    ndarray of shape (n_trials, n_channels, n_times)
        The data; not a copy if `X` is such an array already.
    """
    if isinstance(X, np.ndarray):
        _check_axes(X)  # else the second axis counts as channels
    X = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=[np.float64, np.float32],
        order="C",
        allow_nd=True,
        ensure_all_finite=False,
    )
    _check_axes(X)
    return X


def _check_axes(X):
    if X.ndim != 3:
        raise ValueError(
            f"X has shape {X.shape}; expected three axes (n_trials, n_channels, "
            f"n_times). Use X[np.newaxis] for a single trial."
        )
    if min(X.shape) == 0:
        raise ValueError(
            f"X has shape {X.shape}: n_trials, n_channels and n_times must be >= 1."
        )


def check_finite_trials(X):
    """Raise for NaN and infinity, naming the first bad trial."""
    for rows in pieces(len(X), 8 * X[0].size):
        finite = np.isfinite(X[rows]).all(axis=(1, 2))
        if not finite.all():
            first = rows.start + int(np.argmin(finite))
            channel = int(np.argmin(np.isfinite(X[first]).all(axis=1)))
            raise ValueError(
                f"Input X contains NaN or infinity. The first such trial is "
                f"X[{first}], channel {channel}. Remove or interpolate it first."
            )


def check_regularisation(estimator, shrinkage):
    """Raise if a fixed shrinkage is asked of an estimator that has none."""
    if shrinkage is not None and estimator not in ("scm", "cov"):
        name = "a callable" if callable(estimator) else repr(estimator)
        raise ValueError(
            f"shrinkage={shrinkage} applies to estimator='scm' or 'cov' only, but "
            f"estimator is {name}. Set shrinkage=None, or use ridge."
        )


def is_regularised(estimator, shrinkage, ridge):
    """Tell whether singular covariances become positive definite."""
    return bool(
        estimator in ("lwf", "oas") or callable(estimator) or shrinkage or ridge > 0.0
    )


def covariance_stack(X, order=1, lag=1, *, estimator, ridge, n_jobs, **options):
    """Return the covariance matrices of delayed trials.

    Parameters
    ----------
    X : ndarray of shape (n_trials, n_channels, n_times)
        Trials of `check_trials`; NaN and infinity are found here.
    order, lag : int
        Number of copies of each channel, and samples between them.
    estimator : str or callable
        One of `ESTIMATORS`, or a function of one embedded trial.
    ridge : float
        Multiple of the mean variance that is added to the diagonal.
    n_jobs : int or None
        Number of threads.
    **options : dict
        `assume_centered`, `shrinkage` and `toeplitz`.

    Returns
    -------
    ndarray of shape (n_trials, order * n_channels, order * n_channels)
        Exactly symmetric float64 matrices.
    """
    check_regularisation(estimator, options["shrinkage"])
    if callable(estimator):
        check_finite_trials(X)
        return np.stack(
            [_called(estimator, X, i, order, lag, ridge) for i in range(len(X))]
        )
    _check_length(X, estimator, options["assume_centered"])
    n = order * X.shape[1]
    out = np.empty((len(X), n, n))
    for rows in pieces(len(X), 8 * (X[0].size + n * n)):
        chunk = np.ascontiguousarray(X[rows], dtype=np.float64)
        status = covariance_kernel(
            chunk,
            order,
            lag,
            estimator=estimator,
            ridge=ridge,
            n_jobs=n_jobs,
            out=out[rows],
            **options,
        )
        if status.any():
            first = int(np.argmax(status != 0))
            _explain(X, rows.start + first, int(status[first]), estimator, **options)
    return out


def _check_length(X, estimator, assume_centered):
    least = 1 if assume_centered and estimator != "cov" else 2
    if X.shape[2] < least:
        raise ValueError(
            f"X has shape {X.shape}: n_times={X.shape[2]}, but the covariance needs "
            f"at least {least} time samples."
        )


def _explain(X, trial, status, estimator, *, toeplitz, **_):
    """Raise for the first trial whose covariance is not usable."""
    if status == NON_FINITE:
        check_finite_trials(X)
        raise ValueError(
            f"The covariance of trial X[{trial}] overflows: its largest value is "
            f"{np.abs(X[trial]).max():.3g}. Rescale X."
        )
    delay, channel = divmod(status - 1, X.shape[1])
    row = X[trial, channel].astype(np.float64)
    where = f"channel {channel} of trial X[{trial}]"
    if np.ptp(row) == 0.0:
        kind = f"is constant ({row[0]:.6g})"
    elif delay:
        kind = f"is constant after delay {delay}"
    else:
        kind = "has no variance, or underflows (then rescale X)"
    raise ValueError(
        f"The covariance matrix is not positive definite: {where} {kind}. Remedy: "
        f"{_remedy(estimator, toeplitz)}, or leave the channel out of X; if all its "
        f"channels are constant, leave the trial out."
    )


def _remedy(estimator, toeplitz):
    """Return what would regularise a channel without variance."""
    if estimator == "corr":  # it divides by the variance, and has no shrinkage
        return "use estimator='scm' with shrinkage or ridge"
    other = "" if toeplitz else "estimator='oas' or 'lwf', "
    return f"use {other}shrinkage or ridge"


def _called(function, X, trial, order, lag, ridge):
    """Apply a user's estimator to one embedded trial, and check what it returns."""
    length = X.shape[2] - (order - 1) * lag
    Z = np.concatenate(
        [X[trial, :, i * lag : i * lag + length] for i in range(order)],
        dtype=np.float64,
    )
    n = len(Z)
    C = np.asarray(function(Z), dtype=np.float64)
    if C.shape != (n, n):
        raise ValueError(
            f"estimator={function!r} returned an array of shape {C.shape} for trial "
            f"{trial} of shape {Z.shape}; it must return ({n}, {n})."
        )
    off = np.abs(C - C.T).max()
    if not (np.isfinite(C).all() and off <= ASYMMETRY * np.abs(C).max()):
        raise ValueError(
            f"estimator={function!r} returned a matrix with NaN or infinity, or one "
            f"that is not symmetric, for trial {trial}."
        )
    C = symmetrise(C)
    return C + ridge * np.trace(C) / n * np.eye(n)
