"""Time HeatGeodesicEmbedding and its peers, with the memory that they take.

Every method embeds the same clean Swiss roll (k = 10 neighbours) in two
dimensions, in a process of its own, one process after the other, on one thread.
A figure is the median of several runs after a warm-up run. Beside the time
stand the peak memory of the process and the correlation of the distances in the
embedding with the true geodesic distances. G(n) is the float64 matrix product
of order n, timed in the same process. README.md says how to run it.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from _isolated import MeasurementFailed, MissingPeer, machine, run
from _report import head, save_json, score_text, table

WIDE = 21.0  # width of the large rolls: as wide as scikit-learn's
LARGE = 50_000  # above it one run after the warm-up run is enough
TIMEOUT = 3600.0
OURS = "geolearn"
METHODS = {
    "geolearn, t=10": ("geolearn", {"t": 10.0, "n_landmarks": None}),
    'geolearn, t="auto"': ("geolearn", {"t": "auto", "n_landmarks": None}),
    'geolearn, t="relaxation"': ("geolearn", {"t": "relaxation", "n_landmarks": None}),
    "reference, t=10": ("reference", {"tau": 10.0}),
    "reference, auto": ("reference", {"tau": "auto"}),
    "PHATE": ("phate", {}),
    "PHATE, no landmarks": ("phate", {"n_landmark": None}),
    "UMAP": ("umap", {}),
    "t-SNE": ("tsne", {}),
    "Isomap": ("isomap", {}),
}
# The pairs of rows of which the ratio is printed: same kind of diffusion time.
COUNTERPART = {"reference, auto": 'geolearn, t="auto"'}
# (n, threads, options): the settings of the landmark table.
LANDMARKS = (
    (20_000, 1, {"t": 50.0, "n_landmarks": 300}),
    (20_000, 1, {"t": 500.0, "n_landmarks": 300}),
    (20_000, 1, {}),
    (100_000, 2, {"t": 1000.0, "n_landmarks": 300}),
    (100_000, 2, {}),
)
UNIT = 3000  # order of the matrix product that the landmark table is given in


def measure(spec, n, paths, options, *, threads=1, product=None):
    """Run one method in its own process and score its embedding."""
    method, keywords = spec
    embedding = str(Path(paths["data"]).with_name("embedding.npy"))
    common = {
        "threads": threads,
        "timeout": TIMEOUT,
        "data": paths["data"],
        "embedding": embedding,
        "options": keywords,
        "repeats": min(options.repeats, 1) if n > LARGE else options.repeats,
        "warmup": options.warmup,
    }
    if method == "reference":
        result = run(
            "_heatgeo.py",
            "measure",
            python=options.reference_python,
            n_neighbors=10,
            **common,
        )
    else:
        if method == OURS:
            keywords["n_jobs"] = threads
        result = run(
            "_speed_methods.py",
            "measure",
            method=method,
            product=product or n,
            **common,
        )
    result["score"] = run(
        "_speed_methods.py", "score", embedding=embedding, flat=paths["flat"]
    )
    return result


def attempt(name, *arguments, **keywords):
    """Measure, or say why not and return None."""
    print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
    try:
        result = measure(*arguments, **keywords)
    except MissingPeer as missing:
        print(f"left out: {missing}", file=sys.stderr)
        return None
    except MeasurementFailed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return {"failed": str(failure)}
    print(f"{result['seconds']:.2f} s", file=sys.stderr)
    return result


def full_rows(n, paths, options):
    """Return {method: figures} for all points without landmarks."""
    rows = {}
    for name, (method, keywords) in METHODS.items():
        if options.methods and not any(part in name for part in options.methods):
            continue
        result = attempt(f"n={n}: {name}", (method, dict(keywords)), n, paths, options)
        if result is not None:
            rows[name] = result
    return rows


def landmark_rows(settings, folder, options):
    """Return the list of figures of the landmark table."""
    rows = []
    for n, threads, keywords in settings:
        paths = run("_speed_methods.py", "write_roll", **roll(folder, n, WIDE, 0.1))
        title = ", ".join(f"{k}={v}" for k, v in keywords.items()) or "defaults"
        name = f"n={n}: geolearn, {title}"
        spec = (OURS, dict(keywords))
        result = attempt(name, spec, n, paths, options, threads=threads, product=UNIT)
        rows.append({"name": name, "threads": threads, **(result or {})})
    return rows


def roll(folder, n, width, noise):
    """Return the arguments of the generator."""
    return {"folder": folder, "n": n, "width": width, "noise": noise}


def full_table(n, rows, style):
    """Print the rows of one n; ratios are to geolearn with the same kind of t."""
    lines = []
    for name, row in rows.items():
        if "failed" in row:
            lines.append([name, "failed", *[""] * 6])
            continue
        base = rows.get(COUNTERPART.get(name, "geolearn, t=10"), {})
        ratio = memory = "-"
        if "seconds" in base:
            ratio = f"{row['seconds'] / base['seconds']:.2f}"
            memory = f"{row['peak_rss'] / base['peak_rss']:.2f}"
        lines.append(
            [
                name,
                f"{row['seconds']:.2f}",
                f"{row['spread']:.2f}",
                f"{row['seconds'] / row['product_seconds']:.1f}",
                ratio,
                f"{row['peak_rss'] / 1e9:.2f}",
                memory,
                scores(row),
            ]
        )
    header = [
        f"n = {n}",
        "seconds",
        "spread",
        f"in G({n})",
        "time / geolearn",
        "peak GB",
        "memory / geolearn",
        "Pearson/Spearman",
    ]
    return table(header, lines, style)


def landmark_table(rows, style):
    """Print the rows of the landmark mode."""
    lines = []
    for row in rows:
        if "seconds" not in row:
            lines.append([row["name"], str(row["threads"]), "failed", *[""] * 5])
            continue
        lines.append(
            [
                row["name"],
                str(row["threads"]),
                f"{row['seconds']:.1f}",
                f"{row['cpu_seconds']:.1f}",
                f"{row['first_seconds']:.1f}",
                f"{row['seconds'] / row['product_seconds']:.1f}",
                f"{row['peak_rss'] / 1e9:.2f}",
                scores(row),
            ]
        )
    header = [
        "landmarks",
        "threads",
        "seconds",
        "CPU s",
        "first run",
        f"in G({UNIT})",
        "peak GB",
        "Pearson/Spearman",
    ]
    return table(header, lines, style)


def scores(row):
    """Write the two scores of a row."""
    values = row.get("score", {})
    return "/".join(score_text(values.get(m)) for m in ("pearson", "spearman"))


def targets(rows, landmarks):
    """Yield (claim, measured value, bound, holds) of the aims of the project."""
    at = rows.get("3000", {})

    def seconds(name):
        return at.get(name, {}).get("seconds")

    for peer, ours, factor in (
        ("reference, t=10", "geolearn, t=10", 2.5),
        ("reference, auto", 'geolearn, t="auto"', 4.0),
        *((peer, 'geolearn, t="auto"', 1.0) for peer in ("PHATE", "UMAP", "t-SNE")),
    ):
        if seconds(peer) and seconds(ours):
            ratio = seconds(peer) / seconds(ours)
            claim = f"n=3000: {peer} / {ours}"
            yield claim, f"{ratio:.2f}", f"> {factor:g}", ratio > factor
    for row in landmarks:
        if "seconds" not in row:
            continue
        if row["name"].startswith("n=20000"):
            ratio = row["seconds"] / row["product_seconds"]
            yield f"{row['name']} in G({UNIT})", f"{ratio:.1f}", "< 15", ratio < 15
        if row["name"].startswith("n=100000"):
            peak, first = row["peak_rss"] / 1e9, row["first_seconds"]
            yield f"{row['name']}: peak GB", f"{peak:.2f}", "< 2", peak < 2
            yield f"{row['name']}: first run, s", f"{first:.0f}", "< 300", first < 300


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--reference-python",
        default=os.environ.get("HEATGEO_PYTHON"),
        help="interpreter that has heatgeo; also read from HEATGEO_PYTHON",
    )
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--sizes", nargs="*", type=int, default=[1000, 3000])
    parser.add_argument("--methods", nargs="+", help="only names that contain one")
    parser.add_argument("--repeats", type=int, default=3, help="runs that count")
    parser.add_argument("--warmup", type=int, default=1, help="runs before them")
    parser.add_argument(
        "--landmarks",
        nargs="*",
        type=int,
        default=[20_000, 100_000],
        help="sizes of the landmark table; none to leave it out",
    )
    parser.add_argument("--check", action="store_true", help="fail if an aim is missed")
    parser.add_argument("--style", choices=("markdown", "rst"), default="markdown")
    return parser.parse_args()


def main():
    """Measure everything, print the tables, write the JSON file."""
    options = parse()
    about = machine()
    if about["load"] > 0.3 * os.cpu_count():
        print("The machine is busy: these figures will not hold.", file=sys.stderr)
    result = {"machine": about, "full": {}, "landmarks": []}
    packages = {}

    def keep():
        if options.output:
            save_json(result, options.output)

    with tempfile.TemporaryDirectory() as folder:
        for n in options.sizes:
            paths = run("_speed_methods.py", "write_roll", **roll(folder, n, 5.0, 0.0))
            packages = result["versions"] = paths["versions"]
            result["full"][str(n)] = full_rows(n, paths, options)
            keep()
        settings = [row for row in LANDMARKS if row[0] in options.landmarks]
        result["landmarks"] = landmark_rows(settings, folder, options)
        keep()
    print(f"{head(about, packages)}\n\nMedian of {options.repeats} runs, one thread:\n")
    for n, rows in result["full"].items():
        print(full_table(n, rows, options.style))
    if result["landmarks"]:
        print(landmark_table(result["landmarks"], options.style))
    aims = list(targets(result["full"], result["landmarks"]))
    if aims:
        lines = [[*aim[:3], "yes" if aim[3] else "NO"] for aim in aims]
        print(table(["aim", "measured", "wanted", "holds"], lines, options.style))
    missed = options.check and not all(aim[3] for aim in aims)
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
