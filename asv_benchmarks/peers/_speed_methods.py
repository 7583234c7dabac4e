"""The methods of heat_geodesic_speed.py, each run in a process of its own.

Nothing heavy is imported before a function is called: the parent reads this
file for its table of methods only.
"""

from _isolated import matrix_product_seconds, peak_rss, timed, versions

N_NEIGHBORS = 10
N_SCORED = 1000
PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "phate", "umap-learn")


def write_roll(folder, n, width, noise):
    """Write the points and the flat coordinates of a Swiss roll."""
    import numpy as np

    from geolearn.datasets import make_swiss_roll

    roll = make_swiss_roll(
        n, noise=noise, width=width, random_state=42, return_X_y=False
    )
    data, flat = f"{folder}/points{n}.npy", f"{folder}/flat{n}.npy"
    np.save(data, roll.X)
    np.save(flat, roll.unrolled)
    return {"data": data, "flat": flat, "versions": versions(*PACKAGES)}


def score(embedding, flat):
    """Score an embedding by the geodesic distances of a sample of its points."""
    import numpy as np
    from scipy.spatial.distance import cdist

    from geolearn.metrics import distance_correlation_score

    Y, U = np.load(embedding), np.load(flat)
    rows = np.arange(Y.shape[0])
    if rows.size > N_SCORED:
        rows = np.random.default_rng(0).permutation(rows)[:N_SCORED]
    D, geodesics = cdist(Y[rows], Y[rows]), cdist(U[rows], U[rows])
    return {
        method: float(distance_correlation_score(D, geodesics, method=method))
        for method in ("pearson", "spearman")
    }


def measure(data, embedding, method, options, product, repeats, warmup):
    """Time a fresh `fit_transform` of a method; write the last embedding.

    Parameters
    ----------
    data, embedding : str
        File .npy to read the points from and to write the embedding to.
    method : {"geolearn", "phate", "umap", "tsne", "isomap"}
        Which one.
    options : dict
        Keyword arguments of its class.
    product : int
        Order n of the matrix product G(n) to time afterwards.
    repeats, warmup : int
        Runs that count and runs before them.

    Returns
    -------
    figures : dict
        The keys of `timed`, "peak_rss", "start_rss" (before the first run),
        "product_seconds", "versions" and, for geolearn, "details".
    """
    import numpy as np

    build = BUILDERS[method]
    X = np.load(data)
    build(options)  # imports before the clock starts
    start = peak_rss()
    model = None

    def fit():
        nonlocal model
        model = None  # the previous fit must not count in the peak
        model = build(options)
        return model.fit_transform(X)

    times, Y = timed(fit, repeats=repeats, warmup=warmup)
    peak = peak_rss()  # before the matrix product takes its own memory
    np.save(embedding, Y)
    return {
        **times,
        "start_rss": start,
        "peak_rss": peak,
        "product_seconds": matrix_product_seconds(product),
        "versions": versions(*PACKAGES),
        "details": _details(model),
    }


def _details(model):
    """Return the diffusion time and the order of the series, where they exist."""
    import numpy as np

    found = {}
    for name in ("t_", "heat_order_", "n_iter_", "stress_"):
        value = getattr(model, name, None)
        if value is not None:
            found[name] = np.asarray(value, dtype=float).ravel().tolist()
    return found


def _geolearn(options):
    from geolearn.embedding import HeatGeodesicEmbedding

    return HeatGeodesicEmbedding(n_neighbors=N_NEIGHBORS, random_state=0, **options)


def _phate(options):
    import phate

    return phate.PHATE(knn=N_NEIGHBORS, random_state=0, n_jobs=1, verbose=0, **options)


def _umap(options):
    import umap

    # a seed makes UMAP single-threaded; without one it uses all threads there are
    return umap.UMAP(n_neighbors=N_NEIGHBORS, random_state=0, n_jobs=1, **options)


def _tsne(options):
    from sklearn.manifold import TSNE

    return TSNE(random_state=0, n_jobs=1, **options)


def _isomap(options):
    from sklearn.manifold import Isomap

    return Isomap(n_neighbors=N_NEIGHBORS, n_jobs=1, **options)


BUILDERS = {
    "geolearn": _geolearn,
    "phate": _phate,
    "umap": _umap,
    "tsne": _tsne,
    "isomap": _isomap,
}
