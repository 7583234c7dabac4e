"""The records, the errors of `metric=` and `metric_params=`, membership of rows."""

import inspect
import pickle
import re

import numpy as np
import pytest
from scipy.sparse import csr_array

from geolearn.metrics import (
    get_metric,
    kneighbors,
    metric_names,
    pairwise_distances,
)
from tests.metrics.samples import CASES, FACTORS, IDS, points


@pytest.mark.parametrize("name", metric_names())
def test_records_are_complete(name):
    metric = get_metric(name)
    assert metric.name == name
    assert metric.description.endswith(".")
    assert all(get_metric(alias) is metric for alias in metric.aliases)
    assert pickle.loads(pickle.dumps(metric)) == metric
    assert hash(metric) == hash(get_metric(name))
    signature = inspect.signature(getattr(metric.distance, "py_func", metric.distance))
    extra = list(signature.parameters.values())[2:]
    if name != "product":
        assert [p.name for p in extra] == [p.name for p in metric.parameters]
        assert [p.default for p in extra] == [p.default for p in metric.parameters]
    assert metric.distance.__doc__
    assert metric.distance_row.__doc__


@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
def test_extra_columns(name, params):
    metric = get_metric(name)
    if metric.extra_columns is not None:
        X = points(name, 3, 4, np.random.default_rng(0), **params)
        assert X.shape[1] == 4 + metric.extra_columns


def test_unknown_metrics_list_the_names():
    X = np.zeros((3, 2))
    with pytest.raises(ValueError, match=r"'hyperboloid'.*'cityblock'"):
        pairwise_distances(X, metric="hyperbolic")
    with pytest.raises(ValueError, match=r"Did you mean 'poincare'\?"):
        get_metric("poincaree")
    with pytest.raises(ValueError, match="use the matrix itself"):
        kneighbors(X, metric="precomputed")
    with pytest.raises(TypeError, match="metric=3 must be a metric name"):
        pairwise_distances(X, metric=3)


@pytest.mark.parametrize(
    ("metric", "params", "error", "message"),
    [
        ("sphere", {"radius": 0.0}, ValueError, "radius=0.0 .* must be positive"),
        ("sphere", {"radius": np.inf}, ValueError, "radius=inf .* and finite"),
        ("sphere", {"radius": "1"}, TypeError, "radius='1' .* must be a number"),
        ("sphere", {"radius": True}, TypeError, "radius=True .* must be a number"),
        ("hyperboloid", {"curvature": 1.0}, ValueError, "curvature=1.0 .* negative"),
        ("poincare", {"c": 1.0}, ValueError, r"no parameter 'c'; it takes \['curv"),
        ("euclidean", {"p": 2}, ValueError, "no parameter 'p'; it takes none"),
        ("sphere", [1.0], TypeError, r"metric_params=\[1.0\] must be a dictionary"),
        ("product", {}, ValueError, "needs metric_params={'factors'"),
        ("product", {"factor": []}, ValueError, "no parameter 'factor'"),
        ("product", {"factors": ["sphere"]}, TypeError, r"factors\[0\]='sphere'"),
        ("product", {"factors": [("ball", 2)]}, ValueError, "metric='ball'"),
        ("product", {"factors": [("sphere", 1)]}, ValueError, "at least 2 columns"),
        ("product", {"factors": [("torus", 1.5)]}, ValueError, r"factors\[0\]"),
        (
            "product",
            {"factors": [("torus", 2)], "scales": [1.0, 2.0]},
            ValueError,
            "1 factors but 2 scales",
        ),
        (
            "product",
            {"factors": [("torus", 2)], "scales": [-1.0]},
            ValueError,
            r"scales\[0\]=-1.0 .* must be positive",
        ),
        (
            "product",
            {"factors": [("product", 5, {"factors": [("torus", 2)]})]},
            ValueError,
            r"factors\[0\] .* has 5 columns, but its own factors have 2",
        ),
    ],
)
def test_bad_parameters(metric, params, error, message):
    with pytest.raises(error, match=message):
        pairwise_distances(np.zeros((3, 2)), metric=metric, metric_params=params)


@pytest.mark.parametrize(("name", "params"), CASES, ids=IDS)
def test_rows_within_the_tolerance_are_accepted(name, params):
    X = points(name, 5, 3, np.random.default_rng(1), **params)
    if name not in ("poincare", "product"):
        X = X * (1 + 1e-7)
    assert pairwise_distances(X, metric=name, metric_params=params).shape == (5, 5)


def spoiled(name, row, change):
    X = points(name, 6, 2, np.random.default_rng(2))
    X[row:] *= change
    return X


@pytest.mark.parametrize(
    ("name", "X", "message"),
    [
        (
            "sphere",
            spoiled("sphere", 3, 1.01),
            "X[3] is not on the sphere of radius 1: its norm is 1.01 (relative "
            "deviation 1.0e-02; 3 of 6 rows are off). Divide",
        ),
        (
            "hyperboloid",
            spoiled("hyperboloid", 4, 1.5),
            "X[4] is not on the hyperboloid of curvature -1: its time coordinate",
        ),
        (
            "hyperboloid",
            np.array([[1.0, 0.0], [-1.0, 0.0]]),
            "X[1] is not on the hyperboloid",
        ),
        (
            "poincare",
            np.array([[0.5, 0.0], [1.0, 0.0]]),
            "X[1] is not inside the Poincaré ball of curvature -1: its norm 1 is not "
            "below 1",
        ),
        (
            "fisher_rao",
            spoiled("fisher_rao", 2, 1.1),
            "X[2] is not a probability vector: its sum is 1.1 (relative deviation "
            "1.0e-01; 4 of 6 rows are off). Divide",
        ),
        (
            "fisher_rao",
            np.array([[1.0, 0.0], [1.5, -0.5]]),
            "X[1] is not a probability vector: its smallest entry is -0.5",
        ),
        ("sphere", np.ones((3, 1)), "X has 1 column(s), but points of metric 'sphere'"),
    ],
)
def test_rows_off_the_space_are_named(name, X, message):
    for function in (pairwise_distances, kneighbors):
        with pytest.raises(ValueError, match=re.escape(message)):
            function(X, metric=name)
    inside = points(
        name,
        2,
        X.shape[1] - get_metric(name).extra_columns or 1,
        np.random.default_rng(3),
    )
    if inside.shape[1] == X.shape[1]:
        with pytest.raises(ValueError, match=re.escape("Y" + message[1:40])):
            pairwise_distances(inside, X, metric=name)


def test_product_rows():
    params = {"factors": FACTORS}
    X = points("product", 4, 0, np.random.default_rng(4), **params)
    with pytest.raises(ValueError, match=r"X has 14 columns, but .* have 15 in all"):
        pairwise_distances(X[:, :-1], metric="product", metric_params=params)
    X[2, 2] += 1.0
    with pytest.raises(ValueError, match=r"factor 1 of X\[2\] is not on the sphere"):
        pairwise_distances(X, metric="product", metric_params=params)


@pytest.mark.parametrize("function", [pairwise_distances, kneighbors])
def test_bad_tables(function):
    with pytest.raises(ValueError, match="X contains NaN"):
        function(np.array([[0.0, np.nan], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="Y contains infinity"):
        function(np.zeros((2, 2)), np.full((2, 2), np.inf))
    with pytest.raises(ValueError, match="X has 2 columns and Y has 3"):
        function(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="Expected 2D array"):
        function(np.zeros(3))
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        function(np.zeros((0, 3)))
    with pytest.raises(TypeError, match="Sparse data was passed"):
        function(csr_array(np.eye(3)))
