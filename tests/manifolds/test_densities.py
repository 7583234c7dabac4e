"""Volume densities of symmetric spaces, integrated and compared with others.

Pointwise, `check_manifold` compares every density with differences of `exp`. Here
the densities of compact spaces integrate to the volumes that homogeneity dictates:
rotations of n dimensions fibre over the sphere of the images of one axis, and
subspaces are rotations modulo those that fix them.
"""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import gamma

from geolearn.manifolds import SPD, Grassmann, Hyperboloid, SpecialOrthogonal

NODES = 48


def sphere_volume(dim):
    return 2 * math.pi ** ((dim + 1) / 2) / gamma((dim + 1) / 2)


def rotation_volume(n):
    return math.prod(sphere_volume(k) for k in range(1, n))


def integrate(function, rank, longest):
    """Integrate over descending coordinates below `longest`, one or two.

    Gauss and Legendre converge fast, since nothing has a kink there.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = (nodes + 1) / 2, weights / 2
    first, weight = longest * nodes, longest * weights
    if rank == 1:
        return np.sum(weight * function(first[:, None]))
    pairs = np.stack([np.repeat(first, NODES), np.outer(first, nodes).ravel()], axis=1)
    return np.sum(np.outer(first * weight, weights).ravel() * function(pairs))


def volume(manifold, rank, weight, point, longest):
    """Integrate the density in polar coordinates of the tangent space.

    `weight` is the volume of the orbits of the isotropy group, up to a factor that
    the integral of the Gaussian on the tangent space fixes.
    """

    def gaussian(t):
        return weight(t) * np.exp(-np.sum(t**2, axis=-1) / 2)

    def density(t):
        end = np.stack([point(a) for a in t])
        return weight(t) * np.exp(manifold.log_volume_density(point(0 * t[0]), end))

    factor = (2 * math.pi) ** (manifold.dim / 2) / integrate(gaussian, rank, 12.0)
    return factor * integrate(density, rank, longest)


def gaps(t):
    """Return the product of the differences of squares."""
    i, j = np.triu_indices(t.shape[1], 1)
    return np.prod(t[:, i] ** 2 - t[:, j] ** 2, axis=1)


@pytest.mark.parametrize("n", [3, 4, 5])
def test_rotations(n):
    def turn(angles):
        c, s = np.cos(angles), np.sin(angles)
        x = np.eye(n)
        for k in range(n // 2):
            block = slice(2 * k, 2 * k + 2)
            x[block, block] = [[c[k], -s[k]], [s[k], c[k]]]
        return x

    def weight(t):
        return gaps(t) ** 2 * np.prod(t, axis=1) ** (2 * (n % 2))

    space = SpecialOrthogonal(n)
    value = volume(space, n // 2, weight, turn, math.pi)
    assert_allclose(value, rotation_volume(n), rtol=1e-9)


@pytest.mark.parametrize(("n", "p"), [(2, 1), (3, 1), (3, 2), (4, 2), (5, 2), (6, 2)])
def test_subspaces(n, p):
    rank = min(p, n - p)

    def tilted(angles):
        x = np.eye(n)[:, :p]
        for k in range(rank):
            x[k, k], x[n - 1 - k, k] = math.cos(angles[k]), math.sin(angles[k])
        return x

    def weight(t):
        return gaps(t) * np.prod(t, axis=1) ** abs(n - 2 * p)

    space = Grassmann(n, p)
    value = volume(space, rank, weight, tilted, math.pi / 2)
    expected = rotation_volume(n) / rotation_volume(p) / rotation_volume(n - p) / 2
    assert_allclose(value, expected, rtol=1e-9)


def test_affine_invariant_matrices_of_size_two_are_a_line_times_a_plane():
    """The determinant is the line; the rest is hyperbolic of curvature -1/2."""
    spd = SPD(2)
    A, B = (spd.random_point(30, random_state=k) for k in (0, 1))
    ratio = np.log(np.linalg.det(B) / np.linalg.det(A))
    apart = np.sqrt(spd.dist(A, B) ** 2 - ratio**2 / 2)
    plane = Hyperboloid(2, curvature=-0.5)
    x = np.tile(plane.origin, (30, 1))
    y = plane.exp_vector(x, np.stack([apart, 0 * apart], axis=1))
    assert_allclose(
        spd.log_volume_density(A, B), plane.log_volume_density(x, y), rtol=1e-9
    )
