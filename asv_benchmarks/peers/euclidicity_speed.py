"""Time Euclidicity beside the package of its authors, CPU time a point, one thread.

Two touching spheres, 100 annuli around each point. README.md says how to run it.
"""

import argparse
import sys

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table

SIZES = {20: False, 50: True, 100: True}  # neighbours -> is the model sampled
WANTED = {20: 200.0, 50: 70.0, 100: 28.0}  # times faster than the reference
RELEASED, OURS = "reference, as released", "geolearn"
FULL, SAME = "reference, full grid, degrees 0-1", "geolearn, every cell anew"


def measure(k, options):
    """Compare at one number of neighbours, or say why not and return None."""
    print(f"k = {k} ...", end=" ", flush=True, file=sys.stderr)
    try:
        result = run(
            "_euclidicity_methods.py",
            "compare",
            python=options.python,
            timeout=1800.0,
            n=options.size,
            k=k,
            sampled=SIZES[k],
            n_queries=options.queries,
        )
    except (MissingPeer, MeasurementFailed) as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return None
    print("done", file=sys.stderr)
    return result


def report(k, result, style):
    """Return the table of one number of neighbours."""
    rows = result["rows"]
    base = rows[OURS]["cpu_seconds"]
    lines = []
    for name, row in rows.items():
        if "missing" in row:
            lines.append([name, row["missing"], "-", "-", "-"])
            continue
        agreement = [
            f"{row[key]:.3g}" if key in row else "-"
            for key in ("correlation", "difference")
        ]
        milliseconds = 1e3 * row["cpu_seconds"]
        ratio = row["cpu_seconds"] / base
        lines.append([name, f"{milliseconds:.2f}", f"{ratio:.1f}", *agreement])
    model = "sampled model" if SIZES[k] else "interval model"
    header = [f"k = {k}, {model}", "ms a point", "ratio", "rank correlation"]
    text = table([*header, "median difference"], lines, style)
    if FULL in rows:
        same = rows[FULL]["cpu_seconds"] / rows[SAME]["cpu_seconds"]
        text += f"\nThe same work, cell by cell: {same:.1f} times\n"
    return text


def slow(results):
    """Return the sizes at which the ratio is below the wanted one."""
    return [
        k
        for k, result in results.items()
        if RELEASED in result["rows"]
        and result["rows"][RELEASED]["cpu_seconds"]
        < WANTED[k] * result["rows"][OURS]["cpu_seconds"]
    ]


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    parser.add_argument("--python", help="interpreter that imports both packages")
    parser.add_argument("--size", type=int, default=1000, help="points of the set")
    parser.add_argument("--queries", type=int, default=20, help="of the reference")
    parser.add_argument("--neighbors", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--check", action="store_true", help="fail below the ratios")
    return parser.parse_args()


def main():
    """Measure everything, print the tables, write the JSON file."""
    options = parse()
    about, results, packages, engines = machine(), {}, {}, set()
    for k in options.neighbors:
        result = measure(k, options)
        if result is not None:
            results[k] = result
            packages.update(result["versions"])
            engines.add(result["engine"])
    if options.output:
        save_json({"machine": about, "results": results}, options.output)
    print(f"{head(about, packages)}\n\nCPU clock, one thread.")
    for engine in engines - {None}:
        print(f"Persistence of the reference is computed by {engine}.")
    for k, result in results.items():
        print(f"\n{report(k, result, options.style)}")
    if options.check and slow(results):
        sys.exit(f"Below the wanted ratio at k = {slow(results)}")


if __name__ == "__main__":
    main()
