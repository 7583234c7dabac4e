"""Compare errors of PrincipalSubbundle with reference values and with Isomap.

The reference values come from a prototype on data drawn by the same recipes with
other generators, so that several draws are made and their medians are printed. The
values of B3 are those of the nearest point of a coarse fan; logarithms should be
better.
"""

import argparse
import statistics
import sys

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, table

SCRIPT = "_principal_subbundle_methods.py"
MARGIN = 1.25  # medians of random data
BANDWIDTHS = (0.15, 0.2, 0.3, 0.4)
# (samples, noise): tangent error in degrees and error of ends, for each bandwidth.
B1 = {
    (500, 0.0): ((1.68, 1.73, 1.95, 2.04), (0.019, 0.019, 0.025, 0.030)),
    (500, 0.1): ((11.6, 6.37, 3.08, 2.92), (0.150, 0.070, 0.044, 0.035)),
    (2000, 0.0): ((0.77, 0.87, 0.83, 1.09), (0.0085, 0.0087, 0.0096, 0.011)),
    (2000, 0.05): ((2.37, 1.96, 1.13, 1.18), (0.025, 0.021, 0.014, 0.014)),
    (2000, 0.1): ((5.72, 3.60, 1.51, 1.55), (0.062, 0.038, 0.021, 0.018)),
    (8000, 0.05): ((1.30, 0.81, 0.57, 0.57), (0.015, 0.008, 0.006, 0.006)),
    (8000, 0.1): ((2.53, 1.71, 0.86, 0.64), (0.025, 0.019, 0.010, 0.008)),
}
# (samples, noise, bandwidth, features, whole surface): chart median and 90 % (None
# where not known), Isomap median, relative error of lengths.
B2 = {
    (1000, 0.0, 0.25, 3, False): (0.032, 0.092, 0.085, 0.021),
    (1000, 0.05, 0.25, 3, False): (0.074, 0.140, 0.149, 0.040),
    (1000, 0.1, 0.35, 3, False): (0.158, 0.309, 0.164, 0.081),
    (3000, 0.1, 0.35, 3, False): (0.142, 0.246, 0.176, 0.066),
    (600, 0.03, 0.25, 3, True): (0.078, 0.196, 0.144, None),
}
B3 = {
    (1000, 0.03, 0.35, 50, False): (0.160, None, 0.917, None),
    (1000, 0.03, 0.4, 100, False): (0.210, None, 1.56, None),
    (3000, 0.03, 0.35, 100, False): (0.172, None, 2.15, None),
}
# (noise, bandwidth): relative error of distances, of the graph (None: not known).
B4 = {
    (0.0, 0.2): (0.0031, 0.048),
    (0.05, 0.3): (0.063, 0.111),
    (0.1, 0.4): (0.115, 0.114),
}


def measure(function, **arguments):
    """Run one measurement, or say why not and return None."""
    try:
        return run(SCRIPT, function, timeout=3600.0, **arguments)
    except (MissingPeer, MeasurementFailed) as failure:
        print(f"failed: {function} {arguments}: {failure}", file=sys.stderr)
        return None


def draws(function, n_draws, **arguments):
    """Return the results of several draws of the data, those that there are."""
    found = [measure(function, seed=seed, **arguments) for seed in range(n_draws)]
    return [f for f in found if f is not None]


def middle(found, key):
    """Return the median of a number over the draws."""
    return statistics.median(f[key] for f in found)


def spread(found, key):
    """Return the smallest and the largest number over the draws as text."""
    numbers = [f[key] for f in found]
    return f"{min(numbers):.3f} to {max(numbers):.3f}"


def verdict(value, wanted):
    """Say whether a median is at most a quarter above what is wanted."""
    return "yes" if value <= MARGIN * wanted else "NO"


