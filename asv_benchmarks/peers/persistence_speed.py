"""Time persistence diagrams and bottleneck distances beside gudhi and ripser.py.

Each row of the table is one cloud size; the engines take turns on the same matrices
in one process, on one thread, in CPU time. README.md says how to run it.
"""

import argparse
import sys

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table

CLOUDS = [
    (20, 2, 1),
    (50, 2, 1),
    (50, 2, 2),
    (50, 3, 2),
    (100, 2, 1),
    (100, 2, 2),
    (200, 2, 1),
    (200, 2, 2),
    (200, 3, 2),
    (500, 2, 1),
]
DISTANCES = [(50, 0), (50, 1), (200, 1)]


def measure(function, **arguments):
    """Run one comparison, or say why not and return None."""
    print(f"{function} {arguments} ...", end=" ", flush=True, file=sys.stderr)
    try:
        result = run("_persistence_methods.py", function, timeout=600.0, **arguments)
    except (MissingPeer, MeasurementFailed) as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return None
    print("done", file=sys.stderr)
    return result


def report(results, style):
    """Return one line a comparison and engine: time, ratio, difference."""
    lines = []
    for title, result in results.items():
        base = result["rows"]["geolearn"]["cpu_ms"]
        for name, row in result["rows"].items():
            lines.append(
                [
                    title,
                    name,
                    f"{row['cpu_ms']:.4f}",
                    f"{row['cpu_ms'] / base:.1f}",
                    f"{row['difference']:.0e}",
                ]
            )
    header = ["input", "engine", "CPU ms", "ratio", "difference"]
    return table(header, lines, style)


def main():
    """Measure everything, print the tables, write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--largest", type=int, default=500, help="points of a cloud")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    options = parser.parse_args()
    about, results, packages = machine(), {}, {}
    jobs = [
        (f"{n} points of R^{dim}, degrees 0-{top}", "clouds", (n, dim, top))
        for n, dim, top in CLOUDS
    ]
    jobs += [
        (f"distance of two diagrams of {n} points, degree {k}", "distances", (n, k))
        for n, k in DISTANCES
    ]
    names = {"clouds": ("n", "dim", "max_degree"), "distances": ("n", "degree")}
    for title, function, values in jobs:
        if values[0] <= options.largest:
            result = measure(
                function, **dict(zip(names[function], values, strict=True))
            )
            if result is not None:
                results[title] = result
                packages.update(result["versions"])
    if options.output:
        save_json({"machine": about, "results": results}, options.output)
    print(f"{head(about, packages)}\n\nCPU time, one thread:\n")
    print(report(results, options.style))


if __name__ == "__main__":
    main()
