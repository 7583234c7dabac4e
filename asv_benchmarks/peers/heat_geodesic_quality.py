"""Score HeatGeodesicEmbedding and its peers by the true geodesic distances.

Swiss rolls and branching trees at three noise levels, 1000 points, k = 10
neighbours, five seeds. A method is scored twice where it can be: by the
distances that it finds, and by the Euclidean distances in its 2-D embedding.
The score is the Pearson (Spearman) correlation of a row of these with the row
of true distances, averaged over the rows. README.md says how to run it.
"""

import argparse
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from _heat_geodesic_expected import COLUMNS, EXPECTED, NOISY, TOLERANCE
from _isolated import MissingPeer, machine, run, versions
from _report import head, save_json, score_text, table
from scipy.linalg import eigvalsh
from scipy.sparse.csgraph import shortest_path
from scipy.sparse.linalg import eigsh
from scipy.spatial.distance import cdist
from sklearn.manifold import TSNE, Isomap
from sklearn.neighbors import kneighbors_graph

from geolearn.datasets import make_branching_tree, make_swiss_roll
from geolearn.embedding import HeatGeodesicEmbedding
from geolearn.graph import (
    alpha_decay_affinity,
    connected_components,
    graph_laplacian,
)
from geolearn.metrics import distance_correlation_score

N_NEIGHBORS = 10
SEEDS = (42, 43, 44, 45, 46)
# The time that the entropy rule of the paper always picks from its grid.
PAPER_TIME = float(np.linspace(0.05, 200.0, 10)[1])
LEVELS = {"distances": "D", "embedding": "2-D"}
REFERENCE_RUNS = {
    "reference, auto, sigma=0": {"tau": "auto", "harnack_regul": 0.0},
    "reference, auto, sigma=1": {"tau": "auto", "harnack_regul": 1.0},
}


def make_data(column, seed):
    """Return the points and true geodesic distances of a column of the table."""
    kind, noise = column.split()
    options = {
        "noise": float(noise),
        "random_state": seed,
        "return_geodesics": True,
    }
    if kind == "roll":
        X, _, geodesics = make_swiss_roll(1000, width=5.0, **options)
    else:
        X, _, geodesics = make_branching_tree(5, 200, 10, **options)
    return X, geodesics


def score(distances, geodesics):
    """Return the row-averaged Pearson and Spearman correlations."""
    D = np.array(distances, dtype=np.float64)
    np.fill_diagonal(D, 0.0)
    return [
        float(distance_correlation_score(D, geodesics, method=method))
        for method in ("pearson", "spearman")
    ]


def geolearn_rows(X):
    """Yield (row, distances, embedding, diffusion time) of the three settings."""
    settings = {
        "geolearn, t=22.27": (PAPER_TIME, 1.0),
        "geolearn, t=0.5/lambda_2": (0.5 / second_eigenvalue(X), 1.0),
        "geolearn, t=22.27, sigma=0": (PAPER_TIME, 0.0),
    }
    for row, (t, sigma) in settings.items():
        model = HeatGeodesicEmbedding(
            n_neighbors=N_NEIGHBORS,
            t=t,
            volume_correction=sigma,
            n_landmarks=None,
            random_state=0,
        ).fit(X)
        yield row, model.dissimilarity_, model.embedding_, t


def second_eigenvalue(X):
    """Return lambda_2 of the normalised Laplacian of the largest component."""
    W, _ = alpha_decay_affinity(X, N_NEIGHBORS)
    _, labels = connected_components(W)
    members = np.flatnonzero(labels == np.argmax(np.bincount(labels)))
    L = graph_laplacian(W[members][:, members], "normalized")
    return float(eigvalsh(L.toarray(), subset_by_index=[1, 1])[0])


def peer_rows(X):
    """Yield (row, distances or None, embedding or None) of the other methods."""
    paths = kneighbors_graph(X, N_NEIGHBORS, mode="distance")
    D = shortest_path(paths.maximum(paths.T), directed=False)
    reachable = D[np.isfinite(D)].max()
    yield "kNN shortest path", np.where(np.isfinite(D), D, 1.1 * reachable), None
    yield "Isomap", None, Isomap(n_neighbors=N_NEIGHBORS).fit_transform(X)
    yield "t-SNE", None, TSNE(random_state=0).fit_transform(X)
    yield "diffusion map", None, diffusion_map(X)
    yield from phate_rows(X)
    yield from umap_rows(X)


