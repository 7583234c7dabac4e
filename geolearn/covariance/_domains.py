"""The domains (sessions, subjects) that samples come from."""

import numpy as np

__all__ = ["Domains", "describe", "read_domains"]


class Domains:
    """Hold the distinct domains of some samples and the rows of each.

    Parameters
    ----------
    rows : dict
        Domain -> ndarray of int, its rows; in ascending order of the domains.
    last : str or int or None
        Domain of the last sample.

    Attributes
    ----------
    rows : dict
        As given.
    last : str or int or None
        As given.
    """

    def __init__(self, rows, last):
        self.rows = rows
        self.last = last

    def __iter__(self):
        return iter(self.rows)


def read_domains(sample_domain, n_samples):
    """Return the domains of samples.

    Parameters
    ----------
    sample_domain : array_like of shape (n_samples,)
        Domain of each sample, strings or numbers.
    n_samples : int
        Number of samples.

    Returns
    -------
    Domains
        The distinct domains as Python objects, and their rows.

    Raises
    ------
    ValueError
        If the length is wrong, an entry is missing, or kinds are mixed.
    """
    values = np.asarray(sample_domain)
    if values.shape != (n_samples,):
        raise ValueError(
            f"sample_domain must have one entry a matrix, shape ({n_samples},), got "
            f"{values.shape}."
        )
    if values.dtype.kind == "O":
        values = _from_objects(values)
    if values.dtype.kind not in "biufUS":
        raise ValueError(
            f"sample_domain must hold strings or numbers, got dtype {values.dtype}; "
            f"use sample_domain.astype(str)."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        first = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"sample_domain[{first}] is {values[first]}; name the domain.")
    names, codes = np.unique(values, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes, minlength=len(names)))[:-1])
    rows = dict(zip(names.tolist(), parts, strict=True))
    return Domains(rows, values[-1].item())


def _from_objects(values):
    kinds = {"text" if isinstance(v, str) else "number" for v in values}
    missing = [i for i, v in enumerate(values) if v is None or v != v]
    if missing:
        raise ValueError(
            f"sample_domain[{missing[0]}] is {values[missing[0]]}; name the domain of "
            f"every matrix."
        )
    if len(kinds) > 1:
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
