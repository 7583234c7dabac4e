"""Time barycentric subspaces beside one SLSQP solve a projection, and tangent PCA.

Every comparison runs in a process of its own, in which both sides compute on the same
samples in turn after a warm-up. README.md says how to run it.
"""

import argparse
import sys

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table

COMPARISONS = {
    "projections of 2000 spectra": ("projections", {"n": 2000, "dim": 6}),
    "forward search, 40 spectra": ("forward", {"n": 40, "dim": 6}),
    "S^9, n = 10000": ("tangent", {"n": 10_000, "space": "sphere"}),
    "SPD(3), n = 1000": ("tangent", {"n": 1000, "space": "spd"}),
}
WANTED = 100.0  # times faster than SLSQP


def measure(title, options):
    """Run one comparison, or say why not and return None."""
    function, arguments = COMPARISONS[title]
    print(f"{title} ...", end=" ", flush=True, file=sys.stderr)
    try:
        result = run(
            "_bsa_methods.py",
            function,
            python=options.python,
            timeout=1800.0,
            **arguments,
        )
    except (MissingPeer, MeasurementFailed) as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return None
    print("done", file=sys.stderr)
    return result


def report(title, result, options):
    """Return the table of one comparison."""
    clock = "cpu_seconds" if options.clock == "cpu" else "seconds"
    base = next(iter(result["rows"].values()))[clock]
    lines = [
        [
            name,
            f"{row[clock]:.5f}",
            f"{row[clock] / base:.1f}",
            f"{row['error']:.0e}" if "error" in row else "-",
            {1.0: "yes", 0.0: "no"}.get(row.get("same"), "-"),
        ]
        for name, row in result["rows"].items()
    ]
    header = [title, "s", "ratio", "largest difference", "same references"]
    return table(header, lines, options.style)


def slow(results):
    """Return the comparisons with SLSQP in which the ratio is not reached."""
    return [
        title
        for title, result in results.items()
        if "SLSQP" in result["rows"]
        and result["rows"]["SLSQP"]["cpu_seconds"]
        < WANTED * result["rows"]["geolearn"]["cpu_seconds"]
    ]


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="cpu")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    parser.add_argument("--python", help="interpreter that imports geomstats")
    parser.add_argument("--check", action="store_true", help="fail below the ratio")
    return parser.parse_args()


def main():
    """Measure everything, print the tables, write the JSON file."""
    options = parse()
    about, results, packages = machine(), {}, {}
    for title in COMPARISONS:
        result = measure(title, options)
        if result is not None:
            results[title] = result
            packages.update(result["versions"])
    if options.output:
        save_json({"machine": about, "results": results}, options.output)
    print(f"{head(about, packages)}\n\n{options.clock} clock, one thread:\n")
    for title, result in results.items():
        print(report(title, result, options))
    if options.check and slow(results):
        sys.exit(f"Below {WANTED:g} times SLSQP: {', '.join(slow(results))}")


if __name__ == "__main__":
    main()
