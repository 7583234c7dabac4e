"""Many points of the two curves that leave one base along a field of lines.

All logarithms at one base of a field of rank 1 lie on one curve. It is followed once,
from station to station, and every point of it from the last station before.
"""

from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_types import ENERGY_DRIFT, OK, Shot

_STEPS = 4  # between stations: the fewest that a curve takes


class Station(NamedTuple):
    """A point of a curve, the momentum of unit speed there, and what led to it."""

    point: np.ndarray
    covector: np.ndarray
    status: int
    drift: float


class Stations:
    """Points at equal distances along one curve, found when they are asked for.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of rank 1.
    base : ndarray of shape (d,)
        Where the curve starts.
    covector : ndarray of shape (d,)
        Its momentum, of unit speed.
    options : dict
        `step`, `integrator` and `n_jobs` of `shoot`.
    """

    def __init__(self, field: Any, base, covector, options):
        self.field, self.options = field, options
        self.spacing = _STEPS * options["step"] * field.bandwidth
        self.known = [Station(base, covector, OK, 0.0)]

    def before(self, lengths) -> list[tuple[int, Station]]:
        """Return the last station before each length, or where the curve ended."""
        numbers = (lengths / self.spacing).astype(np.intp)
        while len(self.known) <= numbers.max(initial=0) and self._goes_on():
            self.known.append(self._next(self.known[-1]))
        numbers = np.minimum(numbers, len(self.known) - 1)
        return [(number, self.known[number]) for number in numbers]

    def _goes_on(self):
        return self.known[-1].status in (OK, ENERGY_DRIFT)

    def _next(self, here):
        momentum = self.spacing * here.covector
        shot = self.field.shoot(here.point, momentum[None], **self.options)
        energy = self.field.hamiltonian(shot.points, shot.covectors)[0][0]
        return Station(
            shot.points[0],
            shot.covectors[0] / np.sqrt(2.0 * energy),
            max(here.status, int(shot.status[0])),
            max(here.drift, float(shot.drift[0])),
        )


def shoot_along(stations: tuple[Stations, Stations], v, dim) -> Shot:
    """Follow curves of signed lengths `v` (m,) from one base.

    Parameters
    ----------
    stations : tuple of 2 Stations
        Of the curve in the direction of the frame, and of the opposite one.
    v : ndarray of shape (m,)
        Signed lengths.
    dim : int
        Number d of coordinates of a point.

    Returns
    -------
    shot : Shot
        Ends of the curves.
    """
    m = len(v)
    points, covectors = np.full((2, m, dim), np.nan)
    status, drift, reached = np.zeros(m, dtype=np.int8), np.zeros(m), np.ones(m)
    for own, side in zip(stations, (v >= 0.0, v < 0.0), strict=True):
        lengths = np.abs(v[side])
        starts = own.before(lengths)
        done = own.spacing * np.array([number for number, _ in starts])
        status[side] = [start.status for _, start in starts]
        drift[side] = [start.drift for _, start in starts]
        travelled = done.copy()
        alive = np.isin(status[side], (OK, ENERGY_DRIFT))
        rows = np.flatnonzero(side)[alive]
        if len(rows):
            rest = (lengths - done)[alive]
            base = np.array([s.point for _, s in starts])[alive]
            covector = np.array([s.covector for _, s in starts])[alive]
            shot = own.field.shoot(base, rest[:, None] * covector, **own.options)
            points[rows] = shot.points
            # Momenta belong to curves that are run through in unit time.
            moved = rest > 0.0
            ends = shot.covectors / np.where(moved, rest, 1.0)[:, None]
            covectors[rows] = np.where(moved[:, None], ends, covector)
            covectors[rows] *= np.abs(v[rows])[:, None]
            ended = ~np.isin(shot.status, (OK, ENERGY_DRIFT))
            status[rows] = np.where(
                ended, shot.status, np.maximum(status[rows], shot.status)
            )
            drift[rows] = np.maximum(drift[rows], shot.drift)
            travelled[alive] += rest * shot.reached
        share = travelled / np.where(lengths > 0.0, lengths, np.inf)
        reached[side] = np.where(lengths > 0.0, np.minimum(share, 1.0), 1.0)
    return Shot(points, covectors, status, drift, reached)
