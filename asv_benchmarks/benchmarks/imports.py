"""What an import costs in a fresh interpreter."""

import statistics
import subprocess
import sys

CPU = """
import os, sys, time
before = time.process_time()
{code}
print(time.process_time() - before)
"""


def cpu_seconds(code, repeat=3):
    """Return the median CPU time of `code` in `repeat` fresh interpreters."""
    command = [sys.executable, "-c", CPU.format(code=code)]
    subprocess.run(command, check=True, capture_output=True)  # fill the file cache
    runs = [
        float(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(repeat)
    ]
    return statistics.median(runs)


class Imports:
    """Wall time of an import; `sklearn.base` is the floor of every estimator."""

    params = (
        "geolearn",
        "numpy",
        "sklearn.base",
        "geolearn.metrics",
        "geolearn.manifolds",
        "geolearn.graph",
        "geolearn.optimize",
        "geolearn.embedding",
        "geolearn.datasets",
        "geolearn.plotting",
    )
    param_names = ("module",)

    def timeraw_import(self, module):
        return f"import {module}"

    def track_cpu_milliseconds(self, module):
        return 1e3 * cpu_seconds(f"import {module}")

    track_cpu_milliseconds.unit = "ms"


class FirstFit:
    """First fit of a process, compiled code read from the disk cache."""

    timeout = 120

    code = (
        "import numpy as np\n"
        "from geolearn.embedding import HeatGeodesicEmbedding\n"
        "X = np.random.default_rng(0).normal(size=(100, 5))\n"
        "HeatGeodesicEmbedding(random_state=0).fit(X)\n"
    )

    def setup_cache(self):
        subprocess.run([sys.executable, "-c", self.code], check=True)

    def timeraw_first_fit(self, *_):
        return self.code

    def track_first_fit_cpu_seconds(self, *_):
        return cpu_seconds(self.code, repeat=3)

    track_first_fit_cpu_seconds.unit = "s"
