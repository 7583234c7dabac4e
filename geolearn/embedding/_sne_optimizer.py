"""The descent of a neighbour embedding: exaggeration, stopping, recovery, scale."""

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

__all__ = ["Descent", "ScaleSteps", "Schedule", "descend"]

_CHECK_EVERY = 50
_FINAL_MOMENTUM = 0.8
# The gradient has a factor 4 in flat space, which the rule of Belkina et al., the
# number of points over the exaggeration, does not count.
_RATE_PER_POINT = 0.25
# Spread, in units of the kernel, below which exaggeration has drawn all points to one
# and with them the start to rounding.
_COLLAPSED = 1e-6
_SCALE_RATE, _SCALE_MOMENTUM, _MAX_SCALE_STEP = 0.1, 0.5, 0.1


class Schedule(NamedTuple):
    """Say how long and how fast to descend; the parameters of `RieSNE`."""

    exaggeration: float = 12.0
    exaggeration_iter: int = 250
    max_iter: int = 750
    learning_rate: float | str = "auto"
    min_grad_norm: float = 1e-7
    n_iter_without_progress: int = 300
    learn_scale: bool = False


class Descent(NamedTuple):
    """Hold what a descent has found."""

    embedding: np.ndarray
    scale: float
    kl: float
    n_iter: int


class ScaleSteps:
    """Step on the logarithm of the kernel's scale."""

    def __init__(self):
        self._velocity = 0.0

    def __call__(self, scale, slope):
        """Return the scale after one step against the slope in its logarithm."""
        velocity = _SCALE_MOMENTUM * self._velocity - _SCALE_RATE * slope
        self._velocity = min(max(velocity, -_MAX_SCALE_STEP), _MAX_SCALE_STEP)
        return scale * math.exp(self._velocity)


def descend(
    objective: Callable[..., Any],
    Y: np.ndarray,
    steps: Any,
    *,
    scale: float = 1.0,
    schedule: Schedule | None = None,
    progress: Callable[..., None] | None = None,
) -> Descent:
    """Minimise an objective of points by exaggerated, then plain momentum steps.

    Parameters
    ----------
    objective : callable
        ``objective(Y, scale, exaggeration, want_kl=bool)`` returns a record of
        `kl`, `gradient` (Riemannian) and `dkl_dlogscale`.
    Y : ndarray of shape (n, ...)
        Start; not modified.
    steps : PlaneSteps or CurvedSteps
        What moves the points.
    scale : float, default=1.0
        Scale of the kernel at the start.
    schedule : Schedule, default=None
        Lengths, rates and tolerances.
    progress : callable, default=None
        Called as ``progress(format, *args)`` every 50 iterations.

    Returns
    -------
    Descent
        Points, scale, divergence without exaggeration and number of iterations.

    Warns
    -----
    ConvergenceWarning
        If numbers overflow twice, the second time with half the learning rate.
    """
    run = _Run(objective, Y, steps, scale, schedule or Schedule(), progress)
    n_first = min(run.schedule.exaggeration_iter, run.schedule.max_iter)
    run.phase(n_first, run.schedule.exaggeration, steps.initial_momentum)
    if run.spread() < _COLLAPSED:
        run.Y = Y
    run.phase(run.schedule.max_iter, 1.0, _FINAL_MOMENTUM)
    return run.result()


class _Run:
    """One descent under way."""

    def __init__(self, objective, Y, steps, scale, schedule, progress):
        self.objective, self.steps, self.schedule = objective, steps, schedule
        self.progress = progress or (lambda message, *args: None)
        self.Y, self.scale = Y, scale
        self.previous = (Y, scale)  # the last state with finite values
        self.slowdown = 1.0
        self.n_iter = 0
        self.failed = False

    def phase(self, until, exaggeration, momentum):
        """Iterate up to a total number of iterations, or until at rest."""
        self.steps.reset()
        scale_steps = ScaleSteps()
        best, best_iter = math.inf, self.n_iter
        plain = exaggeration == 1.0
        while self.n_iter < until and not self.failed:
            check = (self.n_iter + 1) % _CHECK_EVERY == 0
            value = self._evaluate(exaggeration, check)
            if value is None:
                self._recover()
                scale_steps = ScaleSteps()
                continue
            if check:
                norm = self.steps.norm(self.Y, value.gradient)
                self._report(value, norm)
                if value.kl < best:
                    best, best_iter = value.kl, self.n_iter
                patience = self.schedule.n_iter_without_progress
                stuck = plain and self.n_iter - best_iter > patience
                # Points near each other feel no force, but are not at rest.
                rest = self.schedule.min_grad_norm * min(1.0, self.spread())
                if stuck or norm < rest:
                    return
            self._step(value, exaggeration, momentum)
            if plain and self.schedule.learn_scale:
                self.scale = scale_steps(self.scale, value.dkl_dlogscale)

    def spread(self):
        """Return the root mean square distance from one point, in kernel units."""
        return self.steps.spread(self.Y) / math.sqrt(self.scale)

    def _step(self, value, exaggeration, momentum):
        rate = self.schedule.learning_rate
        if isinstance(rate, str):
            rate = _RATE_PER_POINT * len(self.Y) / exaggeration
        rate = self.slowdown * self.steps.rate(rate, self.scale)
        self.previous = (self.Y, self.scale)
        with np.errstate(over="ignore", invalid="ignore"):  # checked before use
            self.Y = self.steps(self.Y, value.gradient, rate, momentum, self.scale)
        self.n_iter += 1

    def _evaluate(self, exaggeration, want_kl):
        """Return the objective, or None if it or the points are not finite."""
        # A sum of finite numbers overflows only far beyond any embedding.
        if not math.isfinite(np.sum(self.Y)):
            return None
        value = self.objective(self.Y, self.scale, exaggeration, want_kl=want_kl)
        finite = math.isfinite(np.sum(value.gradient))
        if self.schedule.learn_scale:
            finite = finite and math.isfinite(value.dkl_dlogscale)
        return value if finite else None

    def _recover(self):
        """Return to the last finite state, once; then give up."""
        self.Y, self.scale = self.previous
        self.steps.reset()
        if self.slowdown == 1.0:
            self.slowdown = 0.5
        else:
            self._give_up("again after the learning rate was halved")

    def _give_up(self, when):
        self.failed = True
        warnings.warn(
            f"The descent gave values that are not finite at iteration {self.n_iter} "
            f"of {self.schedule.max_iter}, {when}; the last finite embedding is kept. "
            f"Lower learning_rate={self.schedule.learning_rate!r} or change the start.",
            ConvergenceWarning,
            stacklevel=6,
        )

    def _report(self, value, norm):
        self.progress(
            "iteration %4d, KL %.4f, gradient %.1e, scale %.3g",
            self.n_iter + 1,
            value.kl,
            norm,
            self.scale,
        )

    def result(self):
        """Evaluate the divergence at the last points that are finite."""
        value = self._evaluate(1.0, True)
        if value is None:
            self.Y, self.scale = self.previous
            self._give_up("in the last step")
            value = self.objective(self.Y, self.scale, 1.0, want_kl=True)
        return Descent(self.Y, float(self.scale), float(value.kl), self.n_iter)
