"""Time the fit of one decision tree on hyperbolic space, here and elsewhere.

For each number of points a process of its own fits the trees of geolearn, scikit-learn
and, where they are installed, hyperdt and Manify to the same points in turn, round
after round, on one thread. A figure is the median of several rounds of CPU time after
a warm-up round. README.md says how to run it.
"""

import argparse
import statistics
import sys
import time

from _isolated import MeasurementFailed, machine, run, versions
from _report import head, save_json, table

SIZES = (800, 3200, 12800, 51200, 204800)
DIM = 4
CLASSES = 3
DEPTH = 3
LEAST = 0.02  # seconds of CPU time that one figure rests on
PACKAGES = ("numpy", "scikit-learn", "numba", "hyperdt", "manify")
BASE = "scikit-learn, axial coordinates"
OWN_BUILDER = "ProductSpaceDecisionTree"
WRAPPED = "HyperbolicDecisionTree"
BUILDER_ALONE = "builder alone, points read before"
UNCHECKED = "scikit-learn, axial, check_input=False"
# (claim, numerator, denominator, largest ratio)
AIMS = (
    ("ProductSpaceDecisionTree against scikit-learn", OWN_BUILDER, BASE, 0.5),
    ("builder alone against check_input=False", BUILDER_ALONE, UNCHECKED, 0.5),
    ("wrapped tree against scikit-learn", WRAPPED, BASE, 1.2),
)


def builder(X, y):
    from geolearn.tree import ProductSpaceDecisionTreeClassifier

    return lambda: ProductSpaceDecisionTreeClassifier(
        [(-1.0, DIM)], max_depth=DEPTH, random_state=0
    ).fit(X, y)


def builder_alone(X, y):
    """Sort and grow only: what is left when the points have been read."""
    import numpy as np

    from geolearn.tree import ProductSpaceDecisionTreeClassifier
    from geolearn.tree.builder import presort

    tree = ProductSpaceDecisionTreeClassifier([(-1.0, DIM)], max_depth=DEPTH)
    Z, y = tree._read_training(X, y)
    target, weight = tree._encode(y), np.ones(len(Z))
    limits = tree._limits(len(Z), weight)
    columns, circular = np.ascontiguousarray(Z.T), tree.split_features_.circular

    def grow():
        order = presort(columns, circular, limits.max_features)
        return tree._make(order, target, weight, limits, 1, 0.0)

    return grow


def wrapped(X, y):
    from geolearn.tree import HyperbolicDecisionTreeClassifier

    return lambda: HyperbolicDecisionTreeClassifier(
        max_depth=DEPTH, random_state=0
    ).fit(X, y)


def ambient(X, y):
    from sklearn.tree import DecisionTreeClassifier

    return lambda: DecisionTreeClassifier(max_depth=DEPTH, random_state=0).fit(X, y)


def axial(X, y):
    from geolearn.preprocessing import AxialCoordinates

    return ambient(AxialCoordinates().fit_transform(X), y)


def axial_unchecked(X, y):
    """Leave out the checks of the points: the counterpart of `builder_alone`."""
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    from geolearn.preprocessing import AxialCoordinates

    Z = AxialCoordinates().fit_transform(X).astype(np.float32)
    tree = DecisionTreeClassifier(max_depth=DEPTH, random_state=0)
    return lambda: tree.fit(Z, y, check_input=False)


def hyperdt(X, y):
    from hyperdt import HyperbolicDecisionTreeClassifier

    return lambda: HyperbolicDecisionTreeClassifier(max_depth=DEPTH).fit(X, y)


def hyperdt_legacy(X, y):
    from hyperdt.legacy.tree import HyperbolicDecisionTreeClassifier

    return lambda: HyperbolicDecisionTreeClassifier(max_depth=DEPTH).fit(X, y)


def manify(X, y):
    import torch
    from manify.manifolds import ProductManifold
    from manify.predictors.decision_tree import ProductSpaceDT

    space = ProductManifold(signature=[(-1.0, DIM)])
    points, labels = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    return lambda: ProductSpaceDT(space, max_depth=DEPTH).fit(points, labels)


