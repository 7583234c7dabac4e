"""Neighbourhoods in blocks of queries, and their principal components."""

from typing import NamedTuple

import numpy as np

from geolearn.decomposition._local_pca_kernels import local_components
from geolearn.utils._threads import matrix_threads

__all__ = ["LocalComponents", "components_in_blocks"]

_BLOCK = 10_000  # queries
_BLOCK_NUMBERS = 20_000_000  # numbers that a block may hold
_SHARE = 1.0 / 3.0  # of the radius of a neighbourhood, the bandwidth
_GAP_FLOOR = 0.1  # of the largest eigenvalue, which ratios of eigenvalues start from
_RANK_RATIO = 0.5  # tangent eigenvalues are near the squared bandwidth


class LocalComponents(NamedTuple):
    """Hold the principal components of the neighbourhoods of n points.

    Attributes
    ----------
    means : ndarray of shape (n, n_features)
        Weighted means.
    eigenvalues : ndarray of shape (n, n_eigenvalues)
        Weighted variances along the components, decreasing.
    components : ndarray of shape (n, largest rank, n_features)
        Orthonormal rows, by decreasing eigenvalue; rows beyond the rank are zero.
    ranks : ndarray of int of shape (n,)
        Numbers of components.
    n_eff : ndarray of shape (n,)
        Effective numbers of neighbours, 1 over the sum of the squared weights.
    bandwidths : ndarray of shape (n,)
        Standard deviations of the weights along the tangent space.
    radii : ndarray of shape (n,)
        Distances to the farthest neighbour.
    """

    means: np.ndarray
    eigenvalues: np.ndarray
    components: np.ndarray
    ranks: np.ndarray
    n_eff: np.ndarray
    bandwidths: np.ndarray
    radii: np.ndarray


class Neighborhood(NamedTuple):
    """Say which samples are neighbours and how they are weighed."""

    n_neighbors: int | None
    radius: float | None
    gaussian: bool
    bandwidth: float | None

    @property
    def sigma(self) -> float:
        """Bandwidth as `local_components` takes it."""
        if not self.gaussian:
            return 0.0
        if self.bandwidth is not None:
            return self.bandwidth
        return -_SHARE if self.radius is None else _SHARE * self.radius

    def search(self, index, Q, n_jobs):
        """Return neighbours in CSR layout."""
        if self.n_neighbors is None:
            radii = np.full(len(Q), self.radius)
            stops, rows, _ = index.within(radii, X=Q, n_jobs=n_jobs)
            return rows, stops
        lengths, rows = index.query(Q, self.n_neighbors, n_jobs=n_jobs)
        counts = np.full(len(Q), self.n_neighbors)
        if self.radius is not None:
            near = lengths <= self.radius
            rows, counts = rows[near], near.sum(axis=1)
        return rows.ravel(), np.concatenate([[0], np.cumsum(counts)])


def components_in_blocks(
    index, Q, neighborhood, n_components, n_eigenvalues, n_jobs
) -> LocalComponents:
    """Analyse the neighbourhoods of the rows of `Q` among indexed samples."""
    d = Q.shape[1]
    fixed = isinstance(n_components, int)
    width = n_components if fixed else n_eigenvalues
    size = int(np.clip(_BLOCK_NUMBERS // (width * d + d), 1, _BLOCK))
    parts = []
    for first in range(0, len(Q), size):
        block = Q[first : first + size]
        part = _analyse(index, block, neighborhood, width, n_eigenvalues, n_jobs)
        parts.append(_with_rank(part, n_components, neighborhood))
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in LocalComponents._fields
        if name != "components"
    }
    # Blocks may differ in their largest rank.
    widest = n_components if fixed else int(joined["ranks"].max(initial=1))
    components = np.zeros((len(Q), widest, d))
    first = 0
    for part in parts:
        n, k, _ = part.components.shape
        components[first : first + n, :k] = part.components
        first += n
    return LocalComponents(components=components, **joined)


def _analyse(index, Q, neighborhood, width, n_eigenvalues, n_jobs):
    rows, stops = neighborhood.search(index, Q, n_jobs)
    n, d = Q.shape
    mean, eigenvalues = np.zeros((n, d)), np.zeros((n, n_eigenvalues))
    components, scales = np.zeros((n, width, d)), np.zeros((n, 3))
    with matrix_threads(n_jobs):
        local_components(
            index.points,
            Q,
            rows.astype(np.int64, copy=False),
            stops.astype(np.int64, copy=False),
            neighborhood.sigma,
            mean,
            eigenvalues,
            components,
            scales,
        )
    empty = np.diff(stops) == 0
    mean[empty], eigenvalues[empty], scales[empty] = np.nan, np.nan, np.nan
    scales[empty, 1] = 0.0
    ranks = np.sum(eigenvalues > 0.0, axis=1)
    sigma, n_eff, radii = scales.T.copy()
    return LocalComponents(mean, eigenvalues, components, ranks, n_eff, sigma, radii)


def _with_rank(part, n_components, neighborhood):
    """Cut the components after the rank of each query."""
    lam = part.eigenvalues
    if n_components == "auto" and neighborhood.gaussian:
        ranks = np.sum(lam > _RANK_RATIO * part.bandwidths[:, None] ** 2, axis=1)
    elif n_components == "auto":
        ranks = largest_gap(lam)
    elif isinstance(n_components, float):
        ranks = 1 + np.sum(
            np.cumsum(lam, axis=1) <= n_components * lam.sum(axis=1, keepdims=True),
            axis=1,
        )
    else:
        ranks = np.full(len(lam), n_components)
    ranks = np.minimum(np.maximum(ranks, 1), part.ranks)
    components = part.components[:, : max(ranks.max(initial=0), 1)]
    beyond = np.arange(components.shape[1]) >= ranks[:, None]
    components = np.where(beyond[..., None], 0.0, components)
    bandwidths = part.bandwidths
    if not neighborhood.gaussian:
        inside = np.arange(lam.shape[1]) < ranks[:, None]
        total = np.where(inside, lam, 0.0).sum(axis=1) / np.maximum(ranks, 1)
        bandwidths = np.where(part.n_eff > 0.0, np.sqrt(total), np.nan)
    return part._replace(components=components, ranks=ranks, bandwidths=bandwidths)


def largest_gap(eigenvalues) -> np.ndarray:
    """Return the ranks before the largest ratio of consecutive eigenvalues.

    A tenth of the largest one is added to all, and a zero follows the last: then
    small eigenvalues have no large ratios, and the full rank is possible.
    """
    floor = _GAP_FLOOR * eigenvalues[:, :1]
    padded = np.concatenate([eigenvalues, np.zeros_like(floor)], axis=1) + floor
    with np.errstate(invalid="ignore"):  # no spread, or no neighbour: rank 0 later
        ratio = padded[:, :-1] / padded[:, 1:]
    return 1 + np.argmax(ratio, axis=1)
