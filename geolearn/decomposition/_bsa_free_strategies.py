"""The four ways to choose a flag of spans in spaces of constant curvature."""

import numpy as np

from geolearn.decomposition._bsa_free_descent import (
    Descent,
    descend_sharply,
    descend_smoothly,
)
from geolearn.decomposition._bsa_free_flag import Flag, start_flag

__all__ = ["Solver"]

_POOL = 64  # samples among which starts are sought
_CANCELLED = 1e-8
_SHARPER = 1e-3
_TIE = 1e-9  # relative gain for which a later start replaces an earlier one


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
        # Levels that follow see the errors of this one to first order.
        self.tol = _SHARPER * tol

    def run(self, k, strategy):
        """Return the descent that ended at the flag of a strategy."""
        if strategy == "forward":
            return self.forward(k)
        if strategy == "flag":
            return self.flag(k)
        return self.backward(k)

    def _descend(self, start, levels, mask, blocks=()):
        """Descend from a start; smoothing may lead astray, but not above it."""
        problem = levels, mask, list(blocks), self.max_iter, self.tol
        result = self._valued(descend_smoothly(self.cloud, start, *problem), levels)
        if self.cloud.p >= 2.0 or result.value <= self._value(start, levels):
            return result
        return self._valued(descend_sharply(self.cloud, start, *problem), levels)

    def _value(self, flag, levels):
        return sum(self.cloud.unexplained(flag, i) for i in levels)

    def _valued(self, result, levels):
        return result._replace(value=self._value(result.flag, levels))

    def _table(self, n_rows, rows, columns):
        mask = np.zeros((n_rows, self.cloud.dim + 1), dtype=bool)
        mask[rows, columns] = True
        return mask

    def _best(self, starts, levels, mask, blocks=()):
        """Descend from all starts; the first of the best wins."""
        best = None
        for start in starts:
            result = self._descend(start, levels, mask, blocks)
            if best is None or result.value < best.value * (1.0 - _TIE):
                best = result
        return best

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
            pool = cloud.X[self._pool()]
            values = [
                float(cloud.weight @ cloud.model._dist(x, cloud.X) ** cloud.p)
                for x in pool
            ]
            starts += list(pool[np.argsort(values, kind="stable")[:n_more]])
        return starts

    def _pool(self):
        heavy = np.flatnonzero(self.cloud.weight > 0.0)
        if len(heavy) <= _POOL:
            return heavy
        return np.sort(self.rng.permutation(heavy)[:_POOL])

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
        starts = [flag]
        if m < cloud.dim:
            starts += self._sample_directions(flag, m)
        mask = self._table(m + 1, m, slice(m + 1, None))
        return self._best(starts, [m], mask, [(m + 1, cloud.dim + 1)])

    def _sample_directions(self, flag, m):
        """Return flags whose direction m points to a sample, the best of a pool."""
        found = []
        for j in self._pool():
            v = flag.Y[j, m:]
            size = np.linalg.norm(v)
            if size > 1e-8 * np.linalg.norm(flag.Y[j, 1:]):
                turned = self._rotated(flag, reflection(v / size, m, self.cloud.dim))
                found.append((self.cloud.unexplained(turned, m), len(found), turned))
        return [turned for *_, turned in sorted(found)[: self.n_init]]

    def _rotated(self, flag, rotation):
        inner = rotation[1:, 1:]
        return Flag(flag.base, flag.frame @ inner, flag.Y @ rotation)

    # Pure and backward.

    def pure(self, k):
        """Return the descent to the best span of dimension k."""
        cloud = self.cloud
        forward = self.forward(k)
        if k == 0 or k == cloud.dim:
            return forward
        mask = self._table(k + 1, slice(None), slice(k + 1, None))
        starts = [forward.flag, *self._sample_spans(k)]
        blocks = [(1, k + 1), (k + 1, cloud.dim + 1)]
        return self._best(starts, [k], mask, blocks)

    def _sample_spans(self, k):
        """Return flags through k + 1 samples, the best of a pool of subsets."""
        cloud, found = self.cloud, []
        heavy = np.flatnonzero(cloud.weight > 0.0)
        if len(heavy) <= k or not self.n_init:
            return []
        for _ in range(_POOL):
            chosen = self.rng.permutation(heavy)[: k + 1]
            flag = cloud.at(cloud.X[chosen[0]], np.eye(cloud.dim))
            basis = np.linalg.qr(flag.Y[chosen[1:], 1:].T, mode="complete")[0]
            rotation = np.eye(cloud.dim + 1)
            rotation[1:, 1:] = basis
            flag = self._rotated(flag, rotation)
            found.append((cloud.unexplained(flag, k), len(found), flag))
        return [flag for *_, flag in sorted(found)[: self.n_init]]

    def backward(self, k):
        """Return the best span with the flag that gives up one direction at a time."""
        result = self.pure(k)
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
            starts = self._points_of_geodesic(flag)
            return self._best(starts, [0], mask)
        starts = [self._rotated(flag, swap(a, m + 1, cloud.dim)) for a in (m + 1, m)]
        return self._best(starts, [m], mask, [(1, m + 1)])

    def _points_of_geodesic(self, flag):
        """Return flags whose bases are nearest to samples, the best of a pool."""
        cloud, found = self.cloud, []
        turns = np.zeros((1, cloud.dim + 1))
        for j in self._pool():
            turns[0, 1] = self._along(flag.Y[j, 0], flag.Y[j, 1])
            moved = cloud.turn(flag, turns)
            found.append((cloud.unexplained(moved, 0), len(found), moved))
        return [moved for *_, moved in sorted(found)[: 1 + self.n_init]]

    def _along(self, c, q):
        """Return where on the first geodesic the point nearest to a sample is."""
        if self.cloud.sign > 0:
            return np.arctan2(q, c)
        return q if self.cloud.sign == 0 else np.arctanh(q / c)

    # Flag.

    def flag(self, k):
        """Return the descent to the least sum of all levels."""
        cloud = self.cloud
        starts = [self.forward(k).flag]
        if k == 0:
            return self.forward(0)
        starts.append(self.backward(k).flag)
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
