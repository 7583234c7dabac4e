"""The objective of stochastic neighbour embedding on a target manifold."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from geolearn.embedding import _sne_objective_sums as sums
from geolearn.manifolds import Manifold, get_manifold
from geolearn.utils.validation import check_points, check_positive

__all__ = ["KERNELS", "METHODS", "SNEObjective", "SNEValue", "sne_objective"]

KERNELS = ("student", "student_chordal", "brownian", "vmf")
METHODS = ("exact", "barnes_hut")

_TOLERANCE = 1e-6  # of the sum of P, and of its symmetry relative to its largest entry


class SNEValue(NamedTuple):
    """Hold the objective and its derivatives.

    Parameters
    ----------
    kl : float
        Divergence of q from the joint probabilities, without exaggeration; 0.0
        where it was not asked for.
    gradient : ndarray of shape (n_samples, ...)
        Riemannian gradient: one tangent vector at each point.
    dkl_dlogscale : float
        Derivative in the logarithm of the scale.
    """

    kl: float
    gradient: np.ndarray
    dkl_dlogscale: float


class SNEObjective:
    """Evaluate the divergence and its Riemannian gradient for fixed affinities.

    Planes, spheres and hyperboloids of curvature 0, 1 and -1 and any dimension
    have compiled loops over all pairs, which store no pair; other manifolds are
    evaluated through their `log` and `dist` in blocks of rows.

    Parameters
    ----------
    P : ndarray or csr_array of shape (n_samples, n_samples)
        Symmetric joint probabilities with zero diagonal and sum 1.
    target : Manifold
        Where the points lie.
    kernel : {"student", "student_chordal", "brownian", "vmf"}
        Kernel of the embedding. "vmf" needs a sphere; "student" alone is offered
        on manifolds without compiled loops.
    method : {"exact", "barnes_hut"}, default="exact"
        How the repulsion is summed: over all pairs, or over the cells of a tree,
        in at most three (ambient) coordinates of a plane or sphere.
    angle : float, default=0.5
        Largest ratio of the extent of a cell to its distance from a point at
        which it counts as one point; 0 is exact.
    n_jobs : int or None, default=None
        Number of threads, which does not change the result.

    Raises
    ------
    ValueError
        If the kernel, method or angle is unknown or does not go with the target.
    """

    def __init__(self, P, *, target, kernel, method="exact", angle=0.5, n_jobs=None):
        _check_choices(target, kernel, method, angle)
        self.target, self.kernel = target, kernel
        self.method, self.angle, self.n_jobs = method, float(angle), n_jobs
        if sparse.issparse(P):
            P = sparse.csr_array(P)
            self.P = sparse.csr_array(
                (np.ascontiguousarray(P.data, dtype=np.float64), P.indices, P.indptr),
                shape=P.shape,
            )
            p = self.P.data
        else:
            p = self.P = np.ascontiguousarray(P, dtype=np.float64)
        p = p[p > 0.0]
        self._entropy = float(np.sum(p * np.log(p)))

    def __call__(self, Y, scale=1.0, exaggeration=1.0, want_kl=True):
        """Return the objective at points of the target.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, ...)
            Points of the target, float64; they are not checked.
        scale : float, default=1.0
            Scale tau of the kernel, positive.
        exaggeration : float, default=1.0
            Factor of `P` in the gradient and in the derivative in the scale.
        want_kl : bool, default=True
            Whether to compute the divergence; it takes a logarithm a pair.

        Returns
        -------
        SNEValue
            Value and derivatives.
        """
        if sums.curvature_sign(self.target) is None:
            total = sums.manifold_sums(self.P, Y, self.target, scale, want_kl)
        else:
            total = sums.compiled_sums(
                self.P,
                Y,
                self.target,
                self.kernel,
                float(scale),
                want_cost=want_kl,
                angle=self.angle if self.method == "barnes_hut" else None,
                n_jobs=self.n_jobs,
            )
        return SNEValue(
            self._entropy + total.cost if want_kl else 0.0,
            2.0 * (total.repulsion - exaggeration * total.attraction),
            exaggeration * total.p_slope - total.q_slope,
        )


def _check_choices(target, kernel, method, angle):
    if kernel not in KERNELS:
        raise ValueError(f"kernel={kernel!r} is unknown; choose one of {KERNELS}.")
    if method not in METHODS:
        raise ValueError(f"method={method!r} is unknown; choose one of {METHODS}.")
    sign = sums.curvature_sign(target)
    if sign is None and kernel != "student":
        raise ValueError(
            f"kernel={kernel!r} is not available for target={target!r}; use "
            f"kernel='student', or a Euclidean space, a sphere of radius 1 or a "
            f"hyperboloid of curvature -1."
        )
    if sign is not None and kernel not in sums.CODES[sign]:
        raise ValueError(
            f"kernel={kernel!r} is defined on spheres only, but target={target!r}; "
            f"use one of {tuple(sums.CODES[sign])}."
        )
    if not 0.0 <= angle <= 1.0:
        raise ValueError(f"angle={angle} must be between 0 and 1, e.g. 0.5.")
    if method == "barnes_hut" and not sums.has_tree(target):
        raise ValueError(
            f"method='barnes_hut' needs at most {sums.N_COORDINATES} coordinates of a "
            f"Euclidean space or of a sphere of radius 1, but target={target!r}; use "
            f"method='exact'."
        )


def sne_objective(
    Y: Any,
    P: Any,
    *,
    target: str | Manifold = "euclidean",
    kernel: str = "student",
    scale: float = 1.0,
    exaggeration: float = 1.0,
) -> SNEValue:
    r"""Return the objective of stochastic neighbour embedding and its gradient.

    The objective is the divergence sum_ij p_ij log(p_ij / q_ij) [1]_ [2]_ of the
    similarities q_ij = k(d_ij) / sum_ab k(d_ab) of embedded points at geodesic
    distances d_ij on the target [3]_. With s = d on flat targets, 2 sin(d / 2) on
    the sphere and 2 sinh(d / 2) on the hyperboloid, the kernel k is

    - "student": 1 / (1 + d^2 / tau),
    - "student_chordal": 1 / (1 + s^2 / tau),
    - "brownian": exp(-d^2 / (2 tau)) / sqrt(theta), theta the volume density,
      which is the heat kernel of the target to first order in tau,
    - "vmf" (sphere): exp((cos(d) - 1) / tau).

    All pairs are visited; memory stays linear in the number of points.

    Parameters
    ----------
    Y : array_like of shape (n_samples, \*point_shape)
        Embedded points, on the target; at least two.
    P : array_like or sparse array of shape (n_samples, n_samples)
        Joint probabilities: symmetric, non-negative, with zero diagonal and sum 1,
        such as the `joint` of `geolearn.graph.brownian_affinities`.
    target : str or Manifold, default="euclidean"
        Where the points lie: "euclidean", "sphere", "hyperboloid" (radius 1 and
        curvature -1), or any manifold, then with the kernel "student" only.
    kernel : {"student", "student_chordal", "brownian", "vmf"}, default="student"
        Kernel of the embedding.
    scale : float, default=1.0
        Scale tau of the kernel, positive, in units of squared distance.
    exaggeration : float, default=1.0
        Factor of `P` in the derivatives, positive; the divergence is that of `P`.

    Returns
    -------
    kl : float
        Divergence, in nats.
    gradient : ndarray of the shape of Y
        Riemannian gradient: a tangent vector at each point, in the coordinates of
        the points.
    dkl_dlogscale : float
        Derivative in log(tau).

    Raises
    ------
    TypeError
        If `scale` or `exaggeration` is no number, or `target` neither a name nor a
        manifold.
    ValueError
        If `Y` is not on the target, `P` is no matrix of joint probabilities of
        these points, the kernel is unknown or does not go with the target, or
        `scale` or `exaggeration` is not positive, or is so small or large that the
        result overflows.

    Notes
    -----
    On the sphere the kernel "brownian" is singular at antipodes, where it is cut
    at a sine of 1e-8, and logarithms of antipodes count as zero.

    References
    ----------
    .. [1] G. Hinton, S. Roweis, "Stochastic neighbor embedding", NIPS 15, 2002.
    .. [2] L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", JMLR 9,
       2008.
    .. [3] A. Bergsson, S. Hauberg, "Visualizing Riemannian data with Rie-SNE",
       2022, arXiv:2203.09253. The factor of the kernel "brownian" departs from the
       paper, whose ratio of volumes is not that of the heat kernel.

    Examples
    --------
    >>> from geolearn.embedding import sne_objective
    >>> P = [[0.0, 0.2, 0.1], [0.2, 0.0, 0.2], [0.1, 0.2, 0.0]]
    >>> kl, gradient, _ = sne_objective([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], P)
    >>> round(kl, 6)
    0.117829
    >>> gradient.round(4)
    array([[ 0.1769,  0.0246],
           [-0.1077, -0.1385],
           [-0.0692,  0.1138]])
    """
    Y = np.asarray(Y)
    manifold = get_manifold(target, Y.shape[1:])
    Y = check_points(manifold, Y, name="Y")
    P = _check_joint(P, len(Y))
    scale = check_positive(scale, "scale")
    exaggeration = check_positive(exaggeration, "exaggeration")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        value = SNEObjective(P, target=manifold, kernel=kernel)(Y, scale, exaggeration)
    if not np.isfinite(value.gradient).all() or not np.isfinite(value.kl):
        raise ValueError(
            f"The objective overflows at scale={scale} and exaggeration="
            f"{exaggeration} for points of {manifold!r}; take a scale near the "
            f"squared distances of neighbours, and exaggeration=1."
        )
    return value


def _check_joint(P, n):
    """Return joint probabilities of n points as a CSR or dense float64 array."""
    is_sparse = sparse.issparse(P)
    P = sparse.csr_array(P) if is_sparse else np.asarray(P)
    if P.dtype.kind not in "buif":
        raise ValueError(f"P must hold real numbers, got dtype {P.dtype}.")
    P = P.astype(np.float64)
    if n < 2:
        raise ValueError(f"Y has {n} sample; at least 2 are needed for pairs.")
    if P.shape != (n, n):
        raise ValueError(
            f"P has shape {P.shape}, but Y has {n} samples: P must have shape "
            f"({n}, {n})."
        )
    if is_sparse:
        P.sum_duplicates()
    p = P.data if is_sparse else P
    if not np.isfinite(p).all():
        raise ValueError("P contains NaN or infinity; joint probabilities are finite.")
    if p.size and p.min() < 0.0:
        raise ValueError(
            f"P must be non-negative, but its smallest entry is {p.min()}; pass "
            f"probabilities, not logarithms or distances."
        )
    if P.diagonal().any():
        raise ValueError(
            "P must have a zero diagonal: a point is no neighbour of itself. Set the "
            "diagonal to zero and divide P by its sum."
        )
    total = float(p.sum())
    if abs(total - 1.0) > _TOLERANCE:
        raise ValueError(
            f"P must sum to 1, but sums to {total:.6g}; pass P / P.sum(). Conditional "
            f"probabilities C become joint by (C + C.T) / (2 * n_samples)."
        )
    asymmetry = float(abs(P - P.T).max())
    if asymmetry > _TOLERANCE * float(p.max()):
        raise ValueError(
            f"P must be symmetric, but differs from its transpose by up to "
            f"{asymmetry:.2e}; pass (P + P.T) / 2."
        )
    return P
