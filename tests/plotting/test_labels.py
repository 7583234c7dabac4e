import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from geolearn.plotting._labels import read_labels


def test_no_labels():
    labels = read_labels(None, 3)
    assert labels.codes is None
    assert labels.values is None


@pytest.mark.parametrize(
    ("given", "categories", "codes"),
    [
        (["b", "a", "b"], ["a", "b"], [1, 0, 1]),
        ([True, False, True], [False, True], [1, 0, 1]),
        (np.array([3, 1, 3]), [1, 3], [1, 0, 1]),
        ([2.0, np.nan, 1.0], [1, 2], [1, -1, 0]),
        ([2.0, np.inf, 1.0], [1, 2], [1, -1, 0]),
        (["x", None, np.nan], ["x"], [0, -1, -1]),
        ([True, None, False], [False, True], [1, -1, 0]),
        ([None, None, None], [], [-1, -1, -1]),
        ([np.nan, np.nan, np.nan], [], [-1, -1, -1]),
        # A mixture cannot be sorted: by type, then by name.
        (np.array(["b", 2, (1,)], dtype=object), [2, "b", (1,)], [1, 0, 2]),
        (pd.Series(["x", pd.NA, "y"], dtype="string"), ["x", "y"], [0, -1, 1]),
        (pd.Series([1, pd.NA, 2], dtype="Int64"), [1, 2], [0, -1, 1]),
        (pl.Series(["x", None, "y"]), ["x", "y"], [0, -1, 1]),
        (np.array([[1], [2], [1]]), [1, 2], [0, 1, 0]),
    ],
)
def test_categories(given, categories, codes):
    if isinstance(given, np.ndarray) and given.dtype == object:
        given = np.empty(3, dtype=object)
        given[:] = ["b", 2, (1,)]
    labels = read_labels(given, 3)
    assert labels.categories == categories
    assert_array_equal(labels.codes, codes)
    assert labels.values is None


def test_dates_are_categories():
    dates = np.array(["2024-02-01", "NaT", "2024-01-01"], dtype="datetime64[D]")
    labels = read_labels(dates, 3)
    assert [str(c) for c in labels.categories] == ["2024-01-01", "2024-02-01"]
    assert_array_equal(labels.codes, [1, -1, 0])


def test_pandas_categorical_keeps_its_order():
    given = pd.Series(
        pd.Categorical(
            ["late", "early", None, "late"], categories=["early", "never", "late"]
        ),
        name="stage",
    )
    labels = read_labels(given, 4)
    assert labels.categories == ["early", "late"]  # "never" does not occur
    assert_array_equal(labels.codes, [1, 0, -1, 1])
    assert labels.name == "stage"
    numbers = pd.Series(pd.Categorical([1, 2, 1], categories=[2, 1]))
    labels = read_labels(numbers, 3)
    assert labels.categories == [2, 1]
    assert_array_equal(labels.codes, [1, 0, 1])
    assert_array_equal(read_labels(numbers, 3, "continuous").values, [1.0, 2.0, 1.0])


def test_numbers_are_continuous():
    labels = read_labels([0.5, np.nan, -np.inf, 1.5], 4)
    assert labels.codes is None
    assert_array_equal(labels.values, [0.5, np.nan, np.nan, 1.5])
    decimals = np.array([0.5, None, 2], dtype=object)
    assert_array_equal(read_labels(decimals, 3).values, [0.5, np.nan, 2.0])


def test_whole_numbers_turn_continuous_above_twenty_values():
    assert len(read_labels(np.arange(20), 20).categories) == 20
    assert_array_equal(read_labels(np.arange(21), 21).values, np.arange(21.0))


def test_kind_overrides():
    assert len(read_labels(np.arange(30), 30, "categorical").categories) == 30
    assert read_labels([0, 1], 2, "continuous").values is not None
    assert read_labels([0.5, 1.5], 2, "categorical").categories == [0.5, 1.5]


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ((["a", "b"], 3), "3 points"),
        ((np.zeros((3, 2)), 3), "shape \\(3, 2\\)"),
        ((["a", "b"], 2, "continuous"), "kind='continuous'"),
        ((["a", "b"], 2, "colour"), "kind='colour'"),
    ],
)
def test_errors(args, match):
    with pytest.raises(ValueError, match=match):
        read_labels(*args)
