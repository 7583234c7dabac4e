"""What defines a field of subspaces, and the types of its kernels.

Kernels of the parts meet through pointers: inlined into each other they would be
compiled once for every caller, which takes minutes.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import config, types

from geolearn.decomposition._subbundle_eigen import EIGENPAIRS
from geolearn.decomposition._subbundle_kernels import Room
from geolearn.decomposition._subbundle_weights import Neighbours, Samples
from geolearn.utils._jit import POINT, POINTS, TABLE, first_class, kernel

FINE, LEFT, DRIFTED, SINGULAR = 0, 1, 2, 3
DRIFT = 1e-3  # of the energy, beyond which a curve is followed again
FEWEST_STEPS = 4
_MOST_STEPS = 10_000_000
_GAP = 1e-3  # relative gap below which the rank is not defined


class Law(NamedTuple):
    """Numbers that define the field, over the bandwidth."""

    kind: int
    support: float
    rank: int
    limit: float  # distance to the data beyond which a curve is stopped
    skin: float  # how far a list of samples is used from where it was made


ROW = types.float64[::1]
BOUNDS = types.Array(types.int64, 2, "C", readonly=True)
BOXES = types.Array(types.float64, 3, "C", readonly=True)
SAMPLES = types.NamedTuple((POINTS, POINT, BOUNDS, BOXES), Samples)
LIST = types.int64[::1]
NEAR = types.NamedTuple((ROW, LIST, TABLE, TABLE, TABLE, LIST), Neighbours)
ROOM = types.NamedTuple((ROW,) * 3 + (TABLE,) * 4 + (ROW,) * 2, Room)
LAW = types.NamedTuple(
    (types.intp, types.float64, types.intp, types.float64, types.float64), Law
)
SOLVER = types.FunctionType(EIGENPAIRS)
SLOPE = types.intp(
    SOLVER, SAMPLES, NEAR, LAW, ROW, ROW, types.boolean, TABLE, ROOM, ROW, ROW
)


@kernel
def finite(x):
    """Tell whether all entries are finite."""
    count = 0
    for a in range(x.shape[0]):
        count += math.isfinite(x[a])
    return count == x.shape[0]


@kernel
def square(x):
    """Return the squared length of x."""
    total = 0.0
    for a in range(x.shape[0]):
        total += x[a] * x[a]
    return total


@kernel
def along_line(eta, velocity):
    """Scale the velocity of a line field to the length of eta."""
    size = math.sqrt(square(velocity))
    scale = math.sqrt(square(eta)) / size if size > 0.0 else 0.0
    for a in range(eta.shape[0]):
        velocity[a] *= scale


@kernel
def judge(facts, values, law, velocity, force):
    """Return the status of a point from its spectrum."""
    k = law.rank
    if facts[0] > law.limit or facts[1] < k + 1:
        return LEFT
    if k < velocity.shape[0]:
        if not values[k - 1] > 0.0:
            return SINGULAR
        if values[k - 1] - values[k] < _GAP * values[k - 1]:
            return SINGULAR
    return FINE if finite(velocity) and finite(force) else SINGULAR


@kernel
def copy(x, y):
    """Copy the entries of x to y."""
    for a in range(x.shape[0]):
        y[a] = x[a]


def entry(driver, *arguments):
    """Return the compiled code of a driver, which does not look at types.

    To find out that kernels are the pointers that a driver takes lasts longer than
    to follow a short curve.
    """
    first_class(driver, *arguments)
    return driver if config.DISABLE_JIT else driver.get_overload(arguments)


def count_steps(lengths, step, records):
    """Return numbers of steps of at most a given length, in equal stretches."""
    n = np.clip(np.ceil(lengths / step), FEWEST_STEPS, _MOST_STEPS).astype(np.int64)
    return -(-n // records) * records


def follow_all(follow, base, eta, records):
    """Return paths (m, records + 1, d), ends (m, 2, d) and facts (m, 3) of curves.

    ``follow(rows, attempt)`` returns what the kernels fill. Curves whose energy
    changes are followed again, with half the step.
    """
    m, d = base.shape
    out, facts = np.full((m, records + 3, d), np.nan), np.zeros((m, 3))
    facts[:, 0] = SINGULAR
    rows = np.flatnonzero(np.isfinite(base).all(axis=1) & np.isfinite(eta).all(axis=1))
    for attempt in range(2):
        if len(rows) > 0:
            out[rows], facts[rows] = follow(rows, attempt)
        rows = rows[facts[rows, 1] > DRIFT]
    return out[:, :-2], out[:, -2:], facts
