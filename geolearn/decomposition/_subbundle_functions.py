"""Hamiltonian and exponential map of principal subbundles without an estimator."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_curved import curved_field
from geolearn.decomposition._subbundle_field import INTEGRATORS, euclidean_field
from geolearn.decomposition._subbundle_types import ENERGY_DRIFT
from geolearn.manifolds import Euclidean, Hyperboloid, Sphere, get_manifold
from geolearn.utils.validation import check_integer, check_points, check_positive

__all__ = [
    "SubbundleExp",
    "SubbundleHamiltonian",
    "principal_subbundle_exp",
    "principal_subbundle_hamiltonian",
]


class SubbundleHamiltonian(NamedTuple):
    """Hold the Hamiltonian at m positions and momenta, and its flow.

    Attributes
    ----------
    energy : ndarray of shape (m,)
        Half the squared length of the projected momentum.
    velocity : ndarray of shape (m, n_features)
        Time derivative of the position: the projected momentum.
    force : ndarray of shape (m, n_features)
        Time derivative of the momentum.
    """

    energy: np.ndarray
    velocity: np.ndarray
    force: np.ndarray


class SubbundleExp(NamedTuple):
    """Hold the ends of m curves, NaN where `status` is 1 or 3.

    Attributes
    ----------
    points : ndarray of shape (m, n_features)
        Positions at time 1.
    covectors : ndarray of shape (m, n_features)
        Momenta at time 1.
    status : ndarray of shape (m,), int8
        0 fine, 1 left the support of the data, 2 energy not conserved, 3 the rank is
        not defined on the way (eigenvalues cross).
    reached : ndarray of shape (m,)
        Time from 0 to 1 up to which a curve was followed.
    path : ndarray of shape (m, n_records + 1, n_features) or None
        Positions at equal times, NaN after a curve was stopped.
    """

    points: np.ndarray
    covectors: np.ndarray
    status: np.ndarray
    reached: np.ndarray
    path: np.ndarray | None


def manifold_of(manifold, X):
    """Return the manifold and the checked samples."""
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2:
        raise ValueError(f"X must have shape (n_samples, n_features), got {X.shape}.")
    manifold = get_manifold(manifold, X.shape[1])
    if not isinstance(manifold, Euclidean | Sphere | Hyperboloid):
        raise ValueError(
            f"manifold={manifold!r} must be 'euclidean', 'sphere', 'hyperboloid', or "
            "an instance of Euclidean, Sphere or Hyperboloid; map other data to "
            "vectors first."
        )
    return manifold, check_points(manifold, X)


def _starts(manifold, points, momenta, name):
    """Return positions and momenta of one shape (m, d)."""
    points = np.atleast_2d(np.asarray(points, dtype=np.float64))
    points = check_points(manifold, points, name=name)
    momenta = np.atleast_2d(np.asarray(momenta, dtype=np.float64))
    d = points.shape[1]
    if momenta.ndim != 2 or momenta.shape[1] != d:
        raise ValueError(
            f"covectors must have shape (m, {d}) or ({d},), got {momenta.shape}."
        )
    if not np.isfinite(momenta).all():
        raise ValueError(
            "covectors must be finite; drop the rows with NaN or infinity."
        )
    if len(points) != len(momenta) and 1 not in (len(points), len(momenta)):
        raise ValueError(
            f"{name} has {len(points)} rows and covectors {len(momenta)}; pass as many "
            "of both, or one of one."
        )
    points, momenta = np.broadcast_arrays(points, momenta)
    return np.ascontiguousarray(points), np.ascontiguousarray(momenta)


def field_of(manifold, X, **options):
    if isinstance(manifold, Euclidean):
        return euclidean_field(X, **options)
    return curved_field(X, manifold, **options)


def principal_subbundle_hamiltonian(
    X: Any,
    points: Any,
    covectors: Any,
    *,
    n_components: int = 2,
    bandwidth: float,
    manifold: Any = "euclidean",
    kernel: str = "gaussian",
    support: float | None = None,
    sample_weight: Any = None,
    n_jobs: int | None = None,
) -> SubbundleHamiltonian:
    r"""Evaluate the Hamiltonian of the principal subbundle and its flow [1]_.

    At a point p the samples, weighted by their distance, have a local mean and a local
    covariance; P(p) projects onto its k leading eigenvectors. The Hamiltonian is
    :math:`H(p, \eta) = \frac12 \eta^\top P(p) \eta`, whose flow are the geodesics of
    the subbundle.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Data that define the subspaces.
    points : array-like of shape (m, n_features) or (n_features,)
        Positions p, anywhere in the space.
    covectors : array-like of shape (m, n_features) or (n_features,)
        Momenta :math:`\eta`.
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
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.

    Returns
    -------
    result : SubbundleHamiltonian
        Named tuple of `energy` (m,), `velocity` and `force` (m, n_features), NaN
        where no sample has a weight.

    Raises
    ------
    ValueError
        If `X`, `points` or `covectors` are not finite, do not fit together, or a
        parameter is out of its range.

    Notes
    -----
    The force is the closed form of the derivative; the eigenvectors themselves, which
    are not smooth, are never differentiated. The Gaussian weight is let go smoothly
    over the outermost sixth of the squared support, since a jump would be missing
    from the derivative.

    References
    ----------
    .. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles
       for dimension reduction", 2023, arXiv:2307.03128.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.decomposition import principal_subbundle_hamiltonian
    >>> x = np.linspace(-1.5, 1.5, 13)
    >>> result = principal_subbundle_hamiltonian(
    ...     np.column_stack([x, x**2 / 2]),
    ...     [0.5, 0.1],
    ...     [1.0, 0.5],
    ...     n_components=1,
    ...     bandwidth=0.5,
    ... )
    >>> result.energy.round(6)
    array([0.617968])
    """
    manifold, X = manifold_of(manifold, X)
    points, covectors = _starts(manifold, points, covectors, "points")
    field = field_of(
        manifold,
        X,
        n_components=n_components,
        bandwidth=bandwidth,
        kernel=kernel,
        support=support,
        sample_weight=sample_weight,
    )
    return SubbundleHamiltonian(*field.hamiltonian(points, covectors, n_jobs=n_jobs))


def principal_subbundle_exp(
    X: Any,
    base: Any,
    covectors: Any,
    *,
    n_components: int = 2,
    bandwidth: float,
    manifold: Any = "euclidean",
    kernel: str = "gaussian",
    support: float | None = None,
    sample_weight: Any = None,
    step: float = 0.25,
    integrator: str = "rk4",
    n_records: int | None = None,
    n_jobs: int | None = None,
) -> SubbundleExp:
    r"""Follow the geodesics of the principal subbundle for unit time [1]_.

    The curves are tangent to the local principal subspaces of data. The length of one
    is the norm of the projection of its covector to the subspace at its base.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Data that define the subspaces.
    base : array-like of shape (n_features,) or (m, n_features)
        Where the curves start, on the data or near them.
    covectors : array-like of shape (m, n_features) or (n_features,)
        Momenta at the start. In the subspace at the base they are the initial
        velocities, and the ends are points of the principal submanifold.
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
    step : float, default=0.25
        Length of an integration step over the bandwidth.
    integrator : {"rk4", "dop853", "symplectic_euler"}, default="rk4"
        Order 4 with equal steps, order 8 with error control, or order 1.
    n_records : int or None, default=None
        Number of equal stretches of time whose end positions are returned as `path`;
        None returns no path.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.

    Returns
    -------
    result : SubbundleExp
        Named tuple of `points` and `covectors` (m, n_features), `status` (m,) as 0
        fine, 1 left the support of the data, 2 energy not conserved, 3 rank not
        defined on the way, `reached` (m,), the time up to which a curve was followed,
        and `path`.

    Raises
    ------
    ValueError
        If `X`, `base` or `covectors` are not finite, do not fit together, or a
        parameter is out of its range.

    Warns
    -----
    UserWarning
        If the energy of a curve changes by more than a thousandth of it even with
        half the step.

    Notes
    -----
    A curve is stopped where it is farther from every sample than twice the bandwidth
    and twice the spacing of the samples, where less than k + 1 samples bear weight,
    or where eigenvalues k and k + 1 agree to a thousandth.

    References
    ----------
    .. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles
       for dimension reduction", 2023, arXiv:2307.03128.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.decomposition import principal_subbundle_exp
    >>> angle = np.linspace(0.0, 2 * np.pi, 100, endpoint=False)
    >>> X = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> result = principal_subbundle_exp(
    ...     X, X[0], [0.0, np.pi / 2], n_components=1, bandwidth=0.1
    ... )
    >>> abs(result.points).round(3)
    array([[0., 1.]])
    """
    check_positive(step, "step")
    if integrator not in INTEGRATORS:
        raise ValueError(
            f"integrator must be one of {INTEGRATORS}, got {integrator!r}."
        )
    if n_records is not None:
        check_integer(n_records, "n_records")
    manifold, X = manifold_of(manifold, X)
    base, covectors = _starts(manifold, base, covectors, "base")
    field = field_of(
        manifold,
        X,
        n_components=n_components,
        bandwidth=bandwidth,
        kernel=kernel,
        support=support,
        sample_weight=sample_weight,
    )
    shot = field.shoot(
        base,
        covectors,
        step=step,
        integrator=integrator,
        record=n_records,
        momentum=True,
        n_jobs=n_jobs,
    )
    drifted = shot.status == ENERGY_DRIFT
    if drifted.any():
        warnings.warn(
            f"the energy of {drifted.sum()} of {len(drifted)} curves changes by up to "
            f"{shot.drift[drifted].max():.1e} of it; lower step={step} or raise the "
            "bandwidth.",
            stacklevel=2,
        )
    return SubbundleExp(
        shot.points, shot.covectors, shot.status, shot.reached, shot.path
    )
