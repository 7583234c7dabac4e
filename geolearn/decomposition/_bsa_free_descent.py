"""Descent on flags: quasi-Newton steps in the moving basis.

Angles between directions are coordinates that move with the basis, so that steps and
changes of the gradient of different flags can be compared without transport.
"""

from typing import NamedTuple

import numpy as np

from geolearn.decomposition._bsa_free_flag import Flag

__all__ = ["Descent", "descend", "descend_sharply", "descend_smoothly"]

_MEMORY = 8
_LONGEST = 0.7  # angle of one turn; in curved spaces also the step of the base
_ARMIJO = 1e-4
_MAX_HALVINGS = 30
_HIDDEN = 1e-13  # relative rise of the criterion that may be only rounding
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

    def rotate(self, rotation):
        def turned(table):
            rows = rotation[: len(table), : len(table)]
            return rows.T @ table @ rotation

        self.pairs = [(turned(s), turned(y), c) for s, y, c in self.pairs]

    def direction(self, gradient, curvature, mask):
        r, factors = gradient.copy(), []
        for s, y, c in reversed(self.pairs):
            factor = np.sum(s * r) / c
            factors.append(factor)
            r -= factor * y
        r = np.where(mask, r / curvature, 0.0)
        for (s, y, c), factor in zip(self.pairs, reversed(factors), strict=True):
            r += s * (factor - np.sum(y * r) / c)
        return -r


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
        Square root of the relative decrease that a step may still promise.

    Returns
    -------
    Descent
        Flag, value, steps and whether `tol` was reached.
    """
    flag, memory = _regauge(cloud, flag, levels, blocks, _Memory())
    now = _masked(cloud.evaluate(flag, levels), mask)
    rounding = _EXACT**2 * max(cloud.unexplained(flag, 0), cloud.eps**cloud.p)
    n_iter, converged = 0, False
    while not converged and n_iter < max_iter:
        decrement = np.sum(now.gradient**2 / now.curvature)
        if decrement <= tol**2 * now.value + rounding:
            converged = True
            break
        turns = _direction(cloud, now, mask, memory)
        step = _search(cloud, flag, now, turns, levels, mask, decrement)
        if step is None and memory.pairs:
            memory = _Memory()
            continue
        if step is None:
            converged = bool(decrement <= _SETTLED**2 * now.value + rounding)
            break
        n_iter += 1
        turns, flag, following = step
        memory.add(turns, following.gradient - now.gradient)
        now = following
        if blocks and cloud.p < 2.0:  # the weights of samples change at every step
            flag, memory = _regauge(cloud, flag, levels, blocks, memory)
            now = _masked(cloud.evaluate(flag, levels), mask)
    return Descent(flag, now.value, n_iter, converged)


def _masked(criterion, mask):
    gradient = np.where(mask, criterion.gradient, 0.0)
    floor = np.finfo(float).tiny + 1e-12 * np.max(criterion.curvature, initial=0.0)
    return criterion._replace(
        gradient=gradient, curvature=np.maximum(criterion.curvature, floor)
    )


def _regauge(cloud, flag, levels, blocks, memory):
    """Rotate the basis where it is free, so that the curvature is nearly diagonal."""
    if not blocks:
        return flag, memory
    rotation = cloud.gauge(flag, max(levels), blocks)
    memory.rotate(rotation)
    inner = rotation[1:, 1:]
    Y = flag.Y @ rotation
    return Flag(flag.base, flag.frame @ inner, Y), memory


def _direction(cloud, now, mask, memory):
    turns = memory.direction(now.gradient, now.curvature, mask)
    plain = -now.gradient / now.curvature
    slope = np.sum(turns * now.gradient)
    if not slope < 1e-3 * np.sum(plain * now.gradient):  # no good descent
        memory.pairs = []
        turns = plain
    rows = turns if cloud.sign else turns[1:]
    longest = np.max(np.abs(rows), initial=0.0)
    return turns * min(1.0, _LONGEST / longest) if longest > 0.0 else turns


def _search(cloud, flag, now, turns, levels, mask, decrement):
    """Halve a step until the criterion falls; None if it does not."""
    slope = np.sum(turns * now.gradient)
    for _ in range(_MAX_HALVINGS):
        moved = cloud.turn(flag, turns)
        found = _masked(cloud.evaluate(moved, levels), mask)
        if found.value <= now.value + _ARMIJO * slope:
            return turns, moved, found
        # Rounding hides the fall of the value long before that of the gradient.
        close = found.value <= now.value * (1.0 + _HIDDEN)
        if close and np.sum(found.gradient**2 / found.curvature) < 0.25 * decrement:
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
