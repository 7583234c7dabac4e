"""The samples among which references are sought."""

import numpy as np

__all__ = ["Pool"]

ALL = 2000  # up to here, every sample is a candidate by default
SOME = 1000
_SHARE = 50  # samples looked at per candidate that is drawn
_NEAR = 100  # samples around a reference that are tried in its place


class Pool:
    """Candidates for references: all samples, or some that cover the others.

    Drawing is like the seeding of k-means++: each candidate is drawn with a
    probability proportional to its weight and its squared distance to the
    candidates before it. Of very many samples, a random part is looked at.

    Parameters
    ----------
    problem : GramProblem, VectorProblem or ProjectionProblem
        The samples.
    weight : ndarray of shape (n_samples,)
        Positive weights.
    size : int or None
        Number of candidates; None takes all up to 2000 samples, else 1000.
    rng : RandomState
        Source of randomness.

    Attributes
    ----------
    samples : ndarray of int
        Candidates in ascending order.
    complete : bool
        Whether these are all samples.
    """

    def __init__(self, problem, weight, size, rng):
        n = problem.n_samples
        if size is None:
            size = n if n <= ALL else SOME
        self.complete = size >= n
        self.samples = (
            np.arange(n) if self.complete else _draw(problem, weight, size, rng)
        )

    def around(self, engine, reference):
        """Return the candidates to replace a reference by."""
        if self.complete:
            return self.samples
        return np.union1d(self.samples, self.beside(engine, reference))

    def beside(self, engine, reference):
        """Return the samples nearest to a reference, whether candidates or not."""
        return engine.nearest(reference, min(_NEAR, engine.n_samples))


def _draw(problem, weight, size, rng):
    some = np.arange(problem.n_samples)
    if len(some) > _SHARE * size:
        some = np.sort(rng.choice(some, _SHARE * size, replace=False))
        problem, weight = problem.take(some), weight[some]
    drawn = []
    mass = weight / weight.sum()
    squares = np.full(len(some), np.inf)
    for _ in range(size):
        drawn.append(int(np.searchsorted(np.cumsum(mass), rng.random_sample())))
        drawn[-1] = min(drawn[-1], len(some) - 1)
        np.minimum(squares, problem.distances(drawn[-1]) ** 2, out=squares)
        squares[drawn[-1]] = 0.0
        mass = weight * squares
        total = mass.sum()
        if not total > 0.0:  # all others are duplicates
            break
        mass /= total
    return np.sort(some[drawn])
