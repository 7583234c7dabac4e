"""Uniform points of an annulus, from a stream that a few integers determine."""

import math
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from geolearn.utils._jit import kernel
from geolearn.utils.validation import check_integer

__all__ = ["annulus_points", "sample_annulus", "stream_key"]

# Constants of the 64-bit generator SplitMix.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_ULP = 2.0**-53


@kernel(nogil=True)
def _mix(x):
    """Return a word whose bits all depend on all bits of x."""
    x = (x ^ (x >> _30)) * _MIX_1
    x = (x ^ (x >> _27)) * _MIX_2
    return x ^ (x >> _31)


@kernel(nogil=True)
def stream_key(seed, dim, n_points, ratio_bin, draw):
    """Return the key of the stream that five integers name.

    Parameters
    ----------
    seed, dim, n_points, ratio_bin, draw : int
        Non-negative.

    Returns
    -------
    uint64
        What `annulus_points` takes.
    """
    key = _mix(np.uint64(seed) + _GAMMA)
    for part in (dim, n_points, ratio_bin, draw):
        key = _mix((key ^ np.uint64(part)) + _GAMMA)
    return key


@kernel(nogil=True)
def _uniform(key, counter):
    """Return a number of (0, 1), symmetric about 1/2."""
    word = _mix(key + np.uint64(counter + 1) * _GAMMA)
    return (np.float64(word >> _11) + 0.5) * _ULP


@kernel(nogil=True)
def annulus_points(key, inner, outer, out):
    """Fill `out` with independent uniform points of an annulus.

    Parameters
    ----------
    key : uint64
        From `stream_key`; equal keys give equal points.
    inner, outer : float
        Radii, 0 <= inner <= outer.
    out : ndarray of shape (n, d)
        Where the points go.
    """
    n, d = out.shape
    ratio = inner / outer if outer > 0.0 else 0.0
    hole = ratio**d
    counter = 0
    for i in range(n):
        square = 0.0
        while square <= 0.0:  # a direction of length 0 has no probability
            for j in range(0, d, 2):  # Box and Muller give two normal numbers
                radius = math.sqrt(-2.0 * math.log(_uniform(key, counter)))
                angle = 2.0 * math.pi * _uniform(key, counter + 1)
                counter += 2
                out[i, j] = radius * math.cos(angle)
                square += out[i, j] * out[i, j]
                if j + 1 < d:
                    out[i, j + 1] = radius * math.sin(angle)
                    square += out[i, j + 1] * out[i, j + 1]
        share = _uniform(key, counter)
        counter += 1
        radius = outer * (hole + share * (1.0 - hole)) ** (1.0 / d)
        radius = min(max(radius, inner), outer)
        for j in range(d):
            out[i, j] *= radius / math.sqrt(square)


def sample_annulus(
    n_samples: int,
    inner_radius: float,
    outer_radius: float,
    dim: int,
    *,
    random_state: Any = None,
) -> np.ndarray:
    """Draw independent uniform points of an annulus around the origin.

    The annulus is the set of points of R^dim whose norm is between two radii. The
    direction is that of a normal vector, the radius the inverse of its distribution
    function at a uniform number: no point is rejected, however thin the annulus.

    Parameters
    ----------
    n_samples : int
        Number of points, at least 0.
    inner_radius : float
        Smallest norm, at least 0.
    outer_radius : float
        Largest norm, positive, at least `inner_radius`.
    dim : int
        Dimension of the space, at least 1. In dimension 1 the annulus is two
        segments.
    random_state : int, RandomState instance or None, default=None
        Draws the points. Pass an int for reproducible results.

    Returns
    -------
    ndarray of shape (n_samples, dim)
        The points.

    Raises
    ------
    ValueError
        If a radius, the dimension or the number of points is out of its range.
    TypeError
        If one of them is no number.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.topology import sample_annulus
    >>> X = sample_annulus(1000, 0.5, 1.0, 3, random_state=0)
    >>> X.shape
    (1000, 3)
    >>> norms = np.linalg.norm(X, axis=1)
    >>> bool(0.5 <= norms.min() and norms.max() <= 1.0)
    True
    """
    n_samples = check_integer(n_samples, "n_samples", minimum=0)
    dim = check_integer(dim, "dim")
    for name, radius in (
        ("inner_radius", inner_radius),
        ("outer_radius", outer_radius),
    ):
        if isinstance(radius, bool) or not isinstance(radius, Real):
            raise TypeError(f"{name} must be a number, got {radius!r}.")
    if not 0.0 <= inner_radius <= outer_radius < np.inf or outer_radius == 0.0:
        raise ValueError(
            f"inner_radius={inner_radius!r} and outer_radius={outer_radius!r} must "
            "satisfy 0 <= inner_radius <= outer_radius, with a positive finite "
            "outer_radius."
        )
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    out = np.empty((n_samples, dim))
    with np.errstate(over="ignore"):  # the hash wraps around, also uncompiled
        # Compiled, the key comes back as an int, which may not fit into int64.
        key = np.uint64(stream_key(seed, dim, n_samples, 0, 0))
        annulus_points(key, float(inner_radius), float(outer_radius), out)
    return out
