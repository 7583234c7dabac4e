"""Nothing compiled on import, one compilation a driver, a cache that stays true."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType

import numba
import pytest

import geolearn

PACKAGE = Path(geolearn.__file__).parent
needs_jit = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="nothing is compiled without JIT"
)
LIST_KERNELS = """
import sys
from numba.core.dispatcher import Dispatcher
kernels = {
    id(value): value
    for name, module in list(sys.modules.items())
    if name.startswith("geolearn")
    for value in vars(module).values()
    if isinstance(value, Dispatcher)
}.values()
"""


@needs_jit
def test_import_compiles_nothing(fresh_python):
    printed = fresh_python(
        "import geolearn.metrics"
        + LIST_KERNELS
        + "print(len(kernels), sum(len(k.signatures) for k in kernels))"
    )
    n_kernels, n_signatures = map(int, printed.split())
    assert n_kernels > 20
    assert n_signatures == 0


USE = """
import numpy as np
from geolearn.metrics import kneighbors, pairwise_distances
X = np.random.default_rng(0).standard_normal((300, 3))
S = X / np.linalg.norm(X, axis=1, keepdims=True)
for metric in ("euclidean", "torus"):
    pairwise_distances(S, metric=metric)
    pairwise_distances(S, S, metric=metric)
    kneighbors(S, metric=metric)
"""


@needs_jit
def test_drivers_compile_once_for_all_metrics(fresh_python, tmp_path):
    count = (
        LIST_KERNELS
        + """
drivers = [k for k in kernels if k.py_func.__module__.endswith("_drivers")]
# Those that Python calls, not the helpers that are inlined in them.
used = [k for k in drivers if k.signatures and not k._can_compile]
assert all(len(k.signatures) == 1 for k in used), used
hits = sum(sum(k.stats.cache_hits.values()) for k in used)
print(len(used), hits)
"""
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": "0"}
    used, hits = map(int, fresh_python(USE + count, **environment).split())
    assert used >= 3
    assert hits == 0
    # A second process finds the drivers that Python calls in the cache.
    _, hits = map(int, fresh_python(USE + count, **environment).split())
    assert hits >= 3


# --- Kernels of another file ----------------------------------------------------------


def declared(path):
    """Return the hashes of the comment `# kernels: file=hash ...`."""
    lines = re.findall(r"^# kernels:(.*)$", path.read_text("utf-8"), re.MULTILINE)
    return dict(re.findall(r"(\w+)=([0-9a-f]{8})\b", " ".join(lines)))


def package_modules():
    for info in walk_packages([str(PACKAGE)], "geolearn."):
        yield import_module(info.name)


def foreign_kernels(module):
    """Return the files of the kernels that the kernels of a module inline."""
    dispatcher = numba.core.dispatcher.Dispatcher
    files = set()
    for kernel in vars(module).values():
        if not isinstance(kernel, dispatcher):
            continue
        if kernel.py_func.__module__ != module.__name__:
            continue
        names = kernel.py_func.__code__.co_names
        reached = [vars(module)[name] for name in names if name in vars(module)]
        for value in list(reached):
            if isinstance(value, ModuleType) and value.__name__.startswith("geolearn"):
                reached += [vars(value)[n] for n in names if n in vars(value)]
        for value in reached:
            # Dispatchers keep their function as py_func, intrinsics as _defn.
            function = getattr(value, "py_func", getattr(value, "_defn", None))
            home = getattr(function, "__module__", None)
            if home not in (None, module.__name__) and home.startswith("geolearn"):
                files.add(Path(sys.modules[home].__file__))
    return files


def test_hashes_of_inlined_kernels_are_up_to_date():
    # numba's cache does not see that an inlined kernel of another file has changed,
    # and would compute with the old code. The hash in the outer file changes that file.
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for name, digest in declared(path).items():
            other = path.parent / f"{name}.py"
            if not other.exists():  # a kernel of another folder
                (other,) = PACKAGE.rglob(f"{name}.py")
            now = hashlib.sha256(other.read_bytes()).hexdigest()[:8]
            found[path.stem, name] = (digest, now)
    assert ("product", "sphere") in found
    stale = {key: now for key, (digest, now) in found.items() if digest != now}
    assert not stale, f"write these hashes into the '# kernels:' comments: {stale}"


@needs_jit
def test_kernels_of_other_files_are_declared():
    checked = 0
    for module in package_modules():
        files = foreign_kernels(module)
        names = {path.stem for path in files}
        checked += len(names)
        assert names == set(declared(Path(module.__file__))), module.__name__
    assert checked >= 6


# --- Installed read-only --------------------------------------------------------------


def open_to_all(path):
    """Return whether any user can reach and read the file."""
    path = Path(path).resolve()
    return bool(path.stat().st_mode & 0o004) and all(
        parent.stat().st_mode & 0o001 for parent in path.parents
    )


def without_privileges():
    """Return the command under which permissions hold, also for root."""
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root ignores permissions, and there is no setpriv")
    if all(map(open_to_all, (sys.executable, os.__file__, numba.__file__))):
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    # The interpreter lies in a private folder: stay its owner, without the right to
    # override permissions.
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


READ_ONLY_USE = """
import os
import sys
site, home = sys.argv[1:]
for folder in (site, home):
    try:
        os.mkdir(os.path.join(folder, "probe"))
    except PermissionError:
        continue
    raise AssertionError(f"{folder} can be written")
sys.path.insert(0, site)
import geolearn.metrics as metrics
assert metrics.__file__.startswith(site), metrics.__file__
import numpy as np
X = np.eye(3)
assert np.allclose(metrics.pairwise_distances(X, metric="sphere")[0, 1], np.pi / 2)
assert metrics.kneighbors(X, n_neighbors=1)[1].ravel().tolist() == [1, 0, 0]
assert type(metrics.sphere.distance_row._cache).__name__ == "NullCache"
print("works")
"""


@pytest.fixture
def read_only_site():
    """Copy the package to a folder without write permission, beside an empty home."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shutil.copytree(
            PACKAGE,
            root / "site" / "geolearn",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        (root / "home").mkdir()
        for path in (root, *root.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield root
        for path in (root, *root.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


@needs_jit
@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_read_only_install(read_only_site):
    folders = [str(read_only_site / name) for name in ("site", "home")]
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("NUMBA", "COV", "XDG"))
    }
    done = subprocess.run(
        [*without_privileges(), sys.executable, "-c", READ_ONLY_USE, *folders],
        capture_output=True,
        text=True,
        env=environment | {"HOME": folders[1]},
        cwd="/",
        timeout=300,
    )
    assert done.stdout.strip() == "works", done.stderr
