"""Compare what Euclidicity sees with reference values: AUROC, dimensions, constants.

The reference values of singularities come from a prototype on two or three samples
of each set; they vary with the sample by some 0.05.
"""

import argparse
import sys
import time

import numpy as np
from _isolated import machine, versions
from _report import head, save_json, table
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from geolearn.datasets import (
    make_circle_and_sphere,
    make_crossing_planes,
    make_pinched_torus,
    make_wedged_spheres,
)
from geolearn.topology import (
    Euclidicity,
    PersistentDimension,
    bottleneck_distance,
    sample_annulus,
    vietoris_rips_persistence,
)

SETS = {
    "pinched torus": make_pinched_torus,
    "crossing planes": make_crossing_planes,
    "S1 v S2": make_circle_and_sphere,
    "S2 v S2": make_wedged_spheres,
}
SCALES = (0.05, 0.45, 0.2, 0.6)  # of the authors' script for the pinched torus
# (set, n, n_neighbors or radii): raw, normalised, null-corrected, normalised in
# degree 0 only, LocalOutlierFactor(20).
SINGULARITIES = {
    ("pinched torus", 4000, 49): (0.05, 1.00, 1.00, 1.00, 0.45),
    ("crossing planes", 2000, 49): (0.39, 0.95, None, 0.98, 0.19),
    ("crossing planes", 2000, 59): (None, 0.98, 0.99, 0.99, None),
    ("S1 v S2", 2000, 59): (None, 0.88, 0.87, 0.88, 0.38),
    ("S2 v S2", 2000, 59): (None, 0.57, 0.59, 0.69, 0.17),
    ("pinched torus", 8000, SCALES): (1.00, 1.00, None, 1.00, None),
}
VARIANTS = (
    {"normalize": False},
    {},
    {"null_correction": True},
    {"max_degree": 0},
)
# (threshold, aggregate): dimension far from the wedge point of S1 v S2.
DIMENSIONS = {
    (0.1, "max"): (1.00, 2.00),
    (0.0, "max"): (1.00, 2.50),
    (0.0, "mean"): (1.00, 2.03),
}
# (d, ratio, n): mean distance of two draws in degree 0, in degree 1, and of the larger
# one; mean total persistence in degree 0, mean longest life in degree 1.
COLUMNS = ("degree 0", "degree 1", "larger", "total", "longest loop")
CONSTANTS = {
    (1, 0.5, 20): (0.0861, 0.0, 0.0861, 1.905, 0.0),
    (2, 0.25, 30): (0.0995, 0.1146, 0.1328, 6.515, 0.2150),
    (2, 0.5, 30): (0.1117, 0.1492, 0.1668, 6.211, 0.4389),
    (2, 0.5, 60): (0.0624, 0.1001, 0.1065, 8.478, 0.5965),
    (2, 0.75, 30): (0.1324, 0.1772, 0.2043, 5.669, 0.7256),
    (3, 0.5, 30): (0.1127, 0.1227, 0.1388, 10.837, 0.2877),
    (3, 0.5, 60): (0.0730, 0.1024, 0.1083, 16.850, 0.3058),
    (5, 0.5, 30): (0.1270, 0.0935, 0.1329, 16.923, 0.2396),
}


def auroc(name, n, scale, seed, variant):
    """Return the AUROC of one variant on one sample, and CPU ms for each point."""
    X, y = SETS[name](n, random_state=seed)
    grid = {"n_neighbors": scale, "n_steps": 6}
    if not isinstance(scale, int):
        grid = {"radii": scale, "n_steps": 4}
    model = Euclidicity(intrinsic_dim=2, random_state=seed, **grid, **variant)
    start = time.process_time()
    scores = model.fit(X).euclidicity_
    spent = 1e3 * (time.process_time() - start) / n
    known = (y >= 0) & ~np.isnan(scores)
    return roc_auc_score(y[known], scores[known]), spent


def lof(name, n, seed):
    """Return the AUROC of LocalOutlierFactor(20)."""
    X, y = SETS[name](n, random_state=seed)
    scores = -LocalOutlierFactor(20).fit(X).negative_outlier_factor_
    return roc_auc_score(y[y >= 0], scores[y >= 0])


