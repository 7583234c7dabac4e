"""Second-order models of the exponential map of a principal subbundle.

A model at v knows ``exp(v + u)`` up to the third power of u. Geodesics through v cost
most, so everything that needs no further ones comes from elsewhere: the derivative
along v is the velocity at the end, its derivative the acceleration there. For the
others v is turned by a small angle, which leaves its length, and with it the steps of
the integrator, as they are: differences of curves with unequal steps would
differentiate the error of the integrator.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_line import Stations, shoot_along
from geolearn.decomposition._subbundle_space import curvature, lowered, squared_gap
from geolearn.decomposition._subbundle_types import Shot

# Turn of v over the bandwidth: the truncation of central differences is below
# its square, the rounding of second differences (about 1e-8) above its inverse.
_TURN = 5e-3
_SMALL = 0.1  # largest turn in radians
_FLOW = 1e-3  # length of the differences of velocities, over the bandwidth
_FLOOR = 1e-3  # smallest eigenvalue of the second derivative, over the largest
_INNER = 30  # steps of the minimisation of a model


@dataclass(frozen=True, eq=False)
class Flow:
    """Follow geodesics of one field, by one integrator."""

    step: float = 0.25
    integrator: str = "rk4"
    n_jobs: int | None = None
    # Curves of lines that were followed already, by their bases.
    _lines: dict = field(default_factory=dict, repr=False)

    @property
    def options(self) -> dict:
        """Options of `shoot`."""
        names = ("step", "integrator", "n_jobs")
        return {name: getattr(self, name) for name in names}

    def shoot(self, field: Any, base, frame, v, record=None) -> Shot:
        """Follow the geodesics of coordinates `v` (m, k) in frames of the bases."""
        if field.rank == 1 and base.ndim == 1 and record is None:
            return self._shoot_along(field, base, frame, v)
        eta = np.einsum("ik,mk->mi" if frame.ndim == 2 else "mik,mk->mi", frame, v)
        return field.shoot(base, eta, record=record, **self.options)

    def _shoot_along(self, field, base, frame, v):
        key = base.tobytes(), frame.tobytes()
        if key not in self._lines:
            self._lines[key] = tuple(
                Stations(field, base, sign * frame[:, 0], self.options)
                for sign in (1.0, -1.0)
            )
        return shoot_along(self._lines[key], v[:, 0], len(base))

    def trace(self, field: Any, base, frame, v, n_records) -> tuple[Shot, np.ndarray]:
        """Return the geodesics and their points (m, n_records, d) after the base."""
        shot = self.shoot(field, base, frame, v, record=n_records)
        return shot, np.asarray(shot.path)[:, 1:]


class Model(NamedTuple):
    """Taylor polynomials of degree 2 of the exponential map, one a row.

    Attributes
    ----------
    v : ndarray of shape (m, k)
        Where they are exact.
    points : ndarray of shape (m, d)
        Values.
    jacobian : ndarray of shape (m, d, k)
        First derivatives.
    hessian : ndarray of shape (m, d, k, k)
        Second derivatives.
    """

    v: np.ndarray
    points: np.ndarray
    jacobian: np.ndarray
    hessian: np.ndarray

    def take(self, rows) -> "Model":
        """Return the models of some rows."""
        return Model(*(part[rows] for part in self))

    def put(self, rows, other) -> None:
        """Overwrite the models of some rows."""
        for part, new in zip(self, other, strict=True):
            part[rows] = new

    def moved(self, u) -> "Model":
        """Return the same polynomials about v + u."""
        turned = np.einsum("mikl,ml->mik", self.hessian, u)
        points = self.points + np.einsum("mik,mk->mi", self.jacobian + turned / 2, u)
        return Model(self.v + u, points, self.jacobian + turned, self.hessian)


def empty_model(m, d, k) -> Model:
    """Return models of NaN, to be overwritten."""
    shapes = (m, k), (m, d), (m, d, k), (m, d, k, k)
    return Model(*(np.full(shape, np.nan) for shape in shapes))


def _motion(field, points, covectors, n_jobs):
    """Return velocity and acceleration of geodesics, both (m, d)."""
    _, velocity, force = field.hamiltonian(points, covectors, n_jobs=n_jobs)
    speed = np.linalg.norm(velocity, axis=1, keepdims=True)
    time = _FLOW * field.bandwidth / np.where(speed > 0.0, speed, 1.0)
    ends = [
        field.hamiltonian(
            *_displaced(field, points, covectors, t * velocity, t * force),
            n_jobs=n_jobs,
        )[1]
        for t in (-time, time)
    ]
    return velocity, (ends[1] - ends[0]) / (2.0 * time)


def _displaced(field, points, covectors, velocity, force):
    """Return nearby positions and momenta; the error is even in the displacement."""
    if curvature(field) == 0.0:
        return points + velocity, covectors + force
    manifold = field.manifold
    P = manifold.project(points + velocity)
    return P, manifold.project_tangent(P, covectors + force)


def origin_model(field, base, frame, n_jobs=None) -> Model:
    """Return the models at v = 0 for bases (m, d) with frames (m, d, k)."""
    m, d, k = frame.shape
    first, second = np.triu_indices(k)
    pairs = np.where(first == second, 0.5, 1.0)
    # Accelerations of e_a and of e_a + e_b; the rest is polarisation.
    eta = frame[:, :, first] * pairs + frame[:, :, second] * pairs
    eta = np.moveaxis(eta, 2, 1).reshape(-1, d)
    _, acceleration = _motion(field, np.repeat(base, len(first), axis=0), eta, n_jobs)
    acceleration = acceleration.reshape(m, len(first), d)
    hessian = np.empty((m, d, k, k))
    own = {a: acceleration[:, i] for i, a in enumerate(first) if a == second[i]}
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        mixed = acceleration[:, i]
        if a != b:
            mixed = (mixed - own[a] - own[b]) / 2.0
        hessian[:, :, a, b] = hessian[:, :, b, a] = mixed
    return Model(np.zeros((m, k)), base.copy(), frame.copy(), hessian)


def _axes(u):
    """Return orthonormal frames (m, k, k) whose first columns are the rows of u."""
    k = u.shape[1]
    sign = np.where(u[:, :1] < 0.0, -1.0, 1.0)
    w = u.copy()
    w[:, :1] += sign
    Q = np.eye(k) - 2.0 * w[:, :, None] * w[:, None] / (w**2).sum(axis=1)[:, None, None]
    Q[:, :, 0] = u
    return Q


def _turns(v, Q, angle):
    """Return v turned towards plus and minus the other axes, and between pairs."""
    length = np.linalg.norm(v, axis=1)
    cos, sin = length * np.cos(angle), length * np.sin(angle)
    centre, others = cos[:, None] * Q[:, :, 0], np.moveaxis(Q[:, :, 1:], 2, 1)
    swing = sin[:, None, None] * others
    first, second = np.triu_indices(others.shape[1], 1)
    between = (swing[:, first] + swing[:, second]) / np.sqrt(2.0)
    moves = np.concatenate([swing, -swing, between], axis=1)
    return centre[:, None] + moves, length - cos, sin


class _Turned(NamedTuple):
    """Ends of geodesics in turned directions, relative to the one between them."""

    ends: np.ndarray  # (m, n_turns, d), 0 where stopped
    velocity: np.ndarray  # (m, n_turns, d)
    ok: np.ndarray  # (m, n_turns)
    status: np.ndarray  # (m, n_turns)
    chord: np.ndarray  # (m, 1), what turning costs along v
    swing: np.ndarray  # (m, 1), what it gains across
    length: np.ndarray  # (m, 1), of v


def model_at(field, base, frame, v, shot, flow) -> tuple[Model, np.ndarray]:
    """Return models about v, and for each 0 or the status of a curve that failed.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    base : ndarray of shape (d,) or (m, d)
        Where geodesics start.
    frame : ndarray of shape (d, k) or (m, d, k)
        Orthonormal frames there.
    v : ndarray of shape (m, k)
        Where models are wanted; not 0.
    shot : Shot
        Ends of the geodesics of v.
    flow : Flow
        Integrator.

    Returns
    -------
    model : Model
        Models about v.
    status : ndarray of shape (m,), int8
        0, or the status of a turned geodesic where both directions were stopped.
    """
    m, k = v.shape
    d, n_axes = shot.points.shape[1], k - 1
    Q, turned = _shoot_turned(field, base, frame, v, shot, flow)
    velocity, acceleration = _motion(field, shot.points, shot.covectors, flow.n_jobs)
    J, B = np.empty((m, d, k)), np.zeros((m, d, k, k))
    J[:, :, 0] = velocity / turned.length
    B[:, :, 0, 0] = acceleration / turned.length**2
    for axis in range(n_axes):
        _differentiate(J, B, turned, axis, n_axes)
    pairs = zip(*np.triu_indices(n_axes, 1), strict=True)
    for place, (a, b) in enumerate(pairs, start=2 * n_axes):
        _differentiate_between(J, B, turned, place, a + 1, b + 1)
    J = np.einsum("mia,mka->mik", J, Q)
    B = np.einsum("miab,mka,mlb->mikl", B, Q, Q, optimize=True)
    sides = turned.ok[:, :n_axes] | turned.ok[:, n_axes : 2 * n_axes]
    status = turned.status[:, : 2 * n_axes].max(axis=1, initial=0)
    status = np.where(sides.all(axis=1), 0, status).astype(np.int8)
    return Model(v, shot.points, J, B), status


def _shoot_turned(field, base, frame, v, shot, flow):
    """Return the axes v is turned towards (m, k, k), v first, and what is found."""
    m, k = v.shape
    length = np.linalg.norm(v, axis=1)
    Q = _axes(v / length[:, None])
    angle = np.minimum(_TURN * field.bandwidth / length, _SMALL)
    turned, chord, swing = _turns(v, Q, angle)
    if k == 1:
        none = np.zeros((m, 0, shot.points.shape[1]))
        flags = none[:, :, 0].astype(np.int8)
        sizes = chord[:, None], swing[:, None], length[:, None]
        return Q, _Turned(none, none, flags > 0, flags, *sizes)
    rows = np.repeat(np.arange(m), turned.shape[1])
    found = flow.shoot(
        field,
        base if base.ndim == 1 else base[rows],
        frame if frame.ndim == 2 else frame[rows],
        turned.reshape(-1, k),
    )
    ok = np.isfinite(found.points).all(axis=1)
    ends, velocity = np.zeros((2, *found.points.shape))
    if ok.any():
        ends[ok] = found.points[ok] - shot.points[rows[ok]]
        velocity[ok] = field.hamiltonian(
            found.points[ok], found.covectors[ok], n_jobs=flow.n_jobs
        )[1]
    shape = m, turned.shape[1], shot.points.shape[1]
    return Q, _Turned(
        ends.reshape(shape),
        velocity.reshape(shape),
        ok.reshape(shape[:2]),
        found.status.reshape(shape[:2]),
        chord[:, None],
        swing[:, None],
        length[:, None],
    )


def _differentiate(J, B, turned, a, n_axes):
    """Fill in the derivatives that belong to axis a + 1.

    The length of v is kept: turning to both sides means ``-c u + s w`` and
    ``-c u - s w`` with u along v and w along the axis.
    """
    c, s = turned.chord, turned.swing
    plus, minus = turned.ends[:, a], turned.ends[:, n_axes + a]
    sides = turned.ok[:, a, None], turned.ok[:, n_axes + a, None]
    both = sides[0] & sides[1]
    slope = (plus - minus) / (2.0 * s)
    sweep = (turned.velocity[:, a] - turned.velocity[:, n_axes + a]) / (2.0 * s)
    mixed = np.where(both, (sweep - slope) / (turned.length - c), 0.0)
    back = c * J[:, :, 0]
    bend = plus + minus + 2.0 * back - c**2 * B[:, :, 0, 0]
    single = np.where(sides[0], plus + back, -(minus + back)) / s
    J[:, :, a + 1] = np.where(both, slope + c * mixed, single)
    B[:, :, 0, a + 1] = B[:, :, a + 1, 0] = mixed
    B[:, :, a + 1, a + 1] = np.where(both, bend / s**2, 0.0)


def _differentiate_between(J, B, turned, place, a, b):
    """Fill in the mixed second derivative of two axes, from a turn between them."""
    c, s = turned.chord, turned.swing / np.sqrt(2.0)
    rest = turned.ends[:, place] + c * J[:, :, 0] - s * (J[:, :, a] + J[:, :, b])
    rest -= c**2 / 2.0 * B[:, :, 0, 0] - c * s * (B[:, :, 0, a] + B[:, :, 0, b])
    rest -= s**2 / 2.0 * (B[:, :, a, a] + B[:, :, b, b])
    ok = turned.ok[:, place, None]
    B[:, :, a, b] = B[:, :, b, a] = np.where(ok, rest / s**2, 0.0)


def minimise(field, model, targets, radius, tol) -> tuple[np.ndarray, np.ndarray]:
    """Find the steps to the points of the models that are nearest to the targets.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    model : Model
        Models of m exponential maps.
    targets : ndarray of shape (m, d)
        Points to approach.
    radius : ndarray of shape (m,)
        Longest steps.
    tol : float
        Length of the last change of a step.

    Returns
    -------
    u : ndarray of shape (m, k)
        Steps.
    inside : ndarray of bool of shape (m,)
        Whether the step is shorter than allowed.
    """
    u = np.zeros_like(model.v)
    value = squared_gap(field, model.points, targets)
    damp = np.ones(len(u))
    moving = np.ones(len(u), dtype=bool)
    for _ in range(_INNER):
        here = model.moved(u)
        gap = lowered(field, targets - here.points)
        J = here.jacobian
        gradient = np.einsum("mik,mi->mk", J, gap)
        metric = np.einsum("mik,mil->mkl", J, lowered(field, J))
        full = metric - np.einsum("mi,mikl->mkl", gap, model.hessian)
        floor = _FLOOR * np.trace(metric, axis1=1, axis2=2)[:, None]
        curvature, E = np.linalg.eigh(full)
        along = np.einsum("mkl,mk->ml", E, gradient)
        along /= np.maximum(np.abs(curvature), np.maximum(floor, np.finfo(float).tiny))
        step = damp[:, None] * np.einsum("mkl,ml->mk", E, along)
        trial = _clipped(u + step, radius)
        found = squared_gap(field, model.moved(trial).points, targets)
        better = found <= value * (1.0 + 1e-12)
        change = np.linalg.norm(trial - u, axis=1)
        u = np.where((better & moving)[:, None], trial, u)
        value = np.where(better, found, value)
        damp = np.where(better, np.minimum(2.0 * damp, 1.0), damp / 4.0)
        # A row stops by itself, so that it does not depend on the others.
        moving &= change > tol
        if not moving.any():
            break
    return u, np.linalg.norm(u, axis=1) < 0.999 * radius


def _clipped(u, radius):
    length = np.linalg.norm(u, axis=1)
    scale = np.minimum(1.0, radius / np.where(length > 0.0, length, 1.0))
    return u * scale[:, None]
