"""Rebuild data/cities.npz from the geomstats package (tested: 2.8.0).

python -m geolearn.datasets._build.cities [--wheel geomstats-2.8.0-....whl]
"""

import json

import numpy as np

from geolearn.datasets._build._source import parse, raw_text, write_arrays

NAME = "geomstats/datasets/data/cities/cities.json"


def build(wheel=None):
    """Return the arrays, largest city first."""
    cities = json.loads(raw_text("geomstats", NAME, wheel))
    angles = [[city["lng"], city["lat"]] for city in cities]
    return {
        "angles": np.array(angles, dtype=np.float64),
        "names": np.array([city["city"] for city in cities]),
        "countries": np.array([city["country"] for city in cities]),
        "population": np.array([int(city["population"]) for city in cities]),
    }


if __name__ == "__main__":
    path = write_arrays("cities", build(parse(__doc__).wheel))
    print(path, path.stat().st_size)  # noqa: T201
