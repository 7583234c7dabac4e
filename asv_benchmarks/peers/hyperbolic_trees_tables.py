"""Reproduce the published accuracies of hyperbolic decision trees on simulated data.

Two protocols, each with the data of its paper, number by number:

- "iclr": Chlenski et al., ICLR 2024 (arXiv:2310.13841), Table 1: accuracy in percent
  on two classes, 10 seeds times 5 folds, depth 3. Draw n / 0.8 points, keep 80 %,
  cross-validate on them.
- "fast": Chlenski, Pe'er 2025 (arXiv:2506.04360): 1000 points, 80/20 split, 100
  trials, depth 3: accuracy in percent on eight classes, mean squared error of a target
  in [0, 1] for regression. The seeds run on from one dimension to the next; a seed
  whose stratified split is impossible is skipped.

To add a model, add a line to MODELS, and its published figures to PUBLISHED.
"""

import argparse
import sys
from functools import cache

import numpy as np
from _isolated import machine, versions
from _report import head, save_json, table
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from geolearn.datasets import make_wrapped_normal_mixture
from geolearn.manifolds import axial_coordinates

DEPTH = 3


def on_axial(estimator):
    """Return a function that fits and predicts on axial coordinates."""
    return lambda X, y, new: estimator.fit(axial_coordinates(X), y).predict(
        axial_coordinates(new)
    )


def on_ambient(estimator):
    """Return a function that fits and predicts on the coordinates of the space."""
    return lambda X, y, new: estimator.fit(X, y).predict(new)


# name -> (classifier of a seed, regressor of a seed): functions of (X, y, new).
MODELS = {
    "ambient tree": (
        lambda seed: on_ambient(
            DecisionTreeClassifier(max_depth=DEPTH, random_state=seed)
        ),
        lambda seed: on_ambient(
            DecisionTreeRegressor(max_depth=DEPTH, random_state=seed)
        ),
    ),
    "hyperbolic tree": (
        lambda seed: on_axial(
            DecisionTreeClassifier(max_depth=DEPTH, random_state=seed)
        ),
        lambda seed: on_axial(
            DecisionTreeRegressor(max_depth=DEPTH, random_state=seed)
        ),
    ),
}
# protocol -> model -> {column: published figure}
PUBLISHED = {
    "iclr": {
        "ambient tree": {
            (2, 100): 87.90,
            (2, 200): 89.55,
            (2, 400): 89.53,
            (2, 800): 90.14,
            (4, 100): 97.70,
            (4, 200): 98.10,
            (4, 400): 98.25,
            (4, 800): 98.36,
        },
        "hyperbolic tree": {
            (2, 100): 89.10,
            (2, 200): 90.05,
            (2, 400): 90.98,
            (2, 800): 91.88,
            (4, 100): 98.70,
            (4, 200): 98.75,
            (4, 400): 99.25,
            (4, 800): 99.30,
        },
    },
    "fast": {
        "ambient tree": {2: 48.99, 4: 41.76, 8: 36.76, 16: 32.15},
        "hyperbolic tree": {2: 50.75, 4: 43.24, 8: 37.41, 16: 32.27},
    },
    "fast regression": {"hyperbolic tree": {2: 0.0273, 4: 0.0277, 8: 0.0242}},
}
# protocol -> model -> largest difference from the published figure, in its units;
# of the ICLR figures only those of 400 points and more are steady.
TOLERANCE = {
    "iclr": {"ambient tree": 0.5, "hyperbolic tree": 0.4},
    "fast": {"ambient tree": 0.1, "hyperbolic tree": 0.1},
    "fast regression": {"hyperbolic tree": 0.0001},
}
STEADY = 400
DIGITS = {"iclr": 2, "fast": 2, "fast regression": 4}


@cache
def iclr_data(seed, dim, n):
    """Return the points and labels that are cross-validated."""
    X, y = make_wrapped_normal_mixture(
        int(n / 0.8), 2, dim, noise=2.0, scale_means=False, random_state=seed
    )
    X, _, y, _ = train_test_split(X, y, test_size=0.2, random_state=seed)
    return X, y


def iclr_scores(name, column, n_seeds):
    """Return the accuracies, in percent, of one cell of the ICLR table."""
    dim, n = column
    scores = []
    for seed in range(n_seeds):
        X, y = iclr_data(seed, dim, n)
        for train, test in KFold(5, shuffle=True, random_state=seed).split(X):
            model = MODELS[name][0](seed)
            hits = model(X[train], y[train], X[test]) == y[test]
            scores.append(100.0 * float(np.mean(hits)))
    return scores