def phate_rows(X):
    """Yield the row of PHATE if it is installed."""
    try:
        import phate
    except ImportError:
        return
    model = phate.PHATE(knn=N_NEIGHBORS, random_state=0, n_jobs=1, verbose=0)
    embedding = model.fit_transform(X)
    potential = np.asarray(model.diff_potential)
    yield "PHATE potential", cdist(potential, potential), None
    yield "PHATE", None, embedding


def umap_rows(X):
    """Yield the row of UMAP if it is installed."""
    try:
        import umap
    except ImportError:
        return
    model = umap.UMAP(n_neighbors=N_NEIGHBORS, random_state=0, n_jobs=1)
    yield "UMAP", None, model.fit_transform(X)


def diffusion_map(X, t=1.0, n_components=2):
    """Return diffusion coordinates lambda_l^t psi_l of the alpha-decay graph.

    psi_l are the right eigenvectors of the random walk of the affinity with
    unit diagonal, orthonormal in the stationary distribution, without the
    constant one: distances in all coordinates are the diffusion distances.
    """
    W, _ = alpha_decay_affinity(X, N_NEIGHBORS)
    K = W.toarray()
    np.fill_diagonal(K, 1.0)
    degrees = K.sum(axis=1)
    root = np.sqrt(degrees)
    values, vectors = eigsh(
        K / np.outer(root, root), k=n_components + 1, which="LA", v0=root
    )
    order = np.argsort(-values)[1:]
    psi = np.sqrt(degrees.sum()) * vectors[:, order] / root[:, None]
    return values[order] ** t * psi


