"""The four ways to choose a flag of spans in spaces of constant curvature."""

import numpy as np

from geolearn.decomposition._bsa_free_descent import (
    SHARPER,
    Descent,
    descend_sharply,
    descend_smoothly,
)
from geolearn.decomposition._bsa_free_flag import Flag, start_flag

__all__ = ["Solver"]

_POOL = 64  # samples among which starts are sought
_SCREEN = 512  # samples by which they are compared
_CANCELLED = 1e-8
_ROUGH = 1e-3  # tolerance of descents that are to be compared
_TIE = 1e-6  # relative gain for which a later start replaces an earlier one


class Solver:
    """Fit flags to a cloud.

    Parameters
    ----------
    cloud : Cloud
        Samples of a unit space.
    n_init : int
        Number of starts besides the principal one where minima may be local.
    max_iter : int
        Largest number of steps of one descent.
    tol : float
        Tolerance of the descents.
    rng : RandomState
        Draws the samples at which starts are sought.
    """

    def __init__(self, cloud, n_init, max_iter, tol, rng):
        self.cloud, self.n_init = cloud, n_init
        self.max_iter, self.rng = max_iter, rng
        # Levels that follow see the errors of this one to first order; below p = 2,
        # the smoothing of distances is the greater error.
        self.tol = (SHARPER if cloud.p >= 2.0 else 1.0) * tol
        # Starts are compared on a part of many samples.
        rows = self._draw(len(cloud.X), _SCREEN)
        self.screen = cloud.part(rows)
        self.pool = self._draw(len(rows), _POOL)

    def run(self, k, strategy):
        """Return the descent that ended at the flag of a strategy."""
        forward = self.forward(k)
        if strategy == "forward":
            return forward
        if strategy == "flag":
            return self.flag(k, forward)
        return self.backward(k, forward)

    def _descend(self, start, levels, mask, blocks, tol):
        """Descend from a start; smoothing may lead astray, but not above it."""
        problem = levels, mask, list(blocks), self.max_iter, tol
        result = self._valued(descend_smoothly(self.cloud, start, *problem), levels)
        if self.cloud.p >= 2.0 or result.value <= self._value(start, levels):
            return result
        return self._valued(descend_sharply(self.cloud, start, *problem), levels)

    def _value(self, flag, levels):
        return sum(self.cloud.unexplained(flag, i) for i in levels)

    def _valued(self, result, levels):
        return result._replace(value=self._value(result.flag, levels))

    def _best(self, starts, levels, mask, blocks=()):
        """Descend from all starts, and to the end from the best."""
        best = None
        for start in starts:
            tol = self.tol if len(starts) == 1 else _ROUGH
            result = self._descend(start, levels, mask, blocks, tol)
            if best is None or result.value < best.value * (1.0 - _TIE):
                best = result
        if len(starts) == 1:
            return best
        problem = levels, mask, list(blocks), self.max_iter, self.tol
        last = descend_sharply(self.cloud, best.flag, *problem)
        last = self._valued(last, levels)
        return last._replace(n_iter=best.n_iter + last.n_iter)

    def _table(self, n_rows, rows, columns):
        mask = np.zeros((n_rows, self.cloud.dim + 1), dtype=bool)
        mask[rows, columns] = True
        return mask

    # The point.

    def point(self):
        """Return the descent to the mean of the power p."""
        cloud = self.cloud
        mask = self._table(1, 0, slice(1, None))
        # The mean is unique where distances are convex.
        unique = cloud.sign <= 0 and cloud.p >= 1.0
        starts = self._point_starts(0 if unique else self.n_init)
        return self._best([start_flag(cloud, x) for x in starts], [0], mask)

    def _point_starts(self, n_more):
        cloud = self.cloud
        average = cloud.weight @ cloud.X
        if cloud.sign < 0:
            # The mean of the spatial parts, as if seen from the first sample.
            average = cloud.model._project(average)
        starts = [average]
        if cloud.sign > 0:
            size = np.linalg.norm(average)
            starts = [average / size] if size > _CANCELLED else []
            n_more = max(n_more, 1 - len(starts))
        if n_more:
            X, weight = self.screen.X, self.screen.weight
            distances = (cloud.model._dist(X[j], X) for j in self.pool)
            values = [float(weight @ d**cloud.p) for d in distances]
            best = np.argsort(values, kind="stable")[:n_more]
            starts += [X[self.pool[i]] for i in best]
        return starts

    def _draw(self, n_samples, n):
        if n_samples <= n:
            return np.arange(n_samples)
        return np.sort(self.rng.permutation(n_samples)[:n])

    def _promising(self, flags, level, n_best):
        """Return the best of flags of a part of the samples, with all samples."""
        flags = list(flags)
        values = [self.screen.unexplained(flag, level) for flag in flags]
        best = np.argsort(values, kind="stable")[:n_best]
        return [self.cloud.at(flags[i].base, flags[i].frame) for i in best]

    # Forward.

    def forward(self, k):
        """Return the descent that added one direction after the other."""
        result = self.point()
        n_iter, converged = result.n_iter, result.converged
        for m in range(1, k + 1):
            result = self._add_direction(result.flag, m)
            n_iter += result.n_iter
            converged &= result.converged
        return Descent(result.flag, result.value, n_iter, converged)

    def _add_direction(self, flag, m):
        cloud = self.cloud
        flag = self._rotated(flag, cloud.gauge(flag, m - 1, [(m, cloud.dim + 1)]))
        if m == cloud.dim:
            return Descent(flag, 0.0, 0, True)
        few = self.screen.at(flag.base, flag.frame)
        starts = self._promising(self._sample_directions(few, m), m, self.n_init)
        mask = self._table(m + 1, m, slice(m + 1, None))
        return self._best([flag, *starts], [m], mask, [(m + 1, cloud.dim + 1)])

    def _sample_directions(self, flag, m):
        """Yield flags whose direction m points to a sample."""
        for j in self.pool:
            v = flag.Y[j, m:]
            size = np.linalg.norm(v)
            if size > _CANCELLED * np.linalg.norm(flag.Y[j, 1:]):
                yield self._rotated(flag, reflection(v / size, m, self.cloud.dim))

    def _rotated(self, flag, rotation):
        inner = rotation[1:, 1:]
        return Flag(flag.base, flag.frame @ inner, flag.Y @ rotation)

    # Pure and backward.

    def pure(self, k, forward):
        """Return the descent to the best span of dimension k."""
        cloud = self.cloud
        if k == 0 or k == cloud.dim:
            return forward
        mask = self._table(k + 1, slice(None), slice(k + 1, None))
        starts = self._promising(self._sample_spans(k), k, self.n_init)
        blocks = [(1, k + 1), (k + 1, cloud.dim + 1)]
        return self._best([forward.flag, *starts], [k], mask, blocks)

    def _sample_spans(self, k):
        """Yield flags through k + 1 samples."""
        cloud = self.screen
        for _ in range(_POOL if len(cloud.X) > k else 0):
            chosen = self.rng.permutation(len(cloud.X))[: k + 1]
            base = cloud.X[chosen[0]]
            q = cloud.at(base, np.eye(cloud.dim)).Y[chosen[1:], 1:]
            yield cloud.at(base, np.linalg.qr(q.T, mode="complete")[0])

    def backward(self, k, forward):
        """Return the best span with the flag that gives up one direction at a time."""
        result = self.pure(k, forward)
        flag, n_iter, converged = result.flag, result.n_iter, result.converged
        for m in range(k - 1, -1, -1):
            step = self._drop_direction(flag, m)
            flag = step.flag
            n_iter += step.n_iter
            converged &= step.converged
        return Descent(flag, result.value, n_iter, converged)

    def _drop_direction(self, flag, m):
        """Turn direction m + 1 inside the span of level m + 1."""
        cloud = self.cloud
        flag = self._rotated(flag, cloud.gauge(flag, m + 1, [(1, m + 2)]))
        mask = self._table(m + 1, slice(None), m + 1)
        if m == 0:
            few = self._points_of_geodesic(self.screen.at(flag.base, flag.frame))
            return self._best(self._promising(few, 0, 1 + self.n_init), [0], mask)
        starts = [self._rotated(flag, swap(a, m + 1, cloud.dim)) for a in (m + 1, m)]
        return self._best(starts, [m], mask, [(1, m + 1)])

    def _points_of_geodesic(self, flag):
        """Yield flags whose bases are nearest to samples."""
        turns = np.zeros((1, self.cloud.dim + 1))
        for j in self.pool:
            turns[0, 1] = self._along(flag.Y[j, 0], flag.Y[j, 1])
            yield self.screen.turn(flag, turns)

    def _along(self, c, q):
        """Return where on the first geodesic the point nearest to a sample is."""
        if self.cloud.sign > 0:
            return np.arctan2(q, c)
        return q if self.cloud.sign == 0 else np.arctanh(q / c)

    # Flag.

    def flag(self, k, forward):
        """Return the descent to the least sum of all levels."""
        if k == 0:
            return forward
        cloud = self.cloud
        starts = [forward.flag, self.backward(k, forward).flag]
        n_rows = min(k + 1, cloud.dim)
        rows, columns = np.arange(n_rows)[:, None], np.arange(cloud.dim + 1)
        mask = columns > rows
        blocks = [(k + 1, cloud.dim + 1)]
        return self._best(starts, range(k + 1), mask, blocks)


def swap(a, b, dim):
    """Return the exchange of two directions."""
    rotation = np.eye(dim + 1)
    rotation[:, [a, b]] = rotation[:, [b, a]]
    return rotation


def reflection(v, m, dim):
    """Return the reflection of directions m, ..., dim that takes the m-th to v."""
    mirror = v.copy()
    mirror[0] += 1.0 if v[0] >= 0.0 else -1.0
    rotation = np.eye(dim + 1)
    rotation[m:, m:] -= 2.0 * np.outer(mirror, mirror) / (mirror @ mirror)
    return rotation
