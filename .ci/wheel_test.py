"""Build the wheel, install it in an empty environment, import and use all of it.

Run from a checkout: .venv/bin/python .ci/wheel_test.py
"""

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

USE = """
import importlib, pathlib, pkgutil, sys
import numpy as np
import geolearn

installed = pathlib.Path(geolearn.__file__).resolve()
checkout = pathlib.Path(sys.argv[1]).resolve()
assert not installed.is_relative_to(checkout / "geolearn"), installed
names = [m.name for m in pkgutil.walk_packages(geolearn.__path__, "geolearn.")]
for name in names:
    importlib.import_module(name)

from geolearn.embedding import HeatGeodesicEmbedding

X = np.random.default_rng(0).normal(size=(60, 4))
Y = HeatGeodesicEmbedding(random_state=0).fit_transform(X)
assert Y.shape == (60, 2) and np.isfinite(Y).all()
print(f"wheel: geolearn {geolearn.__version__}, {len(names)} modules imported, one fit")
"""


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def check_contents(wheel):
    """Compare the files of the wheel with those of the checkout."""
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    skipped = ("__pycache__", "_build")
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "geolearn").rglob("*")
        if path.is_file()
        and not any(part in skipped for part in path.parts[len(ROOT.parts) :])
        and path.suffix not in {".nbi", ".nbc"}
    }
    missing = sorted(wanted - inside)
    assert not missing, f"not in the wheel: {missing}"
    assert "geolearn/py.typed" in inside, "py.typed is missing"
    foreign = [n for n in inside if not n.startswith(("geolearn/", "geolearn-"))]
    assert not foreign, f"in the wheel by mistake: {foreign}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
        (wheel,) = folder.glob("*.whl")
        check_contents(wheel)
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", wheel)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        run(python, "-c", USE, ROOT, cwd=folder, env=environment)


if __name__ == "__main__":
    main()
