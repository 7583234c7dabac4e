"""Time SPD geometry and covariance classifiers of geolearn and pyRiemann.

Every row runs in a process of its own, in which both libraries compute on the
same arrays in turn, with one BLAS thread; geolearn with one thread and with
two. A figure is the median of several rounds after a warm-up round. Below the
times stand the errors of the affine distance of ill-conditioned matrices.
README.md says how to run it.
"""

import argparse
import os
import sys

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table
from _spd_accuracy import CASES, N
from _spd_methods import OPERATIONS, SIZES

TIMEOUT = 3600.0
TWO_THREADS = 1.6  # "close to twice" the speed of one thread
# Rows of which a ratio peer / geolearn is wanted: {row: {n: ratio}}.
TO_ONE = {8: 3.0, 22: 3.0, 88: 1.3}
WANTED = {
    **{name: TO_ONE for name in OPERATIONS if name.startswith("to_one")},
    "mean_affine": dict.fromkeys(SIZES, 2.0),
    "pairwise_stein": dict.fromkeys(SIZES, 10.0),
    "pairwise_bures": dict.fromkeys(SIZES, 10.0),
    "ledoit_wolf": dict.fromkeys(SIZES, 5.0),
    "mdm_cv": dict.fromkeys(SIZES, 3.0),
}
# Worst errors of the method that its description reports. Rounding of the input
# decides them, so that other matrices give several times more or less.
PUBLISHED_ERRORS = {
    "kappa 1e8": 2e-11,
    "kappa 1e10": 6e-9,
    "badly scaled, kappa 1e12": 4e-8,
}
ERROR_MARGIN = 10.0


def attempt(name, script, function, **arguments):
    """Run one measurement, or say why not and return None."""
    print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
    try:
        result = run(script, function, timeout=TIMEOUT, **arguments)
    except MissingPeer as missing:
        print(f"left out: {missing}", file=sys.stderr)
        return None
    except MeasurementFailed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return {"failed": str(failure)}
    print("done", file=sys.stderr)
    return result


def time_rows(n, options):
    """Return {operation: figures} for matrices of order n."""
    rows = {}
    for name, (title, _) in OPERATIONS.items():
        if options.operations and not any(part in name for part in options.operations):
            continue
        result = attempt(
            f"n={n}: {title}",
            "_spd_methods.py",
            "compare",
            threads=max(options.jobs),
            operation=name,
            n=n,
            jobs=options.jobs,
            repeats=options.repeats,
            warmup=options.warmup,
            peer=options.peer,
        )
        if result is not None:
            rows[name] = result
    return rows


def time_table(n, rows, options):
    """Return the table of one n."""
    count, few, _ = SIZES[n]
    header = [f"n = {n} ({count}; tables of {few})", "pyRiemann ms"]
    for jobs in options.jobs:
        header += [f"geolearn ms, {jobs} thr.", "ratio"]
    header += ["difference"]
    lines = []
    for name, row in rows.items():
        title = OPERATIONS[name][0]
        if "failed" in row:
            lines.append([title, "failed", *[""] * (len(header) - 2)])
            continue
        line = [title, milliseconds(row, "peer", options)]
        for jobs in options.jobs:
            key = f"geolearn_{jobs}"
            line += [milliseconds(row, key, options), ratio_text(row, key, options)]
        lines.append([*line, f"{row['difference']:.0e}" if "peer" in row else "-"])
    return table(header, lines, options.style)


def clock(row, key, options):
    """Return the seconds of one side of a row on the clock of the tables."""
    return row[key]["cpu_seconds" if options.clock == "cpu" else "seconds"]


def milliseconds(row, key, options):
    return f"{1e3 * clock(row, key, options):.3g}" if key in row else "-"


def ratio(row, key, options, base="peer"):
    """Return how many times faster `key` is than `base`, or None."""
    if key not in row or base not in row:
        return None
    return clock(row, base, options) / clock(row, key, options)


