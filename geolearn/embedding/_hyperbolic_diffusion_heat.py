"""Powers of diffusion operators at dyadic times, and distances of their roots."""

import math
from collections.abc import Iterator

import numpy as np
from scipy import linalg, sparse

# Terms of an exponential series that are dropped add up to less: square roots of
# probabilities keep twelve digits.
_TAIL = 1e-24
# Longest step of one exponential series, in units of the inverse largest degree.
_LONGEST_STEP = 4.0
# A product of dense matrices does as many multiplications as this in the time of one
# of a sparse by a dense matrix.
_DENSE_GAIN = 20.0
# Squared distances below this share of their terms are computed from differences.
_CLOSE_SHARE = 1e-7
_BLOCK_VALUES = 2**22  # 32 MiB of float64 at a time


def _series(x):
    """Return the Poisson weights exp(-x) x^j / j! up to a negligible tail."""
    weights = [math.exp(-x)]
    while weights[-1] > _TAIL or len(weights) <= x:
        weights.append(weights[-1] * x / len(weights))
    return weights


class GraphHeat:
    """The operators exp(-t L) of a graph at the times 1, 1/2, 1/4, ...

    With c the largest degree, B = I - L / c has no negative entry, and exp(-t L) is
    the mean of B^j over j of Poisson law of mean c t: a sum without cancellation, so
    that small probabilities, whose roots count, are as exact as large ones. An
    eigendecomposition leaves errors of 1e-8 in the roots.
    """

    def __init__(self, A, n_scales):
        degree = np.asarray(A.sum(axis=1)).ravel()
        self.n = A.shape[0]
        self.n_scales = n_scales
        self.rate = float(degree.max(initial=0.0))
        kept = 1.0 - degree / self.rate if self.rate else np.ones(self.n)
        scaled = A / self.rate if self.rate else A
        self.walk = sparse.csr_array(scaled + sparse.diags_array(kept))

    def _steps(self):
        """Return the times to walk from one scale to the next, finest first."""
        finest = 2.0 ** (1 - self.n_scales)
        return [finest, *(finest * 2.0**k for k in range(self.n_scales - 1))]

    def _advance(self, V, time):
        """Return exp(-time L) V for a dense V of shape (n, m)."""
        n_parts = max(1, math.ceil(self.rate * time / _LONGEST_STEP))
        weights = _series(self.rate * time / n_parts)
        for _ in range(n_parts):
            term = V
            V = weights[0] * V
            for weight in weights[1:]:
                term = self.walk @ term
                V += weight * term
        return V

    def rows(self, nodes) -> Iterator[np.ndarray]:
        """Yield rows of the operators, from the finest scale to time 1."""
        V = np.zeros((self.n, len(nodes)))
        V[nodes, np.arange(len(nodes))] = 1.0
        for time in self._steps():
            V = self._advance(V, time)
            yield V.T

    def squares(self) -> Iterator[np.ndarray]:
        """Yield the whole operators, from the finest scale to time 1."""
        n_halvings = max(
            0, math.ceil(math.log2(max(self.rate, 1.0))) - self.n_scales + 1
        )
        n_terms = sum(
            len(_series(_LONGEST_STEP)) * max(1.0, self.rate * t / _LONGEST_STEP)
            for t in self._steps()
        )
        sparse_work = _DENSE_GAIN * self.walk.nnz * n_terms
        if sparse_work < self.n**2 * (n_halvings + self.n_scales):
            yield from self.rows(np.arange(self.n))
            return
        time = 2.0 ** (1 - self.n_scales - n_halvings)
        P = self._advance(np.eye(self.n), time)
        for _ in range(n_halvings):
            P = P @ P
        yield P
        for _ in range(self.n_scales - 1):
            P = P @ P
            yield P


class DataDiffusion:
    """Fractional powers of the Markov operator of a Gaussian affinity.

    The affinity is divided by its row sums on both sides, which takes out the
    density of samples, and its rows are scaled to sum 1. Negative eigenvalues, which
    have no roots, and negative entries of roots are taken as 0.
    """

    def __init__(self, D, epsilon, n_scales):
        W = np.exp(-np.square(D) / epsilon)
        density = W.sum(axis=1)
        W /= density
        W /= density[:, None]
        self.root = np.sqrt(W.sum(axis=1))
        W /= self.root
        W /= self.root[:, None]
        self.n, self.n_scales = D.shape[0], n_scales
        values, self.vectors = linalg.eigh(W, overwrite_a=True)
        # The largest eigenvalue is 1; roots would magnify rounding errors of zeros.
        values[values < np.finfo(np.float64).eps * self.n] = 0.0
        self.values = values

    def squares(self) -> Iterator[np.ndarray]:
        """Yield the powers of exponents 2^(1 - n_scales), ..., 1/2, 1."""
        for k in reversed(range(self.n_scales)):
            P = (self.vectors * self.values ** (0.5**k)) @ self.vectors.T
            P *= self.root
            P /= self.root[:, None]
            yield np.maximum(P, 0.0, out=P)


def add_scale(out, rows, columns, factor):
    """Add 2 arsinh(factor |sqrt(p) - sqrt(q)|) for rows p, q of two arrays.

    Products of matrices give the bulk; pairs so close that the difference of such
    products has lost digits are computed one by one.
    """
    left, right = np.sqrt(rows), np.sqrt(columns)
    left_sums = np.einsum("ij,ij->i", left, left)
    right_sums = np.einsum("ij,ij->i", right, right)
    step = max(1, _BLOCK_VALUES // right.shape[0])
    for start in range(0, left.shape[0], step):
        block = left[start : start + step]
        total = left_sums[start : start + step, None] + right_sums
        squares = total - 2.0 * (block @ right.T)
        i, j = np.nonzero(squares < _CLOSE_SHARE * total)
        chunk = max(1, _BLOCK_VALUES // right.shape[1])
        for low in range(0, i.size, chunk):
            a, b = i[low : low + chunk], j[low : low + chunk]
            gap = block[a] - right[b]
            squares[a, b] = np.einsum("ij,ij->i", gap, gap)
        out[start : start + step] += 2.0 * np.arcsinh(factor * np.sqrt(squares))
