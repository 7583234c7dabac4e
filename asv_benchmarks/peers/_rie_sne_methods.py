"""What rie_sne_speed.py and rie_sne_tables.py measure: data, methods, quality."""

import time
import warnings

import numpy as np
from _isolated import versions

from geolearn.embedding import RieSNE, sne_objective
from geolearn.manifolds import SPD, Euclidean, Hyperboloid, Sphere
from geolearn.metrics import trustworthiness

N_NEIGHBORS = 15
N_RATED = 3000  # rows whose trustworthiness is measured, at most
PERPLEXITY = 30.0


def flat_clusters(n, dim=20, seed=0):
    """Return points around ten centres of R^20."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(10, dim))
    return centres[rng.integers(10, size=n)] + 0.5 * rng.normal(size=(n, dim))


def spd_clusters(n, size=8, seed=0):
    """Return SPD matrices around ten centres."""
    manifold = SPD(size)
    centres = manifold.random_normal(10, scale=0.3, random_state=seed)
    centres = centres[np.random.default_rng(seed).integers(10, size=n)]
    tangent = manifold.random_tangent(centres, scale=0.1, random_state=seed)
    return manifold.exp(centres, tangent)


def sphere_in_sphere(n=600, seed=0):
    """Return noisy points of S^2 in S^5."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n, 6))
    X[:, :3] = Sphere(2).project(rng.normal(size=(n, 3)))
    return Sphere(5), Sphere(5).project(X + 0.03 * rng.normal(size=X.shape))


def sphere_clusters(n=600, seed=0):
    """Return points around eight centres of S^10."""
    rng = np.random.default_rng(seed)
    centres = Sphere(10).project(rng.normal(size=(8, 11)))
    X = centres[rng.integers(8, size=n)] + 0.25 * rng.normal(size=(n, 11))
    return Sphere(10), Sphere(10).project(X)


def window_covariances(n=681, seed=0):
    """Return covariances of ten series whose volatilities wander."""
    rng = np.random.default_rng(seed)
    window, p = 20, 10
    common, own = 0.0, np.zeros(p)
    loading = rng.uniform(0.5, 1.0, size=p)
    returns = np.empty((n + window - 1, p))
    for row in returns:
        common = 0.98 * common + 0.15 * rng.normal()
        own = 0.97 * own + 0.15 * rng.normal(size=p)
        row[:] = np.exp(common) * loading * rng.normal()
        row += np.exp(own) * rng.normal(size=p)
    returns *= 0.03
    return SPD(p), np.stack([np.cov(returns[i : i + window].T) for i in range(n)])


def digits(n=1797, seed=0):
    """Return images of handwritten digits of unit norm, points of S^63."""
    from sklearn.datasets import load_digits

    return Sphere(63), Sphere(63).project(load_digits().data[:n])


DATA = {
    "S2 in S5": sphere_in_sphere,
    "clusters on S10": sphere_clusters,
    "sliding covariances": window_covariances,
    "digits on S63": digits,
}


def trust(manifold, X, target, Y):
    """Return the trustworthiness of an embedding; of a random part, if large."""
    rows = np.random.default_rng(0).permutation(len(X))[:N_RATED]
    D_X = manifold.pairwise_distances(X[rows])
    return trustworthiness(D_X, target.pairwise_distances(Y[rows]), N_NEIGHBORS)


