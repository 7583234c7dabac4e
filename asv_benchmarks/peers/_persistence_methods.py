"""What persistence_speed.py measures: clouds, engines, agreement of diagrams."""

import time

import numpy as np
from _isolated import versions

from geolearn.metrics import pairwise_distances
from geolearn.topology import (
    bottleneck_distance,
    sample_annulus,
    vietoris_rips_persistence,
)
from geolearn.topology._bottleneck_kernels import bottleneck_deaths, bottleneck_pairs
from geolearn.topology._persistence_kernels import rips_diagrams

SECONDS = 0.3  # of CPU time that one engine gets in one round
ROUNDS = 5


def geolearn_kernel(D, max_degree):
    """Return what other kernels call: no checks."""
    return rips_diagrams(D, max_degree)


def geolearn_public(D, max_degree):
    """Return what users call."""
    return vietoris_rips_persistence(D, max_degree=max_degree, metric="precomputed")


def gudhi_engine():
    """Return gudhi's fork of Ripser behind its scikit-learn interface."""
    from gudhi.sklearn.rips_persistence import RipsPersistence

    def call(D, max_degree):
        degrees = list(range(max_degree + 1))
        engine = RipsPersistence(degrees, input_type="full distance matrix")
        return engine.fit_transform([D])[0]

    return call


def gudhi_collapse():
    """Return gudhi's simplex tree with collapsed edges."""
    from gudhi import RipsComplex

    def call(D, max_degree):
        tree = RipsComplex(
            distance_matrix=D, max_edge_length=float(D.max(axis=1).min())
        ).create_simplex_tree(max_dimension=1)
        tree.collapse_edges()
        tree.expansion(max_degree + 1)
        tree.compute_persistence(homology_coeff_field=2)
        return [
            tree.persistence_intervals_in_dimension(i) for i in range(max_degree + 1)
        ]

    return call


def ripser_engine():
    """Return ripser.py, which computes in single precision."""
    from ripser import ripser

    return lambda D, max_degree: ripser(D, maxdim=max_degree, distance_matrix=True)[
        "dgms"
    ]


def engines():
    """Return the engines that can be imported."""
    found = {
        "geolearn": geolearn_kernel,
        "geolearn, public function": geolearn_public,
    }
    for name, make in (
        ("gudhi RipsPersistence", gudhi_engine),
        ("gudhi, edges collapsed", gudhi_collapse),
        ("ripser.py", ripser_engine),
    ):
        try:
            found[name] = make()
        except ImportError:
            continue
    return found


def cpu_times(calls):
    """Return the least CPU milliseconds a call, engines taking turns."""
    best = dict.fromkeys(calls, np.inf)
    for call in calls.values():
        call()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            n_calls, start = 0, time.process_time()
            while time.process_time() < start + SECONDS / ROUNDS:
                call()
                n_calls += 1
            spent = time.process_time() - start
            best[name] = min(best[name], 1e3 * spent / n_calls)
    return best


def persistence_sum(diagrams, degree):
    """Return the sum of all persistence in one degree, to compare engines."""
    diagram = np.asarray(diagrams[degree])
    if diagram.ndim == 1:
        diagram = np.stack([0 * diagram, diagram], axis=1)
    diagram = diagram[np.isfinite(diagram[:, 1])]
    return float((diagram[:, 1] - diagram[:, 0]).sum())


def clouds(n, dim, max_degree, n_clouds=5):
    """Time the diagrams of annuli of radii 0.3 and 1, mean over clouds."""
    tables = [
        pairwise_distances(sample_annulus(n, 0.3, 1.0, dim, random_state=seed))
        for seed in range(n_clouds)
    ]
    calls = {
        name: lambda engine=engine: [engine(D, max_degree) for D in tables]
        for name, engine in engines().items()
    }
    best = cpu_times(calls)
    totals = {
        name: [
            sum(persistence_sum(d, i) for d in call()) for i in range(max_degree + 1)
        ]
        for name, call in calls.items()
    }
    reference = np.array(totals["geolearn"])
    rows = {
        name: {
            "cpu_ms": best[name] / n_clouds,
            "difference": float(np.abs(np.array(totals[name]) - reference).max()),
        }
        for name in calls
    }
    return {"rows": rows, "versions": versions("geolearn", "gudhi", "ripser")}


def distances(n, degree):
    """Time the bottleneck distance of the diagrams of two annuli."""
    one, other = (
        vietoris_rips_persistence(sample_annulus(n, 0.3, 1.0, 2, random_state=seed))[
            degree
        ]
        for seed in (0, 1)
    )
    one, other = (D[np.isfinite(D[:, 1])] for D in (one, other))
    if degree:
        calls = {"geolearn": lambda: bottleneck_pairs(one, other)}
    else:
        deaths = [np.sort(D[:, 1])[::-1].copy() for D in (one, other)]
        calls = {"geolearn": lambda: bottleneck_deaths(*deaths)}
    calls["geolearn, public function"] = lambda: bottleneck_distance(one, other)
    try:
        import gudhi
        import gudhi.hera

        calls["gudhi.hera"] = lambda: gudhi.hera.bottleneck_distance(one, other)
        calls["gudhi.bottleneck_distance"] = lambda: gudhi.bottleneck_distance(
            one, other
        )
    except ImportError:
        pass
    best = cpu_times(calls)
    reference = calls["geolearn"]()
    rows = {
        name: {"cpu_ms": best[name], "difference": abs(float(call()) - reference)}
        for name, call in calls.items()
    }
    return {"rows": rows, "versions": versions("geolearn", "gudhi")}
