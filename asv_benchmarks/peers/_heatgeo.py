"""Drive the reference implementation, under whatever interpreter has it.

Nothing but NumPy and `heatgeo` itself is imported, and only through its public
class. The calls are those of the published experiments: alpha-decay graph,
Chebyshev filter of order 30, 2-D metric MDS by stochastic gradient descent.
"""

import numpy as np
from _isolated import matrix_product_seconds, peak_rss, timed, versions

ORDER = 30
PACKAGES = ("numpy", "scipy", "scikit-learn", "graphtools", "PyGSP", "s_gd2")


def available():
    """Return the versions of the packages; ImportError without `heatgeo`."""
    from heatgeo.embedding import HeatGeo

    return {"module": HeatGeo.__module__, "versions": versions(*PACKAGES)}


def distances_and_embeddings(inputs, outputs, runs, n_neighbors):
    """Fit every run to every data set of the file `inputs`.

    Parameters
    ----------
    inputs : str
        File .npz with one array (n, d) a data set.
    outputs : str
        File .npz to write: "<data set>|<run>|D" of shape (n, n) and
        "<data set>|<run>|Y" of shape (n, 2).
    runs : dict
        Name of a run -> keyword arguments of the class.
    n_neighbors : int
        Neighbours of a point in the graph.

    Returns
    -------
    times : dict
        "times": chosen diffusion time of each "<data set>|<run>".
    """
    results, times = {}, {}
    with np.load(inputs) as data:
        for name in data.files:
            for run, options in runs.items():
                model = _model(n_neighbors, options)
                Y = model.fit_transform(data[name])
                # s_gd2 reads D only; the class keeps the matrix that it embedded
                results[f"{name}|{run}|D"] = model.dist
                results[f"{name}|{run}|Y"] = Y
                chosen = np.ravel(getattr(model, "opt_tau", model.tau))
                times[f"{name}|{run}"] = float(chosen[0])
    np.savez(outputs, **results)
    return {"times": times}


def measure(data, embedding, options, n_neighbors, repeats, warmup):
    """Time `fit_transform` on the file `data`; write the last embedding."""
    X = np.load(data)
    _model(n_neighbors, options)  # imports before the clock starts
    times, Y = timed(
        lambda: _model(n_neighbors, options).fit_transform(X),
        repeats=repeats,
        warmup=warmup,
    )
    peak = peak_rss()
    np.save(embedding, Y)
    return {
        **times,
        "peak_rss": peak,
        "product_seconds": matrix_product_seconds(X.shape[0]),
        "versions": versions(*PACKAGES),
    }


def _model(n_neighbors, options):
    from heatgeo.embedding import HeatGeo

    return HeatGeo(
        knn=n_neighbors, filter_method="mar", order=ORDER, n_pca=None, **options
    )
