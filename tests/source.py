"""The package's source files, for tests that read them."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "geolearn"
# Maintainer scripts that rebuild the shipped data; they are not in the wheel.
MAINTENANCE = PACKAGE / "datasets" / "_build"


def package_files():
    """Return the modules of the package, sorted."""
    return sorted(
        path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(MAINTENANCE)
    )


def all_files():
    """Return every Python file of the repository that is under our hand."""
    folders = ("geolearn", "tests", "examples", "docs", "asv_benchmarks", ".ci")
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if not {"_build", "auto_examples", "generated", ".asv"} & set(path.parts)
    )


def label(path):
    """Return the path of a file from the root, for test ids."""
    return path.relative_to(ROOT).as_posix()


def module_name(path):
    """Return the dotted name of a module of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path):
    """Return the parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
