"""What bsa_speed.py measures, one function a comparison.

No package fits barycentric subspaces. The scheme of the follow-up for data on
networks (arXiv:2507.23559) is written here from its description: every projection
is one constrained minimisation by SciPy's SLSQP over the weights, and the search
goes forward through all samples with such projections.
"""

import time
from importlib.metadata import version

import numpy as np

TOLERANCE = 1e-12  # of SLSQP, as in the follow-up


def versions(*names):
    """Return the versions of packages."""
    return {name: version(name) for name in names}


def timed(call, repeats=5):
    """Return the median CPU and wall-clock seconds of a call, and its value."""
    call()
    runs = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        value = call()
        runs.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = np.median(runs, axis=0)
    return {"cpu_seconds": float(cpu), "seconds": float(wall)}, value


def slsqp(y, references, sort):
    """Return weights of sum one and the distance, by one call of SLSQP."""
    from scipy.optimize import minimize

    k = len(references)
    sums = {"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": lambda w: np.ones(k)}
    constraints = [sums]
    if sort:  # projections of spectra stay sorted
        steps = np.diff(references, axis=1).T
        constraints.append(
            {"type": "ineq", "fun": lambda w: steps @ w, "jac": lambda w: steps}
        )

    def objective(w):
        r = w @ references - y
        return r @ r, 2.0 * references @ r

    found = minimize(
        objective,
        np.full(k, 1.0 / k),
        jac=True,
        method="SLSQP",
        constraints=constraints,
        options={"ftol": TOLERANCE, "maxiter": 200},
    )
    return found.x, float(np.sqrt(max(found.fun, 0.0)))


def spectra(n, dim):
    """Return sorted spectra of Laplacians of random weighted graphs."""
    rng = np.random.default_rng(0)
    W = np.triu(rng.gamma(2.0, size=(n, dim, dim)), 1)
    W += np.swapaxes(W, 1, 2)
    return np.linalg.eigvalsh(W.sum(axis=2)[:, :, None] * np.eye(dim) - W)


def projections(n, dim):
    """Project spectra on the plane of three of them."""
    from geolearn.decomposition import BarycentricSubspaceAnalysis

    X = spectra(n, dim)
    model = BarycentricSubspaceAnalysis(references=X[:3]).fit(X[:3])
    ours, _ = timed(lambda: model.transform(X), 9)
    distance = model.distance(X)
    rows = {"geolearn": {**ours, "error": 0.0}}
    for name, sort in (("SLSQP", False), ("SLSQP, sorted", True)):
        theirs, found = timed(lambda s=sort: [slsqp(y, X[:3], s) for y in X], 1)
        error = max(abs(d - e) for (_, d), e in zip(found, distance, strict=True))
        rows[name] = {**theirs, "error": float(error)}
    return {"rows": rows, "versions": versions("numpy", "scipy"), "n": n}


def forward(n, dim):
    """Search four spectra, one after the other, whose span is nearest to all."""
    from geolearn.decomposition import BarycentricSubspaceAnalysis

    X = spectra(n, dim)
    bsa = BarycentricSubspaceAnalysis(3)
    ours, model = timed(lambda: bsa.fit(X), 9)

    def variance(chosen):
        if len(chosen) == 1:
            return np.mean(np.sum((X - X[chosen[0]]) ** 2, axis=1))
        return np.mean([slsqp(y, X[chosen], False)[1] ** 2 for y in X])

    def search():
        chosen = []
        for _ in range(4):
            rest = [c for c in range(n) if c not in chosen]
            chosen = [*chosen, min(rest, key=lambda c: variance([*chosen, c]))]
        return chosen

    wall, cpu = time.perf_counter(), time.process_time()
    chosen = search()
    theirs = {
        "cpu_seconds": time.process_time() - cpu,
        "seconds": time.perf_counter() - wall,
    }
    same = float(list(model.reference_indices_) == chosen)
    rows = {"geolearn": {**ours, "same": 1.0}, "SLSQP": {**theirs, "same": same}}
    return {"rows": rows, "versions": versions("numpy", "scipy"), "n": n}


def tangent(n, space):
    """Fit subspaces of dimension three to points of the sphere S^9 or to SPD(3)."""
    import geomstats.backend as gs  # noqa: F401  # reports its own absence
    from geomstats.geometry.hypersphere import Hypersphere
    from geomstats.geometry.spd_matrices import SPDAffineMetric, SPDMatrices
    from geomstats.learning.pca import TangentPCA

    from geolearn.decomposition import BarycentricSubspaceAnalysis
    from geolearn.decomposition import TangentPCA as Ours
    from geolearn.manifolds import SPD, Sphere

    manifold = Sphere(9) if space == "sphere" else SPD(3)
    X = np.asarray(manifold.random_normal(n, scale=0.2, random_state=0))
    theirs = Hypersphere(9) if space == "sphere" else SPDMatrices(3)
    if space == "spd":
        theirs.equip_with_metric(SPDAffineMetric)
    rows = {}
    rows["geolearn TangentPCA"], _ = timed(
        lambda: Ours(3, manifold=manifold).fit(X).transform(X)
    )
    if space == "sphere":
        free = BarycentricSubspaceAnalysis(3, manifold=manifold, references="free")
        rows["geolearn free references"], _ = timed(lambda: free.fit_transform(X))
    rows["geomstats TangentPCA"], _ = timed(
        lambda: TangentPCA(theirs, n_components=3).fit(X).transform(X)
    )
    return {"rows": rows, "versions": versions("numpy", "geomstats"), "n": n}
