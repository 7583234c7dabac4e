"""Measure one call in a process of its own; bring back its numbers as JSON.

The parent stays small (standard library only), so that the peak memory of a
child is its own: a child inherits the high-water mark of the process that it
was forked from. The same file is the child's program, and needs no package, so
that the child may run under another interpreter than the parent.
"""

import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class MissingPeer(RuntimeError):
    """A package that the measured function needs is not installed."""


class MeasurementFailed(RuntimeError):
    """The measured function raised, or its process died."""


def run(script, function, *, python=None, threads=1, timeout=None, **arguments):
    """Call `function(**arguments)` of the file `script` in a new process.

    Parameters
    ----------
    script : str
        File name within this folder.
    function : str
        Name of a function in it that returns a dictionary of JSON values.
    python : str or None, default=None
        Interpreter of the process; None means the running one.
    threads : int, default=1
        Threads of OpenMP, BLAS and numba in the process.
    timeout : float or None, default=None
        Seconds after which the process is stopped.
    **arguments : dict
        JSON values, handed to the function.

    Returns
    -------
    result : dict
        What the function returned, with "peak_rss", the largest resident
        memory of the process in bytes, unless the function measured it itself.

    Raises
    ------
    MissingPeer
        If the function raised ImportError.
    MeasurementFailed
        If it raised anything else, ran too long or died.
    """
    environment = dict(os.environ)
    environment.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        job = {
            "script": str(HERE / script),
            "function": function,
            "arguments": arguments,
            "answer": str(answer),
        }
        try:
            process = subprocess.run(
                [python or sys.executable, str(HERE / "_isolated.py")],
                input=json.dumps(job),
                env=environment,
                timeout=timeout,
                capture_output=True,
                text=True,
            )
        except subprocess.TimeoutExpired as error:
            raise MeasurementFailed(f"stopped after {timeout} s") from error
        if not answer.exists():
            tail = process.stderr[-2000:]
            raise MeasurementFailed(f"exit status {process.returncode}: {tail}")
        result = json.loads(answer.read_text())
    if "missing" in result:
        raise MissingPeer(result["missing"])
    if "error" in result:
        raise MeasurementFailed(result["error"])
    return result


def timed(call, *, repeats=3, warmup=1):
    """Call several times; return the median of the wall-clock and CPU times.

    Parameters
    ----------
    call : callable
        Function without arguments that does all the work.
    repeats : int, default=3
        Number of runs that count.
    warmup : int, default=1
        Number of runs before them: compilation, loading from a cache, first
        touch of memory.

    Returns
    -------
    times : dict
        "seconds" and "cpu_seconds" (medians), "spread" (largest minus smallest
        wall-clock time), "first_seconds" (the first run of the process).
    value : object
        What the last run returned.
    """
    wall, cpu = [], []
    value = None
    for _ in range(warmup + repeats):
        value = None  # free the last answer before the next is made
        cpu_start, start = time.process_time(), time.perf_counter()
        value = call()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    counted = wall[warmup:]
    times = {
        "seconds": statistics.median(counted),
        "cpu_seconds": statistics.median(cpu[warmup:]),
        "spread": max(counted) - min(counted),
        "first_seconds": wall[0],
    }
    return times, value


def peak_rss():
    """Return the largest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # Linux counts KiB


def matrix_product_seconds(n, *, repeats=3):
    """Time the float64 matrix product of order n, the unit G(n) of the tables."""
    import numpy as np

    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((2, n, n))
    out = np.empty((n, n))
    times, _ = timed(lambda: np.matmul(A, B, out=out), repeats=repeats)
    return times["seconds"]


def machine():
    """Describe what the figures were measured on, for the head of a table."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line for line in lines if line.startswith("model name")]
        processor = names[0].split(":", 1)[1].strip() if names else processor
    except OSError:
        pass
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def versions(*names):
    """Return the installed versions of distributions, those that are there."""
    from importlib import metadata

    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _load(path):
    specification = importlib.util.spec_from_file_location("measured", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["measured"] = module
    specification.loader.exec_module(module)
    return module


def _serve():
    """Run the job that stands on standard input and write the answer file."""
    job = json.loads(sys.stdin.read())
    try:
        function = getattr(_load(job["script"]), job["function"])
        result = function(**job["arguments"])
        result.setdefault("peak_rss", peak_rss())
    except ImportError as error:
        result = {"missing": str(error)}
    except Exception:
        result = {"error": traceback.format_exc()[-2000:]}
    Path(job["answer"]).write_text(json.dumps(result))


if __name__ == "__main__":
    _serve()
