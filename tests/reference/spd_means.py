"""Means of symmetric positive definite matrices in arithmetic of 60 digits.

They take the doubles that the library takes as exact numbers. Fixed-point maps
only: what the library accelerates is not repeated here.
"""

import mpmath as mp
import numpy as np

DIGITS = 60


def exact(A):
    """Return the doubles of a matrix as mpmath numbers."""
    return mp.matrix(np.asarray(A, dtype=float).tolist())


def doubles(A):
    return np.array(A.tolist(), dtype=float)


def function(A, f):
    values, Q = mp.eigsy(A)
    return Q * mp.diag([f(v) for v in values]) * Q.T


def log(A):
    return function(A, mp.log)


def root(A):
    return function(A, mp.sqrt)


def norm(A):
    return mp.sqrt(mp.fsum(x * x for x in A))


def mean(weight, matrices):
    total = mp.zeros(matrices[0].rows)
    for w, A in zip(weight, matrices, strict=True):
        total += mp.mpf(float(w)) * A
    return total / mp.fsum(mp.mpf(float(w)) for w in weight)


def affine_distance(A, B):
    """Return the affine-invariant distance of two matrices of doubles."""
    with mp.workdps(DIGITS):
        A, B = exact(A), exact(B)
        inverse = root(A) ** -1
        return float(norm(log(inverse * B * inverse)))


def affine_mean(X, weight, start, goal=1e-25):
    """Return the affine-invariant mean and the variance; steps of length 1 / h."""
    with mp.workdps(DIGITS):
        M, X = exact(start), [exact(A) for A in X]
        for _ in range(200):
            R = root(M)
            inverse = R**-1
            logs = [log(inverse * A * inverse) for A in X]
            G = mean(weight, logs)
            M = R * function(0.7 * G, mp.exp) * R
            M = (M + M.T) / 2
            if norm(G) < goal:
                break
        squares = [mp.matrix([norm(L) ** 2]) for L in logs]
        return M, float(mean(weight, squares)[0])


def affine_gradient_norm(M, X, weight):
    """Return the length of the gradient, which bounds the distance to the mean."""
    with mp.workdps(DIGITS):
        inverse = root(exact(M)) ** -1
        logs = [log(inverse * exact(A) * inverse) for A in X]
        return float(norm(mean(weight, logs)))


def bures_mean(X, weight, start, goal=1e-25):
    """Return the Bures-Wasserstein mean; M <- R M R."""
    with mp.workdps(DIGITS):
        M, X = exact(start), [exact(A) for A in X]
        for _ in range(400):
            S = root(M)
            inverse = S**-1
            R = inverse * mean(weight, [root(S * A * S) for A in X]) * inverse
            M = R * M * R
            M = (M + M.T) / 2
            if norm(R - mp.eye(M.rows)) < goal:
                break
        return M


def stein_mean(X, weight, start, goal=1e-25):
    """Return the Stein mean; M <- (sum w_i ((M + X_i) / 2)^-1)^-1."""
    with mp.workdps(DIGITS):
        M, X = exact(start), [exact(A) for A in X]
        for _ in range(400):
            K = mean(weight, [((M + A) / 2) ** -1 for A in X])
            following = K**-1
            change = norm(following * M**-1 - mp.eye(M.rows))
            M = (following + following.T) / 2
            if change < goal:
                break
        return M


def relative_error(A, truth):
    """Return the affine-invariant distance of a matrix of doubles to the truth."""
    with mp.workdps(DIGITS):
        inverse = root(truth) ** -1
        return float(norm(log(inverse * exact(A) * inverse)))
