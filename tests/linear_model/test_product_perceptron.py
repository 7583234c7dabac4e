"""The product-space perceptron against a slow reference and exact cases."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.datasets import make_product_mixture
from geolearn.linear_model import ProductSpacePerceptron

SIGNATURE = [(-0.5, 2), (0.0, 2), (2.0, 2)]


def slow_kernel(x, y, rho):
    """Return the kernel of two points of `SIGNATURE`."""
    a, b = np.sqrt(0.5) * x[:3], np.sqrt(0.5) * y[:3]
    lorentz = a[1:] @ b[1:] - a[0] * b[0]
    sphere = np.clip(2.0 * x[5:] @ y[5:], -1.0, 1.0)
    return 1.0 + np.arcsinh(lorentz / rho**2) + x[3:5] @ y[3:5] + np.arcsin(sphere)


def slow_scores(X, sign, patience):
    """Return the training scores of the best epoch."""
    rho = max(np.linalg.norm(np.sqrt(0.5) * x[:3]) for x in X)
    K = np.array([[slow_kernel(x, y, rho) for y in X] for x in X])
    alpha, history = np.zeros(len(X)), []
    while True:
        scores = K @ (alpha * sign)
        wrong = sign * scores <= 0.0
        history.append((int(wrong.sum()), scores))
        best = min(range(len(history)), key=lambda e: history[e][0])
        if not wrong.any() or len(history) - 1 - best >= patience:
            return history[best][1]
        alpha += wrong


@pytest.mark.parametrize("patience", [2, 20])
def test_slow_reference(patience):
    X, y = make_product_mixture(SIGNATURE, 60, 3, random_state=0)
    model = ProductSpacePerceptron(SIGNATURE, patience=patience).fit(X, y)
    scores = model.decision_function(X)
    for k in range(3):
        expected = slow_scores(X, np.where(y == k, 1.0, -1.0), patience)
        # arcsin near 1, on the diagonal, doubles the exponent of a rounding error
        assert_allclose(scores[:, k], expected, rtol=1e-6, atol=1e-6)
    assert_array_equal(model.predict(X), scores.argmax(axis=1))


def test_half_circles_are_learnt():
    angle = np.linspace(0.1, 2.0 * np.pi, 40)
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    y = np.where(X[:, 1] > 0.0, "up", "down")
    model = ProductSpacePerceptron([(1.0, 1)], patience=50).fit(X, y)
    assert model.score(X, y) == 1.0
    assert model.decision_function(X).shape == (40,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signature": None}, "signature=None"),
        ({"signature": [(0.0, 3)]}, "needs 3"),
        ({"signature": SIGNATURE, "weights": [1.0]}, "one for each"),
        ({"signature": SIGNATURE, "weights": [1.0, 0.0, 1.0]}, "positive"),
        ({"signature": [(-1.0, 2), (0.0, 2), (2.0, 2)]}, "not on"),
    ],
)
def test_bad_parameters(options, message):
    X, y = make_product_mixture(SIGNATURE, 20, random_state=0)
    with pytest.raises(ValueError, match=message):
        ProductSpacePerceptron(**options).fit(X, y)
