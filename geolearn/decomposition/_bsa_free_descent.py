"""Descent on flags: quasi-Newton steps in the moving basis.

Angles between directions are coordinates that move with the basis, so that steps and
changes of the gradient of different flags can be compared without transport.
"""

from typing import NamedTuple

import numpy as np

from geolearn.decomposition._bsa_free_flag import Flag

__all__ = ["SHARPER", "Descent", "descend", "descend_sharply", "descend_smoothly"]

_MEMORY = 8
_LONGEST = 0.7  # angle of one turn; in curved spaces also the step of the base
_INDEFINITE = 0.1  # relative curvature that stands in for smaller ones
_LEAST = 1e-200  # curvature whose inverse is finite
_ARMIJO = 1e-4
_MAX_HALVINGS = 30
_HIDDEN = 1e-13  # relative rise of the criterion that may be only rounding
SHARPER = 1e-3  # share of the user's tolerance that is aimed at
_SHARP_ENOUGH = 1e-5  # tolerance that counts as reached for powers below 2
_SETTLED = 1e-6  # decrement below which a failing line search means rounding
_EXACT = 1e-14  # relative to the data: residuals below are rounding
_ROUGH = 1e-3  # tolerance while distances are smoothed
_SMOOTHING = tuple(10.0**-i for i in range(1, 9))


class Descent(NamedTuple):
    """A flag at which a descent ended."""

    flag: Flag
    value: float
    n_iter: int
    converged: bool


class _Memory:
    """Approximate the inverse Hessian by the last steps (L-BFGS)."""

    def __init__(self):
        self.pairs = []

    def add(self, step, change):
        curvature = float(np.sum(step * change))
        size = np.sqrt(np.sum(step**2) * np.sum(change**2))
        if curvature > 1e-10 * size:
            self.pairs = [*self.pairs[1 - _MEMORY :], (step, change, curvature)]

    def direction(self, now):
        r, factors = now.gradient.copy(), []
        for s, y, c in reversed(self.pairs):
            factor = np.sum(s * r) / c
            factors.append(factor)
            r -= factor * y
        r = now.divide(r)
        for (s, y, c), factor in zip(self.pairs, reversed(factors), strict=True):
            r += s * (factor - np.sum(y * r) / c)
        return -r


class _Point(NamedTuple):
    """Value, gradient and inverse of the modelled Hessian, where a mask allows."""

    value: float
    gradient: np.ndarray
    mask: np.ndarray
    inverse: np.ndarray
    decrement: float = 0.0

    def divide(self, table):
        """Apply the inverse of the modelled Hessian."""
        return np.where(self.mask, np.einsum("brs,sb->rb", self.inverse, table), 0.0)


def _evaluate(cloud, flag, levels, mask):
    value, gradient, hessian, bound = cloud.evaluate(flag, levels)
    gradient = np.where(mask, gradient, 0.0)
    n_rows = len(gradient)
    apart = ~(mask.T[:, :, None] & mask.T[:, None])
    hessian[apart] = bound[apart] = 0.0
    diagonal = np.einsum("brr->br", bound)
    floor = _LEAST + 1e-12 * np.max(diagonal, initial=0.0)
    room = np.where(mask.T, floor + 1e-10 * diagonal, 1.0)
    bound = bound + room[:, :, None] * np.eye(n_rows)
    # Eigenvalues of the model relative to the bound are between -1 and 1: take their
    # sizes, and not too small.
    root = np.linalg.inv(np.linalg.cholesky(bound))
    values, vectors = np.linalg.eigh(root @ hessian @ root.transpose(0, 2, 1))
    half = vectors.transpose(0, 2, 1) @ root
    sizes = np.maximum(np.abs(values), _INDEFINITE)
    inverse = half.transpose(0, 2, 1) @ (half / sizes[:, :, None])
    point = _Point(value, gradient, mask, inverse)
    return point._replace(decrement=float(np.sum(gradient * point.divide(gradient))))


