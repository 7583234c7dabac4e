"""Geometry of SPD matrices from the definitions: in 50 digits, and in slow NumPy.

The high-precision versions take doubles as exact numbers, so that what they return
is the truth for that input.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 50


def exact(A):
    """Return a matrix of mpmath numbers, symmetrised."""
    A = mp.matrix(np.asarray(A, dtype=float).tolist())
    return (A + A.T) / 2


def doubles(A):
    return np.array([[float(A[i, j]) for j in range(A.cols)] for i in range(A.rows)])


def function(f, A):
    """Apply a function to the eigenvalues."""
    values, V = mp.eigsy(A)
    return V * mp.diag([f(value) for value in values]) * V.T


def frobenius(A):
    return mp.sqrt(mp.fsum(a * a for a in A))


def trace(A):
    return mp.fsum(A[i, i] for i in range(A.rows))


def log_eigenvalues(A, B):
    root = function(lambda a: 1 / mp.sqrt(a), exact(A))
    return [mp.log(value) for value in mp.eigsy(root * exact(B) * root)[0]]


def log_cholesky(A):
    L = mp.cholesky(exact(A))
    diagonal = [mp.log(L[i, i]) for i in range(L.rows)]
    return diagonal + [L[i, j] for i in range(L.rows) for j in range(i)]


def cholesky(A):
    L = mp.cholesky(exact(A))
    diagonal = [L[i, i] for i in range(L.rows)]
    return diagonal + [L[i, j] for i in range(L.rows) for j in range(i)]


def _vectors_apart(f, A, B):
    return mp.sqrt(mp.fsum((a - b) ** 2 for a, b in zip(f(A), f(B), strict=True)))


def _bures(A, B):
    root = function(mp.sqrt, exact(A))
    middle = function(mp.sqrt, root * exact(B) * root)
    return mp.sqrt(trace(exact(A)) + trace(exact(B)) - 2 * trace(middle))


def _powers_apart(A, B, theta):
    powers = [function(lambda a: a**theta, exact(C)) for C in (A, B)]
    return frobenius(powers[0] - powers[1]) / abs(theta)


def _log_euclidean(A, B):
    return frobenius(function(mp.log, exact(A)) - function(mp.log, exact(B)))


def _pencil(term, root=True):
    def distance(A, B):
        total = mp.fsum(term(mu) for mu in log_eigenvalues(A, B))
        return mp.sqrt(total) if root else total

    return distance


DISTANCES = {
    "affine_invariant": _pencil(lambda mu: mu**2),
    "log_euclidean": _log_euclidean,
    "log_cholesky": lambda A, B: _vectors_apart(log_cholesky, A, B),
    "cholesky": lambda A, B: _vectors_apart(cholesky, A, B),
    "bures_wasserstein": _bures,
    "stein": _pencil(lambda mu: mp.log(mp.cosh(mu / 2))),
    "euclidean": lambda A, B: frobenius(exact(A) - exact(B)),
    "power_euclidean": lambda A, B: _powers_apart(A, B, mp.mpf("0.5")),
    "harmonic": lambda A, B: _powers_apart(A, B, mp.mpf(-1)),
    "kullback_leibler": _pencil(lambda mu: (mp.exp(-mu) - 1 + mu) / 2, False),
    "jeffreys": _pencil(lambda mu: mp.cosh(mu) - 1, False),
    "thompson": lambda A, B: max(abs(mu) for mu in log_eigenvalues(A, B)),
}


def vec(S):
    """Return the upper triangle row by row, off-diagonals times sqrt 2."""
    n = S.rows
    return [
        S[i, j] * (1 if i == j else mp.sqrt(2)) for i in range(n) for j in range(i, n)
    ]


def affine_vector(P, Q):
    root = function(lambda a: 1 / mp.sqrt(a), exact(P))
    return vec(function(mp.log, root * exact(Q) * root))


def log_euclidean_vector(P, Q):
    return vec(function(mp.log, exact(Q)) - function(mp.log, exact(P)))


def log_cholesky_vector(P, Q):
    pairs = zip(log_cholesky(Q), log_cholesky(P), strict=True)
    return [q - p for q, p in pairs]


def bures_log(P, Q):
    """Return the logarithm (R - I) P + P (R - I) in the ambient space."""
    P, Q = exact(P), exact(Q)
    root = function(mp.sqrt, P)
    inverse = function(lambda a: 1 / mp.sqrt(a), P)
    R = inverse * function(mp.sqrt, root * Q * root) * inverse
    gamma = R - mp.eye(P.rows)
    return gamma * P + P * gamma


VECTORS = {
    "affine_invariant": affine_vector,
    "log_euclidean": log_euclidean_vector,
    "log_cholesky": log_cholesky_vector,
}


# Plain NumPy, for inner products by central differences.


def spectral(f, A):
    values, vectors = np.linalg.eigh(A)
    return (vectors * f(values)) @ vectors.T


def differential(f, A, V, h=1e-5):
    """Return the derivative at A along V of a function of the eigenvalues."""
    differences = [
        spectral(f, A + s * h * V) - spectral(f, A - s * h * V) for s in (1, 2)
    ]
    return (8 * differences[0] - differences[1]) / (12 * h)


def pulled_back(f, A, U, V):
    """Return the Euclidean inner product of the differentials of f."""
    return float(np.sum(differential(f, A, U) * differential(f, A, V)))
