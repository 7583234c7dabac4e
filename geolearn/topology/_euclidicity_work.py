"""What a job does with the annuli of a chunk of queries: compare, average, profile."""

from typing import NamedTuple

import numpy as np

from geolearn.topology._euclidicity_bank import ModelBank, needed_keys
from geolearn.topology._euclidicity_compare import (
    compare_interval,
    compare_models,
    mean_cells,
    top_degrees,
)
from geolearn.topology._euclidicity_diagrams import Diagrams
from geolearn.topology._euclidicity_scores import annulus_diagrams, in_threads

__all__ = ["Comparison", "Growth", "profile_chunk", "score_chunk", "top_chunk"]


class Comparison(NamedTuple):
    """Hold how the annuli are compared with flat ones."""

    dim: int
    max_degree: int
    interval: bool
    pooled: bool
    normalize: bool


class Models(NamedTuple):
    """Hold what jobs read of the bank of models."""

    how: Comparison
    models: Diagrams | None
    places: np.ndarray | None
    null: np.ndarray | None


class Growth:
    """Add the models that the lists of neighbours ask for to a bank.

    Parameters
    ----------
    how : Comparison
        The comparison; that with an interval takes no models.
    bank : ModelBank
        Bank to start from, which stays as it is.
    grid : AnnulusGrid
        Limits of the numbers of points.
    n_jobs : int or None
        Number of threads.

    Attributes
    ----------
    bank : ModelBank
        The bank so far.
    """

    def __init__(self, how, bank, grid, n_jobs):
        self.how = how
        self.bank: ModelBank = bank
        self._limits = grid.min_points, grid.max_points
        self._pool = in_threads(n_jobs)

    def __call__(self, lists) -> Models:
        """Return the models of some queries."""
        if self.how.interval:
            return Models(self.how, None, None, None)
        keys = needed_keys(lists, *self._limits)
        self.bank = self.bank.extended(keys, self._pool)
        return Models(self.how, self.bank.models, self.bank.places(0), self.bank.null)


def _compared(grid, part, owner, store, models):
    how = models.how
    if how.interval:
        degree = max(1, how.dim - 1)
        return compare_interval(
            owner, part.inner, part.outer, store, degree, how.pooled
        )
    return compare_models(
        *(owner, part.inner, part.outer, part.counts, store, models.models.frozen()),
        *(models.places, models.null, how.pooled, grid.max_points),
    )


def score_chunk(index, grid, lists, models):
    """Return scores and numbers of annuli of the queries of a chunk."""
    n_queries = lists.few.shape[0]
    scores, n_valid = np.empty(n_queries), np.empty(n_queries, dtype=np.intp)
    for rows, *found in annulus_diagrams(index, grid, lists, models.how.max_degree):
        part, owner, _ = found
        cells = _compared(grid, *found, models)[:, :, -1].copy()
        outer = part.outer if models.how.normalize else np.ones_like(part.outer)
        mean_cells(owner, cells, outer, scores[rows], n_valid[rows])
    return scores, n_valid


def profile_chunk(index, grid, lists, models):
    """Return distances and top degrees of each cell of the queries of a chunk."""
    distances, tops = [], []
    for _, *found in annulus_diagrams(index, grid, lists, models.how.max_degree):
        part, owner, store = found
        distances.append(_compared(grid, *found, models))
        top = np.empty(owner.shape, dtype=np.intp)
        top_degrees(owner, part.outer, store, 0.0, top)
        tops.append(top)
    n_steps = lists.inner.shape[1]
    inner = np.repeat(lists.inner, n_steps, axis=1)
    outer = np.tile(lists.outer, n_steps)
    found = np.concatenate(distances), np.concatenate(tops)
    return inner, outer, lists.counts, *found


def top_chunk(index, grid, lists, options):
    """Return the persistent dimension of the queries of a chunk, as one column."""
    max_degree, threshold, aggregate = options
    columns = []
    for _, part, owner, store in annulus_diagrams(index, grid, lists, max_degree):
        top = np.empty(owner.shape, dtype=np.intp)
        top_degrees(owner, part.outer, store, threshold, top)
        n_valid = (top >= 0).sum(axis=1)
        total = np.where(top >= 0, top, 0).sum(axis=1)
        value = (
            top.max(axis=1) if aggregate == "max" else total / np.maximum(n_valid, 1)
        )
        columns.append(np.where(n_valid > 0, value + 1.0, np.nan))
    return (np.concatenate(columns),)
