"""The chart of the training samples, made once, and of samples beside them."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from geolearn.decomposition._principal_subbundle_input import known_rows
from geolearn.decomposition._subbundle_chart import ChartResult, chart, extend_chart
from geolearn.decomposition._subbundle_log import NOT_CONVERGED, log_map
from geolearn.decomposition._subbundle_types import LEFT_SUPPORT, OK, SINGULAR
from geolearn.utils._progress import Progress

__all__ = ["Placed", "TrainingChart", "curve_options", "search_options"]


_N_STARTS = 8  # nearest samples among which one with coordinates is sought


class Placed(NamedTuple):
    """Hold the coordinates of samples, their distances from the surface and status."""

    v: np.ndarray
    residual: np.ndarray
    status: np.ndarray


def curve_options(estimator) -> dict[str, Any]:
    """Return how curves are integrated."""
    return {
        "step": estimator.step,
        "integrator": estimator.integrator,
        "n_jobs": estimator.n_jobs,
    }


def search_options(estimator) -> dict[str, Any]:
    """Return how coordinates are searched for."""
    options = {"max_iter": estimator.max_iter, "tol": estimator.tol}
    return options | curve_options(estimator)


def _tell_lost(estimator, found):
    """Say which connected samples got no coordinates, or inexact ones, and why."""
    n, k = len(found.v), estimator.n_components_
    left, open_, singular = (
        int(np.sum((found.status == status) & found.connected))
        for status in (LEFT_SUPPORT, NOT_CONVERGED, SINGULAR)
    )
    reasons = [f"the curves to {left} leave the data (status 1)"] * (left > 0)
    if singular:
        reasons.append(f"eigenvalues {k} and {k + 1} meet on {singular} (status 3)")
    if reasons:
        warnings.warn(
            f"{left + singular} of {n} samples get no coordinates: "
            f"{', '.join(reasons)}. Choose another base_point, a larger bandwidth "
            f"than {estimator.bandwidth_:.3g} or another n_components than {k}.",
            UserWarning,
            stacklevel=5,
        )
    if open_:
        warnings.warn(
            f"The coordinates of {open_} of {n} samples (status 2) are not within "
            f"tol={estimator.tol:g} bandwidths: max_iter={estimator.max_iter} curves "
            f"were too few, or no step came nearer. Raise max_iter or the bandwidth "
            f"{estimator.bandwidth_:.3g}.",
            ConvergenceWarning,
            stacklevel=5,
        )


class TrainingChart:
    """Chart the distinct training samples, sorted, when it is first asked for.

    Two threads that ask at once compute the same chart twice.
    """

    def __init__(self, points, field, base, frame, seed):
        self._points = points
        self._start = field, base, frame
        self._seed = seed
        self._found: ChartResult | None = None

    def place(self, estimator, X, rows=None) -> Placed:
        """Return the coordinates of samples, old ones by looking them up.

        `rows` are the rows of the training points that equal them, if known, or -1.
        """
        known = self.found(estimator)
        rows = known_rows(X, self._points) if rows is None else rows
        placed = Placed(known.v[rows], known.residual[rows], known.status[rows])
        new = np.flatnonzero(rows < 0)
        if len(new):
            found = self._extend(estimator, known, X[new])
            for whole, part in zip(placed, found, strict=True):
                whole[new] = part
        return placed

    def found(self, estimator) -> ChartResult:
        """Return the chart of the training samples."""
        if self._found is None:
            field, base, frame = self._start
            found = chart(
                field,
                base,
                frame,
                self._points,
                init=estimator.init,
                n_directions=estimator.n_directions,
                radius=estimator.radius,
                random_state=self._seed,
                progress=Progress(estimator.verbose, __name__),
                **search_options(estimator),
            )
            _tell_lost(estimator, found)
            if not estimator.store_jacobian:
                found = found._replace(jacobian=None, hessian=None)
            self._found = found
        return self._found

    def _extend(self, estimator, known, Y):
        if known.jacobian is None:
            return self._search(estimator, known, Y)
        found = extend_chart(
            *self._start, known, self._points, Y, **search_options(estimator)
        )
        return Placed(found.v, found.residual, found.status)

    def _search(self, estimator, known, Y):
        """Start at the nearest sample that has coordinates, without derivatives."""
        field, k = self._start[0], min(_N_STARTS, len(self._points))
        lengths, found = field.neighbors(Y, k, estimator.n_jobs)
        ok = known.status[found] == OK
        near = ok.any(axis=1)
        near &= lengths[:, 0] <= 2.0 * max(field.bandwidth, field.spacing)
        v0 = known.v[found[np.arange(len(Y)), ok.argmax(axis=1)]]
        placed = Placed(
            np.full_like(v0, np.nan),
            np.full(len(Y), np.nan),
            np.full(len(Y), LEFT_SUPPORT, dtype=np.int8),
        )
        if near.any():
            result = log_map(
                *self._start, Y[near], v0[near], **search_options(estimator)
            )
            placed.v[near], placed.residual[near] = result.v, result.residual
            placed.status[near] = result.status
        return placed
