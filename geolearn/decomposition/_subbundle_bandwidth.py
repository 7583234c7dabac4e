"""The bandwidth and the rank of a principal subbundle, chosen from the data."""

import math
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array, check_random_state

from geolearn.manifolds import Manifold, get_manifold
from geolearn.utils.validation import (
    check_integer,
    check_points,
    check_positive,
    check_sample_weight,
)

__all__ = ["BandwidthChoice", "bandwidth_score", "select_bandwidth"]

KERNELS = ("gaussian", "tapered")
_SUPPORTS = {"gaussian": 6.0, "tapered": 4.0}
_N_CANDIDATES = 12
_MAX_QUERIES = 200
_MAX_SAMPLES = 20_000  # whose weights are computed; more are thinned out
_NEIGHBOR = 5  # whose median distance is the smallest candidate
_LARGEST_SHARE = 0.5  # of the RMS radius of the data, the largest candidate
_SMALLEST_SHARE = 1e-3  # of the largest candidate, where samples coincide
_CUT_LOCUS_SHARE = 0.3  # of the injectivity radius
_RANK_RATIO = 0.5  # tangent eigenvalues are near sigma^2
_ROUNDING = 1e-12  # share of the largest eigenvalue below which one is none
_FLAT = 1e-7  # scores below are rounding


class BandwidthChoice(NamedTuple):
    """Hold what was chosen, and the scores that it was chosen by."""

    bandwidth: float
    n_components: int
    candidates: np.ndarray  # (n_candidates,) increasing
    scores: np.ndarray  # (n_candidates,) radians, inf where undefined
    spectrum: np.ndarray  # (min(d, 10),) median eigenvalues / bandwidth^2


def bandwidth_score(
    X: Any,
    bandwidth: Any,
    n_components: int = 2,
    *,
    kernel: str = "gaussian",
    support: float | None = None,
    sample_weight: Any = None,
    manifold: str | Manifold = "euclidean",
    random_state: Any = None,
) -> Any:
    r"""Predict the error of tangent spaces of local PCA for a bandwidth [1]_.

    The median over at most 200 samples of
    ``sqrt(l_k l_(k+1) / n_eff) / (l_k - l_(k+1))`` with the local eigenvalues
    l_1 >= l_2 >= ... and the effective number of samples: the standard deviation, to
    first order, of the angle between the estimated and the true tangent space in the
    worst direction. Small bandwidths suffer from noise and few samples, large ones
    from curvature; the smallest score is a good compromise.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples, in ambient coordinates of `manifold`.
    bandwidth : float or array-like of shape (n_bandwidths,)
        Standard deviations of the Gaussian, positive, in the units of `X`.
    n_components : int, default=2
        Rank k of the tangent spaces, at most the dimension of `manifold`.
    kernel : {"gaussian", "tapered"}, default="gaussian"
        Weights of samples: exp(-r^2 / (2 bandwidth^2)) at distance r, or the same
        times (1 - r^2 / (support bandwidth)^2)^3.
    support : float or None, default=None
        Distance over the bandwidth beyond which weights are zero; None takes 6 for
        "gaussian" and 4 for "tapered".
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None weighs all samples alike.
    manifold : str or Manifold, default="euclidean"
        Space of the samples, as in `geolearn.manifolds.get_manifold`.
    random_state : int, RandomState instance or None, default=None
        Draws 200 samples of positive weight where there are more, and 20 000 samples
        that represent a larger set. Pass an int for reproducible results.

    Returns
    -------
    float or ndarray of shape (n_bandwidths,)
        Predicted errors in radians; infinite where half of the neighbourhoods hold
        fewer than ``n_components + 2`` effective samples or have no gap between the
        eigenvalues, 0 where k is the dimension of the space.

    Raises
    ------
    ValueError
        If `X` is not finite or not on the manifold, or a parameter is out of range.

    References
    ----------
    .. [1] M. Akhøj, J. Benn, E. Grong, S. Sommer, X. Pennec, "Principal subbundles
       for dimension reduction", 2023, arXiv:2307.03128.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.decomposition import bandwidth_score
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((1000, 3))
    >>> X /= np.linalg.norm(X, axis=1, keepdims=True)
    >>> X += 0.05 * rng.standard_normal((1000, 3))
    >>> bandwidth_score(X, [0.1, 0.3, 0.6], random_state=0).round(2)
    array([0.23, 0.05, 0.08])
    """
    X = check_array(X, dtype=np.float64, order="C", ensure_min_samples=2)
    manifold = get_manifold(manifold, X.shape[1])
    X = check_points(manifold, X)
    k = check_integer(n_components, "n_components")
    if k > manifold.dim:
        raise ValueError(
            f"n_components={k} must be at most {manifold.dim}, the dimension of "
            f"{manifold!r}; lower n_components."
        )
    taper = _check_kernel(kernel, support)
    given = np.asarray(bandwidth)
    if given.ndim > 1 or given.size == 0 or given.dtype.kind not in "iuf":
        raise ValueError(
            f"bandwidth={bandwidth!r} must be a number or a list of numbers; pass one "
            f"or more."
        )
    sigmas = [check_positive(float(s), "bandwidth") for s in np.atleast_1d(given)]
    cloud = _Cloud.draw(X, manifold, sample_weight, random_state)
    eigenvalues, n_eff = cloud.spectra(np.array(sigmas), *taper)
    scores = np.array(
        [_score(e, n, k) for e, n in zip(eigenvalues, n_eff, strict=True)]
    )
    return scores if given.ndim else float(scores[0])


