"""Hand the descent in the plane over to openTSNE's interpolated repulsion."""

import math

import numpy as np
from scipy import sparse

from geolearn.embedding._sne_optimizer import Descent

__all__ = ["descend_fft"]

_CHECK_EVERY = 50
_MOMENTUM = 0.8
# Our gradient has the factor 4 of the derivative, openTSNE's has not.
_RATE_FACTOR = 4.0


class _Watch:
    """Report the divergence, and stop openTSNE when it no longer falls."""

    def __init__(self, schedule, progress):
        self._patience, self._progress = schedule.n_iter_without_progress, progress
        self._best, self._best_iter = math.inf, 0
        self._offset, self.n_iter = 0, 0
        self._may_stop = False

    def begin_plain(self):
        """Start the phase without exaggeration, in which stopping is allowed."""
        self._offset, self._best_iter, self._may_stop = self.n_iter, self.n_iter, True

    def __call__(self, iteration, error, embedding):
        self.n_iter = self._offset + iteration
        self._progress("iteration %4d, KL %.4f", self.n_iter, error)
        if self._may_stop and error < self._best:
            self._best, self._best_iter = error, self.n_iter
        return self._may_stop and self.n_iter - self._best_iter > self._patience


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

    watch = _Watch(schedule, progress)
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
        done, rate = watch.n_iter, schedule.learning_rate
        layout.optimizer = type(layout.optimizer)()  # velocities and gains anew
        layout.optimize(
            n_iter,
            inplace=True,
            exaggeration=exaggeration,
            momentum=_MOMENTUM,
            learning_rate=n / exaggeration
            if isinstance(rate, str)
            else _RATE_FACTOR * rate,
        )
        stopped = watch.n_iter if watch.n_iter % n_iter else done + n_iter
        watch.n_iter = max(done + n_iter, stopped) if exaggeration != 1.0 else stopped
    return Descent(
        np.array(layout, dtype=np.float64),
        1.0,
        float(layout.kl_divergence),
        watch.n_iter,
    )
