"""Logarithms of principal subbundles: the geodesics that end nearest to points."""

from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_model import (
    Flow,
    Model,
    empty_model,
    minimise,
    model_at,
    origin_model,
)
from geolearn.decomposition._subbundle_space import (
    curvature,
    distance_of_gap,
    lowered,
    squared_gap,
)
from geolearn.decomposition._subbundle_types import LEFT_SUPPORT, OK, SINGULAR
from geolearn.utils._progress import Progress

NOT_CONVERGED = 2
_RADIUS = 2.0  # longest first step over the bandwidth
_NOISE = 1e-8  # rounding of the ends of geodesics over the bandwidth


class LogResult(NamedTuple):
    """Logarithms of m points; NaN where `status` is 1 or 3.

    Attributes
    ----------
    v : ndarray of shape (m, k)
        Coordinates in the frame at the base.
    points : ndarray of shape (m, d)
        Ends of their geodesics, nearest to the targets.
    residual : ndarray of shape (m,)
        Distances of `points` to the targets.
    status : ndarray of shape (m,), int8
        0 fine, 1 left the support of the data, 2 not converged, 3 the rank is not
        defined on the way.
    n_iter : ndarray of int of shape (m,)
        Geodesics that were tried.
    jacobian : ndarray of shape (m, d, k)
        Derivatives of the exponential map at `v`.
    hessian : ndarray of shape (m, d, k, k)
        Second derivatives there.
    """

    v: np.ndarray
    points: np.ndarray
    residual: np.ndarray
    status: np.ndarray
    n_iter: np.ndarray
    jacobian: np.ndarray
    hessian: np.ndarray


def _rows(part, rows, ndim):
    """Return rows of what is one for all (ndim axes) or one a row."""
    return part if part.ndim == ndim else part[rows]


def _of_rows(shot, rows):
    """Return the ends of some geodesics."""
    names = ("points", "covectors", "status")
    return shot._replace(**{name: getattr(shot, name)[rows] for name in names})


class _Search:
    """Trust-region search of many logarithms in step."""

    def __init__(self, field, base, frame, targets, max_iter, tol, flow):
        self.field, self.base, self.frame, self.targets = field, base, frame, targets
        self.max_iter, self.flow = max_iter, flow
        m, d = targets.shape
        self.unit = field.bandwidth
        self.tol = tol * self.unit
        # A model errs by less than tol up to here, if the third derivative of the
        # exponential map is below 8 / unit^2.
        self.reach = self.unit * (6.0 * tol) ** (1.0 / 3.0) / 2.0
        self.model = empty_model(m, d, frame.shape[-1])
        self.status = np.full(m, NOT_CONVERGED, dtype=np.int8)
        self.reason = np.full(m, NOT_CONVERGED, dtype=np.int8)
        self.n_iter = np.zeros(m, dtype=np.intp)
        self.radius = np.full(m, _RADIUS * self.unit)
        self.exact = np.zeros(m, dtype=bool)

    def shoot(self, rows, v):
        return self.flow.shoot(
            self.field, _rows(self.base, rows, 1), _rows(self.frame, rows, 2), v
        )

    def reset(self, rows):
        """Start from the base."""
        base = np.broadcast_to(self.base, self.targets.shape)[rows]
        frame = np.broadcast_to(
            self.frame, (len(self.targets), *self.frame.shape[-2:])
        )[rows]
        if self.base.ndim == 1 and len(rows):
            one = origin_model(self.field, base[:1], frame[:1], self.flow.n_jobs)
            self.model.put(rows, one)
        elif len(rows):
            self.model.put(
                rows, origin_model(self.field, base, frame, self.flow.n_jobs)
            )
        self.exact[rows] = True

    def settle(self, rows, v, shot):
        """Look around the ends of geodesics; return which of them serve."""
        near = np.linalg.norm(v, axis=1) < self.reach / 2.0
        self.reset(rows[near])
        far, serves = np.flatnonzero(~near), near.copy()
        if not len(far):
            return serves
        model, failed = model_at(
            self.field,
            _rows(self.base, rows[far], 1),
            _rows(self.frame, rows[far], 2),
            v[far],
            _of_rows(shot, far),
            self.flow,
        )
        serves[far] = failed == OK
        self.model.put(rows[serves & ~near], model.take(failed == OK))
        self.exact[rows[serves]] = True
        self.reason[rows[far]] = np.where(failed == OK, self.reason[rows[far]], failed)
        return serves

    def start(self, v0):
        """Shoot first guesses; those that fail start from the base."""
        shot = self.shoot(np.arange(len(v0)), v0)
        self.n_iter += 1
        good = np.flatnonzero(np.isfinite(shot.points).all(axis=1))
        serves = np.zeros(len(v0), dtype=bool)
        serves[good] = self.settle(good, v0[good], _of_rows(shot, good))
        self.reset(np.flatnonzero(~serves))

    def run(self):
        active = np.arange(len(self.targets))
        for _ in range(self.max_iter + 1):
            if not len(active):
                break
            active = self.advance(active)
        lost = (self.status == NOT_CONVERGED) & (self.reason != NOT_CONVERGED)
        self.status[lost] = self.reason[lost]

    def advance(self, rows):
        """Take one step at every active row; return those that go on."""
        model = self.model.take(rows)
        u, inside = minimise(
            self.field, model, self.targets[rows], self.radius[rows], self.tol / 100.0
        )
        moved = model.moved(u)
        length = np.linalg.norm(u, axis=1)
        done = self.exact[rows] & inside & (length <= self.reach)
        self.status[rows[done]] = OK
        self.model.put(rows[done], moved.take(done))
        rows, u, length = rows[~done], u[~done], length[~done]
        model, moved = model.take(~done), moved.take(~done)
        go = self.n_iter[rows] < self.max_iter
        rows, u, length = rows[go], u[go], length[go]
        model, moved = model.take(go), moved.take(go)
        if not len(rows):
            return rows
        shot = self.shoot(rows, moved.v)
        self.n_iter[rows] += 1
        before = squared_gap(self.field, model.points, self.targets[rows])
        hoped = squared_gap(self.field, moved.points, self.targets[rows])
        after = squared_gap(self.field, shot.points, self.targets[rows])
        # Models of neighbours know their own points up to the tolerance.
        noise = np.where(self.exact[rows], _NOISE * self.unit, 10.0 * self.tol)
        slack = noise * (np.sqrt(before) + noise)
        with np.errstate(invalid="ignore"):
            better = after <= before + slack
            poor = ~(before - after >= 0.25 * (before - hoped) - slack)
        stopped = ~np.isfinite(after)
        self.reason[rows[stopped]] = shot.status[stopped]
        good = np.flatnonzero(better)
        better[good] = self.settle(rows[good], moved.v[good], _of_rows(shot, good))
        self.radius[rows] = np.where(
            better,
            np.where(poor, length / 2.0, np.maximum(self.radius[rows], 2.0 * length)),
            length / 4.0,
        )
        stuck = self.radius[rows] < self.tol
        return rows[~stuck]

    def result(self) -> LogResult:
        lost = (self.status == LEFT_SUPPORT) | (self.status == SINGULAR)
        for part in self.model:
            part[lost] = np.nan
        gap = squared_gap(self.field, self.model.points, self.targets)
        v, points, jacobian, hessian = self.model
        residual = distance_of_gap(self.field, gap)
        return LogResult(
            v, points, residual, self.status, self.n_iter, jacobian, hessian
        )


