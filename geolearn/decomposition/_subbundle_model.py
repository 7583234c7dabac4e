"""Second-order models of the exponential map of a principal subbundle.

A model at v knows ``exp(v + u)`` up to the third power of u. Geodesics through v cost
most, so everything that needs no further ones comes from elsewhere: the derivative
along v is the velocity at the end, its derivative the acceleration there. For the
others v is turned by a small angle, which leaves its length, and with it the steps of
the integrator, as they are: differences of curves with unequal steps would
differentiate the error of the integrator.
"""

from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_types import Shot

# Turn of v over the bandwidth: the truncation of central differences is below
# its square, the rounding of second differences (about 1e-8) above its inverse.
_TURN = 5e-3
_SMALL = 0.1  # largest turn in radians
_FLOW = 1e-3  # length of the differences of velocities, over the bandwidth
_FLOOR = 1e-3  # smallest eigenvalue of the second derivative, over the largest
_INNER = 30  # steps of the minimisation of a model


class Flow(NamedTuple):
    """Options of the integrator of geodesics."""

    step: float = 0.25
    integrator: str = "rk4"
    n_jobs: int | None = None

    def shoot(self, field: Any, base, frame, v, record=None) -> Shot:
        """Follow the geodesics of coordinates `v` (m, k) in `frame`."""
        eta = np.einsum("ik,mk->mi" if frame.ndim == 2 else "mik,mk->mi", frame, v)
        return field.shoot(
            base,
            eta,
            step=self.step,
            integrator=self.integrator,
            record=record,
            n_jobs=self.n_jobs,
        )


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


def curvature(field) -> float:
    """Return the sectional curvature of the space of a field."""
    manifold = getattr(field, "manifold", None)
    return 0.0 if manifold is None else manifold.sectional_curvature_bounds[0]


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


def _turned(u):
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
    length = np.linalg.norm(v, axis=1)
    u = v / length[:, None]
    Q = _turned(u)
    angle = np.minimum(_TURN * field.bandwidth / length, _SMALL)
    turned, c, s = _turns(v, Q, angle)
    n_turns, n_axes = turned.shape[1], k - 1
    rows = np.repeat(np.arange(m), n_turns)
    ends = flow.shoot(
        field,
        base if base.ndim == 1 else base[rows],
        frame if frame.ndim == 2 else frame[rows],
        turned.reshape(-1, k),
    )
    velocity, acceleration = _motion(field, shot.points, shot.covectors, flow.n_jobs)
    swept = np.zeros_like(ends.points)
    ok = np.isfinite(ends.points).all(axis=1)
    if ok.any():
        swept[ok] = field.hamiltonian(
            ends.points[ok], ends.covectors[ok], n_jobs=flow.n_jobs
        )[1]
    d = shot.points.shape[1]
    ok = ok.reshape(m, n_turns)
    P = np.where(ok[:, :, None], ends.points.reshape(m, n_turns, d), 0.0)
    V = swept.reshape(m, n_turns, d)
    J, B = np.empty((m, d, k)), np.zeros((m, d, k, k))
    scale = length[:, None]
    J[:, :, 0] = velocity / scale
    B[:, :, 0, 0] = acceleration / scale**2
    c, s, length = c[:, None], s[:, None], length[:, None]
    for a in range(n_axes):
        plus, minus = P[:, a] - shot.points, P[:, n_axes + a] - shot.points
        both = (ok[:, a] & ok[:, n_axes + a])[:, None]
        slope = (plus - minus) / (2.0 * s)
        sweep = (V[:, a] - V[:, n_axes + a]) / (2.0 * s)
        mixed = np.where(both, (sweep - slope) / (length - c), 0.0)
        # v + (-c u + s w): the length of v is kept, which costs c along u.
        bend = plus + minus + 2.0 * c * J[:, :, 0] - c**2 * B[:, :, 0, 0]
        onward = (plus + c * J[:, :, 0]) / s
        back = -(minus + c * J[:, :, 0]) / s
        J[:, :, a + 1] = np.where(
            both, slope + c * mixed, np.where(ok[:, a : a + 1], onward, back)
        )
        B[:, :, 0, a + 1] = B[:, :, a + 1, 0] = mixed
        B[:, :, a + 1, a + 1] = np.where(both, bend / s**2, 0.0)
    for i, (a, b) in enumerate(zip(*np.triu_indices(n_axes, 1), strict=True)):
        i += 2 * n_axes
        a, b = a + 1, b + 1
        t = s / np.sqrt(2.0)
        rest = P[:, i] - shot.points + c * J[:, :, 0] - t * (J[:, :, a] + J[:, :, b])
        rest -= c**2 / 2.0 * B[:, :, 0, 0] - c * t * (B[:, :, 0, a] + B[:, :, 0, b])
        rest -= t**2 / 2.0 * (B[:, :, a, a] + B[:, :, b, b])
        B[:, :, a, b] = B[:, :, b, a] = np.where(ok[:, i, None], rest / t**2, 0.0)
    J = np.einsum("mia,mka->mik", J, Q)
    B = np.einsum("miab,mka,mlb->mikl", B, Q, Q, optimize=True)
    lost = ~(ok[:, :n_axes] | ok[:, n_axes : 2 * n_axes]).all(axis=1)
    status = ends.status.reshape(m, n_turns)[:, : 2 * n_axes].max(axis=1, initial=0)
    return Model(v, shot.points, J, B), np.where(lost, status, 0).astype(np.int8)


def lowered(field, vectors):
    """Return vectors (..., d, ...) along axis 1 paired by the ambient product."""
    if curvature(field) >= 0.0:
        return vectors
    paired = vectors.copy()
    paired[:, 0] *= -1.0  # time comes first
    return paired


def squared_gap(field, points, targets) -> np.ndarray:
    """Return squared chords; nearest in them is nearest in the manifold too."""
    gap = targets - points
    return np.maximum(np.einsum("mi,mi->m", gap, lowered(field, gap)), 0.0)


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
        worse = found > value * (1.0 + 1e-12)
        change = np.linalg.norm(trial - u, axis=1)
        u = np.where(worse[:, None], u, trial)
        value = np.where(worse, value, found)
        damp = np.where(worse, damp / 4.0, np.minimum(2.0 * damp, 1.0))
        if (change <= tol).all():
            break
    return u, np.linalg.norm(u, axis=1) < 0.999 * radius


def _clipped(u, radius):
    length = np.linalg.norm(u, axis=1)
    scale = np.minimum(1.0, radius / np.where(length > 0.0, length, 1.0))
    return u * scale[:, None]
