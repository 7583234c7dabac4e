"""Logarithms of principal subbundles without an estimator."""

from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_chart import chart
from geolearn.decomposition._subbundle_field import INTEGRATORS
from geolearn.decomposition._subbundle_functions import field_of, manifold_of
from geolearn.decomposition._subbundle_model import Flow
from geolearn.decomposition._subbundle_reach import Reach
from geolearn.decomposition._subbundle_types import OK
from geolearn.utils._progress import Progress
from geolearn.utils.validation import check_integer, check_points, check_positive

__all__ = ["SubbundleLog", "principal_subbundle_log"]

_INITS = ("graph", "fan", "tangent")


class SubbundleLog(NamedTuple):
    """Hold logarithms of m points, NaN where `status` is 1 or 3.

    Attributes
    ----------
    v : ndarray of shape (m, n_components)
        Coordinates in `frame`; the norm of a row is the length of the curve.
    frame : ndarray of shape (n_features, n_components)
        Orthonormal basis of the subspace at the base, by decreasing eigenvalue.
    points : ndarray of shape (m, n_features)
        Ends of the curves.
    residual : ndarray of shape (m,)
        Distances from the ends to the points asked for.
    status : ndarray of shape (m,), int8
        0 found, 1 not connected or outside the support of the data, 2 not converged,
        3 the rank is not defined on the way (eigenvalues cross).
    """

    v: np.ndarray
    frame: np.ndarray
    points: np.ndarray
    residual: np.ndarray
    status: np.ndarray


def principal_subbundle_log(
    X: Any,
    base: Any,
    Y: Any = None,
    *,
    n_components: int = 2,
    bandwidth: float,
    manifold: Any = "euclidean",
    kernel: str = "gaussian",
    support: float | None = None,
    sample_weight: Any = None,
    init: str = "graph",
    max_iter: int = 15,
    tol: float = 1e-5,
    step: float = 0.25,
    integrator: str = "rk4",
    n_jobs: int | None = None,
    verbose: int = 0,
) -> SubbundleLog:
    r"""Find the curves from a base that end nearest to points [1]_.

    The curves are tangent to the local principal subspaces of data, and the shortest
    that are; the logarithm of a point is the initial velocity v of the one whose end
    is nearest to it.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Data that define the subspaces.
    base : array-like of shape (n_features,)
        Where curves start, on the data or near them.
    Y : array-like of shape (m, n_features), default=None
        Points to reach; None takes the rows of `X`.
    n_components : int, default=2
        Rank k of the subspaces, at most the dimension of the space.
    bandwidth : float
        Standard deviation of the weights, in the units of `X`.
    manifold : str or Manifold, default="euclidean"
        Space of the data: "euclidean", "sphere", "hyperboloid", or an instance of
        `Euclidean`, `Sphere` or `Hyperboloid`.
    kernel : {"gaussian", "tapered"}, default="gaussian"
        Weights of the samples; "tapered" ones vanish at `support` bandwidths.
    support : float, default=None
        Distance over the bandwidth beyond which samples have no weight; None means
        6, and 4 for "tapered".
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the samples; None weighs them alike.
    init : {"graph", "fan", "tangent"}, default="graph"
        Where searches start. "graph" goes from neighbour to neighbour through the
        data, from the base on. "fan" takes the nearest of points on 64 curves,
        "tangent" the projection of `Y` on the subspace at the base, which is good
        near the base only.
    max_iter : int, default=15
        Largest number of curves that are tried for a point.
    tol : float, default=1e-5
        Error of `v` over the bandwidth at which a search ends.
    step : float, default=0.25
        Length of an integration step over the bandwidth.
    integrator : {"rk4", "dop853", "symplectic_euler"}, default="rk4"
        Scheme that follows the curves.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.
    verbose : int, default=0
        1 logs the outcome, 2 every level of the graph.

    Returns
    -------
    result : SubbundleLog
        Named tuple of `v` (m, k), `frame` (n_features, k), `points` (m, n_features),
        `residual` (m,) and `status` (m,): 0 found, 1 not connected or outside the
        support of the data, 2 not converged, 3 rank not defined on the way.

    Raises
    ------
    ValueError
        If `X`, `base` or `Y` are not finite points of the manifold, or a parameter is
        out of its range.

    Warns
    -----
    UserWarning
        If part of the data is not connected with the base; it gets status 1.

    Notes
    -----
    Points beyond the cut locus have several logarithms, of which one is found.

    The method is not that of the paper: it minimises second-order models of the
    exponential map, which take k (k + 1) / 2 curves each, in a trust region. Along v
    they come from velocity and acceleration at the end of the curve, across from
    curves in turned directions.

    References
    ----------
    .. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles
       for dimension reduction", 2023, arXiv:2307.03128.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.decomposition import principal_subbundle_log
    >>> angle = np.linspace(0.0, 3.0, 61)
    >>> X = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> result = principal_subbundle_log(
    ...     X, X[20], X[[0, 40]], n_components=1, bandwidth=0.1
    ... )
    >>> abs(result.v.ravel()).round(2)
    array([1., 1.])
    """
    for name, value, known in (
        ("init", init, _INITS),
        ("integrator", integrator, INTEGRATORS),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {known}, got {value!r}.")
    check_integer(max_iter, "max_iter")
    check_positive(tol, "tol")
    check_positive(step, "step")
    manifold, X = manifold_of(manifold, X)
    base = np.asarray(base, dtype=np.float64)
    if base.ndim != 1:
        raise ValueError(
            f"base must be one point of shape (n_features,), got shape {base.shape}."
        )
    base = check_points(manifold, base[None], name="base")
    Y = None if Y is None else check_points(manifold, Y, name="Y")
    field = field_of(
        manifold,
        X,
        n_components=n_components,
        bandwidth=bandwidth,
        kernel=kernel,
        support=support,
        sample_weight=sample_weight,
    )
    frame = field.frame(base, n_jobs=n_jobs)[0]
    found = _logs(
        field,
        base,
        frame,
        X if Y is None else Y,
        "chart" if Y is None and init == "graph" else init,
        {"max_iter": max_iter, "tol": tol, "flow": Flow(step, integrator, n_jobs)},
        Progress(verbose, __name__),
    )
    return SubbundleLog(found.v, frame, found.points, found.residual, found.status)


def _logs(field, base, frame, Y, init, options, progress):
    """Return the logarithms by the way that is named."""
    if init == "graph":
        found = Reach(field, Y, options).logs(base, frame[None])
        progress("%d of %d logarithms found", np.sum(found.status == OK), len(Y))
        return found
    flow = options["flow"]
    return chart(
        field,
        base[0],
        frame,
        Y,
        init="graph" if init == "chart" else init,
        max_iter=options["max_iter"],
        tol=options["tol"],
        step=flow.step,
        integrator=flow.integrator,
        n_jobs=flow.n_jobs,
        progress=progress,
    )
