"""The checker finds every seeded bug, and says which law is broken."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from geolearn.manifolds import (
    Euclidean,
    Hyperboloid,
    ManifoldCheckError,
    PoincareBall,
    Sphere,
    Torus,
    check_manifold,
)
from tests.manifolds.own_manifolds import AffineInvariant, BuresWasserstein, PlainSphere


def failing(manifold, **options):
    report = check_manifold(manifold, random_state=0, raise_on_failure=False, **options)
    return {result.name for result in report.failures}


class LogSign(Sphere):
    def _log(self, x, y):
        return -super()._log(x, y)


class ExpIgnoresRadius(Sphere):
    def _exp(self, x, v):
        return super()._exp(x, v * self.radius)


class AllIgnoreRadius(Sphere):
    """exp, log and dist fit together, but not with the inner product."""

    def _exp(self, x, v):
        return super()._exp(x, v * self.radius)

    def _log(self, x, y):
        return super()._log(x, y) / self.radius

    def _dist(self, x, y):
        return super()._dist(x, y) / self.radius


class RadiusIsSquared(Sphere):
    def _dist(self, x, y):
        return super()._dist(x, y) * self.radius


class ChordalDistance(Sphere):
    def _dist(self, x, y):
        return np.linalg.norm(x - y, axis=-1)


class TransportByProjection(Sphere):
    def _transport(self, x, y, v):
        return self._project_tangent(y, v)


class TransportForgets(Sphere):
    def _transport(self, x, y, v):
        return v + np.zeros_like(y)


class TransportTwists(Sphere):
    """Isometric and right along the velocity, but turned by the square of d."""

    def _transport(self, x, y, v):
        moved = super()._transport(x, y, v)
        velocity = -self._log(y, x)
        length = self._norm(y, velocity)[..., None]
        u = velocity / np.where(length > 0, length, 1.0)
        along = np.sum(moved * u, axis=-1, keepdims=True) * u
        # On a 3-sphere, the cross product in the normal plane of x, y is a turn.
        rest = moved - along
        turned = np.stack(
            [
                np.linalg.det(np.stack(np.broadcast_arrays(e, y, u, rest), axis=-2))
                for e in np.eye(4)
            ],
            axis=-1,
        )
        angle = 0.3 * length**self.power
        return along + np.cos(angle) * rest + np.sin(angle) * turned

    power = 2


class TransportTwistsLinearly(TransportTwists):
    power = 1


class DensityOfOneMoreDimension(Sphere):
    def _log_volume_density(self, x, y):
        return super()._log_volume_density(x, y) * self.dim / (self.dim - 1)


class DensityInverted(Hyperboloid):
    def _log_volume_density(self, x, y):
        return -super()._log_volume_density(x, y)


class DensityForgotten(Sphere):
    def _log_volume_density(self, x, y):
        return 0.0 * super()._log_volume_density(x, y)


class HessianOfThePlane(Sphere):
    def _hess_half_sqdist(self, x, y):
        return np.broadcast_to(np.eye(self.dim), (*x.shape[:-1], self.dim, self.dim))


class HessianOfTheAntipode(Hyperboloid):
    def _hess_half_sqdist(self, x, y):
        return 2.0 * np.eye(self.dim) - super()._hess_half_sqdist(x, y)


class AdjointTransportsOnly(Sphere):
    def _log_adjoint(self, x, y, w):
        return self._transport(x, y, w)


class CurvatureOfPlane(Sphere):
    def __init__(self, dim, radius=1.0):
        self.sectional_curvature_bounds = (0.0, 0.0)
        super().__init__(dim, radius)

    def _define(self, dim, n_extra, curvature):
        self.dim, self.point_shape = dim, (dim + 1,)
        self.injectivity_radius = np.pi * self.radius
        self._curvature = curvature


class TooInjective(PlainSphere):
    def __init__(self, dim):
        self.dim = dim
        self.point_shape = (dim + 1,)
        self.injectivity_radius = 2 * np.pi
        self.sectional_curvature_bounds = (1.0, 1.0)


class WrongDimension(PlainSphere):
    def __init__(self, dim):
        self.dim = dim - 1
        self.point_shape = (dim + 1,)
        self.injectivity_radius = np.pi


class LogNotTangent(PlainSphere):
    def _log(self, x, y):
        return super()._log(x, y) + 0.1 * self._dist(x, y)[..., None] * x

    def _dist(self, x, y):
        return self._norm(x, super()._log(x, y))


class ConformalFactorOnce(PoincareBall):
    def _inner(self, x, u, v):
        return np.sum(u * v, axis=-1) * self._conformal(x)[..., 0]

    def _norm(self, x, v):
        return np.sqrt(self._inner(x, v, v))


class Gnomonic(PlainSphere):
    """exp and log are the central projection: inverse, but not geodesic speed."""

    def _exp(self, x, v):
        return self._project(x + v)

    def _log(self, x, y):
        return y / np.sum(x * y, axis=-1, keepdims=True) - x


class TransverseStretch(Euclidean):
    """exp, log inverse and radially isometric, but not orthogonal to circles."""

    def _exp(self, x, v):
        r = np.linalg.norm(v, axis=-1, keepdims=True)
        turn = r**2
        turned = np.concatenate([-v[..., 1:], v[..., :1]], axis=-1)
        return x + np.cos(turn) * v + np.sin(turn) * turned

    def _log(self, x, y):
        v = y - x
        turn = np.linalg.norm(v, axis=-1, keepdims=True) ** 2
        turned = np.concatenate([-v[..., 1:], v[..., :1]], axis=-1)
        return np.cos(turn) * v - np.sin(turn) * turned


class CoordinatesNotIsometric(PoincareBall):
    def _tangent_to_vector(self, x, v):
        return v + np.zeros_like(x)

    def _vector_to_tangent(self, x, w):
        return w + np.zeros_like(x)


class WrongKernel(Sphere):
    def kernel_metric(self):
        return "sphere", {"radius": 1.0}


class ProjectionDrifts(PlainSphere):
    def _project(self, x):
        norm = np.linalg.norm(x, axis=-1, keepdims=True)
        return x / norm**1.01


class NoWrapInLog(Torus):
    def _log(self, x, y):
        return y - x


class Broken(PlainSphere):
    def _log(self, x, y):
        raise ZeroDivisionError("no logarithm today")


class NotBroadcasting(PlainSphere):
    def _dist(self, x, y):
        return np.linalg.norm(self._log(x, y), axis=-1).mean() + np.zeros(x.shape[:-1])


BUGS = {
    "log sign": (LogSign(2), "gradient of squared distance"),
    "log sign, inverse": (LogSign(2), "exp and log are inverse"),
    "exp ignores radius": (ExpIgnoresRadius(2, radius=2.0), "initial velocity of exp"),
    "all ignore radius": (AllIgnoreRadius(2, radius=2.0), "initial velocity of exp"),
    "dist times radius": (RadiusIsSquared(2, radius=2.0), "distance"),
    "chordal distance": (ChordalDistance(2), "geodesics"),
    "transport projects": (TransportByProjection(3), "isometric transport"),
    "transport forgets": (TransportForgets(2), "tangency"),
    "transport turns by d^2": (TransportTwists(3), "composition of transports"),
    "transport turns by d": (TransportTwistsLinearly(3), "parallel transport"),
    "density of m": (DensityOfOneMoreDimension(2), "volume density"),
    "density inverted": (DensityInverted(3), "volume density"),
    "density inverted, bounds": (DensityInverted(3), "curvature bounds"),
    "density forgotten": (DensityForgotten(2), "volume density"),
    "Hessian flat": (HessianOfThePlane(2), "Hessian of squared distance"),
    "Hessian sign": (HessianOfTheAntipode(2), "Hessian of squared distance"),
    "adjoint": (AdjointTransportsOnly(2), "adjoint of log"),
    "curvature zero": (CurvatureOfPlane(2), "curvature bounds"),
    "injectivity radius": (TooInjective(2), "injectivity radius"),
    "dimension": (WrongDimension(3), "dimension"),
    "log not tangent": (LogNotTangent(2), "tangency"),
    "conformal factor": (ConformalFactorOnce(2), "Gauss lemma"),
    "gnomonic": (Gnomonic(2), "geodesics"),
    "gnomonic, gauss": (Gnomonic(2), "Gauss lemma"),
    "transverse": (TransverseStretch(2), "Gauss lemma"),
    "coordinates": (CoordinatesNotIsometric(2), "orthonormal coordinates"),
    "kernel": (WrongKernel(2, radius=2.0), "distance tables"),
    "projection": (ProjectionDrifts(2), "membership"),
    "no wrap": (NoWrapInLog(2), "exp and log are inverse"),
    "raises": (Broken(2), "exp and log are inverse"),
    "broadcasting": (NotBroadcasting(2), "broadcasting"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_seeded_bugs_are_found(bug):
    manifold, law = BUGS[bug]
    assert law in failing(manifold)
    with pytest.raises(ManifoldCheckError, match=law) as caught:
        check_manifold(manifold, random_state=1)
    assert isinstance(caught.value, AssertionError)
    assert not caught.value.report.passed
    assert f"FAIL  {law}" in str(caught.value)


def test_a_small_error_is_found_and_measured():
    class Slightly(Sphere):
        def _log_volume_density(self, x, y):
            return super()._log_volume_density(x, y) * (1 + 1e-4)

    report = check_manifold(Slightly(2), random_state=0, raise_on_failure=False)
    failures = {result.name: result for result in report.failures}
    assert set(failures) == {"volume density", "curvature bounds"}
    assert 1e-6 < failures["volume density"].value < 1e-4


def test_orders_of_convergence_tell_a_wrong_gradient():
    report = check_manifold(LogSign(2), random_state=0, raise_on_failure=False)
    found = {result.name: result for result in report}
    gradient = found["gradient of squared distance"]
    assert gradient.kind == "order"
    assert gradient.value == pytest.approx(1.0, abs=0.1)
    right = {r.name: r for r in check_manifold(Sphere(2), random_state=0)}
    assert right["gradient of squared distance"].value == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "manifold",
    [Sphere(2), Hyperboloid(3), PoincareBall(2), Torus(2), PlainSphere(2)],
    ids=repr,
)
def test_right_manifolds_pass_for_any_seed(manifold, seed):
    assert check_manifold(manifold, random_state=seed).passed


def test_defaults_of_the_base_class_pass():
    assert check_manifold(AffineInvariant(3), random_state=0, n_points=3).passed
    # Not a symmetric space: the default transport is approximate there.
    assert check_manifold(BuresWasserstein(), random_state=0, n_points=3).passed


def test_report():
    report = check_manifold(Sphere(2), random_state=0)
    text = str(report)
    assert text.startswith("Sphere(2): 23 properties, all hold")
    assert "ok    Gauss lemma: order 2.0" in text
    assert len(list(report)) == 23
    broken = check_manifold(Broken(2), random_state=0, raise_on_failure=False)
    assert "raised ZeroDivisionError: no logarithm today" in str(broken)
    error = pickle.loads(pickle.dumps(ManifoldCheckError(report)))
    assert error.report == report


def test_sampling_that_fails_is_a_failure():
    class NoPoints(PlainSphere):
        def _random_point(self, n_samples, rng):
            return np.zeros((n_samples, 2))

    report = check_manifold(NoPoints(2), raise_on_failure=False)
    assert [r.name for r in report.failures] == [
        "sampling of points and tangent vectors"
    ]


def test_wrong_arguments():
    with pytest.raises(TypeError, match="must be a Manifold instance"):
        check_manifold("sphere")
    with pytest.raises(ValueError, match="n_points must be at least 1"):
        check_manifold(Sphere(2), n_points=0)
    with pytest.raises(ValueError, match="radius must be positive"):
        check_manifold(Sphere(2), radius=0.0)
    assert check_manifold(Sphere(2), radius=0.5, random_state=0, n_points=1).passed


def test_import_loads_no_compiler():
    code = (
        "import sys, geolearn.manifolds; "
        "print([m for m in ('numba', 'matplotlib', 'pynndescent') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
