"""Matrices and names of metrics that the tests of SPD share."""

import numpy as np
from hypothesis import settings

from geolearn.manifolds import SPD
from geolearn.manifolds.spd._names import METRICS

A = np.array([[2.0, 1.0], [1.0, 2.0]])
B = np.diag([1.0, 3.0])
C = np.array([[4.0, -1.0], [-1.0, 1.0]])
X = np.stack([A, B, C])
TWELVE = {"rtol": 0.0, "atol": 0.51e-12}  # digits that the specification prints

RIEMANNIAN = [
    m
    for m in METRICS
    if m
    not in {
        "bogoliubov_kubo_mori",
        "jeffreys",
        "kullback_leibler",
        "kullback_leibler_reversed",
        "stein",
        "thompson",
    }
]
WITH_DISTANCE = [m for m in METRICS if m != "bogoliubov_kubo_mori"]
WITH_MEAN = [m for m in WITH_DISTANCE if m != "thompson"]
COMPLETE = ["affine_invariant", "log_euclidean", "log_cholesky", "polar_affine"]
EQUIVARIANT = ["affine_invariant", "stein", "thompson", "kullback_leibler", "jeffreys"]
seeds = settings(max_examples=10)


def entries(matrix):
    return [matrix[0, 0], matrix[0, 1], matrix[1, 1]]


def cloud(n_samples, n, seed=0, scale=0.4):
    return SPD(n).random_normal(n_samples, scale=scale, random_state=seed)
