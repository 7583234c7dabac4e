"""Charts: logarithms of all samples at one base, continued from sample to sample."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_fan import shoot_fan
from geolearn.decomposition._subbundle_graph import (
    N_NEIGHBORS,
    Graph,
    continue_logs,
)
from geolearn.decomposition._subbundle_log import (
    LogResult,
    in_frame,
    log_from_guess,
    log_from_models,
)
from geolearn.decomposition._subbundle_model import (
    Flow,
    Model,
    minimise,
)
from geolearn.decomposition._subbundle_space import (
    distance_of_gap,
    metric_of,
    squared_gap,
)
from geolearn.decomposition._subbundle_types import LEFT_SUPPORT, OK
from geolearn.graph import NeighborIndex, select_landmarks

MAX_LANDMARKS = 5000
_INITS = ("graph", "fan", "tangent")
_TRUST = 0.5  # longest step of a landmark's model over the bandwidth


class ChartResult(NamedTuple):
    """Coordinates of n samples; NaN where `status` is 1 or 3.

    Attributes
    ----------
    v : ndarray of shape (n, k)
        Coordinates in the frame at the base.
    points : ndarray of shape (n, d)
        Nearest points of the principal submanifold.
    residual : ndarray of shape (n,)
        Distances of the samples to them.
    status : ndarray of shape (n,), int8
        0 fine, 1 left the support or not connected, 2 not converged, 3 singular.
    n_iter : ndarray of int of shape (n,)
        Geodesics that were tried.
    connected : ndarray of bool of shape (n,)
        Whether samples are connected with the base point; known of landmarks only,
        True of others.
    landmarks : ndarray of int of shape (n_landmarks,)
        Samples whose derivatives are kept, increasing; all if there are few.
    jacobian : ndarray of shape (n_landmarks, d, k) or None
        Derivatives of the exponential map at their `v`; None if dropped since, and
        then the chart cannot be extended.
    hessian : ndarray of shape (n_landmarks, d, k, k) or None
        Second derivatives.
    """

    v: np.ndarray
    points: np.ndarray
    residual: np.ndarray
    status: np.ndarray
    n_iter: np.ndarray
    connected: np.ndarray
    landmarks: np.ndarray
    jacobian: np.ndarray | None
    hessian: np.ndarray | None

    def models(self, places) -> Model:
        """Return the models at the landmarks of some places."""
        rows = self.landmarks[places]
        J, B = np.asarray(self.jacobian), np.asarray(self.hessian)
        return Model(self.v[rows], self.points[rows], J[places], B[places])


def chart(
    field: Any,
    base: np.ndarray,
    frame: np.ndarray,
    X: np.ndarray,
    *,
    init: str = "graph",
    n_directions: int = 64,
    radius: float | None = None,
    max_iter: int = 15,
    tol: float = 1e-5,
    step: float = 0.25,
    integrator: str = "rk4",
    random_state: Any = 0,
    n_jobs: int | None = None,
    progress: Any = None,
) -> ChartResult:
    """Compute the logarithms of all samples at one base.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    base : ndarray of shape (d,)
        Where geodesics start.
    frame : ndarray of shape (d, k)
        Orthonormal frame of the subspace there.
    X : ndarray of shape (n, d)
        Samples. Beyond 5000 a random part of them serves as landmarks; the others
        are placed by the derivatives at the nearest one.
    init : {"graph", "fan", "tangent"}, default="graph"
        First guesses: those of neighbours on a graph, the nearest point of a fan, or
        the projection on the tangent space at the base.
    n_directions : int, default=64
        Directions of the fan.
    radius : float or None, default=None
        Length of its geodesics; None means the largest distance of a sample from the
        base. With `init="graph"` it is not used.
    max_iter, tol, step, integrator, n_jobs
        As in `log_map`.
    random_state : int, RandomState instance or None, default=0
        Draws landmarks.
    progress : Progress or None, default=None
        Told how many samples are done.

    Returns
    -------
    result : ChartResult
        Coordinates, one row a sample.
    """
    if init not in _INITS:
        raise ValueError(f"init must be one of {_INITS}, got {init!r}.")
    options = {"max_iter": max_iter, "tol": tol, "flow": Flow(step, integrator, n_jobs)}
    n = len(X)
    landmarks = np.arange(n)
    if n > MAX_LANDMARKS:
        landmarks = select_landmarks(
            MAX_LANDMARKS, n_samples=n, random_state=random_state
        )
    targets = np.ascontiguousarray(X[landmarks])
    connected = np.ones(len(targets), dtype=bool)
    if init == "graph":
        found, connected = _by_graph(field, base, frame, targets, options, progress)
    else:
        v0 = in_frame(field, base, frame, targets)
        if init == "fan":
            v0 = _fan_guess(field, base, frame, targets, radius, n_directions, options)
        found = log_from_guess(field, base, frame, targets, v0, **options)
    own = _as_chart(found, connected)
    if progress is not None:
        progress("chart: %d of %d converged", int((own.status == OK).sum()), len(own.v))
    if len(landmarks) == n:
        return own
    rest = np.setdiff1d(np.arange(n), landmarks)
    others = _place(field, base, frame, own, targets, X[rest], options, exact=False)
    others = _as_chart(others, np.ones(len(rest), dtype=bool))
    return _merged(own, others, landmarks, rest)


def _merged(own, others, landmarks, rest):
    """Return the chart of landmarks and others, in the order of the samples."""
    order = np.argsort(np.concatenate([landmarks, rest]))

    def both(name):
        return np.concatenate([getattr(own, name), getattr(others, name)])[order]

    return ChartResult(
        both("v"),
        both("points"),
        both("residual"),
        both("status"),
        both("n_iter"),
        both("connected"),
        landmarks,
        own.jacobian,
        own.hessian,
    )


def _as_chart(found, connected):
    return ChartResult(
        found.v,
        found.points,
        found.residual,
        found.status,
        found.n_iter,
        connected,
        np.arange(len(found.v)),
        found.jacobian,
        found.hessian,
    )


def _by_graph(field, base, frame, targets, options, progress):
    graph = Graph(field, targets, options["flow"].n_jobs)
    roots = graph.roots(base[None], options["flow"].n_jobs)
    inside = graph.components == graph.components[roots[0][0]]
    n_outside = int((~inside).sum())
    if n_outside:
        warnings.warn(
            f"{n_outside} of {len(targets)} samples are not connected with the base "
            f"point on the graph of {N_NEIGHBORS} nearest neighbours, and get no "
            f"coordinates (status 1); fit the parts of the data one by one.",
            UserWarning,
            stacklevel=4,
        )

    def report(n_known):
        if progress is not None:
            progress("chart: %d of %d samples", n_known, int(inside.sum()), level=2)

    found = continue_logs(
        field,
        base[None],
        frame[None],
        graph,
        roots,
        inside,
        report=report,
        **options,
    )
    return found, inside


def _fan_guess(field, base, frame, targets, radius, n_directions, options):
    """Return the coordinates of the points of a fan that are nearest to the targets."""
    if radius is None:
        radius = distance_of_gap(field, squared_gap(field, base, targets)).max()
    flow = options["flow"]
    fan = shoot_fan(
        field,
        base,
        frame,
        max(radius, field.bandwidth),
        n_directions,
        step=flow.step,
        integrator=flow.integrator,
        n_jobs=flow.n_jobs,
    )
    ok = fan.status == OK
    index = NeighborIndex.build(fan.points[ok], metric=metric_of(field))
    nearest = index.query(targets, 1, n_jobs=flow.n_jobs)[1][:, 0]
    return fan.v[ok][nearest]


def extend_chart(
    field: Any,
    base: np.ndarray,
    frame: np.ndarray,
    known: ChartResult,
    X: np.ndarray,
    Y: np.ndarray,
    *,
    max_iter: int = 15,
    tol: float = 1e-5,
    step: float = 0.25,
    integrator: str = "rk4",
    n_jobs: int | None = None,
) -> LogResult:
    """Compute the logarithms of new points from those of the nearest samples.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    base : ndarray of shape (d,)
        Where geodesics start.
    frame : ndarray of shape (d, k)
        Orthonormal frame of the subspace there.
    known : ChartResult
        Chart of the samples.
    X : ndarray of shape (n, d)
        The samples.
    Y : ndarray of shape (m, d)
        New points; the result for one does not depend on the others.
    max_iter, tol, step, integrator, n_jobs
        As in `log_map`.

    Returns
    -------
    result : LogResult
        Logarithms of the new points; status 1 for those far from the samples.
    """
    options = {"max_iter": max_iter, "tol": tol, "flow": Flow(step, integrator, n_jobs)}
    return _place(field, base, frame, known, X[known.landmarks], Y, options)


def _place(field, base, frame, known, landmarks, Y, options, exact=True):
    """Continue logarithms from the nearest landmarks to new points.

    Without `exact` the model at the landmark is minimised, and no geodesic is
    followed unless it is far.
    """
    n_jobs = options["flow"].n_jobs
    index = NeighborIndex.build(landmarks, metric=metric_of(field))
    k = min(N_NEIGHBORS, len(landmarks))
    lengths, found = index.query(Y, k, n_jobs=n_jobs)
    ok = known.status[known.landmarks[found]] == OK
    place = found[np.arange(len(Y)), ok.argmax(axis=1)]
    limit = max(2.0 * field.bandwidth, 2.0 * field.spacing)
    near = ok.any(axis=1)
    if len(known.landmarks) == len(known.v):
        near &= lengths[:, 0] <= limit
    starts = known.models(place)
    m, d, k = starts.jacobian.shape
    result = LogResult(
        np.full((m, k), np.nan),
        np.full((m, d), np.nan),
        np.full(m, np.nan),
        np.full(m, LEFT_SUPPORT, dtype=np.int8),
        np.zeros(m, dtype=np.intp),
        np.full((m, d, k), np.nan),
        np.full((m, d, k, k), np.nan),
    )
    rows = np.flatnonzero(near)
    if not exact:
        rows = _by_model(field, starts, Y, rows, result)
    if len(rows):
        solved = log_from_models(
            field, base, frame, Y[rows], starts.take(rows), **options
        )
        for whole, part in zip(result, solved, strict=True):
            whole[rows] = part
    return result


def _by_model(field, starts, Y, rows, result):
    """Fill in what the models tell; return the rows that are too far for them."""
    radius = np.full(len(rows), _TRUST * field.bandwidth)
    model = starts.take(rows)
    u, inside = minimise(field, model, Y[rows], radius, 1e-8 * field.bandwidth)
    moved = model.moved(u).take(inside)
    done = rows[inside]
    result.v[done], result.points[done] = moved.v, moved.points
    gap = squared_gap(field, moved.points, Y[done])
    result.residual[done] = distance_of_gap(field, gap)
    result.status[done] = OK
    result.jacobian[done], result.hessian[done] = moved.jacobian, moved.hessian
    return rows[~inside]
