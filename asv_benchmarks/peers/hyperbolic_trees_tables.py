"""Reproduce the published accuracies of hyperbolic decision trees on simulated data.

Two protocols, each with the data of its paper, number by number:

- "iclr": Chlenski et al., ICLR 2024 (arXiv:2310.13841), Table 1: accuracy in percent
  on two classes, 10 seeds times 5 folds, depth 3. Draw n / 0.8 points, keep 80 %,
  cross-validate on them.
- "fast": Chlenski, Pe'er 2025 (arXiv:2506.04360): 1000 points, 80/20 split, 100
  trials, depth 3: accuracy in percent on eight classes, mean squared error of a target
  in [0, 1] for regression. The seeds run on from one dimension to the next; a seed
  whose stratified split is impossible is skipped.

Trees on hyperboloid coordinates as they stand ("ambient") and on hyperbolic space,
forests of 12 trees and, 20 trials of the second protocol, boosting of 50 iterations.
The models and their figures stand in `_hyperbolic_trees_models.py`.
"""

import argparse
import sys
from functools import cache

import numpy as np
from _hyperbolic_trees_models import BOOSTED, DIGITS, FIGURES, MODELS, TOLERANCE
from _isolated import machine, versions
from _report import head, save_json, table
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, train_test_split
from threadpoolctl import threadpool_limits

from geolearn.datasets import make_wrapped_normal_mixture

TRIALS = 100
TRIALS_OF_BOOSTING = 20


@cache
def iclr_data(seed, dim, n):
    """Return the points and labels that are cross-validated."""
    X, y = make_wrapped_normal_mixture(
        int(n / 0.8), 2, dim, noise=2.0, scale_means=False, random_state=seed
    )
    X, _, y, _ = train_test_split(X, y, test_size=0.2, random_state=seed)
    return X, y


def iclr_scores(model, column, n_seeds):
    """Return the accuracies, in percent, of one cell of the ICLR table."""
    dim, n = column
    scores = []
    for seed in range(n_seeds):
        X, y = iclr_data(seed, dim, n)
        for train, test in KFold(5, shuffle=True, random_state=seed).split(X):
            fitted = model.classifier(seed, dim).fit(X[train], y[train])
            scores.append(100.0 * float(np.mean(fitted.predict(X[test]) == y[test])))
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
    """Return the seeds of a dimension; they follow those of half of it."""
    start = 0 if dim == 2 else fast_seeds(dim // 2, task)[-1] + 1
    seeds = []
    while len(seeds) < TRIALS:
        if fast_data(start, dim, task) is not None:
            seeds.append(start)
        start += 1
    return seeds


def fast_scores(model, dim, n_seeds, task="classification"):
    """Return accuracies in percent, or mean squared errors, of one dimension."""
    scores = []
    for seed in fast_seeds(dim, task)[:n_seeds]:
        train, test, target, truth = fast_data(seed, dim, task)
        make = model.regressor if task == "regression" else model.classifier
        predicted = make(seed, dim).fit(train, target).predict(test)
        if task == "regression":
            scores.append(float(mean_squared_error(truth, predicted)))
        else:
            scores.append(100.0 * float(np.mean(predicted == truth)))
    return scores


def measure(protocol, model, column, quick):
    """Return the scores of one cell of a table."""
    if protocol == "iclr":
        return iclr_scores(model, column, 2 if quick else 10)
    task = "regression" if protocol == "fast regression" else "classification"
    trials = TRIALS_OF_BOOSTING if model.row in BOOSTED else TRIALS
    return fast_scores(model, column, 5 if quick else trials, task)


def models_of(protocol):
    """Return the models of a table: boosting is for accuracy in the second one."""
    if protocol == "fast":
        return MODELS
    return {name: m for name, m in MODELS.items() if m.row not in BOOSTED}


def columns_of(protocol, quick):
    """Return the columns of a table, fewer for a quick run."""
    columns = list(dict.fromkeys(c for row in FIGURES[protocol].values() for c in row))
    return columns[:2] if quick else columns


def run_protocol(protocol, quick):
    """Return model -> column -> mean score, and the standard error beside it."""
    cells = {}
    for name, model in models_of(protocol).items():
        for column in columns_of(protocol, quick):
            scores = measure(protocol, model, column, quick)
            error = np.std(scores) / np.sqrt(len(scores))
            cells.setdefault(name, {})[column] = (float(np.mean(scores)), float(error))
        print(f"{protocol}, {name}: done", file=sys.stderr, flush=True)
    return cells


def deviations(protocol, cells):
    """Yield a line for each figure that is off by more than its tolerance."""
    for name, row in cells.items():
        tolerance = TOLERANCE[protocol].get(MODELS[name].row)
        if tolerance is None:
            continue
        # half a unit of the last printed digit on either side
        slack = tolerance + 0.5 * 10.0 ** -DIGITS[protocol]
        for column, figure in FIGURES[protocol][MODELS[name].row].items():
            mean = row[column][0]
            if abs(mean - figure) > slack:
                yield f"{protocol}, {name}, {column}: {mean:.4f}, expected {figure}"


def print_table(protocol, cells, quick, style):
    """Print means with the published figures in parentheses."""
    columns, digits = columns_of(protocol, quick), DIGITS[protocol]
    titles = [
        f"d={column[0]}, n={column[1]}" if protocol == "iclr" else f"d={column}"
        for column in columns
    ]
    rows = []
    for name, row in cells.items():
        figures = FIGURES[protocol].get(MODELS[name].row, {})
        rows.append(
            [name]
            + [
                f"{row[column][0]:.{digits}f}"
                + (f" ({figures[column]:.{digits}f})" if column in figures else "")
                for column in columns
            ]
        )
    seeds = ", some of the seeds" if quick else ""
    print(f"\n{protocol}: here{seeds} (expected)\n")
    print(table(["model", *titles], rows, style))


def parse():
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--check", action="store_true", help="fail if a figure is off")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer seeds and columns; cannot be checked",
    )
    parser.add_argument(
        "--protocols", nargs="+", choices=list(FIGURES), default=list(FIGURES)
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
        with threadpool_limits(1):
            cells = run_protocol(protocol, options.quick)
        print_table(protocol, cells, options.quick, options.style)
        if not options.quick:
            off.extend(deviations(protocol, cells))
        result[protocol] = {
            name: {str(column): value for column, value in row.items()}
            for name, row in cells.items()
        }
    if options.output:
        save_json({"machine": about, "versions": packages, **result}, options.output)
    if options.check and off:
        sys.exit("Not as expected:\n" + "\n".join(off))


if __name__ == "__main__":
    main()
