"""Hand the descent in the plane over to openTSNE's interpolated repulsion."""

import math

import numpy as np
from scipy import sparse

from geolearn.embedding._sne_optimizer import Descent

__all__ = ["Watch", "descend_fft"]

_CHECK_EVERY = 50
_MOMENTUM = 0.8
# Our gradient has the factor 4 of the derivative, openTSNE's has not.
_RATE_FACTOR = 4.0


class Watch:
    """Report the divergence, and stop openTSNE when it no longer falls."""

    def __init__(self, schedule, progress):
        self._patience, self._progress = schedule.n_iter_without_progress, progress
        self._best, self._best_iter = math.inf, 0
        self._before, self.n_iter = 0, 0
        self._may_stop, self._stopped = False, False

    def begin_plain(self):
        """Start the phase without exaggeration, in which stopping is allowed."""
        self._best_iter, self._may_stop = self._before, True

    def end(self, n_iter):
        """Count the iterations of a phase, unless it was stopped."""
        if not self._stopped:
            self.n_iter = self._before + n_iter
        self._before = self.n_iter

    def __call__(self, iteration, error, embedding):
        self.n_iter = self._before + iteration
        self._progress("iteration %4d, KL %.4f", self.n_iter, error)
        if self._may_stop and error < self._best:
            self._best, self._best_iter = error, self.n_iter
        too_long = self.n_iter - self._best_iter > self._patience
        self._stopped = self._may_stop and too_long
        return self._stopped


def descend_fft(P, Y, *, schedule, progress, n_jobs=None) -> Descent:
    """Minimise the divergence in the plane with openTSNE.

    Parameters
    ----------
    P : csr_array or ndarray of shape (n, n)
        Joint probabilities.
    Y : ndarray of shape (n, 1) or (n, 2)
        Start.
    schedule : Schedule
        Lengths, rates and tolerances; `min_grad_norm` has no equivalent.
    progress : callable
        Called as ``progress(format, *args)`` every 50 iterations.
    n_jobs : int, default=None
        Number of threads; None means 1.

    Returns
    -------
    Descent
        Points, scale 1, divergence and number of iterations.
    """
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PrecomputedAffinities

    watch = Watch(schedule, progress)
    layout = TSNEEmbedding(
        np.array(Y),
        # openTSNE scales the matrix in place
        PrecomputedAffinities(sparse.csr_matrix(P, copy=True), normalize=False),
        negative_gradient_method="fft",
        n_jobs=1 if n_jobs is None else n_jobs,
        callbacks=[watch],
        callbacks_every_iters=_CHECK_EVERY,
    )
    n = len(Y)
    n_first = min(schedule.exaggeration_iter, schedule.max_iter)
    phases = ((n_first, schedule.exaggeration), (schedule.max_iter - n_first, 1.0))
    for n_iter, exaggeration in phases:
        if not n_iter:
            continue
        if exaggeration == 1.0:
            watch.begin_plain()
        rate = schedule.learning_rate
        rate = n / exaggeration if isinstance(rate, str) else _RATE_FACTOR * rate
        layout.optimizer = type(layout.optimizer)()  # velocities and gains anew
        layout.optimize(
            n_iter,
            inplace=True,
            exaggeration=exaggeration,
            momentum=_MOMENTUM,
            learning_rate=rate,
        )
        watch.end(n_iter)
    return Descent(np.array(layout), 1.0, float(layout.kl_divergence), watch.n_iter)
