"""What engines of the search know of samples, whatever spans cost them."""

from math import comb
from typing import Any, ClassVar

import numpy as np

__all__ = ["SampleEngine"]


class SampleEngine:
    """Tell costs of searches, and neighbours and duplicates of samples."""

    problem: Any
    n_samples: int
    unasked: ClassVar[float]  # evaluations of a subset at a sample spent unasked

    def count(self, pool, k, flag):
        """Return the cost of trying all subsets; up to 1 it is spent unasked."""
        sizes = range(2, k + 2) if flag else [k + 1]
        return sum(comb(len(pool), r) for r in sizes) * self.n_samples / self.unasked

    def nearest(self, index, count):
        """Return the samples nearest to one, itself among them."""
        d = self.problem.distances(index)
        return np.sort(np.argpartition(d, count - 1)[:count])

    def coincident(self, index):
        """Return which samples are duplicates of one."""
        return self.problem.distances(index) == 0.0
