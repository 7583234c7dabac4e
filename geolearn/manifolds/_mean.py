"""The weighted Fréchet mean: curvature-stepped descent along geodesics."""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from geolearn.manifolds.special import coth_minus_inverse
from geolearn.utils.validation import (
    check_integer,
    check_points,
    check_positive,
    check_sample_weight,
)

__all__ = [
    "FrechetMean",
    "Starts",
    "descend",
    "improves",
    "mean_of_points",
    "solve_mean",
]

_HIDDEN = 1e-10  # relative rise of the objective that may be only rounding
_MAX_HALVINGS = 40
_CALLER = 6  # stack level of the caller of `Manifold.frechet_mean`


class FrechetMean(NamedTuple):
    """Hold a Fréchet mean and how it was reached.

    Parameters
    ----------
    mean : ndarray of shape point_shape
        Point with the least weighted mean of squared distances that was found.
    variance : float
        That least value.
    n_iter : int
        Number of steps; 0 for closed forms.
    gradient_norm : float
        Length of the weighted mean of the logarithms at `mean`; zero at a
        stationary point.
    converged : bool
        Whether `gradient_norm` is within the tolerance.
    """

    mean: np.ndarray
    variance: float
    n_iter: int
    gradient_norm: float
    converged: bool


class Starts(NamedTuple):
    """Say where the descents begin: given or projected average, then samples."""

    init: np.ndarray | None
    n_init: int
    rng: np.random.RandomState


def mean_of_points(
    manifold: Any,
    X: Any,
    sample_weight: Any,
    *,
    init: Any,
    n_init: int,
    tol: float,
    max_iter: int,
    random_state: Any,
    return_result: bool,
) -> "np.ndarray | FrechetMean":
    """Validate, solve and warn; see `Manifold.frechet_mean`."""
    dtype = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
    X = check_points(manifold, X)
    weight = check_sample_weight(sample_weight, len(X))
    n_init = check_integer(n_init, "n_init")
    max_iter = check_integer(max_iter, "max_iter", minimum=0)
    check_positive(tol, "tol")
    if init is not None:
        init = check_points(manifold, np.asarray(init)[None], name="init")[0]
    X, weight = X[weight > 0.0], weight[weight > 0.0]
    starts = Starts(init, n_init, check_random_state(random_state))
    result = manifold._solve_mean(X, weight, starts, tol, max_iter)
    result = result._replace(mean=result.mean.astype(dtype, copy=False))
    return result if return_result else result.mean


def solve_mean(manifold, X, weight, starts, tol, max_iter):
    """Return the mean of one manifold that is not a product."""
    mean = manifold._closed_form_mean(X, weight)
    if mean is not None:
        return _evaluate(manifold, X, weight, mean)
    best = _best_descent(manifold, X, weight, starts, tol, max_iter)
    _warn(manifold, X, weight, best, starts.n_init, tol)
    return best


def _evaluate(manifold, X, weight, mean):
    # At an exact minimum the gradient is zero but for rounding, which says
    # nothing; on cut loci it does not even exist.
    variance = float(np.sum(weight * manifold._dist(mean, X) ** 2))
    return FrechetMean(mean, variance, 0, 0.0, True)


def _best_descent(manifold, X, weight, starts, tol, max_iter):
    results, obstacle = [], None
    for start in _start_points(manifold, X, weight, starts):
        try:
            results.append(descend(manifold, X, weight, start, tol, max_iter))
        except ValueError as error:  # the start is on the cut locus of a sample
            obstacle = error
    if not results:
        raise ValueError(
            f"The Fréchet mean on {manifold!r} is not identifiable from this start: "
            f"{obstacle} Pass another init or a larger n_init."
        ) from obstacle
    return min(results, key=lambda result: result.variance)