def reference_rows(python, column, data):
    """Yield (seed, row, distances, embedding, time) of the reference's runs."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = Path(folder, "in.npz"), Path(folder, "out.npz")
        np.savez(inputs, **{str(seed): X for seed, (X, _) in data.items()})
        answer = run(
            "_heatgeo.py",
            "distances_and_embeddings",
            python=python,
            inputs=str(inputs),
            outputs=str(outputs),
            runs=REFERENCE_RUNS,
            n_neighbors=N_NEIGHBORS,
        )
        with np.load(outputs) as results:
            for seed in data:
                for row in REFERENCE_RUNS:
                    key = f"{seed}|{row}"
                    D, Y = results[f"{key}|D"], results[f"{key}|Y"]
                    yield seed, row, D, Y, answer["times"][key]


def score_column(column, seeds, python):
    """Return {level: {row: [(Pearson, Spearman) of each seed]}} and the times."""
    scores = {level: {} for level in LEVELS}
    times = {}
    data = {seed: make_data(column, seed) for seed in seeds}

    def add(seed, row, distances, embedding, t=None):
        geodesics = data[seed][1]
        if distances is not None:
            value = score(distances, geodesics)
            scores["distances"].setdefault(row, []).append(value)
        if embedding is not None:
            value = score(cdist(embedding, embedding), geodesics)
            scores["embedding"].setdefault(row, []).append(value)
        if t is not None:
            times.setdefault(row, []).append(t)

    for seed, (X, _) in data.items():
        for row in geolearn_rows(X):
            add(seed, *row)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the peers' deprecations
            for row in peer_rows(X):
                add(seed, *row)
    if python is not None:
        for row in reference_rows(python, column, data):
            add(*row)
    return scores, times


def summarise(scores):
    """Return {level: {row: {column: mean and standard deviation}}}."""
    summary = {level: {} for level in LEVELS}
    for column, levels in scores.items():
        for level, rows in levels.items():
            for row, values in rows.items():
                table_row = summary[level].setdefault(row, {})
                spread = np.std(values, axis=0, ddof=1 if len(values) > 1 else 0)
                table_row[column] = {
                    "mean": np.mean(values, axis=0).tolist(),
                    "standard_deviation": spread.tolist(),
                }
    return summary


def ordered_rows(summary):
    """Yield (level, row) in the order of the expected table, the rest after."""
    for level in LEVELS:
        known = [row for row in EXPECTED[level] if row in summary[level]]
        yield from ((level, row) for row in known)
        extra = [row for row in summary[level] if row not in known]
        yield from ((level, row) for row in extra)


def score_table(summary, columns, entry, style):
    """Print Pearson/Spearman of every row; `entry` is what of the summary."""
    lines = []
    for level, row in ordered_rows(summary):
        cells = [
            "/".join(map(score_text, summary[level][row][column][entry]))
            for column in columns
        ]
        lines.append([f"{LEVELS[level]}: {row}", *cells])
    return table(["level, method", *columns], lines, style)


def check(summary, columns):
    """Compare with the expected scores; return table lines and what is off."""
    lines, failures = [], []
    for level, row in ordered_rows(summary):
        expected = EXPECTED[level].get(row)
        if expected is None:
            continue
        for column in columns:
            found = summary[level][row][column]
            wanted = expected[COLUMNS.index(column)]
            lines.append([f"{LEVELS[level]}: {row}", column])
            for name, mean, deviation, value in zip(
                ("Pearson", "Spearman"),
                found["mean"],
                found["standard_deviation"],
                wanted,
                strict=True,
            ):
                if value is None:
                    lines[-1] += [score_text(mean), "-", "-"]
                    continue
                lines[-1] += [
                    score_text(mean),
                    score_text(value),
                    f"{mean - value:+.3f}",
                ]
                allowed = TOLERANCE + 0.0005  # the expected values have 3 digits
                if column in NOISY:
                    allowed = max(allowed, 2.0 * deviation)
                if row.startswith("geolearn") and abs(mean - value) > allowed:
                    failures.append(
                        f"{LEVELS[level]}: {row}, {column}: {name} {mean:.3f} is not "
                        f"within {allowed:.3f} of {value:.3f}"
                    )
    return lines, failures


def print_check(summary, options):
    """Print the comparison with the expected scores; return the exit status."""
    lines, failures = check(summary, options.columns)
    header = ["level, method", "data"]
    header += ["Pearson", "expected", "difference"]
    header += ["Spearman", "expected", "difference"]
    print(table(header, lines, options.style))
    print("\n".join(failures) or "All rows of geolearn are as expected.")
    return 1 if failures else 0


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--reference-python",
        default=os.environ.get("HEATGEO_PYTHON"),
        help="interpreter that has heatgeo; also read from HEATGEO_PYTHON",
    )
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--check", action="store_true", help="compare with expected")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    parser.add_argument("--columns", nargs="+", choices=COLUMNS, default=COLUMNS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    return parser.parse_args()


def find_reference(python):
    """Return the interpreter that has the reference, and what it has, or None."""
    python = python or sys.executable
    try:
        return python, run("_heatgeo.py", "available", python=python)
    except MissingPeer as missing:
        print(
            f"Rows of the reference left out: {missing} (README.md).", file=sys.stderr
        )
        return None, None


def main():
    """Score everything, write the JSON file, print the tables."""
    options = parse()
    logging.disable(logging.WARNING)  # peers comment on their own runs
    python, reference = find_reference(options.reference_python)
    packages = versions("numpy", "scipy", "scikit-learn", "phate", "umap-learn")
    about = machine()
    scores, times = {}, {}
    for column in options.columns:
        scores[column], times[column] = score_column(column, options.seeds, python)
        print(f"{column}: done", flush=True, file=sys.stderr)
    summary = summarise(scores)
    if options.output:
        result = {
            "machine": about,
            "versions": packages,
            "reference": reference,
            "seeds": list(options.seeds),
            "scores": scores,
            "times": times,
            "summary": summary,
        }
        save_json(result, options.output)
    style = options.style
    print(f"{head(about, packages)}\n\nPearson/Spearman, mean over the seeds ", end="")
    print(f"{options.seeds}:\n\n{score_table(summary, options.columns, 'mean', style)}")
    print("Standard deviation over the seeds:\n")
    print(score_table(summary, options.columns, "standard_deviation", style))
    raise SystemExit(print_check(summary, options) if options.check else 0)


if __name__ == "__main__":
    main()
