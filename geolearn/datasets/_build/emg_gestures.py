"""Rebuild data/emg_gestures.npz from the geomstats package (tested: 2.8.0).

python -m geolearn.datasets._build.emg_gestures [--wheel geomstats-2.8.0-....whl]
"""

import io

import numpy as np

from geolearn.datasets._build._source import parse, raw_text, write_arrays
from geolearn.datasets._emg import cut_windows, read_table

SUBJECT = "mg"
N_TRIALS = 2284  # of both subjects, by the published protocol


def build(wheel=None):
    """Return the arrays of the shipped subject."""
    text = raw_text("geomstats", "geomstats/datasets/data/emg/emg.csv", wheel)
    windows = cut_windows(*read_table(io.StringIO(text)))
    n_trials = windows["target"].size
    if n_trials != N_TRIALS:
        raise ValueError(f"{n_trials} trials instead of {N_TRIALS}: a changed table?")
    kept = np.char.startswith(windows["session"], SUBJECT)
    arrays = {key: value[kept] for key, value in windows.items()}
    # Channel after channel: like neighbours compress better.
    arrays["data"] = np.ascontiguousarray(arrays["data"].transpose(1, 0, 2))
    return arrays


if __name__ == "__main__":
    path = write_arrays("emg_gestures", build(parse(__doc__).wheel))
    print(path, path.stat().st_size)  # noqa: T201