def descend(cloud, flag, levels, mask, blocks, max_iter, tol):
    """Minimise the sum of the criteria of levels over the turns of a mask.

    Parameters
    ----------
    cloud : Cloud
        Samples.
    flag : Flag
        Start.
    levels : sequence of int
        Levels whose unexplained variances are added.
    mask : ndarray of bool of shape (max(levels) + 1, dim + 1)
        Which directions may turn towards which.
    blocks : list of (int, int)
        Ranges of directions inside which the criterion does not see rotations.
    max_iter : int
        Largest number of steps.
    tol : float
        Square root of the relative decrease that a step may still promise. A somewhat
        greater one counts as converged in the end.

    Returns
    -------
    Descent
        Flag, value, steps and whether `tol` was reached.
    """
    rotation = cloud.gauge(flag, max(levels), blocks)
    flag = Flag(flag.base, flag.frame @ rotation[1:, 1:], flag.Y @ rotation)
    memory, n_iter = _Memory(), 0
    now = _evaluate(cloud, flag, levels, mask)
    rounding = _EXACT**2 * max(cloud.unexplained(flag, 0), cloud.eps**cloud.p)
    while n_iter < max_iter and now.decrement > tol**2 * now.value + rounding:
        turns = _direction(cloud, now, memory)
        step = _search(cloud, flag, now, turns, levels)
        if step is None and not memory.pairs:  # rounding hides further progress
            break
        if step is None:
            memory = _Memory()
            continue
        n_iter += 1
        turns, flag, following = step
        memory.add(turns, following.gradient - now.gradient)
        now = following
    enough = max(tol / SHARPER, _SHARP_ENOUGH if cloud.p < 2.0 else 0.0)
    if n_iter < max_iter:
        enough = max(enough, _SETTLED)
    converged = bool(now.decrement <= enough**2 * now.value + rounding)
    return Descent(flag, now.value, n_iter, converged)


def _direction(cloud, now, memory):
    turns, plain = memory.direction(now), -now.divide(now.gradient)
    if not np.sum(turns * now.gradient) < -1e-3 * now.decrement:  # no good descent
        memory.pairs = []
        turns = plain
    rows = turns if cloud.sign else turns[1:]
    longest = np.max(np.abs(rows), initial=0.0)
    return turns * min(1.0, _LONGEST / longest) if longest > 0.0 else turns


def _search(cloud, flag, now, turns, levels):
    """Halve a step until the criterion falls; None if it does not."""
    slope = np.sum(turns * now.gradient)
    for _ in range(_MAX_HALVINGS):
        moved = cloud.turn(flag, turns)
        found = _evaluate(cloud, moved, levels, now.mask)
        if found.value <= now.value + _ARMIJO * slope:
            return turns, moved, found
        # Rounding hides the fall of the value long before that of the gradient.
        close = found.value <= now.value * (1.0 + _HIDDEN)
        if close and found.decrement < 0.25 * now.decrement:
            return turns, moved, found
        turns, slope = 0.5 * turns, 0.5 * slope
    return None


def descend_smoothly(cloud, flag, levels, mask, blocks, max_iter, tol):
    """Descend with distances smoothed less and less, where the power needs it."""
    if cloud.p >= 2.0:
        return descend_sharply(cloud, flag, levels, mask, blocks, max_iter, tol)
    spread, n_iter = _spread(cloud, flag), 0
    for eps in _SMOOTHING[:-1]:
        rough = cloud.smoothed(eps * spread)
        result = descend(rough, flag, levels, mask, blocks, max_iter, _ROUGH)
        flag, n_iter = result.flag, n_iter + result.n_iter
    result = descend_sharply(cloud, flag, levels, mask, blocks, max_iter, tol)
    return result._replace(n_iter=n_iter + result.n_iter)


def descend_sharply(cloud, flag, levels, mask, blocks, max_iter, tol):
    """Descend with the least smoothing that the power needs."""
    if cloud.p >= 2.0:
        return descend(cloud, flag, levels, mask, blocks, max_iter, tol)
    sharp = cloud.smoothed(_SMOOTHING[-1] * _spread(cloud, flag))
    return descend(sharp, flag, levels, mask, blocks, max_iter, tol)


def _spread(cloud, flag):
    return float(np.sqrt(cloud.weight @ np.sum(flag.Y[:, 1:] ** 2, axis=1)))