def _start_points(manifold, X, weight, starts):
    points = [] if starts.init is None else [starts.init]
    if starts.init is None:
        try:
            points.append(manifold._mean_start(X, weight))
        except ValueError:
            if starts.n_init == 1:
                raise
    if starts.n_init > 1:
        points.extend(X[starts.rng.permutation(len(X))[: starts.n_init - 1]])
    return points


def descend(manifold, X, weight, start, tol, max_iter):
    """Minimise half the weighted mean of squared distances from one start."""
    state = _State(manifold, X, weight, start)
    n_iter = 0
    while not state.converged(tol) and n_iter < max_iter:
        following = _step(state)
        if following is None:  # no step lowers the objective: rounding level
            break
        state = following
        n_iter += 1
    return FrechetMean(
        state.x, state.variance, n_iter, state.gradient_norm, state.converged(tol)
    )


class _State:
    """Objective, gradient and distances at one point."""

    def __init__(self, manifold, X, weight, x):
        self.manifold, self.X, self.weight, self.x = manifold, X, weight, x
        logs = manifold._log(x, X)
        self.distances = manifold._norm(x, logs)
        self.variance = float(np.sum(weight * self.distances**2))
        self.descent = np.tensordot(weight, logs, axes=1)
        self.gradient_norm = float(manifold._norm(x, self.descent))

    def converged(self, tol):
        mean_distance = float(np.sum(self.weight * self.distances))
        return self.gradient_norm <= tol * max(
            self.manifold._length_scale, mean_distance
        )

    def step_size(self):
        """Return 2 / (1 + z): the Hessian lies between 1 and z."""
        low = self.manifold.sectional_curvature_bounds[0]
        if not -math.inf < low < 0.0:
            return 1.0
        t = math.sqrt(-low) * self.distances
        # t coth(t) = 1 + t (coth(t) - 1/t), without a division at zero
        bound = 1.0 + float(np.sum(self.weight * t * coth_minus_inverse(t)))
        return 2.0 / (1.0 + bound)


def improves(state, other):
    """Tell whether the objective fell, or stayed while the gradient fell.

    Rounding hides the fall of the objective long before that of the gradient: the
    first is of the order of the second squared.
    """
    rise = state.variance - other.variance
    if rise > 0.0 and state.gradient_norm < other.gradient_norm:
        return rise <= _HIDDEN * other.variance
    return rise <= 0.0


def _step(state):
    alpha = state.step_size()
    for _ in range(_MAX_HALVINGS):
        x = state.manifold._exp(state.x, alpha * state.descent)
        alpha /= 2.0
        try:
            following = _State(state.manifold, state.X, state.weight, x)
        except ValueError:  # beyond the cut locus of a sample: too far
            continue
        if improves(following, state):
            return following
    return None


def _warn(manifold, X, weight, result, n_init, tol):
    distances = manifold._dist(result.mean, X)
    if not result.converged:
        mean_distance = float(np.sum(weight * distances))
        wanted = tol * max(manifold._length_scale, mean_distance)
        warnings.warn(
            f"The Fréchet mean on {manifold!r} stopped after {result.n_iter} steps "
            f"with gradient norm {result.gradient_norm:.1e}, wanted {wanted:.1e}. "
            f"Raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=_CALLER,
        )
    bound = _uniqueness_radius(manifold)
    if n_init == 1 and bound < math.inf:
        radius = float(np.max(distances))
        if radius >= bound:
            warnings.warn(
                f"The Fréchet mean on {manifold!r} may not be unique: the points "
                f"reach {radius:.3g} from it, and uniqueness is certain only within "
                f"{bound:.3g}. Compare several starts with n_init, e.g. n_init=10.",
                UserWarning,
                stacklevel=_CALLER,
            )


def _uniqueness_radius(manifold):
    """Return the radius of balls in which every mean is unique."""
    highest = manifold.sectional_curvature_bounds[1]
    conjugate = math.inf
    if 0.0 < highest < math.inf:
        conjugate = math.pi / math.sqrt(highest)
    return 0.5 * min(manifold.injectivity_radius, conjugate)
