"""A module imports from its own folder and from lower layers only."""

import ast

import pytest

from tests.source import label, module_name, package_files, tree

ESTIMATORS = (
    "preprocessing",
    "embedding",
    "decomposition",
    "covariance",
    "tree",
    "ensemble",
    "linear_model",
    "topology",
    "diagnostics",
)
# Lowest first. Folders of one row may use each other through their public names.
LAYERS = (
    ("utils",),
    ("linalg",),
    ("metrics",),
    ("manifolds",),
    ("graph",),
    ("optimize",),
    ESTIMATORS,
    ("datasets",),
    ("plotting",),
)
RANK = {folder: rank for rank, row in enumerate(LAYERS) for folder in row}
LATE = {"matplotlib", "ot", "pandas", "pynndescent", "umap", "dask", "polars", "phate"}
LATE |= {"openTSNE", "gudhi"}
FILES = [path for path in package_files() if len(module_name(path).split(".")) > 1]


def imports(node):
    """Yield (statement, dotted module) for every import below `node`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield child, alias.name
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                yield child, f"{child.module}.{alias.name}"
        elif (
            isinstance(child, ast.Call)
            and getattr(child.func, "id", getattr(child.func, "attr", ""))
            in {"import_module", "__import__"}
            and child.args
            and isinstance(child.args[0], ast.Constant)
        ):
            yield child, child.args[0].value


def upward(module, imported):
    """Say what is wrong with one import of geolearn, or return None."""
    own, parts = module.split(".")[1], imported.split(".")
    if parts[0] != "geolearn" or len(parts) < 2:
        return None
    folder = parts[1]
    if folder == own or folder.startswith("_"):
        return None
    if folder not in RANK:
        return f"imports {imported}: import from a subpackage"
    if RANK[folder] > RANK[own]:
        return f"imports {imported}: {folder} lies above {own}"
    sideways = RANK[folder] == RANK[own]
    if sideways and any(part.startswith("_") for part in parts[2:]):
        return f"imports {imported}: a neighbour's private name"
    return None


@pytest.mark.parametrize("path", FILES, ids=label)
def test_no_upward_import(path):
    module = module_name(path)
    if module.split(".")[1].startswith("_"):
        assert not [name for _, name in imports(tree(path)) if "geolearn" in name]
        return
    faults = [
        f"{label(path)}:{statement.lineno} {fault}"
        for statement, name in imports(tree(path))
        if (fault := upward(module, name))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", package_files(), ids=label)
def test_imports_are_absolute(path):
    relative = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative, f"{label(path)}: relative import in lines {relative}"


def at_import(node):
    """Yield the statements that run when the module is imported."""
    for child in ast.iter_child_nodes(node):
        function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(
            child.test
        )
        if not isinstance(child, function) and not typing_only:
            yield child
            yield from at_import(child)


@pytest.mark.parametrize("path", package_files(), ids=label)
def test_heavy_imports_stand_inside_functions(path):
    early = [
        f"{label(path)}:{node.lineno} {name}"
        for statement in at_import(tree(path))
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for node, name in imports(statement)
        if name.split(".")[0] in LATE
    ]
    assert not early, "\n".join(early)


def test_private_sklearn_names_come_from_one_module():
    private = [
        f"{label(path)}:{statement.lineno} {name}"
        for path in package_files()
        if module_name(path) != "geolearn.utils._sklearn"
        for statement, name in imports(tree(path))
        if name.startswith("sklearn.")
        and any(part.startswith("_") for part in name.split("."))
    ]
    assert not private, "\n".join(private)


@pytest.mark.parametrize(
    ("module", "imported", "wrong"),
    [
        ("geolearn.metrics.sphere", "geolearn.graph.nearest_neighbors", True),
        ("geolearn.graph._knn", "geolearn.metrics.pairwise_distances", False),
        ("geolearn.graph._knn", "geolearn.graph._laplacian.graph_laplacian", False),
        ("geolearn.embedding._heat", "geolearn.plotting.EmbeddingDisplay", True),
        ("geolearn.embedding._heat", "geolearn.decomposition._pca.x", True),
        ("geolearn.embedding._heat", "geolearn.decomposition.TangentPCA", False),
    ],
)
def test_the_rule_itself(module, imported, wrong):
    assert bool(upward(module, imported)) is wrong
