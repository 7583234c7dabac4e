"""Compare local dimensions with scikit-dimension: the same points, time and values.

Every run has a process and one thread of its own. MLE is the unbiased estimate and
local PCA counts the eigenvalues above 5 % of the largest, around each point; TwoNN is
one number. README.md says how to run it.
"""

import argparse
import sys

import numpy as np
from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table

METHODS = ("MLE", "TwoNN", "local PCA")
# Mean differences that are explained: a neighbourhood with or without its centre.
TOLERANCES = {"MLE": 1e-8, "TwoNN": 0.02, "local PCA": 0.1}


def measure(library, method, n, options):
    """Run one library, or say why not and return None."""
    python = options.peer_python if library == "scikit-dimension" else None
    try:
        return run(
            "_local_dimension_methods.py",
            "dimensions",
            python=python,
            timeout=3600.0,
            library=library,
            method=method,
            n=n,
            dim=options.dim,
            k=options.neighbors,
            repeats=options.repeats,
        )
    except (MissingPeer, MeasurementFailed) as failure:
        print(f"{library}, {method}, n={n} failed: {failure}", file=sys.stderr)
        return None


def compare(method, n, options):
    """Return the figures of both libraries for one method and size."""
    ours = measure("geolearn", method, n, options)
    peer = measure("scikit-dimension", method, n, options)
    if ours is None or peer is None:
        return None
    a, b = np.array(ours["values"]), np.array(peer["values"])
    return {
        "method": method,
        "n": n,
        "seconds": ours["cpu_seconds"],
        "peer_seconds": peer["cpu_seconds"],
        "mean": float(a.mean()),
        "peer_mean": float(b.mean()),
        "mean_difference": float(np.abs(a - b).mean()),
        "versions": {**peer["versions"], **ours["versions"]},
    }


def line(row):
    """Return the cells of one row of the table."""
    return [
        f"{row['method']}, n = {row['n']}",
        f"{row['seconds']:.3f}",
        f"{row['peer_seconds']:.3f}",
        f"{row['peer_seconds'] / row['seconds']:.1f}",
        f"{row['mean']:.4f}",
        f"{row['peer_mean']:.4f}",
        f"{row['mean_difference']:.2g}",
    ]


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", type=int, default=[1000, 5000, 20_000])
    parser.add_argument("--dim", type=int, default=3)
    parser.add_argument("--neighbors", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer-python", help="interpreter that has scikit-dimension")
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--check", action="store_true", help="fail where values differ")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    return parser.parse_args()


def main():
    """Measure everything, print the table, write the JSON file."""
    options = parse()
    rows = [compare(m, n, options) for n in options.sizes for m in METHODS]
    rows = [row for row in rows if row is not None]
    if not rows:
        sys.exit("Nothing could be measured; is scikit-dimension installed?")
    about = machine()
    if options.output:
        save_json({"machine": about, "rows": rows}, options.output)
    print(f"{head(about, rows[0]['versions'])}\n\nCPU seconds, one thread:\n")
    header = ["", "geolearn", "scikit-dimension", "ratio", "mean", "its mean"]
    print(
        table([*header, "mean difference"], [line(row) for row in rows], options.style)
    )
    wrong = [row for row in rows if row["mean_difference"] > TOLERANCES[row["method"]]]
    if options.check and wrong:
        sys.exit(f"Values differ: {[(row['method'], row['n']) for row in wrong]}")


if __name__ == "__main__":
    main()
