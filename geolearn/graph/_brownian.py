"""Affinities from the transition density of Brownian motion on a manifold."""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from geolearn.graph._brownian_kernels import calibrate, fill_weights
from geolearn.graph._brownian_pairs import (
    NONE,
    Pairs,
    pairs_of_distances,
    pairs_of_points,
)
from geolearn.graph._precomputed import is_precomputed
from geolearn.manifolds import get_manifold
from geolearn.utils.validation import check_integer

__all__ = ["BrownianAffinities", "brownian_affinities", "brownian_affinities_to"]

_MOST_EXACT = 2000  # samples up to which "auto" takes all pairs
_NEIGHBORS_PER_PERPLEXITY = 3
_LEAST_TIME = 5e-301  # of beta = 1e300
_CORRECTIONS = ("auto", "parametrix", "none")
_AFFINITIES = ("auto", "exact", "knn")


@dataclass(frozen=True, eq=False)
class BrownianAffinities:
    """Hold the affinities of samples, and the times that calibrate them.

    Parameters
    ----------
    conditional : ndarray or csr_array of shape (n_samples, n_samples)
        Row i holds the conditional affinities of sample i: they sum to one, and the
        diagonal is zero. Dense if all pairs were compared.
    diffusion_time : ndarray of shape (n_samples,)
        Time of the Brownian motion that starts at each sample, in squared units of
        the distance; infinity where the perplexity is not attainable, and 5e-301
        where more samples than the perplexity coincide with it.
    attainable : ndarray of bool of shape (n_samples,)
        Whether some positive time gives the row the perplexity asked for. Rows whose
        perplexity is too large because of duplicates count as attained.
    volume_correction : str
        "parametrix" or "none": the factor that was used.

    See Also
    --------
    brownian_affinities : Compute them.
    """

    conditional: Any
    diffusion_time: np.ndarray
    attainable: np.ndarray
    volume_correction: str

    @property
    def joint(self) -> Any:
        """Symmetric affinities (P + P.T) / (2 n), which sum to one.

        A dense array or a csr_array with sorted indices, as `conditional`.
        """
        joint = self.conditional + self.conditional.T
        if isinstance(joint, np.ndarray):
            return joint / joint.sum()
        joint = joint.tocsr()
        joint.sort_indices()
        joint.data /= joint.data.sum()
        return joint


