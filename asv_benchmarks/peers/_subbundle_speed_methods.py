"""What principal_subbundle_speed.py measures, one function a comparison."""

import os
import time
import warnings
from importlib.metadata import version

import numpy as np

N_CURVES = 20
N_PEER_CURVES = 2  # of geomstats, which needs seconds for each
REACH = 3.0  # geodesic radius of "near" points of the S-surface


def versions(*names):
    """Return the versions of packages."""
    return {name: version(name) for name in names}


def timed(call, repeats=1):
    """Return the median CPU and wall-clock seconds of a call, and its value."""
    runs = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        value = call()
        runs.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = np.median(runs, axis=0)
    return {"cpu_seconds": float(cpu), "seconds": float(wall)}, value


def fibonacci(n):
    """Return a lattice of n points of the unit sphere."""
    i = np.arange(n) + 0.5
    z = 1.0 - 2.0 * i / n
    longitude = np.pi * (1.0 + np.sqrt(5.0)) * i
    r = np.sqrt(1.0 - z * z)
    return np.column_stack((r * np.cos(longitude), r * np.sin(longitude), z))


def exponential(n, bandwidth, n_steps):
    """Follow quarters of great circles, whose ends are known."""
    os.environ["GEOMSTATS_BACKEND"] = "autograd"
    from geolearn.decomposition import PrincipalSubbundle

    X = fibonacci(n)
    base = X[n // 3]
    frame = np.linalg.svd(base[None])[2][1:]
    angle = 2.0 * np.pi * np.arange(N_CURVES) / N_CURVES
    ends = np.column_stack((np.cos(angle), np.sin(angle))) @ frame
    covectors = 0.5 * np.pi * ends  # a quarter turn ends in its own direction
    rows = {}

    def add(name, call, count, repeats):
        times, found = timed(call, repeats)
        error = np.median(np.linalg.norm(found - ends[:count], axis=1))
        rows[name] = {key: value / count for key, value in times.items()}
        rows[name]["error"] = float(error)

    for step in (1.0, 0.25):
        model = PrincipalSubbundle(2, bandwidth=bandwidth, base_point=base, step=step)
        model.fit(X)
        V = covectors @ model.base_frame_
        model.exp(V[:1])  # loads the kernels
        n_ours = int(np.ceil(0.5 * np.pi / bandwidth / step))
        name = f"geolearn, {max(4, n_ours)} steps"
        add(name, lambda model=model, V=V: model.exp(V), N_CURVES, 5)
    try:
        metric = geomstats_metric(X, bandwidth)
    except ImportError:
        return {"rows": rows, "versions": versions("numpy")}
    for steps in n_steps:

        def follow(steps=steps):
            few = covectors[:N_PEER_CURVES]
            return np.array([metric.exp(eta, base, n_steps=steps) for eta in few])

        add(f"geomstats, {steps} steps", follow, N_PEER_CURVES, 1)
    return {"rows": rows, "versions": versions("numpy", "geomstats", "autograd")}


def geomstats_metric(X, bandwidth):
    """Return geomstats' sub-Riemannian metric of the principal subbundle of rank 2."""
    import geomstats.backend as gs
    from geomstats.geometry.euclidean import Euclidean
    from geomstats.geometry.sub_riemannian_metric import SubRiemannianMetric

    def cometric(point):
        squares = gs.sum((X - point) ** 2, axis=1)
        weights = gs.exp(-0.5 * squares / bandwidth**2)
        weights = weights / gs.sum(weights)
        Z = X - gs.sum(weights[:, None] * X, axis=0)
        _, vectors = gs.linalg.eigh(gs.transpose(weights[:, None] * Z) @ Z)
        return vectors[:, -2:] @ gs.transpose(vectors[:, -2:])

    return SubRiemannianMetric(Euclidean(X.shape[1]), cometric_matrix=cometric)


def charts(n, noise, bandwidth, n_features, n_neighbors):
    """Unroll an S-surface, whose flat coordinates are known."""
    from sklearn.manifold import Isomap, LocallyLinearEmbedding

    from geolearn.datasets import make_s_surface
    from geolearn.decomposition import PrincipalSubbundle

    warnings.simplefilter("ignore")
    X, truth = make_s_surface(n, noise=noise, n_features=n_features, random_state=0)
    middle = int(np.linalg.norm(truth - [0.0, 1.0], axis=1).argmin())
    model = PrincipalSubbundle(2, bandwidth=bandwidth, base_point=X[middle])
    model.fit_transform(X[:: n // 100])  # loads the kernels
    times, Y = timed(lambda: model.fit_transform(X))
    charted = np.isfinite(Y).all(axis=1) & (model.status_ == 0)
    near = charted & (np.linalg.norm(truth - truth[middle], axis=1) <= REACH)
    rows = {}

    def add(name, times, Y, share=1.0):
        rows[name] = {**times, "charted": share}
        for what, chosen in (("all", charted), ("near", near)):
            for kind in ("rigid", "affine"):
                errors = misfit(Y[chosen], truth[chosen], kind)
                rows[name][f"{kind}, {what}"] = float(np.median(errors))

    add("geolearn PrincipalSubbundle", times, Y, float(charted.mean()))
    isomap = Isomap(n_neighbors=n_neighbors)
    add("Isomap", *timed(lambda: isomap.fit_transform(X)))
    ltsa = LocallyLinearEmbedding(
        n_neighbors=n_neighbors, method="ltsa", eigen_solver="dense"
    )
    add("LTSA", *timed(lambda: ltsa.fit_transform(X)))
    return {"rows": rows, "versions": versions("numpy", "scikit-learn")}


def misfit(Y, truth, kind):
    """Return distances from the truth after the best map of that kind."""
    Y, truth = Y - Y.mean(axis=0), truth - truth.mean(axis=0)
    if kind == "affine":  # LTSA returns coordinates of unit variance
        map_, *_ = np.linalg.lstsq(Y, truth, rcond=None)
    else:
        U, _, Vt = np.linalg.svd(Y.T @ truth)
        map_ = U @ Vt
    return np.linalg.norm(Y @ map_ - truth, axis=1)


def local_pca(n, n_neighbors, dim):
    """Compute local spectra of many points; a part is the search for neighbours."""
    from sklearn.neighbors import NearestNeighbors

    from geolearn.datasets import make_noisy_sphere
    from geolearn.decomposition import LocalPCA

    X, _ = make_noisy_sphere(n, dim=dim - 1, noise=0.01, random_state=0)
    model = LocalPCA(n_components=dim - 1, n_neighbors=n_neighbors)
    model.fit(X[:500])  # loads the kernels
    search = NearestNeighbors(n_neighbors=n_neighbors)
    rows = {}
    rows["scikit-learn, neighbours only"], _ = timed(
        lambda: search.fit(X).kneighbors(X), 3
    )
    rows["geolearn LocalPCA"], _ = timed(lambda: model.fit(X), 3)
    return {"rows": rows, "versions": versions("numpy", "scikit-learn")}
