"""Classical scaling against the dense eigendecomposition."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.optimize import classical_mds
from geolearn.optimize._classical import _apply_gram
from tests.reference import mds as reference


def roll(n, seed=0):
    """Distances on a sheet with noise: a spectrum with small and negative ends."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, 2)) * [10.0, 4.0]
    E = np.triu(rng.uniform(0.9, 1.1, (n, n)), 1)
    return reference.distances(X) * (E + E.T)


@pytest.mark.parametrize("n", [3, 65, 130])
def test_gram_operator_is_the_doubly_centred_matrix(n):
    D = roll(n)
    V = np.random.default_rng(1).normal(size=(n, 3))
    J = np.eye(n) - 1.0 / n
    wanted = -0.5 * J @ D**2 @ J @ V
    assert_allclose(_apply_gram(D, V), wanted, rtol=1e-10, atol=1e-9)
    single = D.astype(np.float32)
    # float32 distances are squared in double precision.
    wanted = -0.5 * J @ single.astype(float) ** 2 @ J @ V
    assert_allclose(_apply_gram(single, V), wanted, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("n", [4, 50, 201, 400])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_dense_and_iterative_agree_with_the_reference(n, k):
    D = roll(n)
    Y, values = classical_mds(D, k, random_state=0)
    wanted, eigenvalues = reference.classical(D, k)
    assert_allclose(values, eigenvalues, rtol=1e-9, atol=1e-12 * values[0])
    assert_allclose(np.abs(Y), np.abs(wanted), atol=1e-5 * np.abs(wanted).max())
    assert (Y[np.abs(Y).argmax(axis=0), np.arange(k)] >= 0).all()


def test_repeated_eigenvalues_are_all_found():
    # A regular polygon: the two axes of the plane are equivalent.
    angle = 2.0 * np.pi * np.arange(300) / 300
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    _, values = classical_mds(reference.distances(X), 4, random_state=0)
    assert_allclose(values, [150.0, 150.0, 0.0, 0.0], atol=1e-9)


def test_simplex_has_one_eigenvalue():
    D = 1.0 - np.eye(250)
    Y, values = classical_mds(D, 3, random_state=0)
    assert_allclose(values, 0.5)
    assert_allclose(Y.T @ Y, 0.5 * np.eye(3), atol=1e-9)


@pytest.mark.parametrize("n", [6, 250])
def test_exact_rank_below_the_number_of_components(n):
    X = np.random.default_rng(0).normal(size=(n, 2))
    D = reference.distances(X)
    Y, values = classical_mds(D, 4, random_state=0)
    assert_allclose(reference.distances(Y), D, atol=1e-6)
    assert_allclose(values[2:], 0.0, atol=1e-10 * values[0])


def test_negative_eigenvalues_are_reported_and_give_zero_coordinates():
    # The 4-cycle with its diagonals stretched: eigenvalues 2, 2, 0, -1.
    D = np.array(
        [[0.0, 1, 2, 1], [1, 0.0, 1, 2], [2, 1, 0.0, 1], [1, 2, 1, 0.0]], dtype=float
    )
    Y, values = classical_mds(D, 3)
    assert_allclose(values, [2.0, 2.0, 0.0], atol=1e-12)
    D = np.array([[0.0, 1, 5], [1, 0.0, 1], [5, 1, 0.0]])
    Y, values = classical_mds(D, 2)
    # Gram matrix of the path 1 - 1 - 5: eigenvalues 12.5, 0 and -3.5.
    assert_allclose(values, [12.5, 0.0], atol=1e-12)
    assert_allclose(Y[:, 1], 0.0, atol=1e-6)


@pytest.mark.parametrize("random_state", [None, 0])
def test_same_start_same_bits(random_state):
    D = roll(260)
    a = classical_mds(D, 2, random_state=random_state)
    b = classical_mds(D, 2, random_state=random_state)
    assert_array_equal(a[0], b[0])


def test_the_start_is_forgotten():
    D = roll(260)
    a, b = (classical_mds(D, 2, random_state=s)[0] for s in (1, 2))
    assert_allclose(a, b, atol=1e-6)


def test_crowded_spectrum_restarts_and_finds_the_top():
    # Slowly falling eigenvalues, so that the basis overflows and is restarted.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 300)) * np.linspace(1.0, 0.9, 300)
    D = reference.distances(X)
    _, values = classical_mds(D, 2, random_state=0)
    assert_allclose(values, reference.classical(D, 2)[1], rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
@pytest.mark.parametrize("n", [20, 250])
def test_units_do_not_matter(n, scale):
    D = roll(n)
    a, b = classical_mds(D, 2), classical_mds(D * scale, 2)
    assert_allclose(b[1] / scale**2, a[1], rtol=1e-9)
    assert_allclose(b[0] / scale, a[0], atol=1e-6 * np.abs(a[0]).max())


def test_zero_distances():
    Y, values = classical_mds(np.zeros((4, 4)), 2)
    assert_array_equal(Y, np.zeros((4, 2)))
    assert_array_equal(values, [0.0, 0.0])


def test_unfinished_iteration_warns(monkeypatch):
    from sklearn.exceptions import ConvergenceWarning

    monkeypatch.setattr("geolearn.optimize._classical._MAX_PASSES", 1)
    with pytest.warns(ConvergenceWarning, match=r"wanted 1e-09"):
        classical_mds(roll(250), 2)
