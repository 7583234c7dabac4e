"""What local_dimension.py measures: dimensions around each point, by two libraries.

A process may run under an interpreter that has only one of them.
"""

import statistics
import time

import numpy as np
from _isolated import versions


def curved(n, dim, n_features=20, seed=0):
    """Return noisy points of a curved surface of dimension `dim`."""
    rng = np.random.default_rng(seed)
    u = rng.uniform(-1.0, 1.0, size=(n, dim))
    bent = np.hstack([u, 0.3 * u**2, 0.1 * np.sin(3.0 * u)])
    frame = np.linalg.qr(rng.normal(size=(n_features, 3 * dim)))[0]
    return bent @ frame.T + 1e-3 * rng.normal(size=(n, n_features))


def _geolearn(method, X, k):
    from geolearn import diagnostics

    if method == "TwoNN":
        return np.atleast_1d(diagnostics.two_nn_dimension(X))
    if method == "MLE":
        return diagnostics.local_intrinsic_dimension(X, n_neighbors=k)
    return diagnostics.local_pca_dimension(X, n_neighbors=k, criterion="ratio")


def _scikit_dimension(method, X, k):
    from skdim import id as estimators

    if method == "TwoNN":
        return np.atleast_1d(estimators.TwoNN().fit(X).dimension_)
    if method == "MLE":
        model = estimators.MLE(unbiased=True)
    else:
        model = estimators.lPCA(ver="FO", verbose=False)
    return np.asarray(model.fit_transform_pw(X, n_neighbors=k))


def dimensions(library, method, n, dim, k, repeats):
    """Return CPU seconds and the dimensions of one library.

    The first call, on few points, loads compiled code and counts for nothing.
    """
    call = _geolearn if library == "geolearn" else _scikit_dimension
    X = curved(n, dim)
    call(method, X[: k + 50], k)
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        values = call(method, X, k)
        seconds.append(time.process_time() - start)
    package = "geolearn" if library == "geolearn" else "scikit-dimension"
    return {
        "cpu_seconds": statistics.median(seconds),
        "values": [float(value) for value in values],
        "versions": versions(package, "numpy", "scikit-learn"),
    }
