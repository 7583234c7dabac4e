"""Rules that hold for every file, and for what the package declares."""

import ast
import hashlib
import importlib
import json
import re
import sys
import tomllib
import types

import pytest
from numba.core.dispatcher import Dispatcher
from packaging.requirements import Requirement
from packaging.version import Version

from tests.source import PACKAGE, ROOT, all_files, label, module_name, tree
from tests.source import package_files as package

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAX_LINES = 600
MAX_FUNCTION_LINES = 60
HASHES = re.compile(r"^# kernels: (.+)$", re.MULTILINE)


@pytest.mark.parametrize("path", all_files(), ids=label)
def test_files_stay_short(path):
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines < MAX_LINES, f"{label(path)} has {n_lines} lines: split it"


def code_lines(function):
    """Return the number of lines of a function without its docstring."""
    body = function.body
    first = body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    skipped = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - skipped


@pytest.mark.parametrize("path", package(), ids=label)
def test_functions_stay_short(path):
    long = [
        f"{label(path)}:{node.lineno} {node.name} has {code_lines(node)} lines"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef)
        and code_lines(node) >= MAX_FUNCTION_LINES
        and not all(isinstance(s, ast.Assign) for s in node.body)  # an __init__
    ]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("path", package(), ids=label)
def test_no_unfinished_business(path):
    found = re.findall(
        r"\bTODO\b|\bFIXME\b|\bXXX\b|raise NotImplementedError",
        path.read_text(encoding="utf-8"),
    )
    assert not found, f"{label(path)}: {found}"


@pytest.mark.parametrize("path", package(), ids=label)
def test_fastmath_keeps_nan_and_inf(path):
    # With fastmath=True isnan is False everywhere and compensated sums return 0.
    forbidden = {"fast", "nnan", "ninf"}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.keyword) and node.arg == "fastmath":
            module = importlib.import_module(module_name(path))
            value = eval(ast.unparse(node.value), vars(module))
            assert value is not True, label(path)
            assert not value or not forbidden & set(value), label(path)


@pytest.mark.parametrize("path", package(), ids=label)
def test_kernels_are_compiled_by_the_one_decorator(path):
    if module_name(path) == "geolearn.utils._jit":
        return
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    forbidden = {"njit", "jit", "jitclass", "vectorize", "guvectorize"}
    assert not names & forbidden, f"{label(path)}: use @kernel of geolearn.utils._jit"


@pytest.mark.parametrize("path", package(), ids=label)
def test_kernels_stand_at_module_level(path):
    top = set(map(id, tree(path).body))
    inner = [
        f"{label(path)}:{node.lineno} {node.name}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef)
        and id(node) not in top
        and any("kernel" in ast.unparse(d).split("(")[0] for d in node.decorator_list)
    ]
    assert not inner, f"recompiled in every process: {inner}"


def imported_names(path):
    """Return {local name: dotted origin} of what a file imports from geolearn."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("geolearn")
        for alias in node.names
    }


def file_of(dotted):
    """Return the file that defines a dotted name of the package."""
    parts = dotted.split(".")
    for stop in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:stop])
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.exists():
                return candidate
    raise AssertionError(dotted)


def code_names(code):
    """Return the global names that a code object and its inner ones read."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(code_names, inner))


def foreign_files(path):
    """Return the files whose kernels or constants the kernels of `path` read.

    numba hashes the file of the outer function only, so a change of these
    files would leave stale code in the users' caches.
    """
    module = importlib.import_module(module_name(path))
    imported = imported_names(path)
    files = set()
    for kernel in vars(module).values():
        if not isinstance(kernel, Dispatcher) or kernel.__module__ != module.__name__:
            continue
        for name in code_names(kernel.py_func.__code__) & set(vars(module)):
            value = vars(module)[name]
            if isinstance(value, Dispatcher):  # also under another name
                files.add(file_of(value.__module__))
            elif name in imported:
                files.add(file_of(imported[name]))
    return files - {path}


def declared_hashes(path):
    """Return {name: hash} of the comments `# kernels: name=hash ...` of a file."""
    return dict(
        pair.split("=")
        for line in HASHES.findall(path.read_text(encoding="utf-8"))
        for pair in line.replace(",", " ").split()
    )


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


@pytest.mark.parametrize("path", package(), ids=label)
def test_kernels_name_the_files_they_inline(path):
    wanted = {other.stem: digest(other) for other in foreign_files(path)}
    declared = declared_hashes(path)
    comment = " ".join(f"{name}={value}" for name, value in sorted(wanted.items()))
    assert declared == wanted, (
        f"{label(path)}: its kernels use other files; put `# kernels: {comment}` "
        "into it, or call only kernels of the same file"
    )


def test_typed_marker_ships():
    assert (PACKAGE / "py.typed").exists()


def test_version_is_valid_and_in_the_citation():
    import geolearn

    version = Version(geolearn.__version__)
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    cited = re.search(r"^version: *[\"']?([^\"'\n]+)", citation, re.MULTILINE)
    assert Version(cited.group(1)) == version


def test_lower_bounds_are_those_of_the_floor_job():
    lines = (ROOT / ".ci" / "constraints-floor.txt").read_text("utf-8").splitlines()
    floor = [Requirement(line) for line in lines if line and not line.startswith("#")]
    extras = PROJECT["project"]["optional-dependencies"]
    declared = PROJECT["project"]["dependencies"] + extras["plot"] + extras["test"]
    bounds = {
        (r := Requirement(text)).name: {s.version for s in r.specifier}
        for text in declared
    }
    for pin in (pin for pin in floor if pin.name in bounds):
        (version,) = (s.version.removesuffix(".*") for s in pin.specifier)
        assert bounds[pin.name] == {version}, pin.name
    required = {Requirement(text).name for text in PROJECT["project"]["dependencies"]}
    assert required <= {pin.name for pin in floor}


def test_no_upper_bounds():
    extras = PROJECT["project"]["optional-dependencies"].values()
    declared = PROJECT["project"]["dependencies"] + [t for e in extras for t in e]
    for requirement in map(Requirement, declared):
        operators = {s.operator for s in requirement.specifier}
        assert operators <= {">="}, requirement


def test_imported_distributions_are_declared():
    names = {"sklearn": "scikit-learn", "ot": "pot"}
    names |= {"mpl_toolkits": "matplotlib"}  # ships with it
    # Asked for by the user.
    optional = {"umap", "matplotlib", "pandas", "openTSNE", "gudhi"}
    required = {Requirement(text).name for text in PROJECT["project"]["dependencies"]}
    imported = {
        name.split(".")[0]
        for path in package()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    foreign = imported - set(sys.stdlib_module_names) - {"geolearn"} - optional
    undeclared = {names.get(name, name) for name in foreign} - required - optional
    assert not undeclared


def test_every_module_imports():
    for path in package():
        importlib.import_module(module_name(path))


def test_asv_uses_the_existing_environment():
    config = json.loads((ROOT / "asv_benchmarks" / "asv.conf.json").read_text("utf-8"))
    assert config["environment_type"] == "existing"
    assert (ROOT / "asv_benchmarks" / config["benchmark_dir"]).is_dir()
