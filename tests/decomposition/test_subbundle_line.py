"""Curves of a field of rank 1 from station to station are the curves themselves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.decomposition._subbundle_curved import curved_field
from geolearn.decomposition._subbundle_field import euclidean_field
from geolearn.decomposition._subbundle_model import Flow
from geolearn.manifolds import Sphere


def arc(n=200):
    """Return points on three quarters of a circle in space, with a ripple."""
    t = np.linspace(0.0, 1.5 * np.pi, n)
    return np.column_stack([np.cos(t), np.sin(t), 0.1 * np.sin(3.0 * t)])


def in_space():
    return euclidean_field(arc(), n_components=1, bandwidth=0.2)


def on_the_sphere():
    X = Sphere(2).project(arc())
    return curved_field(X, Sphere(2), n_components=1, bandwidth=0.2)


@pytest.mark.parametrize("make_field", [in_space, on_the_sphere])
@pytest.mark.parametrize("integrator", ["rk4", "dop853"])
def test_stations_do_not_change_curves(make_field, integrator):
    field = make_field()
    base = field.points[100].copy()
    frame = field.frame(base[None])[0]
    v = np.array([[0.0], [0.05], [-0.2], [1.3], [-1.1], [0.4], [9.0], [-9.0]])
    flow = Flow(step=0.1, integrator=integrator)
    shot = flow.shoot(field, base, frame, v)
    direct = field.shoot(base, v * frame[:, 0], step=0.1, integrator=integrator)
    assert_array_equal(shot.status, direct.status)
    assert_array_equal(shot.status[-2:], 1)  # past the ends of the arc
    assert_allclose(shot.points, direct.points, atol=1e-6)
    assert_allclose(shot.covectors[:-2], direct.covectors[:-2], atol=2e-5)
    assert_allclose(shot.reached[:-2], direct.reached[:-2])
    assert (shot.reached[-2:] < 0.4).all()
    # A curve does not depend on those that are followed beside it.
    alone = Flow(step=0.1, integrator=integrator).shoot(field, base, frame, v[3:4])
    assert_array_equal(alone.points[0], shot.points[3])


def test_a_curve_is_followed_once(monkeypatch):
    field = in_space()
    base = field.points[100].copy()
    frame = field.frame(base[None])[0]
    flow, rows = Flow(), []
    kind = type(field)
    shoot = kind.shoot

    def counted(self, base, eta, **options):
        rows.append(len(eta))
        return shoot(self, base, eta, **options)

    monkeypatch.setattr(kind, "shoot", counted)
    flow.shoot(field, base, frame, np.array([[1.9]]))
    first = len(rows)
    flow.shoot(field, base, frame, np.array([[1.8], [1.7]]))
    assert first == 10  # nine stations at distances of 0.2, and the rest
    assert rows[first:] == [2]
