"""The operations of spd_speed.py, each compared in a process of its own.

Both libraries work in the same process on the same arrays, run after run in
turn, so that neither is helped by a quiet minute. BLAS has one thread; geolearn
has as many numba threads as `n_jobs` says. Nothing heavy is imported before a
function is called.
"""

import statistics
import time
import warnings

from _isolated import versions

PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "pyriemann", "geolearn")
# Order of the matrices -> (matrices, of which in distance tables, samples a trial).
SIZES = {8: (5000, 300, 200), 22: (1000, 200, 500), 88: (500, 100, 500)}
TRIALS = {8: (1000, 8, 200), 22: (200, 22, 500), 88: (50, 88, 500)}
PEER_METRICS = {
    "affine_invariant": "riemann",
    "log_euclidean": "logeuclid",
    "bures_wasserstein": "wasserstein",
    "stein": "logdet",
}


def make_matrices(n):
    """Return (matrices, labels): covariances of noise in two classes.

    The sources are white; their gains vary from trial to trial and differ
    between the classes in a quarter of the sources. One mixing serves all.
    """
    import numpy as np

    count, _, n_times = SIZES[n]
    rng = np.random.default_rng(n)
    y = rng.permutation(np.arange(count) % 2)
    mixing = rng.standard_normal((n, n)) / np.sqrt(n) + np.eye(n)
    X = np.empty((count, n, n))
    for i in range(count):
        gains = np.exp(0.3 * rng.standard_normal(n))
        gains[: n // 4] *= 1.0 + 0.2 * y[i]
        samples = (mixing * gains) @ rng.standard_normal((n, n_times))
        X[i] = samples @ samples.T / n_times
    return 0.5 * (X + X.transpose(0, 2, 1)), y


def compare(operation, n, jobs, repeats, warmup, peer=True):
    """Time one operation of both libraries in turn.

    Parameters
    ----------
    operation : str
        Key of `OPERATIONS`.
    n : int
        Order of the matrices, key of `SIZES`.
    jobs : list of int
        Numbers of threads of geolearn.
    repeats, warmup : int
        Rounds that count and rounds before them.
    peer : bool, default=True
        Whether to run pyRiemann.

    Returns
    -------
    figures : dict
        "peer" and "geolearn_<jobs>": medians "seconds" and "cpu_seconds", and
        "spread"; "difference": largest difference of the results, relative to
        the largest number in them; "versions".
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    prepare = OPERATIONS[operation][1]
    calls = {}
    with warnings.catch_warnings():
        # Of both sides: iterations that stop short show in "difference".
        warnings.simplefilter("ignore")
        theirs, ours = prepare(n, peer)
        if peer:
            calls["peer"] = theirs
        for n_jobs in jobs:
            calls[f"geolearn_{n_jobs}"] = lambda n_jobs=n_jobs: ours(n_jobs)
        with threadpool_limits(1, user_api="blas"):
            times, values = in_turn(calls, repeats, warmup)
    answer = {"versions": versions(*PACKAGES), **times}
    if peer:
        a, b = (np.asarray(values[k]) for k in ("peer", f"geolearn_{jobs[0]}"))
        if a.shape != b.shape:
            raise ValueError(f"shapes {a.shape} and {b.shape} of the results differ")
        answer["difference"] = float(np.abs(a - b).max() / np.abs(a).max())
    return answer


def in_turn(calls, repeats, warmup):
    """Run the calls one after the other, again and again; return medians."""
    wall = {name: [] for name in calls}
    cpu = {name: [] for name in calls}
    values = {}
    for _ in range(warmup + repeats):
        for name, call in calls.items():
            cpu_start, start = time.process_time(), time.perf_counter()
            values[name] = call()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - cpu_start)
    times = {
        name: {
            "seconds": statistics.median(wall[name][warmup:]),
            "cpu_seconds": statistics.median(cpu[name][warmup:]),
            "spread": max(wall[name][warmup:]) - min(wall[name][warmup:]),
        }
        for name in calls
    }
    return times, values


# An operation prepares its input and returns two calls, that of pyRiemann and that
# of geolearn, which takes the number of threads; both return an array to compare.


def to_one(metric):
    def prepare(n, peer):
        from geolearn.manifolds import SPD

        X, _ = make_matrices(n)
        reference = X[:1].copy()
        space = SPD(n, metric)

        def theirs():
            from pyriemann.geometry.distance import distance

            return distance(X, reference[0], PEER_METRICS[metric])[:, 0]

        # The form that takes n_jobs; one column of the table.
        def ours(n_jobs):
            return space.pairwise_distances(X, reference, n_jobs=n_jobs)[:, 0]

        return theirs, ours

    return prepare


def pairwise(metric):
    def prepare(n, peer):
        from geolearn.manifolds import SPD

        X = make_matrices(n)[0][: SIZES[n][1]]
        space = SPD(n, metric)

        def theirs():
            from pyriemann.geometry.distance import pairwise_distance

            return pairwise_distance(X, metric=PEER_METRICS[metric])

        def ours(n_jobs):
            return space.pairwise_distances(X, n_jobs=n_jobs)

        return theirs, ours

    return prepare


def mean(metric):
    def prepare(n, peer):
        from geolearn.manifolds import SPD

        X, _ = make_matrices(n)
        space = SPD(n, metric)

        def theirs():
            from pyriemann.geometry.mean import gmean

            return gmean(X, metric=PEER_METRICS[metric])

        return theirs, lambda n_jobs: space.frechet_mean(X, n_jobs=n_jobs)

    return prepare


def tangent_space(n, peer):
    from geolearn.covariance import TangentSpace

    X, _ = make_matrices(n)
    models = {}
    if peer:
        from pyriemann.tangentspace import TangentSpace as Peer

        models["peer"] = Peer().fit(X[:50])

    def ours(n_jobs):
        if n_jobs not in models:  # in the warm-up round
            models[n_jobs] = TangentSpace(n_jobs=n_jobs).fit(X[:50])
        return models[n_jobs].transform(X)

    return lambda: models["peer"].transform(X), ours


def mdm_fit(n, peer):
    from geolearn.covariance import MDM

    X, y = make_matrices(n)

    def theirs():
        from pyriemann.classification import MDM as Peer

        return Peer().fit(X, y).covmeans_

    return theirs, lambda n_jobs: MDM(n_jobs=n_jobs).fit(X, y).means_


def mdm_predict(n, peer):
    from geolearn.covariance import MDM

    X, y = make_matrices(n)
    models = {}
    if peer:
        from pyriemann.classification import MDM as Peer

        models["peer"] = Peer().fit(X[:50], y[:50])

    def ours(n_jobs):
        if n_jobs not in models:
            models[n_jobs] = MDM(n_jobs=n_jobs).fit(X[:50], y[:50])
        return models[n_jobs].predict(X)

    return lambda: models["peer"].predict(X), ours


def mdm_cross_validation(n, peer):
    from sklearn.model_selection import cross_val_score

    from geolearn.covariance import MDM

    X, y = make_matrices(n)

    def theirs():
        from pyriemann.classification import MDM as Peer

        return cross_val_score(Peer(), X, y, cv=5)

    return theirs, lambda n_jobs: cross_val_score(MDM(n_jobs=n_jobs), X, y, cv=5)


def tangent_cross_validation(n, peer):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    from geolearn.covariance import TangentSpace

    X, y = make_matrices(n)

    def score(features):
        model = make_pipeline(features, LogisticRegression(max_iter=1000))
        return cross_val_score(model, X, y, cv=5)

    def theirs():
        from pyriemann.tangentspace import TangentSpace as Peer

        return score(Peer())

    return theirs, lambda n_jobs: score(TangentSpace(n_jobs=n_jobs))


def ledoit_wolf(n, peer):
    import numpy as np

    from geolearn.covariance import Covariances

    X = np.random.default_rng(n).standard_normal(TRIALS[n])

    def theirs():
        from pyriemann.estimation import Covariances as Peer

        return Peer("lwf").fit_transform(X)

    return theirs, lambda n_jobs: Covariances("lwf", n_jobs=n_jobs).fit_transform(X)


# name -> (title of the row, how to prepare it)
OPERATIONS = {
    "to_one_affine": ("affine distance to one", to_one("affine_invariant")),
    "to_one_bures": ("Bures-Wasserstein distance to one", to_one("bures_wasserstein")),
    "to_one_stein": ("Stein distance to one", to_one("stein")),
    "to_one_log": ("log-Euclidean distance to one", to_one("log_euclidean")),
    "pairwise_affine": ("pairwise affine", pairwise("affine_invariant")),
    "pairwise_stein": ("pairwise Stein", pairwise("stein")),
    "pairwise_bures": ("pairwise Bures-Wasserstein", pairwise("bures_wasserstein")),
    "mean_affine": ("affine mean", mean("affine_invariant")),
    "mean_bures": ("Bures-Wasserstein mean", mean("bures_wasserstein")),
    "mean_stein": ("Stein mean", mean("stein")),
    "tangent_space": ("tangent space, transform", tangent_space),
    "mdm_fit": ("MDM fit", mdm_fit),
    "mdm_predict": ("MDM predict", mdm_predict),
    "mdm_cv": ("MDM 5-fold CV", mdm_cross_validation),
    "tangent_cv": ("tangent + logistic 5-fold CV", tangent_cross_validation),
    "ledoit_wolf": ("Ledoit-Wolf covariances", ledoit_wolf),
}
