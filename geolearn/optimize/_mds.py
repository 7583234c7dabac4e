"""Metric multidimensional scaling: weighted stress, from start to final axes."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from geolearn.optimize._checks import (
    check_dissimilarity,
    check_n_components,
    check_weights,
)
from geolearn.optimize._classical import coordinates, top_gram_pairs
from geolearn.optimize._sgd import learning_rates, sgd
from geolearn.optimize._smacof import raw_stress, smacof
from geolearn.utils._progress import Progress

SOLVERS = ("auto", "sgd", "smacof", "classical")

# Epochs of the pair updates, and more of them where weights differ much:
# strong pairs move at full length until the rate falls below their inverse.
_EPOCHS = 15
_EPOCHS_UNEVEN = 60
_UNEVEN = 100.0

# Weights below this share of the largest do not stretch the schedule: with
# weights over 40 decades it would stay at full steps for most epochs.
_WEAKEST = 1e-5

# Last learning rate times the largest weight. A tenth of it leaves the stress
# unchanged, ten times it costs about 0.1 %.
_LAST_RATE = 1e-3

# The classical start need not be exact, but symmetric data should stay so.
_START_TOLERANCE = 1e-4

# Points nearer than this share of the largest dissimilarity have no direction.
_COINCIDENT = 1e-12

# The start is shaken by this share of its extent. It separates points on which
# the projection falls together and fills empty dimensions, which are both
# stationary although never minima.
_SHAKE = 1e-6

# Stress-1 below which a start is an exact solution and is not shaken.
_EXACT = 1e-10


@dataclass(frozen=True)
class MDSResult:
    """Hold a metric multidimensional scaling and how it was reached.

    Parameters
    ----------
    embedding : ndarray of shape (n, n_components)
        Coordinates, centred, along their principal axes; the entry of largest
        modulus in each column is positive. In the units of `D`.
    stress : float
        Stress-1, sqrt(sum w (d - D)^2 / sum w D^2) with d the distances in the
        embedding: 0 is perfect, 0.05 good, above 0.2 poor.
    n_iter : int
        Number of sweeps over all pairs: epochs of the stochastic gradient plus
        iterations of the majorisation; 0 for the classical solution.
    converged : bool
        False if majorisation stopped at `max_iter`.
    """

    embedding: np.ndarray
    stress: float
    n_iter: int
    converged: bool


def _check_options(solver, init, max_iter, tol, n_epochs):
    if solver not in SOLVERS:
        raise ValueError(f"solver={solver!r} must be one of {', '.join(SOLVERS)}.")
    if isinstance(init, str) and init != "classical":
        raise ValueError(f"init={init!r} must be 'classical' or an array.")
    if solver == "classical" and not isinstance(init, str):
        raise ValueError("solver='classical' has no start; leave init='classical'.")
    for name, value in (("max_iter", max_iter), ("n_epochs", n_epochs)):
        if name == "n_epochs" and value is None:
            continue
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name}={value!r} must be an integer of at least 1.")
    if not isinstance(tol, Real) or not 0.0 <= tol < np.inf:
        raise ValueError(f"tol={tol!r} must be a finite number >= 0.")


def _check_init(init, n, n_components):
    Y = np.array(init, dtype=np.float64)
    if Y.shape != (n, n_components):
        raise ValueError(
            f"init must have shape (n, n_components)=({n}, {n_components}); got "
            f"{Y.shape}."
        )
    if not np.isfinite(Y).all():
        raise ValueError("init must be finite; it holds NaN or infinite entries.")
    return Y


def principal_axes(Y):
    """Centre `Y`, rotate it to its principal axes and fix the signs."""
    Y = Y - Y.mean(axis=0)
    scale = np.abs(Y).max()
    if scale == 0.0:
        return Y
    _, axes = np.linalg.eigh((Y / scale).T @ (Y / scale))
    Y = Y @ axes[:, ::-1]
    pivots = np.take_along_axis(Y, np.abs(Y).argmax(axis=0)[None], axis=0)
    return np.where(pivots < 0.0, -Y, Y)


def _classical_start(D, n_components, rng):
    tol = _START_TOLERANCE
    values, vectors, _ = top_gram_pairs(D, n_components, tol=tol, rng=rng)
    return coordinates(values, vectors)


def _shaken(Y, largest, rng):
    extent = np.sqrt(np.mean((Y - Y.mean(axis=0)) ** 2))
    if extent == 0.0:
        extent = largest
    return Y + _SHAKE * extent * rng.standard_normal(Y.shape)


def _rates(n_epochs, spread):
    """Return the learning rates for weights of the range `spread`, None if unit."""
    low, high = (1.0, 1.0) if spread is None else (spread[1], spread[2])
    if n_epochs is None:
        n_epochs = _EPOCHS_UNEVEN if high > _UNEVEN * low else _EPOCHS
    return learning_rates(n_epochs, max(low, _WEAKEST * high), high, _LAST_RATE)


def _warn_not_converged(gain, tol, max_iter):
    warnings.warn(
        f"metric_mds: after max_iter={max_iter} majorisation steps the stress still "
        f"fell by {gain:.2g} of the total in the last one, wanted tol={tol:g}. "
        "Increase max_iter or tol, or begin with solver='auto', whose stochastic "
        "gradient needs fewer steps afterwards.",
        ConvergenceWarning,
        stacklevel=3,
    )


def metric_mds(
    D,
    n_components=2,
    *,
    weights=None,
    solver="auto",
    init="classical",
    max_iter=300,
    tol=1e-7,
    n_epochs=None,
    random_state=None,
    n_jobs=None,
    verbose=0,
) -> MDSResult:
    """Find points whose distances approximate given dissimilarities.

    Minimises ``sum_{i<j} w_ij (|y_i - y_j| - D_ij)^2`` over the coordinates. The
    stochastic gradient [1]_ comes near a good minimum in few sweeps over the
    pairs; majorisation [2]_ then lowers the stress in every step.

    Parameters
    ----------
    D : array-like of shape (n, n)
        Symmetric, non-negative, finite dissimilarities with zero diagonal;
        float32 or float64, never written to. Computations are in float64.
    n_components : int, default=2
        Number of coordinates, between 1 and n - 1.
    weights : array-like of shape (n, n) or None, default=None
        Symmetric, non-negative weights w; 0 leaves a pair out, the diagonal is
        ignored. None weighs all pairs alike.
    solver : {"auto", "sgd", "smacof", "classical"}, default="auto"
        "sgd" is the stochastic gradient alone, "smacof" majorisation alone,
        "auto" both in turn. "classical" returns the classical solution, which
        ignores the weights.
    init : "classical" or array-like of shape (n, n_components), default="classical"
        Where to start. The solution is a local minimum near the start.
    max_iter : int, default=300
        Largest number of majorisation steps.
    tol : float, default=1e-7
        Majorisation stops when a step lowers the stress by at most `tol` times
        sum_{i<j} w_ij D_ij^2.
    n_epochs : int or None, default=None
        Sweeps of the stochastic gradient. None means 15, or 60 if the largest
        weight is over 100 times the smallest positive one.
    random_state : int, RandomState instance or None, default=None
        Draws the order of the pair updates and a perturbation of the start of
        relative size 1e-6, without which coincident points would stay together.
        Pass an int for reproducible results, also across any `n_jobs`.
    n_jobs : int or None, default=None
        Number of threads of the majorisation; None means 1, -1 all. The
        stochastic gradient is sequential.
    verbose : int, default=0
        1 logs the stages, 2 every sweep.

    Returns
    -------
    MDSResult
        Record with `embedding`, `stress` (stress-1), `n_iter` and `converged`.

    Raises
    ------
    ValueError
        If `D` or `weights` is not a symmetric, finite, non-negative (n, n)
        array, or a parameter is out of its range.

    Warns
    -----
    ConvergenceWarning
        If majorisation stops at `max_iter`.

    Notes
    -----
    Beside `D` and `weights` the stochastic gradient holds half an n x n array
    in the precision of `D` (its diagonals in the order of the updates), and
    another half for weights. The other solvers hold n * n_components numbers.

    The updates follow [1]_ with the pairs in the order of the diagonals of the
    randomly permuted matrix, which gives the same stress as a full shuffle and
    reads the memory in order.

    References
    ----------
    .. [1] J. X. Zheng, S. Pawar, D. F. M. Goodman, "Graph drawing by stochastic
       gradient descent", IEEE TVCG 25, 2019, arXiv:1710.04626.
    .. [2] J. de Leeuw, "Applications of convex analysis to multidimensional
       scaling", Recent Developments in Statistics, 1977.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.optimize import metric_mds
    >>> X = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    >>> D = np.linalg.norm(X[:, None] - X, axis=-1)
    >>> result = metric_mds(D, n_components=2, random_state=0)
    >>> Y = result.embedding
    >>> np.linalg.norm(Y[:, None] - Y, axis=-1).round(6)
    array([[0., 4., 3.],
           [4., 0., 5.],
           [3., 5., 0.]])
    """
    result, gain = scale(
        D,
        n_components,
        weights=weights,
        solver=solver,
        init=init,
        max_iter=max_iter,
        tol=tol,
        n_epochs=n_epochs,
        random_state=random_state,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    if not result.converged:
        _warn_not_converged(gain, tol, max_iter)
    return result


def scale(
    D,
    n_components,
    *,
    weights=None,
    solver="auto",
    init="classical",
    max_iter=300,
    tol=1e-7,
    n_epochs=None,
    random_state=None,
    n_jobs=None,
    verbose=0,
) -> tuple[MDSResult, float]:
    """Do what `metric_mds` does, but leave the warning to the caller.

    Also returns how much of the total the stress fell by in the last step of the
    majorisation.
    """
    _check_options(solver, init, max_iter, tol, n_epochs)
    D, extent = check_dissimilarity(D, n_jobs)
    n = D.shape[0]
    n_components = check_n_components(n_components, n)
    W, spread = (None, None) if weights is None else check_weights(weights, n, n_jobs)
    rng = check_random_state(random_state)
    problem = {"tiny": _COINCIDENT * extent.largest, "n_jobs": n_jobs}
    total = raw_stress(D, W, np.zeros((n, 1)), **problem)
    if total == 0.0:
        return MDSResult(np.zeros((n, n_components)), 0.0, 0, True), 0.0
    progress = Progress(verbose, __name__)

    if isinstance(init, str):
        Y = _classical_start(D, n_components, rng)
    else:
        Y = _check_init(init, n, n_components)
    stress, n_iter, gain = raw_stress(D, W, Y, **problem), 0, 0.0
    progress("start: stress-1 %.6g", np.sqrt(stress / total))
    if solver != "classical" and stress > _EXACT**2 * total:
        Y = _shaken(Y, extent.largest, rng)
    if solver in ("auto", "sgd"):
        rates = _rates(n_epochs, spread)
        Y = sgd(D, W, Y, rates, rng=rng, progress=progress, **problem)
        n_iter += len(rates)
    if solver in ("auto", "smacof"):
        limits = {"max_iter": max_iter, "tol": tol, "total": total}
        Y, stress, steps, gain = smacof(D, W, Y, progress=progress, **limits, **problem)
        n_iter += steps
    elif solver == "sgd":
        stress = raw_stress(D, W, Y, **problem)
    progress("%d sweeps: stress-1 %.6g", n_iter, np.sqrt(stress / total))
    converged = bool(gain <= tol * total)
    stress_1 = float(np.sqrt(stress / total))
    return MDSResult(principal_axes(Y), stress_1, n_iter, converged), gain / total
