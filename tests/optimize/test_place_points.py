"""Placement of points among fixed landmarks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.optimize import place_points

pytestmark = pytest.mark.kernels

LANDMARKS = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])


def error(D, landmarks, Y, W=None):
    r = np.linalg.norm(Y[:, None] - landmarks, axis=-1)
    return ((1.0 if W is None else W) * (r - D) ** 2).sum(axis=1)


def test_worked_example():
    # Specification of the heat-geodesic embedding, section 7.
    Y = place_points([[3.0, 3.0, 2.0]], LANDMARKS, [[1.0, 1.0]], n_iter=2000)
    assert_allclose(Y, [[1.92927449, 2.25794685]], atol=5e-9)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_exact_distances_are_met(p):
    rng = np.random.default_rng(p)
    landmarks, X = rng.normal(size=(30, p)), rng.normal(size=(8, p))
    D = np.linalg.norm(X[:, None] - landmarks, axis=-1)
    start = X + 0.1 * rng.normal(size=X.shape)
    assert_allclose(place_points(D, landmarks, start, n_iter=2000), X, atol=1e-9)


@given(seed=st.integers(0, 10**6), weighted=st.booleans())
def test_no_step_raises_the_error(seed, weighted):
    rng = np.random.default_rng(seed)
    landmarks, Y = rng.normal(size=(6, 2)), rng.normal(size=(3, 2))
    D = rng.uniform(0.0, 3.0, (3, 6))
    W = rng.uniform(0.0, 1.0, (3, 6)) ** 4 if weighted else None
    before = error(D, landmarks, Y, W)
    for _ in range(5):
        Y = place_points(D, landmarks, Y, weights=W, n_iter=1)
        after = error(D, landmarks, Y, W)
        assert (after <= before * (1 + 1e-12) + 1e-15).all()
        before = after


def test_points_on_landmarks_stay_finite():
    Y = place_points([[0.0, 4.0, 3.0]], LANDMARKS, [[0.0, 0.0]])
    assert_allclose(Y, [[0.0, 0.0]], atol=1e-12)
    Y = place_points([[1.0, 1.0]], [[2.0, 2.0], [2.0, 2.0]], [[2.0, 2.0]])
    assert_array_equal(Y, [[2.0, 2.0]])
    assert_array_equal(place_points([[0.0]], [[2.0]], [[5.0]]), [[2.0]])


def test_a_weight_of_zero_leaves_a_landmark_out():
    D = [[3.0, 3.0, 2.0, 9.0]]
    landmarks = np.vstack([LANDMARKS, [[7.0, 7.0]]])
    W = [[1.0, 1.0, 1.0, 0.0]]
    Y = place_points(D, landmarks, [[1.0, 1.0]], weights=W, n_iter=2000)
    assert_allclose(Y, [[1.92927449, 2.25794685]], atol=5e-9)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_units_do_not_matter(scale):
    D, start = np.array([[3.0, 3.0, 2.0]]), np.array([[1.0, 1.0]])
    a = place_points(D, LANDMARKS, start)
    b = place_points(D * scale, LANDMARKS * scale, start * scale)
    assert_allclose(b / scale, a, rtol=1e-9)


def test_threads_and_company_give_the_same_bits():
    rng = np.random.default_rng(0)
    landmarks, start = rng.normal(size=(40, 2)), rng.normal(size=(100, 2))
    D = rng.uniform(0.1, 3.0, (100, 40))
    a = place_points(D, landmarks, start, n_jobs=1)
    assert_array_equal(place_points(D, landmarks, start, n_jobs=2), a)
    # Guard distance and landmarks aside, a point depends on its own row only.
    assert_array_equal(place_points(D[:7], landmarks, start[:7]), a[:7])


def test_inputs_are_not_written():
    D, start = np.array([[3.0, 3.0, 2.0]], dtype=np.float32), np.array([[1.0, 1.0]])
    for A in (D, start):
        A.flags.writeable = False
    Y = place_points(D, LANDMARKS, start, n_iter=2000)
    assert_allclose(Y, [[1.92927449, 2.25794685]], atol=5e-9)
    assert_array_equal(start, [[1.0, 1.0]])
    assert_array_equal(place_points(D, LANDMARKS, start, n_iter=0), start)


def test_no_new_points():
    Y = place_points(np.empty((0, 3)), LANDMARKS, np.empty((0, 2)))
    assert Y.shape == (0, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"D": [[3.0, 3.0]]}, r"D must have shape .*\(1, 3\); got \(1, 2\)"),
        ({"D": [[3.0, np.nan, 1.0]]}, "D must be finite"),
        ({"D": [[3.0, -1.0, 1.0]]}, "D must be non-negative"),
        ({"init": [[1.0]]}, "init has 1 columns and Y_landmarks 2"),
        ({"init": [[1.0, np.inf]]}, "init must be finite"),
        ({"Y_landmarks": np.empty((0, 2))}, "holds no point"),
        ({"weights": [[1.0, 1.0]]}, "weights must have shape"),
        ({"weights": [[1.0, -1.0, 1.0]]}, "weights must be non-negative"),
        ({"weights": [[0.0, 0.0, 0.0]]}, r"weights\[0\] has no positive entry"),
        ({"n_iter": -1}, "n_iter=-1"),
        ({"n_iter": 1.5}, "n_iter=1.5"),
    ],
)
def test_bad_input_is_refused(changes, message):
    arguments = {"D": [[3.0, 3.0, 2.0]], "Y_landmarks": LANDMARKS, "init": [[1.0, 1.0]]}
    with pytest.raises(ValueError, match=message):
        place_points(**(arguments | changes))


def test_a_point_does_not_depend_on_the_others_of_the_call():
    # the second point is so far that its distances dwarf those of the first
    landmarks = np.array([[0.0, 0.0], [1e-9, 0.0], [0.0, 1e-9]])
    D = np.array([[2e-9, 1e-9, 2e-9], [1e6, 1e6, 1e6]])
    start = np.array([[1e-13, 1e-13], [1e6, 0.0]])
    np.testing.assert_array_equal(
        place_points(D, landmarks, start)[0],
        place_points(D[:1], landmarks, start[:1])[0],
    )