def select_bandwidth(
    X,
    n_components,
    *,
    kernel="gaussian",
    support=None,
    sample_weight=None,
    manifold="euclidean",
    random_state=None,
    n_jobs=None,
) -> BandwidthChoice:
    """Minimise the predicted error of the tangent spaces over a grid.

    With "auto" the rank at each candidate is the most frequent number of eigenvalues
    above half its square. Where noise fills the space that is its dimension, which is
    passed over unless more than half of the candidates agree on it.
    """
    manifold = get_manifold(manifold, X.shape[1])
    cloud = _Cloud.draw(X, manifold, sample_weight, random_state)
    candidates = cloud.grid()
    eigenvalues, n_eff = cloud.spectra(candidates, *_check_kernel(kernel, support))
    if n_components == "auto":
        ranks = _ranks(eigenvalues, candidates)
    else:
        ranks = np.full(len(candidates), int(n_components))
    scores = np.array(
        [
            _score(e, n, k) if k else math.inf
            for e, n, k in zip(eigenvalues, n_eff, ranks, strict=True)
        ]
    )
    best = _best(scores)
    spectrum = np.median(eigenvalues[best], axis=0) / candidates[best] ** 2
    return BandwidthChoice(
        float(candidates[best]),
        max(int(ranks[best]), 1),
        candidates,
        scores,
        spectrum[:10],
    )


def _check_kernel(kernel, support):
    if kernel not in KERNELS:
        raise ValueError(f"kernel must be one of {KERNELS}, got {kernel!r}.")
    c = _SUPPORTS[kernel] if support is None else check_positive(support, "support")
    return c, kernel == "tapered"