def brownian_affinities(
    X: Any,
    manifold: Any = "euclidean",
    *,
    perplexity: float = 30.0,
    volume_correction: str = "auto",
    affinity: str = "auto",
    n_neighbors: int | None = None,
    log_volume_density: Any = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> BrownianAffinities:
    r"""Compute affinities of samples by Brownian motion of calibrated duration.

    The Gaussian of t-SNE is the density of a Brownian motion in a flat space. On a
    manifold [1]_ its leading term for small times t is

    .. math::

        p_{j|i} \propto \theta(x_i, x_j)^{-1/2}
        \exp\left(-\frac{d(x_i, x_j)^2}{2 t_i}\right)

    with the volume density :math:`\theta` of the exponential map [2]_, and
    :math:`t_i` the smallest time for which the entropy of row i is the logarithm of
    the perplexity. In a Euclidean space :math:`t_i = \sigma_i^2`.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...) or (n_samples, n_samples)
        Points of the manifold, at least 4. With ``manifold="precomputed"`` their
        distances: a square matrix (infinite ones carry no affinity), or a sparse
        graph of the distances to nearest neighbours, in which zeros that are stored
        count as distances.
    manifold : str or Manifold, default="euclidean"
        Manifold of the points, its name as in `geolearn.manifolds.get_manifold`, or
        "precomputed".
    perplexity : float, default=30.0
        Effective number of neighbours, the exponential of the entropy of each row;
        above 1 and below the number of neighbours.
    volume_correction : {"auto", "parametrix", "none"}, default="auto"
        Whether to use the factor :math:`\theta^{-1/2}`. Under it a perplexity may be
        unattainable: in negative curvature because Brownian motion escapes, in
        positive curvature because it spreads evenly before. "auto" uses it unless
        some sample cannot attain the perplexity, and then leaves it out for all; it
        is left out in flat spaces too, where it is one, and where no density is
        known. "none" leaves it out.
    affinity : {"auto", "exact", "knn"}, default="auto"
        Pairs that carry affinity: all ("exact"), or those of nearest neighbours
        ("knn"). "auto" takes all pairs up to 2000 samples, unless `n_neighbors` is
        given or `X` is a sparse graph. Neighbours are exact up to 20 000 samples;
        above that, manifolds without a fast search rank 2 to 3 times as many
        approximate candidates by their exact distances.
    n_neighbors : int, default=None
        Number of neighbours without the sample itself; None takes three times the
        perplexity, or all stored ones of a sparse graph if that is fewer.
    log_volume_density : array-like of shape (n_samples, n_samples), default=None
        Logarithms of :math:`\theta`, with ``manifold="precomputed"`` only.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximate search for candidates.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. The result does not depend
        on it.

    Returns
    -------
    BrownianAffinities
        `conditional` and `joint` affinities, the `diffusion_time` and `attainable`
        of each sample, and the `volume_correction` used.

    Raises
    ------
    ValueError
        If there are fewer than 4 samples, a point is not on the manifold, the
        perplexity is out of its range, all points coincide, or an option has no
        meaning here.

    Warns
    -----
    UserWarning
        If "auto" falls back to no correction; the message says how many samples
        cannot attain the perplexity.
    ConvergenceWarning
        If samples cannot attain the perplexity with ``"parametrix"``: they get
        infinite time.

    References
    ----------
    .. [1] A. Bergsson, S. Hauberg, "Visualizing Riemannian data with Rie-SNE", 2022,
       arXiv:2203.09253. It states another volume factor, which depends on the
       coordinates; its experiments on spheres use none.
    .. [2] E. Hsu, "Stochastic analysis on manifolds", 2002, chapter 5,
       doi:10.1090/gsm/038.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import brownian_affinities
    >>> X = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0, 1], [0, 0.6, 0.8]])
    >>> affinities = brownian_affinities(X, "sphere", perplexity=2.5)
    >>> affinities.conditional[0].round(4)
    array([0.    , 0.7122, 0.0959, 0.0959, 0.0959])
    >>> affinities.diffusion_time.round(4)
    array([0.4676, 0.2518, 0.2745, 0.4676, 0.2518])
    """
    _check_choice("volume_correction", volume_correction, _CORRECTIONS)
    _check_choice("affinity", affinity, _AFFINITIES)
    if is_precomputed(manifold):
        X, L = _check_tables(X, log_volume_density)
    else:
        manifold, L = _check_manifold(X, manifold, log_volume_density), None
        X = manifold.check_points(X)
    k = _choose_neighbors(X, perplexity, affinity, n_neighbors)
    correction = _applicable(volume_correction, manifold, X, L)
    with_volume = correction != "none" and not getattr(manifold, "is_flat", False)
    if is_precomputed(manifold):
        pairs = pairs_of_distances(X, L if with_volume else None, k)
    else:
        options = {"n_jobs": n_jobs}
        pairs = pairs_of_points(X, manifold, k, with_volume, random_state, **options)
    _check_perplexity(perplexity, pairs.n_neighbors)
    _check_distances_differ(pairs)
    return _calibrated(pairs, perplexity, correction, manifold, X.shape[0], n_jobs)


def brownian_affinities_to(
    X_new: Any,
    X: Any,
    manifold: Any = "euclidean",
    *,
    perplexity: float = 5.0,
    n_neighbors: int = 15,
    volume_correction: str = "none",
    log_volume_density: Any = None,
    n_jobs: int | None = None,
) -> sparse.csr_array:
    """Compute the affinities of new points to the samples of a fit.

    A row does not depend on the other rows of the call.

    Parameters
    ----------
    X_new : array-like of shape (n_new, ...) or (n_new, n_samples)
        New points of the manifold, or their distances to the samples.
    X : array-like of shape (n_samples, ...)
        Samples; ignored with ``manifold="precomputed"``.
    manifold : str or Manifold, default="euclidean"
        As in `brownian_affinities`.
    perplexity : float, default=5.0
        Effective number of neighbours of each row; above 1 and below `n_neighbors`.
    n_neighbors : int, default=15
        Number of samples that have an affinity; all if there are fewer.
    volume_correction : {"none", "parametrix"}, default="none"
        Factor as in `brownian_affinities`, whose result says which it used.
    log_volume_density : array-like of shape (n_new, n_samples), default=None
        Logarithms of the volume density, with ``manifold="precomputed"`` only.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    csr_array of shape (n_new, n_samples)
        Conditional affinities: rows sum to one, indices are sorted.

    Raises
    ------
    ValueError
        If a point is not on the manifold, the perplexity is out of its range, or an
        option has no meaning here.

    Warns
    -----
    ConvergenceWarning
        If points cannot attain the perplexity with ``"parametrix"``: they get the
        weights of infinite time.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import brownian_affinities_to
    >>> X = np.arange(10.0)[:, None]
    >>> P = brownian_affinities_to([[2.2]], X, perplexity=2, n_neighbors=4)
    >>> P.indices, P.data.round(4)
    (array([1, 2, 3, 4], dtype=int32), array([0.0418, 0.741 , 0.2162, 0.001 ]))
    """
    _check_choice("volume_correction", volume_correction, _CORRECTIONS[1:])
    n_neighbors = check_integer(n_neighbors, "n_neighbors")
    corrected = volume_correction == "parametrix"
    if is_precomputed(manifold):
        D, L = _check_tables(X_new, log_volume_density, square=False)
        _require_volume(corrected, L)
        k = min(n_neighbors, D.shape[1])
        pairs = pairs_of_distances(D, L if corrected else None, k, square=False)
        n_samples = D.shape[1]
    else:
        manifold = _check_manifold(X, manifold, log_volume_density)
        X = manifold.check_points(X)
        X_new = manifold.check_points(X_new)
        k, n_samples = min(n_neighbors, len(X)), len(X)
        with_volume = corrected and not manifold.is_flat
        options = {"Y": X, "n_jobs": n_jobs}
        pairs = pairs_of_points(X_new, manifold, k, with_volume, None, **options)
    _check_perplexity(perplexity, k)
    return _calibrated(
        pairs, perplexity, volume_correction, manifold, n_samples, n_jobs
    ).conditional


def _check_choice(name, value, choices):
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}, got {value!r}.")


