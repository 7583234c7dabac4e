"""Every public docstring is complete, by the rules of numpydoc."""

import importlib
import inspect
import pkgutil
import sys

import pytest
from numba.core.dispatcher import Dispatcher
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate

import geolearn

# The title on the opening line, no extended summary, "See Also" and examples
# where they help, and no description of a return value whose type says it all.
IGNORED = {"GL01", "ES01", "SA01", "EX01", "RT02"}
# Kernels keep to one protocol, documented once; their summary is checked.
IGNORED_IN_KERNELS = IGNORED | {"PR01", "RT01"}


def public_modules():
    """Return the modules without an underscore in their dotted name."""
    walk = pkgutil.walk_packages(geolearn.__path__, "geolearn.")
    names = [m.name for m in walk if "._" not in m.name]
    return [importlib.import_module(name) for name in names]


def methods(path, cls):
    """Yield the paths of the public methods that geolearn itself wrote."""
    for name in sorted(vars(cls)):
        member = inspect.getattr_static(cls, name)
        if isinstance(member, staticmethod | classmethod):
            member = member.__func__
        if not name.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property)
        ):
            yield f"{path}.{name}"


def is_ours(value):
    return str(getattr(value, "__module__", "")).startswith("geolearn")


def public_objects():
    """Return the import paths of all public functions, classes and methods."""
    found = {}  # object -> path: one entry for what is exported twice
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            path = f"{module.__name__}.{name}"
            if isinstance(value, Dispatcher):
                found.setdefault(value.py_func, f"{path}.py_func")
            elif inspect.isclass(value) and is_ours(value):
                found.setdefault(value, path)
                for cls in value.__mro__:  # public methods of private bases, once
                    if is_ours(cls):
                        for method in methods(path, cls):
                            key = (cls, method.rsplit(".", 1)[1])
                            found.setdefault(key, method)
            elif inspect.isfunction(value) and is_ours(value):
                found.setdefault(value, path)
    return sorted(found.values())


def documented_modules():
    return [module.__name__ for module in public_modules()]


def is_record(path):
    """Tell whether a class is a record that describes its fields as attributes."""
    module, _, name = path.rpartition(".")
    value = vars(sys.modules.get(module)).get(name) if module in sys.modules else None
    fields = getattr(value, "_fields", getattr(value, "__dataclass_fields__", None))
    if fields is None or not inspect.isclass(value):
        return False
    attributes = get_doc_object(value, "class")["Attributes"]
    return {f for f in fields if not f.startswith("_")} <= {a.name for a in attributes}


@pytest.mark.parametrize("path", public_objects())
def test_docstring(path):
    ignored = IGNORED_IN_KERNELS if path.endswith(".py_func") else IGNORED
    if is_record(path):
        ignored = ignored | {"PR01"}
    errors = [
        f"{code} {message}"
        for code, message in validate(path)["errors"]
        if code not in ignored
    ]
    assert not errors, f"{path}:\n" + "\n".join(errors)


@pytest.mark.parametrize("name", documented_modules())
def test_module_docstring(name):
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), f"{name} has no docstring"


@pytest.mark.parametrize("name", [n for n in documented_modules() if n.count(".") == 1])
def test_exports_exist(name):
    module = importlib.import_module(name)
    exported = list(module.__all__)
    assert len(set(exported)) == len(exported)
    assert not [n for n in exported if not hasattr(module, n)]
    assert not [n for n in exported if n.startswith("_")]


def test_the_public_api_is_found():
    assert len(public_objects()) > 20
