"""Imports are cheap: nothing heavy is loaded and nothing is compiled."""

import json

import pytest

HEAVY = ("sklearn", "numba", "pynndescent", "ot", "matplotlib")
OPTIONAL = ("pynndescent", "ot", "matplotlib", "umap", "phate", "dask", "polars")
OPTIONAL += ("openTSNE",)

LOADED = """
import json, sys
{body}
print(json.dumps([name for name in {names!r} if name in sys.modules]))
"""

WALK = """
import importlib, pkgutil
import geolearn
modules = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(geolearn.__path__, "geolearn.")
]
"""


def test_import_geolearn_loads_nothing_heavy(fresh_python):
    code = LOADED.format(body="import geolearn", names=(*HEAVY, "numpy", "pandas"))
    assert json.loads(fresh_python(code)) == []


def test_importing_all_submodules_loads_nothing_optional(fresh_python):
    code = LOADED.format(body=WALK, names=OPTIONAL)
    assert json.loads(fresh_python(code)) == []


def test_importing_compiles_nothing(fresh_python):
    code = (
        WALK
        + """
from numba.core.dispatcher import Dispatcher
kernels = {
    f"{module.__name__}.{name}": value
    for module in modules
    for name, value in vars(module).items()
    if isinstance(value, Dispatcher)
}
print(len(kernels), *(name for name, k in kernels.items() if k.signatures))
"""
    )
    n_kernels, *compiled = fresh_python(code, NUMBA_DISABLE_JIT="0").split()
    assert int(n_kernels) > 10, "the walk finds the kernels"
    assert compiled == []


def test_submodules_resolve_lazily(fresh_python):
    code = "import geolearn; print(geolearn.metrics.__name__, 'graph' in dir(geolearn))"
    assert fresh_python(code) == "geolearn.metrics True"


def test_unknown_attribute_is_an_attribute_error():
    import geolearn

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = geolearn.nonsense


def test_every_subpackage_is_listed():
    import pkgutil

    import geolearn

    found = {m.name for m in pkgutil.iter_modules(geolearn.__path__) if m.ispkg}
    assert found == set(geolearn.__all__) - {"__version__"}
