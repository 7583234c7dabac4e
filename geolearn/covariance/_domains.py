"""The domains (sessions, subjects) that matrices come from, and their statistics."""

from numbers import Real
from typing import NamedTuple

import numpy as np

__all__ = [
    "Domains",
    "Statistics",
    "check_named",
    "describe",
    "read_domains",
    "update_statistics",
]


class Domains(NamedTuple):
    """Hold the distinct domains of some matrices and the rows of each.

    Parameters
    ----------
    rows : dict
        Domain -> ndarray of int, its rows; in ascending order of the domains.
    last : str, int or None
        Domain of the last matrix.
    """

    rows: dict
    last: str | int | None


class Statistics(NamedTuple):
    """Hold the means and dispersions of domains.

    Parameters
    ----------
    means : dict
        Domain -> ndarray of shape (n, n).
    variances : dict
        Domain -> float.
    n_iter : int, default=0
        Largest number of iterations of a mean.
    """

    means: dict
    variances: dict
    n_iter: int = 0


def read_domains(sample_domain, n_samples):
    """Return the domains of matrices.

    Parameters
    ----------
    sample_domain : array_like of shape (n_samples,) or None
        Domain of each matrix, strings or numbers. None is one domain, None.
    n_samples : int
        Number of matrices.

    Returns
    -------
    Domains
        The distinct domains as Python objects, and their rows.

    Raises
    ------
    ValueError
        If the length is wrong, an entry is missing, or kinds are mixed.
    """
    if sample_domain is None:
        return Domains({None: np.arange(n_samples)}, None)
    values = np.asarray(sample_domain)
    if values.shape != (n_samples,):
        raise ValueError(
            f"sample_domain must have one entry a matrix, shape ({n_samples},), got "
            f"{values.shape}."
        )
    if values.dtype.kind == "U" and not all(isinstance(v, str) for v in sample_domain):
        values = np.asarray(
            sample_domain, dtype=object
        )  # NumPy made strings of numbers
    if values.dtype.kind == "O":
        values = _from_objects(values)
    if values.dtype.kind not in "biufU":
        raise ValueError(
            f"sample_domain must hold strings or numbers, got dtype {values.dtype}; "
            f"use np.asarray(sample_domain).astype(str)."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        first = int(np.argmin(np.isfinite(values)))
        raise ValueError(
            f"sample_domain[{first}] is {values[first]}; name the domain of every "
            f"matrix."
        )
    names, codes = np.unique(values, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return Domains(dict(zip(names.tolist(), parts, strict=True)), values[-1].item())


def _from_objects(values):
    """Return strings or numbers in an array of their own type."""
    for i, value in enumerate(values):
        if not isinstance(value, str | Real):
            raise ValueError(
                f"sample_domain[{i}] is {value!r}; name the domain of every matrix by "
                f"a string or a number."
            )
    if len({isinstance(value, str) for value in values}) > 1:
        raise ValueError(
            "sample_domain mixes strings and numbers; use "
            "np.asarray(sample_domain).astype(str)."
        )
    return np.array(values.tolist())


def describe(names, limit=10):
    """Return a list of domains for a message."""
    names = list(names)
    shown = ", ".join(map(repr, names[:limit]))
    return shown if len(names) <= limit else f"{shown}, ... ({len(names)} in all)"


def check_named(estimator, known, domains):
    """Require domains of one kind, if and only if an estimator was fitted with them.

    Parameters
    ----------
    estimator : estimator
        Named in the messages.
    known : dict
        Domains of `fit` in the keys, or None alone.
    domains : Domains
        What the caller gave.

    Raises
    ------
    ValueError
        If only one of the calls had domains, or one had strings and the other
        numbers, which are never equal.
    """
    name = type(estimator).__name__
    before, now = (next(iter(names)) for names in (known, domains.rows))
    if before is not None and now is None:
        raise ValueError(
            f"sample_domain is missing: this {name} was fitted with the domains "
            f"{describe(known)}. Pass sample_domain, in a pipeline by metadata "
            f"routing."
        )
    if before is None and now is not None:
        raise ValueError(
            f"sample_domain is given, but this {name} was fitted without it; pass "
            f"sample_domain to fit as well."
        )
    if isinstance(before, str) != isinstance(now, str):
        raise ValueError(
            f"sample_domain has {now!r}, but the domains of fit are of another kind: "
            f"{describe(known)}. Use strings in both calls or numbers in both."
        )


def update_statistics(
    translation, X, weight, domains, before=None, *, momentum=1.0, **options
):
    """Return means and dispersions after new matrices.

    Parameters
    ----------
    translation : Translation
        Metric.
    X : ndarray of shape (n_matrices, n, n)
        Valid matrices.
    weight : ndarray of shape (n_matrices,)
        Weights, not negative.
    domains : Domains
        Domains of the matrices.
    before : Statistics or None, default=None
        What was known; it is not modified. Its domains without new matrices stay.
    momentum : float, default=1.0
        Fraction of the way to the statistics of the new matrices.
    **options
        Further arguments of `Translation.statistics`.

    Returns
    -------
    Statistics
        What is known now.

    Raises
    ------
    ValueError
        If the weights of a domain are all zero.
    """
    means, variances = ({}, {}) if before is None else map(dict, before[:2])
    n_iter = 0
    for name, rows in domains.rows.items():
        if not weight[rows].any():
            raise ValueError(
                f"sample_weight is zero for every matrix of the domain {name!r}; "
                f"remove its matrices, or weigh them."
            )
        M, v, steps = translation.statistics(X[rows], weight[rows], **options)
        n_iter = max(n_iter, steps)
        if name in means:
            M = translation.between(means[name], M, momentum)
            v = variances[name] + momentum * (v - variances[name])
        means[name], variances[name] = M, v
    return Statistics(means, variances, n_iter)
