"""The dimension around each point."""

import numpy as np
import pytest

from geolearn.diagnostics import local_intrinsic_dimension


@pytest.fixture(scope="module")
def plane():
    X = np.random.default_rng(0).uniform(size=(600, 2))
    return np.column_stack([X, X.sum(axis=1)])


def test_queries_of_the_sample_have_the_dimension_of_its_rows(plane):
    alone = local_intrinsic_dimension(plane, n_neighbors=20)
    asked = local_intrinsic_dimension(plane, queries=plane[:50], n_neighbors=20)
    np.testing.assert_allclose(asked, alone[:50], rtol=1e-12)
