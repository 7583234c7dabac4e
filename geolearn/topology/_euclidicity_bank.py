"""Diagrams of flat annuli that are drawn once and compared with many clouds."""

from typing import NamedTuple

import numpy as np

from geolearn.topology._euclidicity_compare import null_distances
from geolearn.topology._euclidicity_diagrams import Diagrams, join, model_diagrams

__all__ = ["N_BINS", "ModelBank", "needed_keys"]

N_BINS = 32  # of the ratio of the radii; of 16, 32 and 64 the scores hardly differ
_KEYS_OF_A_JOB = 64


class ModelBank(NamedTuple):
    """Hold the diagrams of the draws of model annuli of outer radius 1.

    Each draw has a random stream of its own, so that the bank does not depend on
    what was asked for before.
    """

    seed: int
    dim: int
    max_degree: int
    n_draws: int
    corrected: bool  # whether distances between draws are averaged
    pooled: bool
    keys: np.ndarray  # (n_keys, 2) points and bin of the inner radius
    models: Diagrams
    null: np.ndarray  # (n_keys, max_degree + 2), or (0, 0)

    @classmethod
    def empty(cls, seed, dim, max_degree, n_draws, corrected, pooled) -> "ModelBank":
        """Return a bank without models."""
        starts = np.zeros(1, dtype=np.intp)
        models = Diagrams(np.empty((0, 2)), starts, max_degree + 1, n_draws)
        keys, null = np.empty((0, 2), dtype=np.intp), np.empty((0, 0))
        return cls(
            *(seed, dim, max_degree, n_draws, corrected, pooled),
            *(keys, models, null),
        )

    def extended(self, keys, pool) -> "ModelBank":
        """Return a bank that has models of all `keys` too.

        Parameters
        ----------
        keys : ndarray of intp of shape (n_keys, 2)
            Numbers of points, and bins.
        pool : callable
            Calls a function with each of a list of arguments, as `map` does.

        Returns
        -------
        ModelBank
            This bank if it has them all.
        """
        place = self.places(keys[:, 0].max(initial=0))
        keys = keys[place[keys[:, 0], keys[:, 1]] < 0]
        if not keys.shape[0]:
            return self
        # Large clouds cost more: deal them out.
        n_jobs = -(-keys.shape[0] // _KEYS_OF_A_JOB)
        dealt = [np.ascontiguousarray(keys[i::n_jobs]) for i in range(n_jobs)]
        drawn = pool(self._draw, dealt)
        null = self.null
        if self.corrected:
            parts = [part for _, part in drawn]
            null = np.concatenate([null, *parts] if null.size else parts)
        return self._replace(
            keys=np.concatenate([self.keys, *dealt]),
            models=join([self.models, *(models for models, _ in drawn)]),
            null=null,
        )

    def _draw(self, keys):
        shape = self.n_draws, self.max_degree
        models = model_diagrams(self.seed, self.dim, keys, N_BINS, *shape)
        null = np.empty((0, 0))
        if self.corrected:
            null = null_distances(models.frozen(), self.pooled)
        return models, null

    def places(self, n_points) -> np.ndarray:
        """Return a table (n_points + 1, N_BINS) of the numbers of models, else -1."""
        most = max(self.keys[:, 0].max(initial=0), n_points)
        table = np.full((most + 1, N_BINS), -1, dtype=np.intp)
        table[self.keys[:, 0], self.keys[:, 1]] = np.arange(self.keys.shape[0])
        return table


def needed_keys(lists, min_points, max_points) -> np.ndarray:
    """Return the distinct (points, bin) of the annuli of some queries."""
    n_steps = lists.inner.shape[1]
    valid = lists.counts >= min_points
    n = np.minimum(lists.counts[valid], max_points)
    inner = np.repeat(lists.inner, n_steps, axis=1)[valid]
    outer = np.tile(lists.outer, n_steps)[valid]
    # As the kernel `bin_of`.
    bins = np.minimum((N_BINS * (inner / outer) + 0.5).astype(np.intp), N_BINS - 1)
    codes = np.unique(n * N_BINS + bins)
    return np.column_stack([codes // N_BINS, codes % N_BINS])