class _Cloud(NamedTuple):
    """Samples with weights, and those around which spectra are computed."""

    X: np.ndarray
    manifold: Any
    weight: np.ndarray
    queries: np.ndarray
    thinned: float  # how many samples each of `X` stands for
    near: np.ndarray  # distances from queries to their 5th neighbour
    size: float  # RMS radius

    @classmethod
    def draw(cls, X, manifold, sample_weight, random_state):
        rng = check_random_state(random_state)
        weight = check_sample_weight(sample_weight, len(X))
        X, weight = X[weight > 0.0], weight[weight > 0.0]
        queries, all_queries = np.arange(len(X)), len(X) <= _MAX_QUERIES
        if not all_queries:
            queries = np.sort(rng.choice(len(X), _MAX_QUERIES, replace=False))
        near, squares = np.empty(len(queries)), np.empty(len(queries))
        place = min(_NEIGHBOR, len(X) - 1)
        for i, query in enumerate(queries):
            distances = manifold.dist(X[query], X)
            near[i] = np.partition(distances, place)[place]
            squares[i] = distances**2 @ weight
        size = math.sqrt(0.5 * squares.mean() / weight.sum())
        thinned = 1.0
        points = X[queries]
        if len(X) > _MAX_SAMPLES:
            thinned = len(X) / _MAX_SAMPLES
            rows = np.sort(rng.choice(len(X), _MAX_SAMPLES, replace=False))
            X, weight = X[rows], weight[rows]
        return cls(X, manifold, weight, points, thinned, near, size)

    def grid(self):
        """Return bandwidths from the distances of neighbours to half the radius."""
        largest = _LARGEST_SHARE * self.size
        largest = min(largest, _CUT_LOCUS_SHARE * self.manifold.injectivity_radius)
        if not largest > 0.0:
            raise ValueError(
                f"bandwidth='auto' needs distinct samples, but all {len(self.X)} are "
                f"the same point; add samples or set bandwidth."
            )
        smallest = max(np.median(self.near), _SMALLEST_SHARE * largest)
        return np.geomspace(min(smallest, largest), largest, _N_CANDIDATES)

    def spectra(self, sigmas, support, tapered):
        """Return eigenvalues (n_sigmas, n_queries, dim) and effective sizes."""
        dim = self.manifold.dim
        eigenvalues = np.zeros((len(sigmas), len(self.queries), dim))
        n_eff = np.zeros((len(sigmas), len(self.queries)))
        for i, query in enumerate(self.queries):
            distances = self.manifold.dist(query, self.X)
            inside = distances <= support * sigmas.max()
            logs = self.manifold.log_vector(query, self.X[inside])
            distances, weight = distances[inside], self.weight[inside]
            for j, sigma in enumerate(sigmas):
                r2 = (distances / sigma) ** 2
                listed = r2 < support**2
                w = weight[listed] * np.exp(-0.5 * r2[listed])
                if tapered:
                    w = w * (1.0 - r2[listed] / support**2) ** 3
                if not w.any():  # the query was thinned out
                    continue
                w /= w.sum()
                n_eff[j, i] = self.thinned / np.sum(w**2)
                L = logs[listed]
                Z = np.sqrt(w)[:, None] * (L - w @ L)
                values = np.linalg.eigvalsh(Z @ Z.T if len(Z) < dim else Z.T @ Z)
                eigenvalues[j, i, : len(values)] = np.maximum(values[::-1], 0.0)
        return eigenvalues, n_eff


def _ranks(eigenvalues, sigmas):
    """Return the most frequent rank at each bandwidth, 0 where there is none."""
    dim = eigenvalues.shape[2]
    counts = np.sum(eigenvalues > _RANK_RATIO * sigmas[:, None, None] ** 2, axis=2)
    ranks = np.array([np.bincount(row).argmax() for row in counts])
    full = ranks == dim
    if np.sum(full) > len(ranks) / 2:
        return np.where(full, dim, 0)
    return np.where(full, 0, ranks)


def _best(scores):
    """Return the place of the smallest score, of the largest bandwidth among ties.

    Exactly flat data have scores of rounding only, and any bandwidth is right.
    """
    floored = np.maximum(scores, _FLAT)
    return int(len(scores) - 1 - np.argmin(floored[::-1]))


def _score(eigenvalues, n_eff, k):
    if k == eigenvalues.shape[1]:
        return 0.0 if np.median(n_eff) >= k + 2 else math.inf
    first, second = eigenvalues[:, k - 1], eigenvalues[:, k]
    spread = first > _ROUNDING * eigenvalues[:, 0]
    defined = (n_eff >= k + 2) & (first > second) & spread
    gap = np.where(defined, first - second, 1.0)
    error = np.sqrt(first) * np.sqrt(second / np.maximum(n_eff, 1.0)) / gap
    return float(np.median(np.where(defined, error, np.inf)))