# name -> (how to prepare a fit, largest n: time or memory quadratic in n)
METHODS = {
    OWN_BUILDER: (builder, None),
    WRAPPED: (wrapped, None),
    BASE: (axial, None),
    BUILDER_ALONE: (builder_alone, None),
    UNCHECKED: (axial_unchecked, None),
    "scikit-learn, ambient coordinates": (ambient, None),
    "hyperdt": (hyperdt, None),
    "hyperdt, legacy": (hyperdt_legacy, 3200),
    "Manify": (manify, 3200),
}
PEERS = ("hyperdt", "hyperdt, legacy", "Manify")


def cpu_time(call, count):
    """Return the CPU seconds of one of `count` calls."""
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / count


def compare(n, repeats):
    """Time the methods on the same n points in turn.

    Parameters
    ----------
    n : int
        Number of points.
    repeats : int
        Rounds that count.

    Returns
    -------
    figures : dict
        "cpu_seconds", the median of each method, "left_out", why others have none,
        and "versions".
    """
    from geolearn.datasets import make_wrapped_normal_mixture

    X, y = make_wrapped_normal_mixture(n, CLASSES, DIM, random_state=0)
    calls, counts, left_out = {}, {}, {}
    for name, (prepare, largest) in METHODS.items():
        if largest is not None and n > largest:
            continue
        try:
            call = prepare(X, y)
            call()  # compiles, loads
            counts[name] = max(1, round(LEAST / max(cpu_time(call, 2), 1e-6)))
        except ImportError as missing:
            left_out[name] = str(missing)
        except Exception as error:  # a peer that refuses the data
            if name not in PEERS:
                raise
            left_out[name] = f"failed: {error}"
        else:
            calls[name] = call
    seconds = {name: [] for name in calls}
    for _ in range(1 + repeats):
        for name, call in calls.items():
            seconds[name].append(cpu_time(call, counts[name]))
    medians = {name: statistics.median(s[1:]) for name, s in seconds.items()}
    return {
        "cpu_seconds": medians,
        "left_out": left_out,
        "versions": versions(*PACKAGES),
    }


def speed_table(times, style):
    """Return the table: milliseconds, and the ratio to scikit-learn in brackets."""
    names = [name for name in METHODS if any(name in row for row in times.values())]
    rows = []
    for name in names:
        line = [name]
        for row in times.values():
            if name in row:
                ratio = row[name] / row[BASE]
                line.append(f"{1e3 * row[name]:.3g} ({ratio:.2f})")
            else:
                line.append("-")
        rows.append(line)
    header = ["fit, CPU ms (ratio)", *[f"n = {n}" for n in times]]
    return table(header, rows, style)


def aims(times):
    """Yield (claim, measured ratio, bound, holds)."""
    for n, row in times.items():
        for claim, name, base, bound in AIMS:
            found = row[name] / row[base]
            yield f"n={n}: {claim}", f"{found:.2f}", f"<= {bound:g}", found <= bound


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=5, help="rounds that count")
    parser.add_argument("--check", action="store_true", help="fail if an aim is missed")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    return parser.parse_args()


def main():
    """Measure, print the tables, write the JSON file."""
    options = parse()
    about = machine()
    times, packages, left_out = {}, {}, {}
    for n in options.sizes:
        print(f"n={n} ...", end=" ", flush=True, file=sys.stderr)
        try:
            found = run(
                "hyperbolic_trees_speed.py", "compare", n=n, repeats=options.repeats
            )
        except MeasurementFailed as failure:
            sys.exit(f"failed: {failure}")
        print("done", file=sys.stderr)
        times[n] = found["cpu_seconds"]
        packages, left_out = found["versions"], {**left_out, **found["left_out"]}
    for name, why in left_out.items():
        print(f"{name} left out: {why}", file=sys.stderr)
    if options.output:
        result = {"machine": about, "versions": packages, "cpu_seconds": times}
        save_json(result, options.output)
    print(
        f"{head(about, packages)}\n\nMedian of {options.repeats} rounds in turn; in "
        f"brackets the ratio to {BASE}, whose conversion is not timed:\n"
    )
    print(speed_table(times, options.style))
    found = list(aims(times))
    lines = [[*aim[:3], "yes" if aim[3] else "NO"] for aim in found]
    print(table(["aim", "measured", "wanted", "holds"], lines, options.style))
    missed = options.check and not all(aim[3] for aim in found)
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
