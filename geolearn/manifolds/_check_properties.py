"""The laws that `check_manifold` verifies, one function each.

Each takes the samples and returns (value, bound, kind, detail): the largest error
found and allowed, or the order of convergence reached and wanted.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from geolearn.manifolds._frames import FrameOperations
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.special import log_sinc, log_sinhc

__all__ = ["PROPERTIES", "Samples"]

_STEPS = 0.5 ** np.arange(1, 8)
_FLOOR = 1e-11  # errors below it, relative to the sizes compared, are rounding
_ORDER_SLACK = 0.25  # orders are measured at finite steps
_DIFFERENCE_TOL = 1e-6  # of fourth-order differences of exp
_LADDER_TOL = 1e-3  # of the default transport off symmetric spaces


@dataclass(frozen=True)
class Samples:
    """Points with two tangent vectors each, and the end points of these."""

    manifold: Manifold
    tol: float
    radius: float
    rng: Any
    x: np.ndarray
    v: np.ndarray
    w: np.ndarray
    y: np.ndarray
    z: np.ndarray

    @classmethod
    def draw(cls, manifold, n_points, radius, tol, random_state):
        """Draw base points, and tangent vectors of lengths up to `radius`."""
        rng = check_random_state(random_state)
        if radius is None:
            radius = min(manifold._length_scale, 0.4 * manifold.injectivity_radius)
        x = manifold.random_point(n_points, random_state=rng)
        if x.shape != (n_points, *manifold.point_shape):
            raise ValueError(
                f"random_point({n_points}) has shape {x.shape}, expected "
                f"{(n_points, *manifold.point_shape)}"
            )
        v, w = (_tangents(manifold, x, radius, rng) for _ in range(2))
        y, z = manifold.exp(x, v), manifold.exp(x, w)
        return cls(manifold, tol, radius, rng, x, v, w, y, z)

    def apart(self, x, u, v):
        """Return the largest norm of differences of tangent vectors, over radius."""
        return np.max(self.manifold.norm(x, u - v)) / self.radius

    def times(self, factors, v):
        """Multiply each tangent vector by its own number."""
        return self.manifold._per_point(factors) * v


def _tangents(manifold, x, radius, rng):
    v = manifold.random_tangent(x, random_state=rng)
    lengths = radius * rng.uniform(0.3, 1.0, len(x))
    norms = manifold.norm(x, v)
    return manifold._per_point(lengths / np.where(norms > 0, norms, 1.0)) * v


def _order(error_of, size):
    """Return the order at which an error vanishes with the step, inf if exact.

    Errors below the rounding floor are lifted to it, which can only lower the
    order measured; the median over the steps that are above it is returned.
    """
    floor = _FLOOR * size
    errors = np.array([float(np.max(np.abs(error_of(step)))) for step in _STEPS])
    if np.isnan(errors).any():
        return np.nan
    if errors[0] <= floor:
        return np.inf
    lifted = np.maximum(errors, floor)
    slopes = np.log2(lifted[:-1] / lifted[1:])[errors[:-1] > 8 * floor]
    return np.median(slopes[-4:]) if slopes.size else np.inf


def _wanted(order):
    return order - _ORDER_SLACK


def _projection(s):
    m = s.manifold
    on = np.asarray(m.project(s.x))
    moved = np.abs(on - m.project(on)) / (np.max(np.abs(on)) or 1.0)
    error = np.max(m._deviation(s.x)) + np.max(moved)
    detail = "random points belong, and project does not move points of the manifold"
    return (error if np.all(m.belongs(on)) else np.inf), s.tol, "error", detail


def _tangency(s):
    m = s.manifold
    cases = [
        (s.x, m.project_tangent(s.x, s.v)),
        (s.x, m.log(s.x, s.y)),
        (s.y, m.transport(s.x, s.y, s.w)),
    ]
    error = max(s.apart(x, m.project_tangent(x, u), u) for x, u in cases)
    if not np.all(m.belongs(m.exp(s.x, s.v))):
        error = np.inf
    detail = (
        "exp ends on the manifold; project_tangent leaves logs and transports alone"
    )
    return error, _transport_tol(s), "error", detail


def _dimension(s):
    m = s.manifold
    size = int(np.prod(m.point_shape))
    ambient = np.eye(size).reshape(size, *m.point_shape)
    x = s.x[0]
    coordinates = m.tangent_to_vector(x, m.project_tangent(x, ambient))
    values = np.linalg.svd(coordinates, compute_uv=False)
    spanned = m.project_tangent(x, ambient).reshape(size, -1)
    ranks = [
        np.linalg.matrix_rank(spanned, tol=1e-9 * np.linalg.norm(spanned)),
        np.sum(values > 1e-9 * values[0]),
    ]
    error = max(abs(int(rank) - m.dim) for rank in ranks)
    return error, 0.0, "error", "rank of project_tangent less dim"


def _inner_product(s):
    m, r2 = s.manifold, s.radius**2
    a, b = s.rng.uniform(-1.0, 1.0, (2, len(s.x)))
    combined = s.times(a, s.v) + s.times(b, s.w)
    linear = a * m.inner(s.x, s.v, s.w) + b * m.inner(s.x, s.w, s.w)
    errors = [
        m.inner(s.x, s.v, s.w) - m.inner(s.x, s.w, s.v),
        m.inner(s.x, combined, s.w) - linear,
        m.norm(s.x, s.v) ** 2 - m.inner(s.x, s.v, s.v),
    ]
    error = np.max(np.abs(errors)) / r2
    positive = np.all(m.inner(s.x, combined, combined) > 0.0)
    detail = "symmetric, bilinear, positive, and norm is its square root"
    return (error if positive else np.inf), s.tol, "error", detail


def _coordinates(s):
    m = s.manifold
    v, w = m.tangent_to_vector(s.x, s.v), m.tangent_to_vector(s.x, s.w)
    inner = np.abs(np.sum(v * w, axis=-1) - m.inner(s.x, s.v, s.w)).max()
    back = s.apart(s.x, m.vector_to_tangent(s.x, v), s.v)
    error = max(inner / s.radius**2, back)
    return error, s.tol, "error", "tangent_to_vector is isometric and inverted"


def _inverse(s):
    m = s.manifold
    forth = np.max(m.dist(m.exp(s.x, m.log(s.x, s.y)), s.y)) / s.radius
    back = s.apart(s.x, m.log(s.x, s.y), s.v)
    return max(forth, back), s.tol, "error", "exp(log y) = y and log(exp v) = v"


def _injectivity(s):
    m = s.manifold
    if np.isinf(m.injectivity_radius):
        return 0.0, s.tol, "error", "injectivity radius declared infinite"
    reach = 0.95 * m.injectivity_radius / m.norm(s.x, s.v)
    long = s.times(reach, s.v)
    error = s.apart(s.x, m.log(s.x, m.exp(s.x, long)), long)
    detail = "log(exp v) = v at 0.95 of the declared injectivity radius"
    return error, 100 * s.tol, "error", detail


def _distance(s):
    m = s.manifold
    d = m.dist(s.x, s.y)
    errors = np.abs(
        [m.norm(s.x, m.log(s.x, s.y)) - d, m.dist(s.y, s.x) - d, m.dist(s.x, s.x)]
    )
    excess = d - m.dist(s.x, s.z) - m.dist(s.z, s.y)
    error = max(errors.max(), excess.max()) / s.radius
    detail = "norm(log) = dist, symmetric, zero at x = y, triangle inequality"
    return error, s.tol, "error", detail


def _geodesic(s):
    m = s.manifold
    times = np.array([0.0, 0.25, 0.6, 1.0])
    points = m.geodesic(s.x, s.y, times[:, None])
    between = m.dist(points[:, None], points[None])
    expected = np.abs(times[:, None] - times)[..., None] * m.dist(s.x, s.y)
    error = np.max(np.abs(between - expected)) / s.radius
    return error, s.tol, "error", "distances along a geodesic are those of times"


def _initial_velocity(s):
    m = s.manifold

    def error(step):
        start = m.retract(s.x, step * s.v)
        stretch = m.dist(s.x, start) - step * m.norm(s.x, s.v)
        return np.maximum(m.dist(start, m.exp(s.x, step * s.v)), np.abs(stretch))

    detail = "exp(tv) and project(x + tv) agree, at distance t norm(v) from x"
    return _order(error, s.radius), _wanted(2), "order", detail


def _gauss_lemma(s):
    m = s.manifold
    end = m.exp(s.x, s.v)

    def difference(u, step):
        shifted = [m.log(end, m.exp(s.x, s.v + sign * step * u)) for sign in (1, -1)]
        return (shifted[0] - shifted[1]) / (2.0 * step)

    def error(step):
        radial = difference(s.v, step)
        pairs = [(radial, s.v), (difference(s.w, step), s.w)]
        return [m.inner(end, radial, u) - m.inner(s.x, s.v, v) for u, v in pairs]

    detail = "exp preserves inner products with its direction, so it is geodesic"
    return _order(error, s.radius**2), _wanted(2), "order", detail


def _gradient(s):
    m = s.manifold
    start, log = m.dist(s.x, s.y) ** 2 / 2, m.log(s.x, s.y)

    def error(step):
        value = m.dist(m.exp(s.x, step * s.w), s.y) ** 2 / 2
        return value - start + step * m.inner(s.x, log, s.w)

    detail = "the gradient of half the squared distance is -log"
    return _order(error, s.radius**2), _wanted(2), "order", detail


def _hessian(s):
    m = s.manifold
    detail = "half the squared distance to second order"
    if not m.has_hessian:
        return np.inf, _wanted(3), "order", "no Hessian declared"
    start = m.dist(s.x, s.y) ** 2
    w = m.tangent_to_vector(s.x, s.w)
    second = np.einsum("ni,nij,nj->n", w, m.hess_half_sqdist(s.x, s.y), w)

    def error(step):
        ends = [m.exp(s.x, sign * step * s.w) for sign in (1, -1)]
        values = sum(m.dist(end, s.y) ** 2 for end in ends)
        return values / 2 - start - step**2 * second

    return _order(error, s.radius**2), _wanted(3), "order", detail


def _adjoint_of_log(s):
    m = s.manifold
    detail = "log_x(y) to first order in y"
    if not m.has_hessian:
        return np.inf, _wanted(2), "order", "no Hessian declared"
    moved = m.transport(s.x, s.y, s.w)
    first = m.inner(s.y, moved, m._log_adjoint(s.x, s.y, s.v + s.w))

    def error(step):
        logs = [m.log(s.x, m.exp(s.y, sign * step * moved)) for sign in (1, -1)]
        return m.inner(s.x, logs[0] - logs[1], s.v + s.w) / 2 - step * first

    return _order(error, s.radius**2), _wanted(2), "order", detail


def _transport_tol(s):
    return s.tol if s.manifold._closed_form_transport else _LADDER_TOL


def _isometric_transport(s):
    m = s.manifold
    v, w = (m.transport(s.x, s.y, u) for u in (s.v, s.w))
    inner = [m.inner(s.y, v, w), m.norm(s.y, w) ** 2]
    expected = [m.inner(s.x, s.v, s.w), m.norm(s.x, s.w) ** 2]
    error = np.max(np.abs(np.subtract(inner, expected))) / s.radius**2
    return error, _transport_tol(s), "error", "transport preserves inner products"


def _transport_of_velocity(s):
    m = s.manifold
    end = m.transport(s.x, s.y, m.log(s.x, s.y))
    error = s.apart(s.y, end, -m.log(s.y, s.x))
    return error, _transport_tol(s), "error", "transport of log_x(y) is -log_y(x)"


def _transport_composition(s):
    m = s.manifold
    middle = m.geodesic(s.x, s.y, 0.4)
    whole = m.transport(s.x, s.y, s.w)
    parts = m.transport(middle, s.y, m.transport(s.x, middle, s.w))
    back = m.transport(s.y, s.x, whole)
    error = max(s.apart(s.y, whole, parts), s.apart(s.x, back, s.w))
    detail = "transport in two legs, and there and back"
    return error, _transport_tol(s), "error", detail


def _parallel_transport(s):
    m = s.manifold

    def error(step):
        # One rung of the pole ladder, which is parallel to higher order.
        end, middle = m.exp(s.x, step * s.v), m.exp(s.x, step / 2 * s.v)
        pole = m.exp(s.x, step * s.w)
        pole = m.exp(middle, -m.log(middle, pole))
        ladder = -m.log(end, pole) / step
        return m.norm(end, m.transport(s.x, end, s.w) - ladder)

    detail = "transport has no first-order error against the pole ladder"
    return _order(error, s.radius), _wanted(2), "order", detail


def _density(s):
    m = s.manifold
    log_volume = m.log_volume_density(s.x, s.y)
    numerical = FrameOperations._log_volume_density(m, s.x, s.y)
    errors = [
        log_volume - numerical,
        log_volume - m.log_volume_density(s.y, s.x),
        m.log_volume_density(s.x, s.x),
    ]
    detail = "symmetric, zero at x = y, equal to the determinant of differences of exp"
    return np.max(np.abs(errors)), _DIFFERENCE_TOL, "error", detail


def _curvature(s):
    m = s.manifold
    low, high = m.sectional_curvature_bounds
    d, log_volume = m.dist(s.x, s.y), m.log_volume_density(s.x, s.y)
    excess = [np.zeros(1)]
    for bound, sign in ((low, 1.0), (high, -1.0)):
        if np.isfinite(bound):  # volume comparison of Bishop and Günther
            model = log_sinhc if bound < 0 else log_sinc
            compared = (m.dim - 1) * model(np.sqrt(abs(bound)) * d)
            excess.append(sign * (log_volume - compared))
    detail = "the volume density lies between those of the declared curvature bounds"
    return np.max(np.concatenate(excess)), _DIFFERENCE_TOL, "error", detail


def _broadcasting(s):
    m = s.manifold
    many = m.exp(
        s.x[:, None], s.times(np.linspace(0, 1, 3)[:, None], s.v).swapaxes(0, 1)
    )
    error = 0.0
    for i in range(min(3, len(s.x))):
        for j, t in enumerate(np.linspace(0, 1, 3)):
            one = m.exp(s.x[i], t * s.v[i])
            error = max(error, float(m.dist(many[i, j], one)))
    table = m.dist(s.x[:, None], s.y[None])
    single = [[m.dist(x, y) for y in s.y] for x in s.x]
    error = max(error, np.max(np.abs(table - single)))
    return error / s.radius, s.tol, "error", "batches give the same as single points"


def _tables(s):
    m = s.manifold
    expected = m.dist(s.x[:, None], s.y[None])
    table = m.pairwise_distances(s.x, s.y)
    error = np.max(np.abs(table - expected)) / np.max(expected)
    return error, s.tol, "error", "pairwise_distances agrees with dist"


def _value_object(s):
    m = s.manifold
    same = copy.deepcopy(m)
    again = type(m)(**m.get_params())
    equal = m == same and hash(m) == hash(same) and m == again
    detail = "copies and re-creation from get_params are equal"
    return (0.0 if equal else 1.0), 0.0, "error", detail


PROPERTIES: dict[str, Callable] = {
    "membership": _projection,
    "tangency": _tangency,
    "dimension": _dimension,
    "inner product": _inner_product,
    "orthonormal coordinates": _coordinates,
    "exp and log are inverse": _inverse,
    "injectivity radius": _injectivity,
    "distance": _distance,
    "geodesics": _geodesic,
    "initial velocity of exp": _initial_velocity,
    "Gauss lemma": _gauss_lemma,
    "gradient of squared distance": _gradient,
    "Hessian of squared distance": _hessian,
    "adjoint of log": _adjoint_of_log,
    "isometric transport": _isometric_transport,
    "transport of velocity": _transport_of_velocity,
    "composition of transports": _transport_composition,
    "parallel transport": _parallel_transport,
    "volume density": _density,
    "curvature bounds": _curvature,
    "broadcasting": _broadcasting,
    "distance tables": _tables,
    "value object": _value_object,
}
