"""Shortcuts for small data change no result and let nothing pass."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import validate_data

from geolearn.utils import _small_data
from geolearn.utils._small_data import KnownParameters, validate_table

OPTIONS = {"dtype": np.float64, "order": "C"}
X = np.arange(6.0).reshape(3, 2)


def with_entry(value, array=X):
    changed = array.astype(float)
    changed.flat[1] = value
    return changed


TABLES = {
    "ready": X,
    "fortran": np.asfortranarray(X),
    "strided": np.arange(12.0).reshape(3, 4)[:, ::2],
    "single": X.astype(np.float32),
    "integers": X.astype(int),
    "list": X.tolist(),
    "frame": pd.DataFrame(X, columns=["a", "b"]),
    "nan": with_entry(np.nan),
    "inf": with_entry(-np.inf),
    "complex": X + 1j,
    "strings": X.astype(str),
    "objects": X.astype(object),
    "masked": np.ma.masked_array(X),
    "sparse": sparse.csr_array(X),
    "one row flat": X[0],
    "cube": X[:, :, None],
    "no rows": X[:0],
    "no columns": X[:, :0],
    "three columns": np.ones((3, 3)),
    "longer": np.ones((4, 2)),
    "nothing": None,
}
y = np.array([0, 1, 1])
TARGETS = {
    "integers": y,
    "floats": y * 0.5,
    "bools": y > 0,
    "labels": np.array(["a", "b", "b"]),
    "objects": np.array(["a", 1, None], dtype=object),
    "column": y[:, None],
    "outputs": np.stack([y, y], axis=1),
    "list": y.tolist(),
    "series": pd.Series(y),
    "nan": with_entry(np.nan, y),
    "inf": with_entry(np.inf, y),
    "complex": y + 1j,
    "scalar": np.array(1.0),
    "none": y[:0],
    "nothing": None,
}


class Estimator(KnownParameters, BaseEstimator):
    def __init__(self, first=1, *, second=2):
        self.first, self.second = first, second


class Derived(Estimator):
    def __init__(self, third=3):
        super().__init__()
        self.third = third


def outcome(function, arguments, *, names=False, **options):
    """Return what a validation returns, or its error, and what it stores."""
    estimator = Estimator()
    if not options.get("reset", True):
        start = pd.DataFrame(X, columns=["a", "b"]) if names else X
        validate_data(estimator, start)
    try:
        with np.errstate(all="ignore"):
            result = function(estimator, *arguments, **OPTIONS, **options)
    except (TypeError, ValueError) as error:
        result = (type(error), str(error))
    return result, {k: str(v) for k, v in vars(estimator).items()}


def assert_same(found, expected):
    assert found[1] == expected[1]
    if not isinstance(expected[0], tuple):
        found, expected = [(one[0],) for one in (found, expected)]
    else:
        found, expected = found[0], expected[0]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert type(one) is type(other)
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            assert one.flags.c_contiguous
            assert_array_equal(one, other)
        else:
            assert one == other


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("table", TABLES)
def test_tables_are_validated_as_by_scikit_learn(table, reset, names):
    arguments = (TABLES[table],)
    options = {"reset": reset, "names": names}
    assert_same(
        outcome(validate_table, arguments, **options),
        outcome(validate_data, arguments, **options),
    )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("table", ["ready", "list", "nan", "longer"])
def test_targets_are_validated_as_by_scikit_learn(table, target):
    arguments = (TABLES[table], TARGETS[target])
    assert_same(
        outcome(validate_table, arguments, multi_output=True),
        outcome(validate_data, arguments, multi_output=True),
    )


def test_arrays_that_are_ready_take_the_short_way(monkeypatch):
    seen = []

    def record(estimator, *arguments, **options):
        seen.append(options)
        return arguments[0]

    monkeypatch.setattr(_small_data, "validate_data", record)
    assert validate_table(Estimator(), X, **OPTIONS) is X
    validate_table(Estimator(), X, y, **OPTIONS)
    validate_table(Estimator(), X.tolist(), **OPTIONS)
    assert [o.get("skip_check_array", False) for o in seen] == [True, True, False]


def test_parameters_are_those_of_each_class():
    assert Estimator(first=5).get_params() == {"first": 5, "second": 2}
    assert Derived().get_params() == {"third": 3}
    assert clone(Derived(third=7)).set_params(third=8).third == 8
    assert Estimator().get_params() == {"first": 1, "second": 2}
