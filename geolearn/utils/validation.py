"""Checks at the door: points on manifolds, sample weights, numeric parameters.

The manifolds are used through their methods only, so that this module stays
below them.
"""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

__all__ = [
    "check_integer",
    "check_points",
    "check_positive",
    "check_sample_weight",
]


def check_integer(value: Any, name: str, *, minimum: int = 1) -> int:
    """Return `value` as a Python int of at least `minimum`.

    Parameters
    ----------
    value : int
        Value to check; booleans are refused.
    name : str
        Name for the error message.
    minimum : int, default=1
        Smallest value allowed.

    Returns
    -------
    int
        The value.

    Raises
    ------
    TypeError
        If `value` is not an integer.
    ValueError
        If it is smaller than `minimum`.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}.")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}.")
    return int(value)


def check_positive(value: Any, name: str) -> float:
    """Return `value` as a positive finite Python float.

    Parameters
    ----------
    value : float
        Value to check.
    name : str
        Name for the error message.

    Returns
    -------
    float
        The value.

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If it is not positive and finite.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}.")
    if not 0.0 < float(value) < math.inf:
        raise ValueError(f"{name} must be positive and finite, got {value}.")
    return float(value)


def check_sample_weight(sample_weight: Any, n_samples: int) -> np.ndarray:
    """Return weights that sum to one.

    Parameters
    ----------
    sample_weight : array_like of shape (n_samples,) or None
        Non-negative weights; None weighs all samples alike.
    n_samples : int
        Number of samples.

    Returns
    -------
    ndarray of shape (n_samples,)
        Weights divided by their sum.

    Raises
    ------
    ValueError
        If the shape is wrong, a weight is negative, NaN or infinite, or all are
        zero.
    """
    if sample_weight is None:
        return np.full(n_samples, 1.0 / n_samples)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), got {weight.shape}."
        )
    bad = np.flatnonzero(~(weight >= 0.0) | np.isinf(weight))
    if bad.size:
        raise ValueError(
            f"sample_weight must be finite and non-negative, but "
            f"sample_weight[{bad[0]}] is {weight[bad[0]]}."
        )
    largest = weight.max()
    if largest == 0.0:
        raise ValueError("sample_weight is zero for every sample.")
    weight = weight / largest  # the sum cannot overflow
    return weight / weight.sum()


def check_points(
    manifold: Any, X: Any, *, atol: float = 1e-6, name: str = "X"
) -> np.ndarray:
    r"""Check that the samples lie on a manifold, and remove rounding errors.

    Samples that are off by at most `atol` are projected silently; farther ones
    are an error. Estimators call it once; the methods of the manifolds do not
    check membership.

    Parameters
    ----------
    manifold : Manifold
        Manifold with `point_shape`, `project` and `belongs`.
    X : array_like of shape (n_samples, \*point_shape)
        Samples.
    atol : float, default=1e-6
        Deviation that is tolerated, relative to the size of the point. Domains
        that are open sets, such as the Poincaré ball, tolerate none.
    name : str, default="X"
        Name of the data for the error messages.

    Returns
    -------
    ndarray of shape (n_samples, \*point_shape)
        Contiguous float64 points on the manifold.

    Raises
    ------
    TypeError
        If the data are not real numbers.
    ValueError
        If the shape is wrong, there is no sample, an entry is NaN or infinite, or
        a sample is off the manifold: the message names the first such sample, by
        how much it is off and what to do.

    Examples
    --------
    >>> from geolearn.manifolds import Sphere
    >>> check_points(Sphere(1), [[0.6, 0.8]])
    array([[0.6, 0.8]])
    >>> check_points(Sphere(1), [[0.0, 1.0], [3.0, 4.0]])
    Traceback (most recent call last):
        ...
    ValueError: X[1] is not on Sphere(1): it is off by 4.0e+00 (relative, tolerance
    1.0e-06); 1 of 2 points is off. Call X = manifold.project(X) first.
    """
    X = _real_array(X, name)
    shape = tuple(manifold.point_shape)
    if X.ndim != len(shape) + 1 or X.shape[1:] != shape:
        expected = ", ".join(["n_samples", *map(str, shape)])
        hint = (
            f" Use {name}[np.newaxis] for a single point." if X.shape == shape else ""
        )
        raise ValueError(
            f"{name} has shape {X.shape}, but points of {manifold!r} have "
            f"point_shape {shape}: expected ({expected}).{hint}"
        )
    if X.shape[0] == 0:
        raise ValueError(f"{name} has 0 samples of {manifold!r}; at least 1 is needed.")
    finite = np.isfinite(X).reshape(X.shape[0], -1).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"Input contains NaN or infinity. The first such point is "
            f"{name}[{np.argmin(finite)}]."
        )
    valid, deviation = manifold._membership(X, atol)
    if not valid.all():
        explain = getattr(manifold, "_off_manifold", None)  # knows better remedies
        error = None if explain is None else explain(X, valid, atol, name)
        if error is not None:
            raise error
        _raise_off_manifold(manifold, valid, deviation, atol, name)
    manifold._check_range(X)
    return np.ascontiguousarray(manifold.project(X))


def _real_array(X, name):
    X = np.asarray(X)
    if X.dtype.kind == "c":
        raise TypeError(f"{name} is complex; points have real coordinates.")
    try:
        return X.astype(np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} cannot be read as real numbers: {error}") from error


def _raise_off_manifold(manifold, valid, deviation, atol, name):
    first = int(np.argmin(valid))
    n_off = int((~valid).sum())
    verb = "point is" if len(valid) == 1 else ("points is", "points are")[n_off > 1]
    largest = ""
    if n_off > 1:
        largest = f", the worst by {deviation[~valid].max():.1e}"
    amount = f"off by {deviation[first]:.1e} (relative, tolerance {atol:.1e})"
    if deviation[first] <= atol:  # an open domain tolerates nothing
        amount = f"{deviation[first]:.1e} (relative) beyond its open domain"
    raise ValueError(
        f"{name}[{first}] is not on {manifold!r}: it is {amount}; {n_off} of "
        f"{len(valid)} {verb} off{largest}. Call {name} = manifold.project({name}) "
        f"first."
    )
