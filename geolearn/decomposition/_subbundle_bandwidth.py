"""The bandwidth and the rank of a principal subbundle, chosen from the data."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from geolearn.manifolds import get_manifold
from geolearn.utils.validation import check_sample_weight

__all__ = ["BandwidthChoice", "select_bandwidth"]

_N_CANDIDATES = 12
_MAX_QUERIES = 200
_NEIGHBOR = 5  # whose median distance is the smallest candidate
_LARGEST_SHARE = 0.5  # of the RMS radius of the data, the largest candidate
_CUT = 18.0  # exp(-18) is the smallest relative weight of the Gaussian
_RANK_RATIO = 0.5  # tangent eigenvalues are near sigma^2
_FLAT = 1e-7  # scores below are rounding


class BandwidthChoice(NamedTuple):
    """Hold what was chosen, and the scores that it was chosen by."""

    bandwidth: float
    n_components: int
    candidates: np.ndarray  # (n_candidates,) increasing
    scores: np.ndarray  # (n_candidates,) radians, inf where undefined
    spectrum: np.ndarray  # (min(d, 10),) median eigenvalues / bandwidth^2


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
    """Minimise the predicted error of the tangent spaces over a grid."""
    manifold = get_manifold(manifold, X.shape[1])
    weight = check_sample_weight(sample_weight, len(X))
    queries = _queries(weight, random_state)
    distances = np.array([manifold.dist(X[i], X) for i in queries])
    candidates = _grid(distances, weight)
    spectra = [
        _spectra(X, manifold, queries, distances, weight, s, kernel, support)
        for s in candidates
    ]
    scores = np.full(len(candidates), np.inf)
    ranks = np.zeros(len(candidates), dtype=int)
    for i, (sigma, (eigenvalues, n_eff)) in enumerate(
        zip(candidates, spectra, strict=True)
    ):
        ranks[i] = _rank(eigenvalues, sigma, n_components)
        if ranks[i]:
            scores[i] = _score(eigenvalues, n_eff, ranks[i])
    best = int(np.argmin(np.maximum(scores, _FLAT)))
    spectrum = np.median(spectra[best][0], axis=0) / candidates[best] ** 2
    return BandwidthChoice(
        float(candidates[best]), int(ranks[best]), candidates, scores, spectrum[:10]
    )


def _queries(weight, random_state):
    heavy = np.flatnonzero(weight > 0.0)
    if len(heavy) <= _MAX_QUERIES:
        return heavy
    rng = check_random_state(random_state)
    return np.sort(rng.choice(heavy, _MAX_QUERIES, replace=False))


def _grid(distances, weight):
    near = np.sort(distances[:, weight > 0.0], axis=1)
    smallest = np.median(near[:, min(_NEIGHBOR, near.shape[1] - 1)])
    largest = _LARGEST_SHARE * np.sqrt(0.5 * np.mean(distances**2 @ weight))
    return np.geomspace(min(smallest, largest), largest, _N_CANDIDATES)


def _spectra(X, manifold, queries, distances, weight, sigma, kernel, support):
    eigenvalues = np.zeros((len(queries), manifold.dim))
    n_eff = np.zeros(len(queries))
    for i, query in enumerate(queries):
        r2 = (distances[i] / sigma) ** 2
        w = weight * np.exp(-0.5 * r2) * (r2 < 2.0 * _CUT)
        if kernel == "tapered":
            c = 4.0 if support is None else support
            w = w * np.maximum(1.0 - r2 / c**2, 0.0) ** 3
        w /= w.sum()
        inside = np.flatnonzero(w)
        L = manifold.log_vector(X[query], X[inside])
        Z = np.sqrt(w[inside])[:, None] * (L - w[inside] @ L)
        eigenvalues[i] = np.linalg.eigvalsh(Z.T @ Z)[::-1]
        n_eff[i] = 1.0 / np.sum(w**2)
    return eigenvalues, n_eff


def _rank(eigenvalues, sigma, n_components):
    if n_components != "auto":
        return n_components
    ranks = np.sum(eigenvalues > _RANK_RATIO * sigma**2, axis=1)
    rank = int(np.bincount(ranks).argmax())
    return 0 if rank == eigenvalues.shape[1] else rank


def _score(eigenvalues, n_eff, k):
    padded = np.concatenate([eigenvalues, np.zeros((len(eigenvalues), 1))], axis=1)
    last, next_one = padded[:, k - 1], np.maximum(padded[:, k], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(last * next_one / n_eff) / (last - next_one)
    defined = (n_eff >= k + 2) & (last > next_one)
    return float(np.median(np.where(defined, error, np.inf)))
