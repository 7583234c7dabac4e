"""Affine-invariant means of widely dispersed matrices, where plain steps crawl.

At mean dispersions 4.2, 5.8 and 11.7 the plain gradient step needs dozens of steps,
overshoots, or diverges without a line search; the step of the curvature bound needs a
fraction of them, and Newton's method three.
"""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from geolearn.manifolds import SPD
from geolearn.manifolds._mean import Starts, solve_mean

CASES = [(3, 1.8), (8, 1.0), (8, 2.0)]
DISPERSIONS = [4.2, 5.8, 11.7]


def sample(n, scale):
    return SPD(n).random_normal(50, scale=scale, random_state=0)


@pytest.mark.parametrize(
    ("n", "scale", "dispersion"),
    [(*case, d) for case, d in zip(CASES, DISPERSIONS, strict=True)],
)
def test_newton(n, scale, dispersion):
    X = sample(n, scale)
    result = SPD(n).frechet_mean(X, tol=1e-10, return_result=True)
    assert SPD(n).dist(result.mean, X).mean() == pytest.approx(dispersion, abs=0.06)
    assert result.converged
    assert result.n_iter <= 4
    gradient = SPD(n).log_vector(result.mean, X).mean(axis=0)
    # the logarithms themselves are only known to eps times the condition numbers
    assert np.linalg.norm(gradient) < (1e-9 if dispersion < 10 else 1e-5)


@pytest.mark.parametrize(("n", "scale"), CASES[:2])
def test_step_of_the_curvature_bound(n, scale, monkeypatch):
    X, weight = sample(n, scale), np.full(50, 1 / 50)
    start = Starts(SPD(n, "log_euclidean").frechet_mean(X), 1, None)
    result = solve_mean(SPD(n), X, weight, start, 1e-9, 200)
    assert result.converged
    assert result.n_iter < 30
    newton = SPD(n).frechet_mean(X, tol=1e-10)
    assert SPD(n).dist(result.mean, newton) < 1e-8
    monkeypatch.setattr("geolearn.manifolds._mean._State.step_size", lambda self: 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        plain = solve_mean(SPD(n), X, weight, start, 1e-9, 200)
    assert plain.n_iter > 1.5 * result.n_iter


def test_rounding_of_the_objective_does_not_stop_the_descent():
    # The variance, near 140, stops falling at a gradient of 4e-7, where every step
    # that lowers the gradient seems to raise it.
    X, weight = sample(*CASES[2]), np.full(50, 1 / 50)
    start = Starts(SPD(8, "log_euclidean").frechet_mean(X), 1, None)
    result = solve_mean(SPD(8), X, weight, start, 1e-9, 200)
    assert result.converged
    assert result.gradient_norm < 1.2e-8
    assert SPD(8).dist(result.mean, SPD(8).frechet_mean(X, tol=1e-10)) < 1e-7