def sphere_rows(n_draws, results):
    """Yield the rows of table B1."""
    for (n, noise), (degrees, ends) in B1.items():
        for sigma, degree, end in zip(BANDWIDTHS, degrees, ends, strict=True):
            found = draws("tangents", n_draws, n=n, noise=noise, sigma=sigma)
            if not found:
                continue
            results[f"B1 {n} {noise} {sigma}"] = found
            angles = [a for f in found for a in f["degrees"]]
            errors = [e for f in found for e in f["ends"] if e == e]
            lost = 1.0 - len(errors) / len(angles)
            angle, error = statistics.median(angles), statistics.median(errors)
            yield [
                f"{n}, {noise:g}, {sigma:g}",
                f"{degree:g}",
                f"{angle:.2f}",
                verdict(angle, degree),
                f"{end:g}",
                f"{error:.4f}",
                verdict(error, end),
                f"{lost:.0%}",
                f"{max(f['drift'] for f in found):.0e}",
            ]


def surface_rows(cases, n_draws, results):
    """Yield the rows of tables B2 and B3."""
    for case, (median, p90, isomap, length) in cases.items():
        n, noise, sigma, d, whole = case
        found = draws(
            "surface",
            n_draws,
            n=n,
            noise=noise,
            sigma=sigma,
            n_features=d,
            reach=None if whole else 3.0,
        )
        if not found:
            continue
        results[f"B2 {' '.join(map(str, case))}"] = found
        ours, theirs = middle(found, "median"), middle(found, "isomap_median")
        yield [
            f"{n}, {noise:g}, {sigma:g}, {d}" + ", whole" * whole,
            f"{median:g}" + ("" if p90 is None else f" ({p90:g})"),
            f"{ours:.3f} ({middle(found, 'p90'):.3f})",
            spread(found, "median"),
            verdict(ours, median),
            f"{isomap:g}",
            f"{theirs:.3f} ({middle(found, 'isomap_p90'):.3f})",
            "-" if length is None else f"{length:g}",
            f"{middle(found, 'length'):.3f}",
            f"{middle(found, 'charted'):.1%}",
            f"{middle(found, 'cpu'):.1f}",
        ]


def distance_rows(n_draws, results):
    """Yield the rows of table B4."""
    for (noise, sigma), (error, graph) in B4.items():
        found = draws("angles", n_draws, n=1000, noise=noise, sigma=sigma)
        if not found:
            continue
        results[f"B4 {noise} {sigma}"] = found
        ours = middle(found, "log")
        yield [
            f"{noise:g}, {sigma:g}",
            f"{error:g}",
            f"{ours:.4f}",
            verdict(ours, error),
            f"{graph:g}",
            f"{middle(found, 'graph'):.3f}",
            f"{middle(found, 'chord'):.3f}",
            f"{middle(found, 'found'):.1%}",
        ]


SPHERE = ["n, noise, bandwidth", "degrees wanted", "degrees", "good", "ends wanted"]
SPHERE += ["ends", "good", "lost", "largest drift"]
SURFACE = [
    "n, noise, bandwidth, features",
    "chart wanted",
    "median (90 %)",
    "draws",
    "good",
]
SURFACE += ["Isomap wanted", "Isomap", "length wanted", "length", "charted", "CPU s"]
ANGLES = ["noise, bandwidth", "wanted", "distance", "good", "graph wanted", "graph"]
ANGLES += ["chord", "found"]


def main():
    """Measure the tables that are asked for and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=4, help="of the data")
    parser.add_argument("--tables", nargs="+", default=["B1", "B2", "B3", "B4"])
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    parser.add_argument("--check", action="store_true", help="fail on a NO")
    options = parser.parse_args()
    about, results, bad = machine(), {}, False
    print(f"{head(about, {})}\n")
    tables = {
        "B1": (SPHERE, lambda: sphere_rows(options.draws, results)),
        "B2": (SURFACE, lambda: surface_rows(B2, options.draws, results)),
        # One draw: a chart in 100 dimensions takes many minutes.
        "B3": (SURFACE, lambda: surface_rows(B3, 1, results)),
        "B4": (ANGLES, lambda: distance_rows(options.draws, results)),
    }
    for name in options.tables:
        header, rows = tables[name]
        lines = list(rows())
        bad |= any("NO" in line for line in lines)
        print(f"{name}\n\n{table(header, lines, options.style)}", flush=True)
    if options.output:
        save_json({"machine": about, "results": results}, options.output)
    if options.check and bad:
        sys.exit(1)


if __name__ == "__main__":
    main()
