"""Rebuild data/basic_motions.npz from the aeon package (tested: 1.6.0).

python -m geolearn.datasets._build.basic_motions [--wheel aeon-1.6.0-....whl]
"""

from decimal import Decimal

import numpy as np

from geolearn.datasets._build._source import parse, raw_text, write_arrays

FOLDER = "aeon/datasets/data/BasicMotions"
DECIMALS = 6


def read_series(text):
    """Return trials (n, channels, times) in units of 1e-6, and their labels."""
    trials, labels = [], []
    for line in text.splitlines():
        if not line.strip() or line[0] in "#@":
            continue
        *channels, label = line.strip().split(":")
        trials.append([[whole(v) for v in c.split(",")] for c in channels])
        labels.append(label)
    return np.array(trials, dtype=np.int32), np.array(labels)


def whole(text):
    """Return a decimal number times 10^6, which must be a whole number."""
    scaled = Decimal(text).scaleb(DECIMALS)
    if scaled != int(scaled):
        raise ValueError(f"{text} has more than {DECIMALS} decimals")
    return int(scaled)


def build(wheel=None):
    """Return the arrays of both halves, training trials first."""
    halves = [
        read_series(raw_text("aeon", f"{FOLDER}/BasicMotions_{half}.ts", wheel))
        for half in ("TRAIN", "TEST")
    ]
    data, labels = (np.concatenate(parts) for parts in zip(*halves, strict=True))
    names, target = np.unique(labels, return_inverse=True)
    return {"data": data, "target": target.astype(np.int8), "target_names": names}


if __name__ == "__main__":
    path = write_arrays("basic_motions", build(parse(__doc__).wheel))
    print(path, path.stat().st_size)  # noqa: T201