def log_from_models(
    field, base, frame, targets, models: Model, *, max_iter, tol, flow
) -> LogResult:
    """Continue logarithms from the models of points nearby.

    The models are exact at other points than the targets' feet, so that at least one
    geodesic is followed for every target.
    """
    search = _Search(field, base, frame, targets, max_iter, tol, flow)
    search.model.put(slice(None), models)
    # About the base itself models are exact.
    search.exact[:] = (models.v == 0.0).all(axis=1)
    search.run()
    return search.result()


def log_from_guess(
    field, base, frame, targets, v0, *, max_iter, tol, flow
) -> LogResult:
    """Search logarithms from first guesses (m, k)."""
    search = _Search(field, base, frame, targets, max_iter, tol, flow)
    search.start(np.asarray(v0, dtype=np.float64))
    search.run()
    return search.result()


def log_map(
    field: Any,
    base: np.ndarray,
    frame: np.ndarray,
    targets: np.ndarray,
    v0: np.ndarray | None = None,
    *,
    max_iter: int = 15,
    tol: float = 1e-5,
    step: float = 0.25,
    integrator: str = "rk4",
    n_jobs: int | None = None,
    verbose: int = 0,
) -> LogResult:
    """Find the geodesics from a base that end nearest to the targets.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    base : ndarray of shape (d,) or (m, d)
        Where geodesics start.
    frame : ndarray of shape (d, k) or (m, d, k)
        Orthonormal frames of the subspaces there.
    targets : ndarray of shape (m, d)
        Points to approach.
    v0 : ndarray of shape (m, k), default=None
        First guesses. None projects the targets on the frame, which is good near
        the base only.
    max_iter : int, default=15
        Largest number of geodesics tried for a target.
    tol : float, default=1e-5
        Error of `v` over the bandwidth.
    step : float, default=0.25
        Length of an integration step over the bandwidth.
    integrator : str, default="rk4"
        As in `EuclideanField.shoot`.
    n_jobs : int or None, default=None
        Number of threads.
    verbose : int, default=0
        1 logs the outcome.

    Returns
    -------
    result : LogResult
        Logarithms, one a row.
    """
    flow = Flow(step, integrator, n_jobs)
    if v0 is None:
        v0 = in_frame(field, base, frame, targets)
    result = log_from_guess(
        field, base, frame, targets, v0, max_iter=max_iter, tol=tol, flow=flow
    )
    Progress(verbose, __name__)(
        "logarithms: %d of %d converged", np.sum(result.status == OK), len(targets)
    )
    return result


def in_frame(field, base, frame, targets):
    """Return the coordinates of the targets in the tangent spaces at the bases."""
    if curvature(field) == 0.0:
        away = targets - base
    else:
        away = field.manifold.log(np.broadcast_to(base, targets.shape), targets)
    away = lowered(field, away)
    return np.einsum("ik,mi->mk" if frame.ndim == 2 else "mik,mi->mk", frame, away)
