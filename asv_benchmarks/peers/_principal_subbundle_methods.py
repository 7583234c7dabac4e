"""What principal_subbundle_tables.py measures: data with known truth, and errors."""

import time
import warnings

import numpy as np
from _isolated import versions
from scipy.linalg import orthogonal_procrustes
from sklearn.manifold import Isomap
from sklearn.neighbors import kneighbors_graph

from geolearn.datasets import make_s_surface
from geolearn.decomposition import PrincipalSubbundle

N_GEODESICS = 20
ISOMAP_NEIGHBORS = 10
REACH = 3.0  # geodesic radius within which charts of the S-surface are compared


def sphere(n, noise, seed):
    """Return noisy points of the unit sphere in R^3, and the points without noise."""
    rng = np.random.default_rng(seed)
    clean = rng.normal(size=(n, 3))
    clean /= np.linalg.norm(clean, axis=1, keepdims=True)
    return clean + noise * rng.normal(size=clean.shape), clean


def tangents(n, noise, sigma, seed):
    """Return errors of tangent planes in degrees and of ends of unit geodesics.

    Curves leave 20 true points of the sphere in the directions that are the
    projections of random true tangent vectors.
    """
    X, _ = sphere(n, noise, seed)
    rng = np.random.default_rng(1000 + seed)
    Q = rng.normal(size=(N_GEODESICS, 3))
    Q /= np.linalg.norm(Q, axis=1, keepdims=True)
    U = rng.normal(size=Q.shape)
    U -= np.sum(U * Q, axis=1, keepdims=True) * Q
    U /= np.linalg.norm(U, axis=1, keepdims=True)
    model = PrincipalSubbundle(2, bandwidth=sigma).fit(X)
    frames = model.tangent_space(Q)
    normals = np.cross(frames[:, :, 0], frames[:, :, 1])
    angle = np.degrees(np.arccos(np.clip(abs(np.sum(normals * Q, axis=1)), 0.0, 1.0)))
    ends, drift = np.full(Q.shape, np.nan), np.zeros(len(Q))
    for i, (q, u, F) in enumerate(zip(Q, U, frames, strict=True)):
        v = F.T @ u
        v /= np.linalg.norm(v)
        ends[i] = model.exp(v[None], base=q)[0]
        drift[i] = model._field.shoot(q, (F @ v)[None]).drift[0]
    true = np.cos(1.0) * Q + np.sin(1.0) * U
    error = np.linalg.norm(ends - true, axis=1)
    return {
        "degrees": angle.tolist(),
        "ends": error.tolist(),
        "drift": float(np.nanmax(drift)),
        "versions": versions("geolearn", "scikit-learn"),
    }


def procrustes(V, Y):
    """Return the errors of coordinates after the best rotation and shift."""
    V, Y = V - V.mean(axis=0), Y - Y.mean(axis=0)
    R, _ = orthogonal_procrustes(V, Y)
    return np.linalg.norm(V @ R - Y, axis=1)


def surface(n, noise, sigma, seed, n_features=3, reach=REACH):
    """Return errors of charts of the S-surface, by geolearn and by Isomap.

    `reach` None compares on the whole surface.
    """
    data = make_s_surface(
        n,
        noise=noise,
        n_features=n_features,
        random_state=seed,
        return_X_y=False,
    )
    flat = data.y - [0.0, 1.0]
    near = np.ones(n, dtype=bool)
    if reach is not None:
        near = np.linalg.norm(flat, axis=1) <= reach
    base = np.array([0.0, 1.0, 0.0]) @ data.basis
    start, cpu = time.perf_counter(), time.process_time()
    model = PrincipalSubbundle(2, bandwidth=sigma, base_point=base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        V = model.fit_transform(data.X)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    known = near & np.isfinite(V).all(axis=1)
    error = procrustes(V[known], flat[known])
    length = np.linalg.norm(V[known], axis=1)
    true = np.linalg.norm(flat[known], axis=1)
    far = true > 0.2  # relative errors of short lengths are those of the noise
    isomap = Isomap(n_neighbors=ISOMAP_NEIGHBORS, n_components=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        other = procrustes(isomap.fit_transform(data.X[near]), flat[near])
    return {
        "median": float(np.median(error)),
        "p90": float(np.quantile(error, 0.9)),
        "isomap_median": float(np.median(other)),
        "isomap_p90": float(np.quantile(other, 0.9)),
        "length": float(np.median(abs(length / true - 1.0)[far])),
        "charted": float(known.sum() / near.sum()),
        "converged": float(np.mean(model.status_ == 0)),
        "seconds": seconds,
        "cpu": cpu,
    }


def angles(n, noise, sigma, seed, n_pairs=60):
    """Return median relative errors of distances on the sphere."""
    X, clean = sphere(n, noise, seed)
    rng = np.random.default_rng(2000 + seed)
    sources = rng.choice(n, 12, replace=False)
    true = np.arccos(np.clip(clean[sources] @ clean.T, -1.0, 1.0))
    pairs = []
    for i, row in enumerate(true):
        inside = np.flatnonzero((row > 0.3) & (row < 2.0))
        pairs += [(i, j) for j in rng.choice(inside, n_pairs // 12, replace=False)]
    i, j = np.array(pairs).T
    model = PrincipalSubbundle(2, bandwidth=sigma).fit(X)
    others = np.unique(j)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        D = model.distance(X[sources], X[others])[i, np.searchsorted(others, j)]
    wanted = true[i, j]
    graph = shortest_paths(X, sources)[i, j]
    chord = np.linalg.norm(X[sources[i]] - X[j], axis=1)
    finite = np.isfinite(D)

    def relative(found):
        return float(np.median(abs(found / wanted - 1.0)))

    return {
        "log": float(np.median(abs(D / wanted - 1.0)[finite])),
        "found": float(finite.mean()),
        "graph": relative(graph),
        "chord": relative(chord),
    }


def shortest_paths(X, sources):
    """Return lengths of shortest paths on the graph of ten nearest neighbours."""
    from scipy.sparse.csgraph import dijkstra

    W = kneighbors_graph(X, ISOMAP_NEIGHBORS, mode="distance")
    return dijkstra(W, directed=False, indices=sources)
