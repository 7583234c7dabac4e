"""Covariance matrices of stacks of trials, plain or of delayed copies."""

import numpy as np
from sklearn.utils.validation import validate_data

__all__ = ["NAMES", "check_trials", "covariance_stack"]

NAMES = ("scm", "cov", "lwf", "oas", "corr")


def check_trials(estimator, X, *, reset):
    """Return C-contiguous trials in float64 or float32, checked for their shape."""
    X = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=[np.float64, np.float32],
        order="C",
        allow_nd=True,
        ensure_all_finite=False,
    )
    if X.ndim != 3:
        raise ValueError(
            f"X has shape {X.shape}; expected three axes (n_trials, n_channels, "
            f"n_times). Use X[np.newaxis] for a single trial."
        )
    if min(X.shape) == 0:
        raise ValueError(
            f"X has shape {X.shape}: n_trials, n_channels and n_times must be >= 1."
        )
    return X


def covariance_stack(
    X,
    order=1,
    lag=1,
    *,
    estimator="scm",
    assume_centered=False,
    shrinkage=None,
    ridge=0.0,
    n_jobs=None,
):
    """Return the covariance matrices (n_trials, n, n) of delayed trials."""
    return np.array(
        [_one(x, order, lag, estimator, assume_centered, shrinkage, ridge) for x in X]
    )


def _one(x, order, lag, estimator, assume_centered, shrinkage, ridge):
    length = x.shape[1] - (order - 1) * lag
    z = np.concatenate([x[:, i * lag : i * lag + length] for i in range(order)])
    z = z.astype(np.float64)
    if callable(estimator):
        C = np.asarray(estimator(z), dtype=np.float64)
    else:
        if not assume_centered:
            z = z - z.mean(axis=1, keepdims=True)
        C = z @ z.T / (length - 1 if estimator == "cov" else length)
        if estimator == "corr":
            scale = np.sqrt(np.diag(C))
            C = C / np.outer(scale, scale)
    n = len(C)
    mu = np.trace(C) / n
    if estimator == "lwf":
        delta = np.sum(C**2) / n - mu**2
        beta = np.sum(np.sum(z**2, axis=0) ** 2) / length - np.sum(C**2)
        beta = min(delta, beta / (n * length))
        shrinkage = beta / delta if beta > 0 else 0.0
    elif estimator == "oas":
        a = np.sum(C**2) / n**2
        rest = (length + 1) * (a - mu**2 / n)
        shrinkage = min(1.0, (a + mu**2) / rest) if rest > 0 else 1.0
    if shrinkage is not None:
        C = (1 - shrinkage) * C + shrinkage * mu * np.eye(n)
    return C + ridge * mu * np.eye(n)
