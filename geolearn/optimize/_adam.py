"""Riemannian Adam: adaptive gradient steps for many points of a manifold at once."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from geolearn.manifolds import (
    Euclidean,
    Hyperboloid,
    Manifold,
    ProductManifold,
    Sphere,
)
from geolearn.optimize._adam_kernels import step as step_products
from geolearn.optimize._adam_schedule import Schedule
from geolearn.utils._threads import matrix_threads
from geolearn.utils.validation import check_positive

# Curvatures of the manifolds whose steps are compiled.
_CURVATURE: dict[type, Callable[[Any], float]] = {
    Euclidean: lambda manifold: 0.0,
    Hyperboloid: lambda manifold: manifold.curvature,
    Sphere: lambda manifold: 1.0 / manifold.radius**2,
}


class AdamResult(NamedTuple):
    """Hold what `RiemannianAdam.minimize` found.

    Attributes
    ----------
    point : ndarray of the shape of the start
        Points of the lowest loss seen, or the last ones if the loss is stochastic.
    loss : float
        Loss at `point`; the last evaluated one if it is stochastic.
    loss_curve : ndarray of shape (n_iter,)
        Loss before each step.
    n_iter : int
        Number of evaluations.
    converged : bool
        Whether the loss came to rest before `max_iter`.
    """

    point: np.ndarray
    loss: float
    loss_curve: np.ndarray
    n_iter: int
    converged: bool


class _Component(NamedTuple):
    manifold: Manifold
    start: int
    stop: int
    scale: float


def _components(manifold, start=0, scale=1.0):
    """Return the factors of a product, also of nested ones, as a flat list."""
    size = math.prod(manifold.point_shape)
    if type(manifold) is not ProductManifold:
        return [_Component(manifold, start, start + size, scale)]
    found = []
    for factor, own in zip(manifold.manifolds, manifold._weights, strict=True):
        found += _components(factor, start, scale * own)
        start = found[-1].stop
    return found


def _compiled_table(components):
    """Return the description of the components to the kernel, or None."""
    if not all(type(component.manifold) in _CURVATURE for component in components):
        return None
    return np.array(
        [
            (c.start, c.stop, _CURVATURE[type(c.manifold)](c.manifold), c.scale)
            for c in components
        ]
    )


class RiemannianAdam:
    """Minimise functions of points on a manifold by adaptive gradient steps [1]_.

    For each point and each factor of a product manifold, a running mean m of the
    Riemannian gradients g and one running mean v of their squared lengths give::

        m <- beta_1 m + (1 - beta_1) g,    v <- beta_2 v + (1 - beta_2) norm(g)^2,
        x <- exp_x(-learning_rate m / (1 - beta_1^t)
                   / (sqrt(v / (1 - beta_2^t)) + epsilon)),

    and m is transported along that geodesic. On a line this is Adam. All points
    move at once; products of hyperboloids, flat spaces and spheres in compiled
    code, other manifolds through their own methods. The paper has no bias
    correction, the factors 1 - beta^t.

    Parameters
    ----------
    manifold : Manifold
        Where the points lie. The factors of a `ProductManifold` have second
        moments of their own.
    learning_rate : float, default=0.01
        Length of the first step of every point, positive, a geodesic length.
    betas : tuple of (float, float), default=(0.9, 0.999)
        Decay of the first and of the second moment, each in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the second moment, positive, in units of gradients.
    amsgrad : bool, default=False
        Whether the largest second moment so far replaces the present one.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.

    Attributes
    ----------
    n_steps_ : int
        Number of steps taken since the start or the last `reset`.
    first_moment_ : ndarray of shape (n_points, n_coordinates) or None
        Means m of the gradients, tangent at the present points.
    second_moment_ : ndarray of shape (n_points, n_factors) or None
        Means v of the squared lengths.

    Raises
    ------
    TypeError
        If `manifold` is not a Manifold or a number has the wrong type.
    ValueError
        If a number is out of its range.

    References
    ----------
    .. [1] G. Bécigneul, O.-E. Ganea, "Riemannian adaptive optimization methods",
       ICLR 2019, arXiv:1810.00760.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.manifolds import Hyperboloid
    >>> from geolearn.optimize import RiemannianAdam
    >>> plane = Hyperboloid(2)
    >>> target = plane.exp(plane.origin, [0.0, 1.0, 0.5])
    >>> def objective(x):
    ...     return float(plane.dist(x, target) ** 2), -2.0 * plane.log(x, target)
    >>> adam = RiemannianAdam(plane, learning_rate=0.1)
    >>> result = adam.minimize(objective, plane.origin, target=1e-10)
    >>> result.converged, float(plane.dist(result.point, target)) < 1e-4
    (True, True)
    """

    def __init__(
        self,
        manifold: Manifold,
        *,
        learning_rate: float = 0.01,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        amsgrad: bool = False,
        n_jobs: int | None = None,
    ):
        if not isinstance(manifold, Manifold):
            raise TypeError(f"manifold must be a Manifold, got {manifold!r}.")
        self.manifold = manifold
        self.learning_rate = check_positive(learning_rate, "learning_rate")
        self.betas = _check_betas(betas)
        self.epsilon = check_positive(epsilon, "epsilon")
        self.amsgrad = bool(amsgrad)
        self.n_jobs = n_jobs
        self._parts = _components(manifold)
        self._table = _compiled_table(self._parts)
        self.reset()

    def reset(self) -> None:
        """Forget the moments, as before the first step."""
        self.n_steps_ = 0
        self.first_moment_: np.ndarray | None = None
        self.second_moment_: np.ndarray | None = None
        self._largest: np.ndarray | None = None

    def step(
        self, X: Any, gradient: Any, *, learning_rate: float | None = None
    ) -> np.ndarray:
        r"""Return the points after one step.

        Parameters
        ----------
        X : array_like of shape (..., \*point_shape)
            Points on the manifold; the ones returned by the last step, since the
            moments belong to them. Not modified.
        gradient : array_like of the shape of `X`
            Riemannian gradient, tangent vectors at `X`.
        learning_rate : float, default=None
            Positive; None takes that of the optimizer.

        Returns
        -------
        ndarray of the shape of `X`
            New points, projected to the manifold.

        Raises
        ------
        ValueError
            If the shapes do not match each other, the manifold or the last step,
            or the gradient is not finite.
        """
        rate = self.learning_rate if learning_rate is None else learning_rate
        rate = check_positive(rate, "learning_rate")
        X, G = self._read(X, gradient)
        shape = X.shape
        rows = X.reshape(-1, self._parts[-1].stop).copy()
        G = np.ascontiguousarray(G.reshape(rows.shape))
        self._prepare(rows)
        self.n_steps_ += 1
        beta1, beta2 = self.betas
        numbers = (
            rate / (1.0 - beta1**self.n_steps_),
            beta1,
            beta2,
            1.0 - beta2**self.n_steps_,
            self.epsilon,
        )
        if self._table is None:
            self._step_by_methods(rows, G, numbers)
        else:
            with matrix_threads(self.n_jobs):
                step_products(
                    rows,
                    G,
                    self.first_moment_,
                    self.second_moment_,
                    self._largest,
                    self._table,
                    numbers,
                    self.amsgrad,
                )
        return rows.reshape(shape)

    def minimize(
        self,
        objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
        X: Any,
        *,
        max_iter: int = 1000,
        tol: float = 1e-6,
        patience: int = 25,
        n_decays: int = 0,
        burn_in: int = 0,
        target: float = -math.inf,
        stochastic: bool = False,
        callback: Callable[[int, float], None] | None = None,
    ) -> AdamResult:
        r"""Take steps until the loss comes to rest.

        The means of the loss over the last `patience` steps and over those before
        are compared: if it fell by at most `tol` times its size, the learning rate
        is lowered to three tenths, `n_decays` times; after that the loss is at
        rest. The moments start anew.

        Parameters
        ----------
        objective : callable
            Function of the points that returns the loss, a float, and its
            Riemannian gradient, an array of the shape of `X`.
        X : array_like of shape (..., \*point_shape)
            Start.
        max_iter : int, default=1000
            Largest number of evaluations, at least 1.
        tol : float, default=1e-6
            Relative fall of the loss that counts as none, non-negative.
        patience : int, default=25
            Number of steps in each mean, at least 1.
        n_decays : int, default=0
            How often the learning rate is lowered. A constant one leaves the
            points of a loss with kinks about one step away from the minimum.
        burn_in : int, default=0
            Number of first steps with a tenth of the learning rate.
        target : float, default=-inf
            Loss at which to stop at once.
        stochastic : bool, default=False
            Whether the loss is an estimate, so that the lowest one seen means
            nothing.
        callback : callable, default=None
            Called with the number of the step and the loss.

        Returns
        -------
        AdamResult
            Points, loss, and how it fell.

        Raises
        ------
        ValueError
            If the loss or its gradient is not finite, or a number is out of its
            range.
        """
        schedule = Schedule(max_iter, tol, patience, n_decays, burn_in, target)
        self.reset()
        X = self.manifold.project(np.asarray(X, dtype=np.float64))
        point, lowest = X, math.inf
        while True:
            loss, gradient = objective(X)
            rate = schedule.next(float(loss))
            if callback is not None:
                callback(len(schedule.losses), float(loss))
            if stochastic or loss < lowest:
                point, lowest = X, float(loss)
            if rate == 0.0:
                break
            X = self.step(X, gradient, learning_rate=rate * self.learning_rate)
        return AdamResult(
            point,
            lowest,
            np.array(schedule.losses),
            len(schedule.losses),
            schedule.converged,
        )

    def _read(self, X, gradient):
        """Return points and gradient in float64, or say what does not match."""
        X, G, _ = self.manifold._arrays(X, gradient)
        if X.shape != G.shape:
            raise ValueError(
                f"gradient has shape {G.shape}, but X has shape {X.shape}; pass one "
                f"tangent vector for each point."
            )
        if not np.isfinite(G).all():
            raise ValueError(
                "gradient contains NaN or infinity; check the objective, or lower "
                "learning_rate if the points have run away."
            )
        return X, G

    def _prepare(self, rows):
        """Make the moments at the first step, or check that they fit."""
        if self.first_moment_ is None:
            self.first_moment_ = np.zeros(rows.shape)
            self.second_moment_ = np.zeros((rows.shape[0], len(self._parts)))
            self._largest = np.zeros(self.second_moment_.shape)
        elif self.first_moment_.shape != rows.shape:
            raise ValueError(
                f"X holds {rows.shape[0]} points, but the moments belong to "
                f"{self.first_moment_.shape[0]}; call reset() before another problem."
            )

    def _step_by_methods(self, rows, gradient, numbers):
        """Move the rows in place by exp, transport and project of the factors."""
        rate, beta1, beta2, bias, epsilon = numbers
        for c, (manifold, start, stop, scale) in enumerate(self._parts):
            shape = (rows.shape[0], *manifold.point_shape)
            x, g, m = (
                array[:, start:stop].reshape(shape)
                for array in (rows, gradient, self.first_moment_)
            )
            m = beta1 * m + (1.0 - beta1) * g
            v = self.second_moment_[:, c]
            v[:] = beta2 * v + (1.0 - beta2) * scale * manifold.norm(x, g) ** 2
            if self.amsgrad:
                np.maximum(self._largest[:, c], v, out=self._largest[:, c])
                v = self._largest[:, c]
            size = manifold._per_point(rate / (np.sqrt(v / bias) + epsilon))
            y = manifold.project(manifold.exp(x, -size * m))
            m = manifold.project_tangent(y, manifold.transport(x, y, m))
            rows[:, start:stop] = y.reshape(len(rows), -1)
            self.first_moment_[:, start:stop] = m.reshape(len(rows), -1)


def _check_betas(betas):
    pair = tuple(float(beta) for beta in betas)
    if len(pair) != 2 or not all(0.0 <= beta < 1.0 for beta in pair):
        raise ValueError(
            f"betas={betas!r} must be two numbers in [0, 1), such as (0.9, 0.999)."
        )
    return pair
