"""Time hyperbolic trees, forests and embeddings beside hyperdt, Manify and geoopt.

For each size a process of its own runs the methods on the same input in turn, round
after round, on one thread. A figure is the median of several rounds of CPU time after
a warm-up round; the ratio is to geolearn, so that above 1 the peer is slower. README.md
says how to get the peers; those that are missing, or fail, are left out with a message.
"""

import argparse
import statistics
import sys
import time
import warnings

from _isolated import MeasurementFailed, MissingPeer, machine, run, versions
from _report import head, save_json, table

SCRIPT = "hyperbolic_models_speed.py"
DIM = 4
DEPTH = 3
N_TREES = 12  # of the forests of the paper
STEPS = 100
LARGEST_QUADRATIC = 1600  # for Manify, whose memory grows with n^2
LEAST = 0.02  # seconds of CPU time that one figure rests on
PACKAGES = ("numpy", "scikit-learn", "numba", "torch", "geoopt", "hyperdt", "manify")
SIGNATURES = {
    "H2": [(-1.0, 2)],
    "S2": [(1.0, 2)],
    "H2 x E2 x S2": [(-1.0, 2), (0.0, 2), (1.0, 2)],
}
STEP_AIM = 5.0  # a step of geoopt or Manify over one of geolearn, n = 200


def own_tree(X, y, forest):
    from geolearn.ensemble import ProductSpaceRandomForestClassifier
    from geolearn.tree import ProductSpaceDecisionTreeClassifier

    options = {"max_depth": DEPTH, "random_state": 0}
    if forest:
        options["n_estimators"] = N_TREES
    kind = (
        ProductSpaceRandomForestClassifier
        if forest
        else ProductSpaceDecisionTreeClassifier
    )
    return lambda: kind([(-1.0, DIM)], **options).fit(X, y), X


def wrapped_tree(X, y, forest):
    from geolearn.ensemble import HyperbolicRandomForestClassifier
    from geolearn.tree import HyperbolicDecisionTreeClassifier

    options = {"max_depth": DEPTH, "random_state": 0}
    if forest:
        options["n_estimators"] = N_TREES
    kind = (
        HyperbolicRandomForestClassifier if forest else HyperbolicDecisionTreeClassifier
    )
    return lambda: kind(**options).fit(X, y), X


def hyperdt(X, y, forest):
    import hyperdt as package

    options = {"max_depth": DEPTH, "random_state": 0}
    if forest:
        options["n_estimators"] = N_TREES
        kind = package.HyperbolicRandomForestClassifier
    else:
        kind = package.HyperbolicDecisionTreeClassifier
    return lambda: kind(**options).fit(X, y), X


def manify(X, y, forest):
    import torch
    from manify.manifolds import ProductManifold
    from manify.predictors.decision_tree import ProductSpaceDT, ProductSpaceRF

    space = ProductManifold(signature=[(-1.0, DIM)])
    points, labels = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    options = {"max_depth": DEPTH}
    if forest:
        options.update(n_estimators=N_TREES, n_jobs=1, random_state=0)
    kind = ProductSpaceRF if forest else ProductSpaceDT
    return lambda: kind(space, **options).fit(points, labels), points


TREES = {
    "ProductSpace": own_tree,
    "Hyperbolic": wrapped_tree,
    "hyperdt": hyperdt,
    "Manify": manify,
}


def own_steps(D, signature):
    from geolearn.embedding import ProductSpaceEmbedding

    def fit():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that 100 steps are not enough
            model = ProductSpaceEmbedding(
                signature, init="random", max_iter=STEPS, tol=0.0, random_state=0
            ).fit(D)
        return model.n_iter_

    return fit


def geoopt_steps(D, signature):
    """Automatic differentiation of the same loss, Riemannian Adam of geoopt."""
    import geoopt
    import torch

    spaces = {-1.0: geoopt.Lorentz, 0.0: geoopt.Euclidean, 1.0: geoopt.Sphere}
    n = len(D)
    i, j = torch.triu_indices(n, n, offset=1)
    wanted = torch.tensor(D)[i, j] / float(D.max())

    def fit():
        torch.manual_seed(0)
        points = []
        for curvature, dim in signature:
            space = spaces[curvature]()
            start = 0.3 * torch.randn(n, dim + (curvature != 0.0), dtype=torch.float64)
            if curvature != 0.0:
                origin = torch.zeros_like(start)
                origin[:, 0], start[:, 0] = 1.0, 0.0
                start = space.expmap(origin, start)
            points.append(geoopt.ManifoldParameter(start, manifold=space))
        adam = geoopt.optim.RiemannianAdam(points, lr=1e-2)
        for _ in range(STEPS):
            adam.zero_grad()
            squares = sum(
                p.manifold.dist(p[i], p[j]) ** 2
                if curvature != 0.0
                else ((p[i] - p[j]) ** 2).sum(-1)
                for p, (curvature, _) in zip(points, signature, strict=True)
            )
            (squares / wanted**2 - 1.0).abs().sum().backward()
            adam.step()
        return STEPS

    return fit


def manify_steps(D, signature):
    import torch
    from manify.embedders.coordinate_learning import CoordinateLearning
    from manify.manifolds import ProductManifold

    space = ProductManifold(signature=signature)
    distances = torch.tensor(D / D.max(), dtype=torch.float32)

    def fit():
        CoordinateLearning(space, random_state=0).fit(
            None, distances, burn_in_iterations=10, training_iterations=STEPS - 10
        )
        return STEPS

    return fit


