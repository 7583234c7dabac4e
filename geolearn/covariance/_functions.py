"""The geometry of SPD matrices as plain functions; thin calls of `SPD`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from geolearn.covariance._matrices import prepare, square_manifold
from geolearn.manifolds import FrechetMean
from geolearn.manifolds.spd import kernel_inner
from geolearn.utils.validation import check_positive

__all__ = [
    "is_spd",
    "nearest_spd",
    "spd_distance",
    "spd_exp",
    "spd_geodesic",
    "spd_inner",
    "spd_kernel",
    "spd_log",
    "spd_mean",
    "spd_pairwise_distances",
    "spd_tangent",
    "spd_transport",
    "spd_untangent",
]


def spd_distance(
    A: Any,
    B: Any,
    metric: str = "affine_invariant",
    squared: bool = False,
    **metric_params: Any,
) -> np.ndarray:
    r"""Return distances between SPD matrices.

    Parameters
    ----------
    A : array_like of shape (..., n, n)
        SPD matrices. "bures_wasserstein" and "euclidean" take semidefinite ones.
    B : array_like of shape (..., n, n)
        SPD matrices; leading axes broadcast against those of `A`.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
    squared : bool, default=False
        Whether to return squared distances. Kullback-Leibler and Jeffreys
        divergences are of the kind of squared distances, and the same either way.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (...)
        Distances.

    Raises
    ------
    ValueError
        If a matrix is not symmetric, or not positive definite where the metric needs
        that, or the metric is unknown or has no distance.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import spd_distance
    >>> A, B = np.array([[2.0, 1.0], [1.0, 2.0]]), np.diag([1.0, 3.0])
    >>> round(float(spd_distance(A, B, "log_euclidean")), 6)
    1.098612
    """
    manifold, A, B = prepare(metric, metric_params, A=A, B=B)
    return manifold.dist(A, B, squared=squared)


def spd_pairwise_distances(
    X: Any,
    Y: Any = None,
    metric: str = "affine_invariant",
    squared: bool = False,
    n_jobs: int | None = None,
    **metric_params: Any,
) -> np.ndarray:
    r"""Return the table of distances between two sets of SPD matrices.

    Parameters
    ----------
    X : array_like of shape (n_x, n, n)
        SPD matrices.
    Y : array_like of shape (n_y, n, n), default=None
        SPD matrices; None takes `X` and halves the work.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
    squared : bool, default=False
        Whether to return squared distances, as in `spd_distance`.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (n_x, n_y)
        Distances.

    Raises
    ------
    ValueError
        As `spd_distance`.
    """
    manifold, X, Y = prepare(metric, metric_params, X=X, Y=Y)
    return manifold.pairwise_distances(X, Y, squared=squared, n_jobs=n_jobs)


def spd_mean(
    X: Any,
    metric: str = "affine_invariant",
    sample_weight: Any = None,
    init: Any = None,
    tol: float = 1e-8,
    max_iter: int = 50,
    return_info: bool = False,
    *,
    n_jobs: int | None = None,
    **metric_params: Any,
) -> "np.ndarray | FrechetMean":
    r"""Return the weighted Fréchet mean of SPD matrices.

    Parameters
    ----------
    X : array_like of shape (n_matrices, n, n)
        SPD matrices.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
    sample_weight : array_like of shape (n_matrices,), default=None
        Non-negative weights, of any sum; None weighs all matrices alike.
    init : array_like of shape (n, n), default=None
        Start of the iteration, for metrics without a closed form.
    tol : float, default=1e-8
        Tolerance of the iteration, the same in all units; see
        :meth:`~geolearn.manifolds.SPD.frechet_mean`.
    max_iter : int, default=50
        Largest number of steps.
    return_info : bool, default=False
        Whether to return the diagnostics with the mean.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (n, n) or FrechetMean
        The mean; with `return_info` a named tuple of `mean`, `variance`, `n_iter`,
        `gradient_norm` and `converged`.

    Raises
    ------
    ValueError
        If the metric has no mean, a matrix is not symmetric positive definite, a
        weight is negative, or all are zero.

    Warns
    -----
    ConvergenceWarning
        If the criterion is above `tol` after `max_iter` steps.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import spd_mean
    >>> X = np.array([np.diag([1.0, 4.0]), np.diag([9.0, 1.0])])
    >>> spd_mean(X).round(6)
    array([[3., 0.],
           [0., 2.]])
    """
    manifold = square_manifold(X, metric, metric_params, "X")
    return manifold.frechet_mean(
        X,
        sample_weight,
        init=init,
        tol=tol,
        max_iter=max_iter,
        return_result=return_info,
        n_jobs=n_jobs,
    )


def spd_log(
    P: Any, Q: Any, metric: str = "affine_invariant", **metric_params: Any
) -> np.ndarray:
    r"""Return Riemannian logarithms, initial velocities of geodesics from P to Q.

    Parameters
    ----------
    P : array_like of shape (..., n, n)
        SPD matrices.
    Q : array_like of shape (..., n, n)
        SPD matrices; leading axes broadcast against those of `P`.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (..., n, n)
        Symmetric matrices.

    Raises
    ------
    ValueError
        If the metric has no logarithm, or a matrix is not symmetric positive definite.
    """
    manifold, P, Q = prepare(metric, metric_params, P=P, Q=Q)
    return manifold.log(P, Q)


def spd_exp(
    P: Any, V: Any, metric: str = "affine_invariant", **metric_params: Any
) -> np.ndarray:
    r"""Return Riemannian exponentials; undo `spd_log`.

    Parameters
    ----------
    P : array_like of shape (..., n, n)
        SPD matrices.
    V : array_like of shape (..., n, n)
        Symmetric matrices; leading axes broadcast against those of `P`.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (..., n, n)
        SPD matrices.

    Raises
    ------
    ValueError
        If the metric has no exponential, the geodesic leaves the SPD matrices (under
        metrics that are not complete), or P is not positive definite.
    """
    manifold, P, V = prepare(metric, metric_params, P=P, V=V)
    return manifold.exp(P, V)


def spd_geodesic(
    A: Any, B: Any, t: Any, metric: str = "affine_invariant", **metric_params: Any
) -> np.ndarray:
    r"""Return points of the geodesic from A to B.

    Parameters
    ----------
    A : array_like of shape (..., n, n)
        SPD matrices at time 0.
    B : array_like of shape (..., n, n)
        SPD matrices at time 1.
    t : array_like of float
        Times, of any sign, which broadcast against the leading axes.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (..., n, n)
        SPD matrices.

    Raises
    ------
    ValueError
        As `spd_exp`.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import spd_geodesic
    >>> spd_geodesic(np.eye(2), np.diag([4.0, 9.0]), 0.5).round(6)
    array([[2., 0.],
           [0., 3.]])
    """
    manifold, A, B = prepare(metric, metric_params, A=A, B=B)
    return manifold.geodesic(A, B, t)


def spd_transport(
    P: Any, Q: Any, V: Any, metric: str = "affine_invariant", **metric_params: Any
) -> np.ndarray:
    r"""Return tangent vectors transported parallel along geodesics.

    Parameters
    ----------
    P : array_like of shape (..., n, n)
        SPD matrices where `V` is tangent.
    Q : array_like of shape (..., n, n)
        SPD matrices of destination.
    V : array_like of shape (..., n, n)
        Symmetric matrices.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
        "bures_wasserstein" has no closed form: its transport is integrated, with
        relative errors near 1e-8 where eigenvalues change up to tenfold.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (..., n, n)
        Symmetric matrices, tangent at `Q`.

    Raises
    ------
    ValueError
        If the metric has no transport, or a matrix is not symmetric positive definite.
    """
    manifold, P, Q, V = prepare(metric, metric_params, P=P, Q=Q, V=V)
    return manifold.transport(P, Q, V)


def spd_inner(
    P: Any,
    U: Any,
    V: Any,
    metric: str = "affine_invariant",
    *,
    kernel: str | Callable | None = None,
    **metric_params: Any,
) -> np.ndarray:
    r"""Return inner products of tangent vectors.

    Parameters
    ----------
    P : array_like of shape (..., n, n)
        SPD matrices.
    U : array_like of shape (..., n, n)
        Symmetric matrices.
    V : array_like of shape (..., n, n)
        Symmetric matrices.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`; not looked at
        when `kernel` is given.
    kernel : str or callable, default=None
        Name or function phi(x, y) of a kernel metric, see
        :func:`~geolearn.manifolds.spd.kernel_inner`.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`;
        with `kernel` only `power`.

    Returns
    -------
    ndarray of shape (...)
        Inner products.

    Raises
    ------
    ValueError
        If the metric has no inner product, a parameter has no meaning, or P is not
        positive definite.
    """
    if kernel is None:
        manifold, P, U, V = prepare(metric, metric_params, P=P, U=U, V=V)
        return manifold.inner(P, U, V)
    unknown = sorted(set(metric_params) - {"power"})
    if unknown:
        raise ValueError(f"{unknown[0]} has no meaning with kernel; only power has.")
    _, P, U, V = prepare("affine_invariant", {}, P=P, U=U, V=V)
    return kernel_inner(P, U, V, kernel, **metric_params)


def spd_tangent(
    X: Any,
    reference: Any,
    metric: str = "affine_invariant",
    *,
    n_jobs: int | None = None,
    **metric_params: Any,
) -> np.ndarray:
    r"""Return matrices as tangent vectors at a reference, in orthonormal coordinates.

    Parameters
    ----------
    X : array_like of shape (..., n, n)
        SPD matrices.
    reference : array_like of shape (..., n, n)
        SPD matrix where the vectors are tangent, or as many as there are matrices.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`, which
        describes the coordinates.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (..., n (n + 1) / 2)
        Vectors whose Euclidean length is the distance from the reference.

    Raises
    ------
    ValueError
        As `spd_log`.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import spd_tangent
    >>> A, B = np.array([[2.0, 1.0], [1.0, 2.0]]), np.diag([1.0, 3.0])
    >>> spd_tangent(B, A).round(4)
    array([-0.5207, -0.8503,  0.5207])
    """
    manifold, X, reference = prepare(metric, metric_params, X=X, reference=reference)
    return manifold.log_vector(reference, X, n_jobs=n_jobs)


def spd_untangent(
    vectors: Any,
    reference: Any,
    metric: str = "affine_invariant",
    *,
    n_jobs: int | None = None,
    **metric_params: Any,
) -> np.ndarray:
    r"""Return matrices from orthonormal coordinates; undo `spd_tangent`.

    Parameters
    ----------
    vectors : array_like of shape (..., n (n + 1) / 2)
        Coordinates.
    reference : array_like of shape (..., n, n)
        SPD matrix where the vectors are tangent, or as many as there are vectors.
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (..., n, n)
        SPD matrices.

    Raises
    ------
    ValueError
        As `spd_exp`.
    """
    manifold, reference = prepare(metric, metric_params, reference=reference)
    return manifold.exp_vector(reference, vectors, n_jobs=n_jobs)


def spd_kernel(
    X: Any,
    Y: Any = None,
    kind: str = "linear",
    metric: str = "affine_invariant",
    reference: Any = None,
    gamma: float | None = None,
    *,
    n_jobs: int | None = None,
    **metric_params: Any,
) -> np.ndarray:
    r"""Return the kernel matrix between two sets of SPD matrices.

    Parameters
    ----------
    X : array_like of shape (n_x, n, n)
        SPD matrices.
    Y : array_like of shape (n_y, n, n), default=None
        SPD matrices; None takes `X`.
    kind : {"linear", "gaussian"}, default="linear"
        "linear": inner products of the tangent vectors at the reference.
        "gaussian": exp(-gamma d^2), which is positive definite for every gamma under
        flat metrics only (log-Euclidean, log-Cholesky, power-Euclidean ...).
    metric : str, default="affine_invariant"
        Name or alias of a metric of :class:`~geolearn.manifolds.SPD`.
    reference : array_like of shape (n, n), default=None
        SPD matrix; "linear" only. None takes the Fréchet mean of `X`.
    gamma : float, default=None
        Positive factor; "gaussian" only. None takes 2 / (n (n + 1)), one over the
        dimension.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.
    **metric_params : dict
        Further parameters of the metric: `alpha`, `beta`, `power`, `metric_matrix`.

    Returns
    -------
    ndarray of shape (n_x, n_y)
        Kernel matrix.

    Raises
    ------
    ValueError
        If `kind` is unknown, a parameter belongs to the other kind, or the metric
        has no logarithm ("linear") or distance ("gaussian").
    """
    manifold, X, Y, reference = prepare(
        metric, metric_params, X=X, Y=Y, reference=reference
    )
    if kind == "linear":
        if gamma is not None:
            raise ValueError(
                f"gamma={gamma!r} has no meaning for kind='linear'; leave it at None."
            )
        if reference is None:
            reference = manifold.frechet_mean(X, n_jobs=n_jobs)
        V = manifold.log_vector(reference, X, n_jobs=n_jobs)
        W = V if Y is None else manifold.log_vector(reference, Y, n_jobs=n_jobs)
        return V @ W.T
    if kind != "gaussian":
        raise ValueError(f"kind={kind!r} must be 'linear' or 'gaussian'.")
    if reference is not None:
        raise ValueError(
            "reference has no meaning for kind='gaussian'; leave it at None."
        )
    gamma = 1.0 / manifold.dim if gamma is None else check_positive(gamma, "gamma")
    D = manifold.pairwise_distances(X, Y, squared=True, n_jobs=n_jobs)
    return np.exp(np.multiply(D, -gamma, out=D), out=D)


def is_spd(X: Any) -> np.ndarray:
    r"""Tell which matrices are symmetric positive definite in double precision.

    Parameters
    ----------
    X : array_like of shape (..., n, n)
        Square matrices.

    Returns
    -------
    ndarray of bool of shape (...)
        Whether each matrix is finite, symmetric up to 1e-8 of its largest entry, and
        has a Cholesky factor whose squared diagonal is above n times the rounding
        unit times the largest diagonal entry.

    Raises
    ------
    ValueError
        If the matrices are not square.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import is_spd
    >>> is_spd([np.eye(2), np.ones((2, 2))])
    array([ True, False])
    """
    return square_manifold(X, "affine_invariant", {}, "X").belongs(X)


def nearest_spd(X: Any, eps: float = 1e-12) -> np.ndarray:
    r"""Return symmetric parts with eigenvalues raised to a share of the largest.

    The result is the nearest matrix in Frobenius norm with such eigenvalues.
    Matrices that have them already are only symmetrised.

    Parameters
    ----------
    X : array_like of shape (..., n, n)
        Square matrices.
    eps : float, default=1e-12
        Smallest eigenvalue allowed, relative to the largest absolute eigenvalue of
        the matrix; between 0 and 1.

    Returns
    -------
    ndarray of shape (..., n, n)
        SPD matrices.

    Raises
    ------
    ValueError
        If the matrices are not square, hold NaN or infinity, one is zero, or `eps` is
        out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import nearest_spd
    >>> nearest_spd(np.diag([4.0, -1.0]), eps=0.25)
    array([[4., 0.],
           [0., 1.]])
    """
    manifold = square_manifold(X, "affine_invariant", {}, "X")
    if not 0.0 < check_positive(eps, "eps") <= 1.0:
        raise ValueError(f"eps={eps} must lie between 0 and 1.")
    return manifold.project(X, floor=eps)
