"""Compare divergence and trustworthiness of RieSNE with reference values.

The reference values come from a prototype on data drawn by the same recipe with
another generator: they vary with the data by more than with the start, so that
several draws are made and the best and median of each row are printed.
"""

import argparse
import statistics
import sys

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table

# (data, target, kernel, scale): divergence and trustworthiness of the reference.
ROWS = {
    ("S2 in S5", "euclidean", "auto", "auto"): (0.584, 0.998),
    ("S2 in S5", "sphere", "student_chordal", "learn"): (0.507, 0.9988),
    ("S2 in S5", "sphere", "brownian", "learn"): (0.012, 0.9999),
    ("S2 in S5", "sphere", "vmf", 1.0): (2.18, 0.9991),
    ("clusters on S10", "euclidean", "auto", "auto"): (0.748, 0.974),
    ("clusters on S10", "sphere", "student_chordal", "learn"): (0.750, 0.973),
    ("clusters on S10", "sphere", "brownian", "learn"): (0.933, 0.954),
    ("clusters on S10", "sphere", "vmf", 1.0): (2.116, 0.953),
    ("clusters on S10", "hyperboloid", "student", "learn"): (0.778, 0.972),
    ("clusters on S10", "hyperboloid", "student", "auto"): (None, None),
    ("sliding covariances", "euclidean", "auto", "auto"): (0.108, 0.9998),
    ("sliding covariances", "sphere", "student_chordal", "learn"): (0.125, 0.9997),
    ("digits on S63", "euclidean", "auto", "auto"): (None, None),
    ("digits on S63", "sphere", "auto", "auto"): (None, None),
}
BASELINES = {2: 0.930, 3: 0.968}
KL_MARGIN, TRUST_MARGIN = 0.01, 0.003


def measure(function, **arguments):
    """Run one measurement, or say why not and return None."""
    try:
        return run("_rie_sne_methods.py", function, timeout=3600.0, **arguments)
    except (MissingPeer, MeasurementFailed) as failure:
        print(f"failed: {arguments}: {failure}", file=sys.stderr)
        return None


def line(row, wanted, found):
    """Return the cells of one row."""
    kls = [f["kl"] for f in found]
    trusts = [f["trust"] for f in found]
    cells = [*map(str, row[:3]), str(row[3])]
    if wanted[0] is None:
        cells += ["-", "-"]
    else:
        cells += [f"{wanted[0]:.3f}", f"{wanted[1]:.4f}"]
    cells += [f"{min(kls):.3f} / {statistics.median(kls):.3f}"]
    cells += [f"{max(trusts):.4f} / {statistics.median(trusts):.4f}"]
    cells += [f"{found[0]['scale']:.3g}", found[0]["correction"]]
    if wanted[0] is None:
        return [*cells, "-"]
    good = min(kls) <= wanted[0] + KL_MARGIN
    good &= max(trusts) >= wanted[1] - TRUST_MARGIN
    return [*cells, "yes" if good else "NO"]


def main():
    """Measure every row, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=3, help="of the data")
    parser.add_argument("--data", help="only the rows of these data")
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    options = parser.parse_args()
    about, lines, results = machine(), [], {}
    for row, wanted in ROWS.items():
        data, target, kernel, scale = row
        if options.data not in (None, data):
            continue
        found = []
        for seed in range(options.draws):
            arguments = {"data": data, "target": target, "kernel": kernel}
            result = measure("quality", kernel_scale=scale, seed=seed, **arguments)
            found += [] if result is None else [result]
        if found:
            lines.append(line(row, wanted, found))
            results[" ".join(map(str, row))] = found
    header = ["data", "target", "kernel", "scale", "KL wanted", "trust wanted"]
    header += ["KL best / median", "trust best / median", "tau", "correction", "good"]
    print(f"{head(about, {})}\n\n{table(header, lines, options.style)}")
    baselines = []
    for k, wanted in BASELINES.items():
        found = measure("principal", data="sliding covariances", k=k)
        if found is not None:
            baselines.append([str(k), f"{wanted:.3f}", f"{found['trust']:.3f}"])
    header = ["tangent components of sliding covariances", "wanted", "trustworthiness"]
    print(table(header, baselines, options.style))
    if options.output:
        save_json({"machine": about, "results": results}, options.output)


if __name__ == "__main__":
    main()