def _check_manifold(X, manifold, log_volume_density):
    if log_volume_density is not None:
        raise ValueError(
            f"log_volume_density goes with manifold='precomputed' only, got manifold="
            f"{manifold!r}, which computes its own; leave it out."
        )
    return get_manifold(manifold, np.shape(X)[1:])


def _check_tables(X, L, *, square=True):
    """Return distances as they are and densities in float64, of the same shape."""
    if not sparse.issparse(X):
        X = np.asarray(X)
    if X.ndim != 2 or (square and X.shape[0] != X.shape[1]):
        wanted = "(n_samples, n_samples)" if square else "(n_new, n_samples)"
        raise ValueError(
            f"manifold='precomputed' needs distances of shape {wanted}, got {X.shape}."
        )
    if L is None:
        return X, None
    L = np.ascontiguousarray(L, dtype=np.float64)
    if X.shape != L.shape:
        raise ValueError(
            f"log_volume_density has shape {L.shape}, but the distances {X.shape}."
        )
    if np.isnan(L).any():
        raise ValueError("log_volume_density contains NaN.")
    return X, L


def _choose_neighbors(X, perplexity, affinity, n_neighbors):
    """Return the number of neighbours, or None for all pairs."""
    n = X.shape[0]
    if n < 4:
        raise ValueError(f"Found {n} sample(s), but affinities need at least 4.")
    graph = sparse.issparse(X)
    if affinity == "exact" and (graph or n_neighbors is not None):
        given = "a sparse graph" if graph else f"n_neighbors={n_neighbors}"
        raise ValueError(
            f"affinity='exact' takes all pairs, but got {given}; use affinity='knn'."
        )
    if n_neighbors is not None:
        n_neighbors = check_integer(n_neighbors, "n_neighbors")
        if n_neighbors > n - 1:
            raise ValueError(
                f"n_neighbors={n_neighbors} must be at most n_samples - 1 = {n - 1}."
            )
        return n_neighbors
    if affinity == "exact" or (affinity == "auto" and n <= _MOST_EXACT and not graph):
        return None
    _check_perplexity(perplexity, n - 1)
    wanted = min(n - 1, int(_NEIGHBORS_PER_PERPLEXITY * perplexity))
    if graph:
        stored = np.diff(sparse.csr_array(X).indptr) - (X.diagonal() != 0)
        wanted = min(wanted, int(stored.min()))
    return wanted


