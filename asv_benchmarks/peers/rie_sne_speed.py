"""Time RieSNE beside openTSNE, scikit-learn and pyRiemann, quality beside time.

Every row of sizes runs in a process of its own, in which the libraries embed the
same samples in turn after the compiled code was loaded. The divergences of the
planes of R^20 are all under geolearn's affinities. README.md says how to run it.
"""

import argparse
import sys

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table

TIMEOUT = 3600.0


def measure(function, n, options):
    """Run one comparison, or say why not and return None."""
    print(f"{function}, n={n} ...", end=" ", flush=True, file=sys.stderr)
    try:
        result = run(
            "_rie_sne_methods.py",
            function,
            threads=options.jobs,
            timeout=TIMEOUT,
            n=n,
            jobs=options.jobs,
        )
    except (MissingPeer, MeasurementFailed) as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return None
    print("done", file=sys.stderr)
    return result


def report(title, result, options):
    """Return the table of one comparison."""
    clock = "cpu_seconds" if options.clock == "cpu" else "seconds"
    base = result["rows"][result["base"]][clock]
    lines = [
        [
            name,
            f"{row[clock]:.2f}",
            f"{row[clock] / base:.2f}",
            f"{row['kl']:.3f}" if "kl" in row else "-",
            f"{row['trust']:.4f}",
        ]
        for name, row in result["rows"].items()
    ]
    header = [title, "s", "ratio", "divergence", "trustworthiness"]
    return table(header, lines, options.style)


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--flat", nargs="*", type=int, default=[2000, 10_000])
    parser.add_argument("--matrices", nargs="*", type=int, default=[200, 2000])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    return parser.parse_args()


def main():
    """Measure everything, print the tables, write the JSON file."""
    options = parse()
    about, results, packages = machine(), {}, {}
    for function, title, sizes in (
        ("flat", "points of R^20", options.flat),
        ("matrices", "SPD(8) matrices", options.matrices),
    ):
        for n in sizes:
            result = measure(function, n, options)
            if result is not None:
                results[f"{title}, n = {n}"] = result
                packages.update(result["versions"])
    if options.output:
        save_json({"machine": about, "results": results}, options.output)
    print(
        f"{head(about, packages)}\n\n{options.clock} clock, {options.jobs} thread(s):\n"
    )
    for title, result in results.items():
        print(report(title, result, options))


if __name__ == "__main__":
    main()