def timed_fit(call):
    """Return seconds of wall clock and of the processor, and the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cpu, wall = time.process_time(), time.perf_counter()
        result = call()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def rate(rows, name, manifold, X, P, call):
    """Time one method and rate its plane under common affinities."""
    wall, cpu, Y = timed_fit(call)
    Y = np.asarray(Y, dtype=np.float64)
    rows[name] = {
        "seconds": wall,
        "cpu_seconds": cpu,
        "kl": sne_objective(Y, P).kl,
        "trust": trust(manifold, X, Euclidean(2), Y),
    }


def flat(n, jobs=1):
    """Compare t-SNE of points of R^20 by three libraries."""
    from openTSNE import TSNE as OpenTSNE
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PrecomputedAffinities
    from scipy import sparse
    from sklearn.manifold import TSNE

    X, space = flat_clusters(n), Euclidean(20)
    few = flat_clusters(300)
    settings = {"perplexity": PERPLEXITY, "random_state": 0, "n_jobs": jobs}
    for method in ("exact", "barnes_hut"):  # compile
        RieSNE(max_iter=30, method=method, affinity="knn", **settings).fit(few)
    sne = RieSNE(affinity="knn", **settings)
    wall, cpu, _ = timed_fit(lambda: sne.fit(X))
    P = sne.affinities_
    plane = sne.embedding_
    rows = {
        f"geolearn ({sne.method_})": {
            "seconds": wall,
            "cpu_seconds": cpu,
            "kl": sne_objective(plane, P).kl,
            "trust": trust(space, X, Euclidean(2), plane),
        }
    }
    start = X - X.mean(axis=0)
    start = start @ np.linalg.svd(start, full_matrices=False)[2][:2].T
    start *= 1e-4 / start[:, 0].std()

    def same_affinities():
        layout = TSNEEmbedding(
            start.copy(),
            PrecomputedAffinities(sparse.csr_matrix(P, copy=True), normalize=False),
            negative_gradient_method="bh",
            n_jobs=jobs,
        )
        layout.optimize(250, inplace=True, exaggeration=12, momentum=0.8)
        return layout.optimize(500, inplace=True, momentum=0.8)

    whole = OpenTSNE(negative_gradient_method="bh", **settings)
    rate(rows, "openTSNE, same P", space, X, P, same_affinities)
    rate(rows, "openTSNE (tree)", space, X, P, lambda: whole.fit(X))
    peer = TSNE(max_iter=750, init=start.astype(np.float32), **settings)
    rate(rows, "scikit-learn (tree)", space, X, P, lambda: peer.fit_transform(X))
    names = ("geolearn", "openTSNE", "scikit-learn")
    return {"rows": rows, "base": f"geolearn ({sne.method_})", **_about(names)}


def matrices(n, jobs=1):
    """Compare maps of SPD(8) matrices with those of pyRiemann."""
    from pyriemann.embedding import TSNE

    manifold, X = SPD(8), spd_clusters(n)
    settings = {"perplexity": PERPLEXITY, "random_state": 0, "n_jobs": jobs}
    rows = {}

    def measure(name, target, call):
        wall, cpu, Y = timed_fit(call)
        rows[name] = {
            "seconds": wall,
            "cpu_seconds": cpu,
            "trust": trust(manifold, X, target, Y),
        }

    for target in ("euclidean", SPD(2)):
        RieSNE(manifold, target=target, max_iter=5, **settings).fit(X)  # compile
        sne = RieSNE(manifold, target=target, **settings)
        space = Euclidean(2) if target == "euclidean" else target
        measure(f"geolearn, {space!r}", space, lambda sne=sne: sne.fit_transform(X))
    if n <= 400:  # 0.05 s an iteration at n = 200, growing with n^2
        peer = TSNE(2, perplexity=PERPLEXITY, random_state=0)
        measure("pyRiemann, SPD(2)", SPD(2), lambda: peer.fit_transform(X))
    return {"rows": rows, "base": "geolearn, Euclidean(2)"} | _about(
        ("geolearn", "pyriemann")
    )


def _about(names):
    return {"versions": versions(*names)}


def quality(data, target, kernel, kernel_scale, init="pca", seed=0):
    """Return divergence and trustworthiness of one map of the paper's kind of data."""
    manifold, X = DATA[data](seed=seed)
    sne = RieSNE(
        manifold,
        target=target,
        kernel=kernel,
        kernel_scale=kernel_scale,
        perplexity=PERPLEXITY,
        affinity="exact",
        init=init,
        random_state=0,
    )
    wall, cpu, _ = timed_fit(lambda: sne.fit(X))
    Y = sne.embedding_
    reach = 0.0
    if isinstance(sne.target_manifold_, Hyperboloid):
        reach = float(np.median(np.arccosh(Y[:, 0])))
    return {
        "kl": sne.kl_divergence_,
        "trust": trust(manifold, X, sne.target_manifold_, Y),
        "scale": sne.kernel_scale_,
        "radius": reach,
        "correction": sne.volume_correction_,
        "seconds": wall,
        "cpu_seconds": cpu,
    }


def principal(data, k, seed=0):
    """Return the trustworthiness of tangent principal components, the baseline."""
    manifold, X = DATA[data](seed=seed)
    T = manifold.log_vector(manifold.frechet_mean(X, tol=1e-6), X)
    T = T - T.mean(axis=0)
    Y = T @ np.linalg.svd(T, full_matrices=False)[2][:k].T
    return {"trust": trust(manifold, X, Euclidean(k), Y)}