@cache
def fast_data(seed, dim, task):
    """Return a split of the data of one trial, None where it is impossible."""
    n_classes = 8 if task == "classification" else 2
    X, y = make_wrapped_normal_mixture(
        1000, n_classes, dim, task=task, random_state=seed
    )
    stratify = y if task == "classification" else None
    if stratify is not None and np.bincount(y)[np.unique(y)].min() < 2:
        return None
    return train_test_split(X, y, test_size=0.2, random_state=seed, stratify=stratify)


@cache
def fast_seeds(dim, task):
    """Return the 100 seeds of a dimension; they follow those of half of it."""
    start = 0 if dim == 2 else fast_seeds(dim // 2, task)[-1] + 1
    seeds = []
    while len(seeds) < 100:
        if fast_data(start, dim, task) is not None:
            seeds.append(start)
        start += 1
    return seeds


def fast_scores(name, dim, n_seeds, task="classification"):
    """Return accuracies in percent, or mean squared errors, of one dimension."""
    scores = []
    for seed in fast_seeds(dim, task)[:n_seeds]:
        train, test, target, truth = fast_data(seed, dim, task)
        model = MODELS[name][task == "regression"](seed)
        predicted = model(train, target, test)
        if task == "regression":
            scores.append(float(mean_squared_error(truth, predicted)))
        else:
            scores.append(100.0 * float(np.mean(predicted == truth)))
    return scores


def measure(protocol, name, column, quick):
    """Return the scores of one cell of a table."""
    if protocol == "iclr":
        return iclr_scores(name, column, 2 if quick else 10)
    task = "regression" if protocol == "fast regression" else "classification"
    return fast_scores(name, column, 10 if quick else 100, task)


def columns_of(protocol, quick):
    """Return the columns of a table, fewer for a quick run."""
    columns = list(
        dict.fromkeys(c for row in PUBLISHED[protocol].values() for c in row)
    )
    if not quick:
        return columns
    kept = [(2, 400), (4, 400)] if protocol == "iclr" else [2, 4]
    return [column for column in columns if column in kept]


def run_protocol(protocol, quick):
    """Return model -> column -> mean score, and the standard error beside it."""
    cells = {}
    for name in MODELS:
        for column in columns_of(protocol, quick):
            scores = measure(protocol, name, column, quick)
            error = np.std(scores) / np.sqrt(len(scores))
            cells.setdefault(name, {})[column] = (float(np.mean(scores)), float(error))
        print(f"{protocol}, {name}: done", file=sys.stderr, flush=True)
    return cells


def deviations(protocol, cells):
    """Yield a line for each steady figure that is off by more than its tolerance."""
    for name, tolerance in TOLERANCE[protocol].items():
        for column, published in PUBLISHED[protocol].get(name, {}).items():
            if column not in cells[name] or (protocol == "iclr" and column[1] < STEADY):
                continue
            mean = cells[name][column][0]
            # half a unit of the last printed digit on either side
            slack = tolerance + 0.5 * 10.0 ** -DIGITS[protocol]
            if abs(mean - published) > slack:
                yield f"{protocol}, {name}, {column}: {mean:.4f}, published {published}"


def print_table(protocol, cells, quick, style):
    """Print means with the published figures in parentheses."""
    columns, digits = columns_of(protocol, quick), DIGITS[protocol]
    titles = [
        f"d={column[0]}, n={column[1]}" if protocol == "iclr" else f"d={column}"
        for column in columns
    ]
    rows = []
    for name, row in cells.items():
        published = PUBLISHED[protocol].get(name, {})
        rows.append(
            [name]
            + [
                f"{row[column][0]:.{digits}f}"
                + (f" ({published[column]:.{digits}f})" if column in published else "")
                for column in columns
            ]
        )
    seeds = ", some of the seeds" if quick else ""
    print(f"\n{protocol}: here{seeds} (published)\n")
    print(table(["model", *titles], rows, style))


def parse():
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--check", action="store_true", help="compare with published")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer seeds and columns; cannot be checked",
    )
    parser.add_argument(
        "--protocols", nargs="+", choices=list(PUBLISHED), default=list(PUBLISHED)
    )
    return parser.parse_args()


def main():
    """Measure, print and compare."""
    options = parse()
    about = machine()
    packages = versions("numpy", "scikit-learn")
    print(head(about, packages))
    result, off = {}, []
    for protocol in options.protocols:
        cells = run_protocol(protocol, options.quick)
        print_table(protocol, cells, options.quick, options.style)
        off.extend(deviations(protocol, cells))
        result[protocol] = {
            name: {str(column): value for column, value in row.items()}
            for name, row in cells.items()
        }
    if options.output:
        save_json({"machine": about, "versions": packages, **result}, options.output)
    if options.check and not options.quick and off:
        sys.exit("Not as published:\n" + "\n".join(off))


if __name__ == "__main__":
    main()