def ratio_text(row, key, options):
    value = ratio(row, key, options)
    return "-" if value is None else f"{value:.2f}"


def error_table(errors, options):
    """Return the table of errors."""
    header = [f"worst relative error, n = {N}", "pyRiemann", "geolearn", "published"]
    lines = [
        [
            case,
            *(error_text(row.get(side)) for side in ("peer", "geolearn")),
            error_text(PUBLISHED_ERRORS.get(case)),
        ]
        for case, row in errors.items()
    ]
    return table(header, lines, options.style)


def error_text(value):
    if value is None:
        return "-"
    return "no number" if value > 1e300 else f"{value:.0e}"


def aims(result, options):
    """Yield (claim, measured value, bound, holds)."""
    for n, rows in result["times"].items():
        for name, row in rows.items():
            title = f"n={n}: {OPERATIONS[name][0]}"
            if "failed" in row:
                yield title, "failed", "", False
                continue
            wanted = WANTED.get(name, {}).get(int(n))
            found = ratio(row, "geolearn_1", options)
            if wanted is None or found is None:
                continue
            claim = f"{title}, pyRiemann / geolearn"
            yield claim, f"{found:.2f}", f">= {wanted:g}", found >= wanted
            scaling = ratio(row, "geolearn_2", options, base="geolearn_1")
            # CPU time does not show threads.
            if scaling is not None and options.clock == "wall":
                claim = f"{title}, 1 / 2 threads"
                holds = scaling >= TWO_THREADS
                yield claim, f"{scaling:.2f}", f">= {TWO_THREADS:g}", holds
    for case, published in PUBLISHED_ERRORS.items():
        found = result["errors"][case].get("geolearn", float("inf"))
        bound = ERROR_MARGIN * published
        yield f"error, {case}", f"{found:.0e}", f"<= {bound:.0e}", found <= bound


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--operations", nargs="+", help="only names that contain one")
    parser.add_argument("--repeats", type=int, default=5, help="rounds that count")
    parser.add_argument("--warmup", type=int, default=1, help="rounds before them")
    parser.add_argument("--jobs", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--pairs", type=int, default=20, help="of the error table")
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu for ratios of one thread on a busy machine",
    )
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    parser.add_argument("--check", action="store_true", help="fail if an aim is missed")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    options = parser.parse_args()
    unknown = set(options.sizes) - set(SIZES)
    if unknown:
        parser.error(f"--sizes {sorted(unknown)}: choose from {list(SIZES)}")
    return options


def main():
    """Measure everything, print the tables, write the JSON file."""
    options = parse()
    about = machine()
    if about["load"] > 0.3 * os.cpu_count() and options.clock == "wall":
        print("The machine is busy: these figures will not hold.", file=sys.stderr)
    result = {"machine": about, "clock": options.clock, "times": {}, "errors": {}}
    packages = {}

    def keep():
        if options.output:
            save_json(result, options.output)

    for case in CASES:
        found = attempt(
            f"error, {case}",
            "_spd_accuracy.py",
            "worst_errors",
            case=case,
            count=options.pairs,
        )
        result["errors"][case] = found or {}
    for n in options.sizes:
        result["times"][str(n)] = rows = time_rows(n, options)
        for row in rows.values():
            packages.update(row.get("versions", {}))
        result["versions"] = packages
        keep()
    keep()
    print(
        f"{head(about, packages)}\n\nMedian of {options.repeats} rounds in turn, "
        f"{options.clock} clock, one BLAS thread; ratio = pyRiemann / geolearn:\n"
    )
    for n, rows in result["times"].items():
        print(time_table(int(n), rows, options))
    print(error_table(result["errors"], options))
    found = list(aims(result, options))
    lines = [[*aim[:3], "yes" if aim[3] else "NO"] for aim in found]
    print(table(["aim", "measured", "wanted", "holds"], lines, options.style))
    missed = options.check and not all(aim[3] for aim in found)
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
