"""Time principal subbundles beside geomstats' curves and scikit-learn's charts.

Geodesics against great circles, charts of S-surfaces against their flat coordinates,
and the local spectra of many points against a search for neighbours alone. README.md
says how to run it.
"""

import argparse
import sys

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table

SPHERE = {"n": 500, "bandwidth": 0.3, "n_steps": [20, 100]}
SURFACE = {"n_neighbors": 10, "n_features": 3}
COMPARISONS = {
    "quarter circles of a sphere, n = 500": ("exponential", SPHERE),
    "S-surface, n = 600, noise .03": (
        "charts",
        {**SURFACE, "n": 600, "noise": 0.03, "bandwidth": 0.25},
    ),
    "S-surface, n = 1000": (
        "charts",
        {**SURFACE, "n": 1000, "noise": 0.0, "bandwidth": 0.25},
    ),
    "S-surface, n = 1000, noise .05": (
        "charts",
        {**SURFACE, "n": 1000, "noise": 0.05, "bandwidth": 0.25},
    ),
    "S-surface, n = 1000, noise .1": (
        "charts",
        {**SURFACE, "n": 1000, "noise": 0.1, "bandwidth": 0.35},
    ),
    "S-surface in 50 dimensions, n = 1000, noise .03": (
        "charts",
        {
            "n": 1000,
            "noise": 0.03,
            "bandwidth": 0.35,
            "n_features": 50,
            "n_neighbors": 10,
        },
    ),
    "local spectra, n = 100000, 64 neighbours": (
        "local_pca",
        {"n": 100_000, "n_neighbors": 64, "dim": 3},
    ),
}
# Largest CPU time of the first row over that of the peer.
WANTED = {
    "exponential": ("geolearn", "geomstats", 0.01),
    "local_pca": ("geolearn", "scikit-learn", 1.5),
}


def measure(title, options):
    """Run one comparison, or say why not and return None."""
    function, arguments = COMPARISONS[title]
    print(f"{title} ...", end=" ", flush=True, file=sys.stderr)
    try:
        result = run(
            "_subbundle_speed_methods.py",
            function,
            python=options.python,
            timeout=options.timeout,
            **arguments,
        )
    except (MissingPeer, MeasurementFailed) as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return None
    print("done", file=sys.stderr)
    return result


def report(title, result, style):
    """Return the table of one comparison."""
    rows = result["rows"]
    base = next(iter(rows.values()))["cpu_seconds"]
    others = [key for key in next(iter(rows.values())) if not key.endswith("seconds")]
    lines = [
        [
            name,
            f"{row['cpu_seconds']:.3g}",
            f"{row['cpu_seconds'] / base:.3g}",
            *(f"{row[key]:.2g}" for key in others),
        ]
        for name, row in rows.items()
    ]
    return table([title, "s", "ratio", *others], lines, style)


def slow(results):
    """Return the comparisons in which geolearn takes longer than it should."""
    found = []
    for title, result in results.items():
        ours, peer, most = WANTED.get(COMPARISONS[title][0], ("", "", 0.0))
        times = {name: row["cpu_seconds"] for name, row in result["rows"].items()}
        own = [seconds for name, seconds in times.items() if name.startswith(ours)]
        theirs = [seconds for name, seconds in times.items() if name.startswith(peer)]
        if peer and theirs and max(own) > most * min(theirs):
            found.append(title)
    return found


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    parser.add_argument("--python", help="interpreter that imports geomstats")
    parser.add_argument("--timeout", type=float, default=1800.0)
    parser.add_argument("--only", default="", help="comparisons with this in the title")
    parser.add_argument("--check", action="store_true", help="fail if too slow")
    return parser.parse_args()


def main():
    """Measure everything, print the tables, write the JSON file."""
    options = parse()
    about, results, packages = machine(), {}, {}
    for title in COMPARISONS:
        result = measure(title, options) if options.only in title else None
        if result is not None:
            results[title] = result
            packages.update(result["versions"])
    if options.output:
        save_json({"machine": about, "results": results}, options.output)
    print(f"{head(about, packages)}\n\nCPU clock, one thread; errors are medians.")
    print("Rigid and affine: after the best motion or linear map; near: within a")
    print("geodesic distance of 3 of the base point.\n")
    for title, result in results.items():
        print(report(title, result, options.style))
    if options.check and slow(results):
        sys.exit(f"Too slow: {', '.join(slow(results))}")


if __name__ == "__main__":
    main()
