"""What euclidicity_speed.py measures: geolearn and the authors' package, one by one.

The authors' package is called through its own classes. Two things it imports are
replaced where they are absent: the module that loads image data by torchvision, which
scoring needs not, and giotto-ph, which has no wheels for new Pythons, by ripser.py.
"""

import sys
import time
import types
from importlib.metadata import PackageNotFoundError, version

import numpy as np

N_STEPS = 10
PACKAGES = ("numpy", "gudhi", "giotto-ph", "ripser", "numba")


def versions(names):
    """Return the versions of the packages that are there."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def timed(call):
    """Return CPU and wall-clock seconds of a call, and its value."""
    wall, cpu = time.perf_counter(), time.process_time()
    value = call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_seconds": cpu, "seconds": wall}, value


def load_reference():
    """Import the authors' package; return its parts and the name of its engine."""
    data = types.ModuleType("tardis.data")
    data.sample_vision_data_set = None
    sys.modules.setdefault("tardis.data", data)
    if not hasattr(np, "row_stack"):  # taken out of NumPy
        vars(np)["row_stack"] = np.vstack
    engine = "giotto-ph"
    try:
        import gph  # noqa: F401  # reports its own absence
    except ImportError:
        from ripser import ripser

        engine = "ripser.py"
        sys.modules["gph"] = types.ModuleType("gph")
        sys.modules["gph"].ripser_parallel = lambda X, maxdim, collapse_edges: ripser(
            X, maxdim=maxdim
        )
    from tardis.euclidicity import Euclidicity
    from tardis.shapes import sample_from_annulus
    from tardis.utils import estimate_scales

    return Euclidicity, sample_from_annulus, estimate_scales, engine


class FullGrid:
    """The reference's cells over the whole product of radii, as the definition has it.

    Its own loop collapses the outer radii after the first inner one.
    """

    def __init__(self, score, max_degree):
        self.score, self.max_degree = score, max_degree

    def __call__(self, X, x, r, R, s, S):
        """Return the distances of the cells that are not void."""
        cells = [
            self.score._calculate_euclidicity(inner, outer, X, x, self.max_degree)[0]
            for inner in np.linspace(r, R, N_STEPS)
            for outer in np.linspace(s, S, N_STEPS)
            if inner < outer
        ]
        return np.array(cells), None


def reference(X, queries, k, sampled):
    """Score queries by the authors' package, as released and on the full grid."""
    Euclidicity, sample, estimate_scales, engine = load_reference()
    model = None
    if sampled:  # the model of the surface has dimension 2 whatever the degrees

        def model(n, r, R, d):
            return sample(n=n, r=r, R=R, d=2)

    rows = {}
    for name, max_degree in (("as released", 2), ("full grid, degrees 0-1", 1)):
        score = Euclidicity(
            max_dim=max_degree,
            n_steps=N_STEPS,
            data=X,
            method="ripser",
            model_sample_fn=model,
        )
        call = score if name == "as released" else FullGrid(score, max_degree)

        def run(call=call):
            scales = estimate_scales(X, X[queries], k)
            pairs = zip(X[queries], scales, strict=True)
            return [np.nanmean(call(X, x, **scale)[0]) for x, scale in pairs]

        rows[name], values = timed(run)
        rows[name]["values"] = values
    return rows, engine


def cell_by_cell(X, queries, k, sampled):
    """Compute every cell anew by the kernels: equal cells and models are not reused.

    This is the work of the reference on the full grid: one draw of the model a cell,
    persistence of both clouds in degrees 0 and 1, one distance of pooled diagrams.
    """
    from scipy.spatial.distance import cdist

    from geolearn.topology import sample_annulus
    from geolearn.topology._bottleneck_kernels import bottleneck_pairs
    from geolearn.topology._persistence_kernels import rips_diagrams

    def pooled(points):
        merges, loops, _ = rips_diagrams(cdist(points, points), 1)
        return np.concatenate((np.column_stack((np.zeros_like(merges), merges)), loops))

    def score(x, seed):
        distances = np.linalg.norm(X - x, axis=1)
        order = np.argsort(distances)[1:k]
        delta = distances[order]
        middle = delta[round(k / 3)]
        rng = np.random.RandomState(seed)
        cells = []
        for r in np.linspace(delta[0], middle, N_STEPS):
            for s in np.linspace(middle, delta[-1], N_STEPS):
                annulus = X[order[(delta > r) & (delta <= s)]]
                if r < s and len(annulus):
                    model = np.array([[r, s]])
                    if sampled:
                        draw = sample_annulus(len(annulus), r, s, 2, random_state=rng)
                        model = pooled(draw)
                    cells.append(bottleneck_pairs(pooled(annulus), model))
        return np.mean(cells)

    score(X[queries[0]], 0)  # loads the kernels
    return timed(lambda: [score(X[q], q) for q in queries])


def ours(X, k, sampled, same):
    """Fit Euclidicity, which scores every sample.

    `same` takes the settings of the reference: one model a cell, pooled diagrams, raw
    distances.
    """
    from geolearn.topology import Euclidicity

    options = {"model": "annulus" if sampled else "interval", "intrinsic_dim": 2}
    if same:
        options |= {"combine": "pooled", "normalize": False, "min_points": 1}
        options |= {"n_model_samples": 1, "max_degree": 1}
    model = Euclidicity(k - 1, n_steps=N_STEPS, random_state=0, **options)
    model.fit(X[:200])  # loads the kernels
    times, fitted = timed(lambda: model.fit(X))
    return times, fitted.euclidicity_


def compare(n, k, sampled, n_queries):
    """Return CPU milliseconds a query of both, and how far the scores agree."""
    from scipy.stats import spearmanr

    from geolearn.datasets import make_wedged_spheres

    X, _ = make_wedged_spheres(n, random_state=0)
    queries = np.linspace(0, n - 1, n_queries).astype(int)
    rows = {}

    def add(name, times, count, values=None):
        rows[name] = {key: value / count for key, value in times.items()}
        rows[name]["values"] = values

    times, _ = ours(X, k, sampled, same=False)
    add("geolearn", times, n)
    times, values = ours(X, k, sampled, same=True)
    add("geolearn, settings of the reference", times, n, values[queries])
    times, anew = cell_by_cell(X, queries, k, sampled)
    add("geolearn, every cell anew", times, n_queries, anew)
    engine = None
    try:
        theirs, engine = reference(X, queries, k, sampled)
    except ImportError as error:
        rows["reference"] = {"missing": str(error)}
        theirs = {}
    for name, row in theirs.items():
        add(f"reference, {name}", _seconds(row), n_queries, row["values"])
    mine = rows["geolearn, settings of the reference"]["values"]
    for row in rows.values():
        values = row.pop("values", None)
        if values is not None:
            row["correlation"] = float(spearmanr(values, mine)[0])
            row["difference"] = float(np.median(np.abs(np.array(values) - mine)))
    return {"rows": rows, "engine": engine, "versions": versions(PACKAGES)}


def _seconds(row):
    return {key: row[key] for key in ("cpu_seconds", "seconds")}