def singularities(n_draws):
    """Return the rows of the table of singularities."""
    rows = []
    for (name, n, scale), wanted in SINGULARITIES.items():
        found = [
            [auroc(name, n, scale, seed, variant) for seed in range(n_draws)]
            for variant in VARIANTS
        ]
        outliers = np.mean([lof(name, n, seed) for seed in range(n_draws)])
        means = [np.mean([a for a, _ in column]) for column in found]
        cost = np.mean([ms for _, ms in found[1]])
        cells = [
            f"{mean:.2f} ({'-' if want is None else f'{want:.2f}'})"
            for mean, want in zip([*means, outliers], wanted, strict=True)
        ]
        rows.append([f"{name}, n = {n}", str(scale), *cells, f"{cost:.2f}"])
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def touching(n_draws):
    """Return the row of touching spheres at radii of their own size."""
    z, levels = [], []
    for seed in range(n_draws):
        X, y = make_wedged_spheres(1500, regular_beyond=1.3, random_state=seed)
        model = Euclidicity(
            intrinsic_dim=2, radii=(0.4, 0.7, 0.7, 1.2), n_steps=3, random_state=seed
        ).fit(X)
        regular = model.euclidicity_[y == 0]
        (point,) = -model.score_samples([[1.0, 0.0, 0.0]])
        z.append((point - regular.mean()) / regular.std())
        levels.append((point, regular.mean()))
    point, regular = np.mean(levels, axis=0)
    return [[f"{np.mean(z):+.1f} (+6.6)", f"{point:.3f} / {regular:.3f} (.160 / .083)"]]


def dimensions(n_draws):
    """Return the rows of the table of persistent dimensions."""
    rows = []
    for (threshold, aggregate), wanted in DIMENSIONS.items():
        found = []
        for seed in range(n_draws):
            X, _ = make_circle_and_sphere(2000, random_state=seed)
            far = np.linalg.norm(X - [1.0, 0.0, 0.0], axis=1) > 0.6
            circle = np.arange(2000) < 1000
            model = PersistentDimension(49, threshold=threshold, aggregate=aggregate)
            local = model.fit(X).local_dimension_
            found.append([local[far & circle].mean(), local[far & ~circle].mean()])
        pair = np.mean(found, axis=0)
        rows.append(
            [str(threshold), aggregate]
            + [f"{a:.3f} ({b:.2f})" for a, b in zip(pair, wanted, strict=True)]
        )
    return rows


def constants(n_pairs):
    """Return the rows of the table of distances between draws of the model."""
    rows = []
    for (dim, ratio, n), wanted in CONSTANTS.items():
        values = []
        for seed in range(n_pairs):
            pair = []
            for draw in (2 * seed, 2 * seed + 1):
                P = sample_annulus(n, ratio, 1.0, dim, random_state=draw)
                pair.append(vietoris_rips_persistence(P, max_degree=1))
            each = [bottleneck_distance(*degree) for degree in zip(*pair, strict=True)]
            deaths, loops = pair[0]
            total = deaths[np.isfinite(deaths[:, 1]), 1].sum()
            values.append([*each, max(each), total, np.diff(loops).max(initial=0.0)])
        mean = np.mean(values, axis=0)
        error = np.std(values, axis=0) / np.sqrt(n_pairs)
        cells = [
            f"{m:.4f} ± {e:.4f} ({w:.4f})"
            for m, e, w in zip(mean, error, wanted, strict=True)
        ]
        rows.append([str(dim), str(ratio), str(n), *cells])
    return rows


def main():
    """Print the tables, reference values in parentheses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=3, help="samples of each set")
    parser.add_argument("--pairs", type=int, default=2000, help="pairs of draws")
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    options = parser.parse_args()
    about = machine()
    columns = ["raw", "normalised", "null-corrected", "degree 0", "LOF(20)"]
    tables = {
        "singularities": (
            ["set", "K or radii", *columns, "CPU ms a point"],
            singularities(options.draws),
        ),
        "touching spheres": (["z", "touching / regular"], touching(options.draws)),
        "dimensions": (
            ["threshold", "aggregate", "circle", "sphere"],
            dimensions(options.draws),
        ),
        "constants": (
            ["d", "ratio", "n", *COLUMNS],
            constants(options.pairs),
        ),
    }
    print(head(about, versions("numpy", "scikit-learn", "numba")))
    for title, (names, rows) in tables.items():
        print(f"\n{title}\n\n{table(names, rows, options.style)}")
    if options.output:
        save_json({"machine": about, "tables": tables}, options.output)


if __name__ == "__main__":
    main()
