"""Euclidicity by its definition, one query, one annulus and one draw at a time."""

import numpy as np

from geolearn.topology import bottleneck_distance, vietoris_rips_persistence
from geolearn.topology._annulus import annulus_points, stream_key

N_BINS = 32


def radii(distances):
    """Return (r_min, r_max, s_min, s_max) of sorted positive distances."""
    k = len(distances)
    middle = distances[round((k + 1) / 3)]
    return distances[0], middle, middle, distances[-1]


def diagrams(D, max_degree):
    """Return the diagrams of degrees 0 to max_degree, without infinite points."""
    found = vietoris_rips_persistence(D, max_degree=max_degree, metric="precomputed")
    return [P[np.isfinite(P[:, 1])] for P in found]


def model_draws(seed, dim, n, ratio, n_draws, max_degree):
    """Return the diagrams of each draw of the model of outer radius 1."""
    b = min(round(N_BINS * ratio), N_BINS - 1)
    draws = []
    for m in range(n_draws):
        P = np.empty((n, dim))
        with np.errstate(over="ignore"):
            key = np.uint64(stream_key(seed, dim, n, b, m))
            annulus_points(key, b / N_BINS, 1.0, P)
        gaps = np.linalg.norm(P[:, None] - P[None], axis=2)
        draws.append(diagrams(gaps, max_degree))
    return draws


def degree_distances(A, B):
    """Return the bottleneck distance in each degree."""
    return np.array([bottleneck_distance(P, Q) for P, Q in zip(A, B, strict=True)])


def pooled_distance(A, B):
    """Return the bottleneck distance of all degrees thrown together."""
    return bottleneck_distance(np.concatenate(A), np.concatenate(B))


def annulus(distances, r, s, max_points, priority):
    """Return the places with r < distance <= s, thinned."""
    inside = np.flatnonzero((distances > r) & (distances <= s))
    order = np.argsort(priority[inside])
    return inside, np.sort(inside[order[:max_points]])


def cell(D, s, draws, *, null_correction, combine):
    """Return the distances in each degree and the combined one."""
    found = [P / s for P in diagrams(D, len(draws[0]) - 1)]
    each = np.array([degree_distances(found, draw) for draw in draws])
    pooled = np.mean([pooled_distance(found, draw) for draw in draws])
    mean = each.mean(axis=0)
    combined = pooled if combine == "pooled" else each.max(axis=1).mean()
    if null_correction:
        pairs = [(a, b) for i, a in enumerate(draws) for b in draws[:i]]
        nu = np.mean([degree_distances(*pair) for pair in pairs], axis=0)
        nu_pooled = np.mean([pooled_distance(*pair) for pair in pairs])
        combined = (mean - nu).max() if combine == "max" else pooled - nu_pooled
    return s * mean, s * combined


def score(
    X,
    q,
    *,
    n_neighbors,
    grid,
    n_steps,
    dim,
    max_degree,
    n_draws,
    seed,
    priority,
    min_points=2,
    max_points=100,
    normalize=True,
    null_correction=False,
    combine="max",
):
    """Return (score, number of cells, distances of all cells) of a query."""
    to_sample = np.linalg.norm(X - q, axis=1)
    order = np.argsort(to_sample, kind="stable")
    order = order[to_sample[order] > 0.0]
    if grid is None:
        order = order[:n_neighbors]
        grid = radii(to_sample[order])
    near, D = to_sample[order], np.linalg.norm(X[order, None] - X[order], axis=2)
    terms, distances = [], []
    for r in np.linspace(*grid[:2], n_steps):
        for s in np.linspace(*grid[2:], n_steps):
            inside, kept = annulus(near, r, s, max_points, priority[order])
            if r >= s or len(inside) < min_points:
                distances.append(np.full(max_degree + 1, np.nan))
                continue
            shape = seed, dim, len(kept), r / s, n_draws, max_degree
            each, combined = cell(
                D[np.ix_(kept, kept)],
                s,
                model_draws(*shape),
                null_correction=null_correction,
                combine=combine,
            )
            distances.append(each)
            terms.append(combined / s if normalize else combined)
    mean = np.mean(terms) if terms else np.nan
    return mean, len(terms), np.array(distances)