STEPPERS = {"geolearn": own_steps, "geoopt": geoopt_steps, "Manify": manify_steps}


def cpu_time(call, count):
    """Return the CPU seconds of one of `count` calls."""
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / count


def in_turn(calls, repeats):
    """Return the median CPU seconds of calls, and why others have none."""
    counts, seconds, left_out = {}, {}, {}
    for name, call in calls.items():
        try:
            call()  # compiles, loads
            counts[name] = max(1, round(LEAST / max(cpu_time(call, 1), 1e-6)))
        except Exception as error:
            left_out[name] = f"failed: {str(error)[:200]}"
    for _ in range(1 + repeats):
        for name, count in counts.items():
            seconds.setdefault(name, []).append(cpu_time(calls[name], count))
    return {k: statistics.median(s[1:]) for k, s in seconds.items()}, left_out


def prepared(methods, *arguments):
    """Return what those methods make whose packages are there, and the others."""
    made, left_out = {}, {}
    for name, prepare in methods.items():
        try:
            made[name] = prepare(*arguments)
        except ImportError as missing:
            left_out[name] = str(missing)
    return made, left_out


def compare_trees(n, forest, repeats):
    """Time fit and predict of trees, or forests, on the same n points in turn."""
    from geolearn.datasets import make_wrapped_normal_mixture

    X, y = make_wrapped_normal_mixture(n, 3, DIM, random_state=0)
    methods = {
        k: v for k, v in TREES.items() if k != "Manify" or n <= LARGEST_QUADRATIC
    }
    made, left_out = prepared(methods, X, y, forest)
    fits, failed = in_turn({k: fit for k, (fit, _) in made.items()}, repeats)
    models = {k: (made[k][0](), made[k][1]) for k in fits}
    calls = {k: lambda m=m, Z=Z: m.predict(Z) for k, (m, Z) in models.items()}
    predictions, unfit = in_turn(calls, repeats)
    return {
        "fit": fits,
        "predict": predictions,
        "left_out": {**left_out, **failed, **unfit},
        "versions": versions(*PACKAGES),
    }


def compare_steps(n, signature, repeats):
    """Time steps of embeddings of the same n points in turn, set-up included."""
    from geolearn.manifolds import Hyperboloid

    plane = Hyperboloid(2)
    D = plane.pairwise_distances(plane.random_point(n, random_state=0))
    signature = [tuple(pair) for pair in signature]
    made, left_out = prepared(STEPPERS, D, signature)
    times, failed = in_turn(made, repeats)
    taken = {name: made[name]() for name in times}
    return {
        "step": {name: times[name] / taken[name] for name in times},
        "left_out": {**left_out, **failed},
        "versions": versions(*PACKAGES),
    }


def attempt(function, **arguments):
    """Return the figures of a new process, or say why there are none."""
    try:
        return run(SCRIPT, function, **arguments)
    except (MeasurementFailed, MissingPeer) as failure:
        print(f"{arguments}: failed: {failure}", file=sys.stderr)
        return {}


def measure(options):
    """Yield (label, seconds of each method, what else was found) for each question."""
    for forest in (False, True):
        for n in options.sizes:
            found = attempt(
                "compare_trees", n=n, forest=forest, repeats=options.repeats
            )
            kind = f"forest of {N_TREES}" if forest else "tree"
            for step in ("fit", "predict") if found else ():
                yield f"{kind}, {step}, n = {n}", found[step], found
    for name, signature in SIGNATURES.items():
        found = attempt(
            "compare_steps",
            n=options.points,
            signature=signature,
            repeats=options.repeats,
        )
        if found:
            yield f"step of {name}, n = {options.points}", found["step"], found


def ratios(label, times):
    """Return one line of the table."""
    names = ("ProductSpace", "Hyperbolic") if "ProductSpace" in times else ("geolearn",)
    line = [label, " / ".join(f"{1e3 * times[name]:.3g}" for name in names)]
    for peer in ("hyperdt", "Manify", "geoopt"):
        known = peer in times
        factors = [f"{times[peer] / times[name]:.3g}" for name in names if known]
        line.append(" / ".join(factors) if known else "-")
    return line


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--sizes", nargs="+", type=int, default=[800, 1600, 204800])
    parser.add_argument("--points", type=int, default=200, help="points embedded")
    parser.add_argument("--repeats", type=int, default=5, help="rounds that count")
    parser.add_argument("--check", action="store_true", help="fail if an aim is missed")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    return parser.parse_args()


def main():
    """Measure, print the table, write the JSON file."""
    options = parse()
    about, packages, figures, missed = machine(), {}, {}, False
    for label, times, found in measure(options):
        print(label, file=sys.stderr)
        for name, why in found["left_out"].items():
            print(f"  {name} left out: {why}", file=sys.stderr)
        packages, figures[label] = found["versions"], times
        if label.startswith("step"):
            peers = [t for name, t in times.items() if name != "geolearn"]
            missed |= any(t < STEP_AIM * times["geolearn"] for t in peers)
    if options.output:
        result = {"machine": about, "versions": packages, "cpu_seconds": figures}
        save_json(result, options.output)
    print(f"{head(about, packages)}\n\nMedian of {options.repeats} rounds in turn.\n")
    header = ["", "geolearn, CPU ms", "hyperdt, times", "Manify, times"]
    lines = [ratios(label, times) for label, times in figures.items()]
    print(table([*header, "geoopt, times"], lines, options.style))
    raise SystemExit(1 if options.check and missed else 0)


if __name__ == "__main__":
    main()
