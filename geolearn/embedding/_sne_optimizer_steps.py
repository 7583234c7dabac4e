"""Momentum steps of neighbour embeddings, in the plane and on curved targets.

A step takes the points, their gradient, a learning rate and a momentum, and returns
the moved points; velocities and gains are kept between the steps.
"""

import math

import numpy as np

from geolearn.manifolds import Euclidean, Hyperboloid

__all__ = ["CurvedSteps", "HyperboloidSteps", "PlaneSteps", "steps_for"]

_MAX_PLANE_STEP = 5.0
_MAX_CURVED_STEP = 1.0  # a third of the way to the antipode of a unit sphere
_GAIN_UP, _GAIN_DOWN, _LEAST_GAIN = 0.2, 0.8, 0.01
# Beyond it the time coordinate keeps less than six digits of the position.
_MAX_RADIUS = 12.0


def _update_gains(gains, descending):
    """Raise the gains where the last step still descends, lower them elsewhere."""
    return np.where(
        descending, gains + _GAIN_UP, np.maximum(gains * _GAIN_DOWN, _LEAST_GAIN)
    )


def _shorten(V, length, cap):
    """Return vectors of known length, scaled down to length `cap` at most."""
    return V * np.minimum(1.0, cap / np.maximum(length, cap))


class PlaneSteps:
    """Step in flat space, with a gain for each coordinate."""

    initial_momentum = 0.8

    def __init__(self):
        self.reset()

    def reset(self):
        """Forget velocities and gains."""
        self._velocity, self._gains = 0.0, 1.0

    def norm(self, Y, gradient):
        """Return the length of the gradient of all points."""
        return float(np.linalg.norm(gradient))

    def spread(self, Y):
        """Return the root mean square distance of the points from the first."""
        return float(np.linalg.norm(Y - Y[0])) / math.sqrt(len(Y))

    def rate(self, rate, scale):
        """Return the learning rate: the plane has no scale."""
        return rate

    def __call__(self, Y, gradient, rate, momentum, scale=1.0):
        """Return the moved points, centred."""
        self._gains = _update_gains(self._gains, self._velocity * gradient < 0.0)
        V = momentum * self._velocity - rate * self._gains * gradient
        length = np.linalg.norm(V, axis=1, keepdims=True)
        self._velocity = _shorten(V, length, _MAX_PLANE_STEP)
        return self._arrive(Y + self._velocity)

    def _arrive(self, Y):
        return Y - Y.mean(axis=0)


class CurvedSteps:
    """Step along geodesics of a manifold, with one gain for each point.

    Gains of coordinates would make the result depend on the axes.
    """

    initial_momentum = 0.5

    def __init__(self, manifold):
        self._manifold = manifold
        self.reset()

    def reset(self):
        """Forget velocities and gains."""
        self._velocity, self._gains = None, 1.0

    def norm(self, Y, gradient):
        """Return the Riemannian length of the gradient of all points."""
        return float(np.linalg.norm(self._manifold._norm(Y, gradient)))

    def spread(self, Y):
        """Return the root mean square distance of the points from the first."""
        return float(np.linalg.norm(self._manifold._dist(Y[0], Y))) / math.sqrt(len(Y))

    def rate(self, rate, scale):
        """Return the learning rate for lengths in units of the square root of `scale`.

        In these units the gradient is that of the plane.
        """
        return rate * scale

    def __call__(self, Y, gradient, rate, momentum, scale=1.0):
        """Return the moved points."""
        manifold = self._manifold
        if self._velocity is None:
            self._velocity = np.zeros_like(Y)
        descending = manifold._inner(Y, self._velocity, gradient) < 0.0
        self._gains = _update_gains(self._gains, descending)
        gains = manifold._per_point(self._gains)
        V = momentum * self._velocity - rate * gains * gradient
        length = manifold._per_point(manifold._norm(Y, V))
        cap = min(_MAX_PLANE_STEP * math.sqrt(scale), _MAX_CURVED_STEP)
        V = _shorten(V, length, cap)
        moved = manifold._exp(Y, V)
        return self._arrive(moved, self._carry(Y, moved, V))

    def _carry(self, Y, moved, V):
        """Transport the velocities along their own geodesics."""
        if self._manifold._closed_form_transport:
            return self._manifold._transport(Y, moved, V)
        return -self._manifold._log(moved, Y)

    def _arrive(self, Y, V):
        """Remove rounding errors; keep the velocities and return the points."""
        Y = self._manifold._project(Y)
        self._velocity = self._manifold._project_tangent(Y, V)
        return Y


class HyperboloidSteps(CurvedSteps):
    """Step in hyperbolic space, centred after each step and within a radius."""

    def _arrive(self, Y, V):
        average = Y.mean(axis=0)
        squared = average[0] ** 2 - np.sum(average[1:] ** 2)
        if squared > 0.0:  # not cancelled
            boost = boost_to_origin(average / math.sqrt(squared))
            Y, V = Y @ boost, V @ boost
        return super()._arrive(_within(Y, _MAX_RADIUS), V)


def boost_to_origin(x):
    """Return the symmetric Lorentz boost that sends a point of unit norm to (1, 0)."""
    space = x[1:]
    boost = np.eye(x.size)
    boost[0, 0] = x[0]
    boost[0, 1:] = boost[1:, 0] = -space
    boost[1:, 1:] += np.outer(space, space) / (1.0 + x[0])
    return boost


def _within(Y, radius):
    """Return points of the unit hyperboloid, drawn in to a radius where beyond it."""
    length = np.linalg.norm(Y[:, 1:], axis=1, keepdims=True)
    space = _shorten(Y[:, 1:], length, math.sinh(radius))
    return np.hstack([np.sqrt(1.0 + np.sum(space**2, axis=1, keepdims=True)), space])


def steps_for(target):
    """Return the steps that suit a target manifold."""
    if isinstance(target, Euclidean):
        return PlaneSteps()
    if isinstance(target, Hyperboloid):
        return HyperboloidSteps(target)
    return CurvedSteps(target)
