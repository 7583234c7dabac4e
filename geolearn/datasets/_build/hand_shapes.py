"""Rebuild data/hand_shapes.npz from the geomstats package (tested: 2.8.0).

python -m geolearn.datasets._build.hand_shapes [--wheel geomstats-2.8.0-....whl]
"""

import numpy as np

from geolearn.datasets._build._source import parse, raw_text, write_arrays

FOLDER = "geomstats/datasets/data/hands/"


def build(wheel=None):
    """Return coordinates and poses, without the first hand.

    geomstats reads the first line of both files as a header. Leaving it out makes
    results comparable.
    """
    hands = raw_text("geomstats", FOLDER + "hands.txt", wheel).splitlines()[1:]
    poses = raw_text("geomstats", FOLDER + "labels.txt", wheel).splitlines()[1:]
    data = np.array([line.split() for line in hands], dtype=np.float64)
    return {
        "data": data.reshape(len(data), -1, 3),
        "target": np.array([int(pose) for pose in poses], dtype=np.int8),
    }


if __name__ == "__main__":
    path = write_arrays("hand_shapes", build(parse(__doc__).wheel))
    print(path, path.stat().st_size)  # noqa: T201