def _check_perplexity(perplexity, n_neighbors):
    if not 1.0 < perplexity < n_neighbors:
        raise ValueError(
            f"perplexity ({perplexity}) must be greater than 1 and less than the "
            f"number of neighbours ({n_neighbors})"
        )


def _check_distances_differ(pairs):
    if not pairs.distances.any():
        raise ValueError("all pairwise distances are zero")


def _require_volume(wanted, L):
    if wanted and L is None:
        raise ValueError(
            "volume_correction='parametrix' with manifold='precomputed' needs "
            "log_volume_density; pass it, or volume_correction='none'."
        )


def _applicable(correction, manifold, X, L):
    """Return the correction, "none" instead of "auto" where there is nothing to do."""
    if is_precomputed(manifold):
        _require_volume(correction == "parametrix", L)
        return "none" if L is None else correction
    if correction == "auto":
        if manifold.is_flat:
            return "none"
        try:
            manifold.log_volume_density(X[0], X[0])
        except ValueError:  # a divergence
            return "none"
    return correction


def _calibrated(pairs, perplexity, correction, manifold, n_samples, n_jobs):
    """Calibrate all rows, without densities if "auto" cannot attain the perplexity."""
    target = math.log(perplexity)
    beta, unit = calibrate(*pairs[:2], pairs.own, target, n_jobs)
    attainable = beta > 0.0
    used = "parametrix" if correction == "auto" else correction
    if not attainable.all() and correction == "auto":
        warnings.warn(_fallback(attainable, manifold), UserWarning, stacklevel=3)
        pairs, used = Pairs(pairs.distances, NONE, pairs.indices), "none"
        beta, unit = calibrate(*pairs[:2], pairs.own, target, n_jobs)
        attainable = beta > 0.0
    if not attainable.all():
        warnings.warn(
            f"perplexity={perplexity} is not attainable for "
            f"{int((~attainable).sum())} of {len(beta)} points, which get infinite "
            f"diffusion time; lower perplexity, or use volume_correction='none'.",
            ConvergenceWarning,
            stacklevel=3,
        )
    P = fill_weights(*pairs[:2], pairs.own, beta, n_jobs)
    with np.errstate(divide="ignore"):
        time = np.maximum(unit * (unit / (2.0 * beta)), _LEAST_TIME)
    if pairs.indices is not None:
        P = _as_csr(P, pairs.indices, n_samples)
    return BrownianAffinities(P, time, attainable, used)


def _fallback(attainable, manifold):
    dim = "" if is_precomputed(manifold) else f" (dimension {manifold.dim})"
    return (
        "Brownian volume correction is not applicable: the requested perplexity is "
        f"unattainable for {int((~attainable).sum())} of {attainable.size} points"
        f"{dim}; falling back to volume_correction='none'"
    )


def _as_csr(P, indices, n_samples):
    n, k = P.shape
    integer = np.int32 if max(n * k, n_samples) < 2**31 else np.int64
    indptr = np.arange(0, n * k + 1, k, dtype=integer)
    columns = indices.astype(integer).ravel()
    return sparse.csr_array((P.ravel(), columns, indptr), shape=(n, n_samples))
