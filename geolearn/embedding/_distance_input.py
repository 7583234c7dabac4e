"""Samples given as rows or by their distances, and landmarks among them."""

import numpy as np
from sklearn.utils import check_random_state

from geolearn.graph import select_landmarks
from geolearn.graph._precomputed import is_precomputed
from geolearn.metrics import pairwise_distances, pairwise_distances_blocks

_NEGATIVE = 1e-8  # tolerated, relative to the largest distance


class DistanceInputMixin:
    """Input by the parameters `metric`, `metric_params` and `n_jobs`."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self._is_precomputed
        tags.input_tags.positive_only = self._is_precomputed
        return tags

    @property
    def _is_precomputed(self):
        return is_precomputed(self.metric)

    def _distances(self, X, Y=None):
        """Return the distances of rows, which a metric of the user may get wrong."""
        return check_computed(
            pairwise_distances(
                X,
                Y,
                metric=self.metric,
                metric_params=self.metric_params,
                n_jobs=self.n_jobs,
            ),
            self.metric,
        )


class LandmarkInputMixin(DistanceInputMixin):
    """Input of estimators that keep the rows of landmarks in `_landmarks`."""

    def _mutual_distances(self, X, chosen):
        everything = chosen.size == X.shape[0]
        if self._is_precomputed:
            return X if everything else X[np.ix_(chosen, chosen)]
        return self._distances(X if everything else X[chosen])

    def _distance_blocks(self, X, n_rows):
        """Yield row slices of new samples and their distances from the landmarks.

        `n_rows` is the number of rows of given distances at a time.
        """
        if not self._is_precomputed:
            blocks = pairwise_distances_blocks(
                X,
                self._landmarks,
                metric=self.metric,
                metric_params=self.metric_params,
                n_jobs=self.n_jobs,
            )
            for rows, D in blocks:
                yield rows, check_computed(D, self.metric)
            return
        every = self.landmark_indices_.size == X.shape[1]
        for start in range(0, X.shape[0], n_rows):
            rows = slice(start, start + n_rows)
            yield rows, X[rows] if every else X[rows][:, self.landmark_indices_]


def check_computed(D, metric):
    """Return distances that a metric gave; raise unless they are numbers from 0 on."""
    lowest, largest = (float(D.min()), float(D.max())) if D.size else (0.0, 0.0)
    if not np.isfinite(largest) or lowest < -_NEGATIVE * largest:
        wrong = largest if not np.isfinite(largest) else lowest
        raise ValueError(
            f"metric={metric!r} gave a distance of {wrong:.3g}; distances must be "
            "finite and non-negative. Check the metric and the samples."
        )
    return D


def choose_landmarks(wanted, n, *, all_up_to, otherwise, random_state):
    """Return the rows of landmarks among n samples, increasing.

    Parameters
    ----------
    wanted : int, "auto" or None
        Number of landmarks. "auto" takes all samples or `otherwise`, None all.
    n : int
        Number of samples.
    all_up_to : int
        Number of samples up to which "auto" takes all.
    otherwise : int
        Number of landmarks above.
    random_state : int, RandomState instance or None
        Draws them; not used where all are taken.

    Returns
    -------
    ndarray of int of shape (n_landmarks,)
        Rows.

    Raises
    ------
    ValueError
        If there are fewer samples than landmarks.
    """
    if isinstance(wanted, str):
        wanted = n if n <= all_up_to else otherwise
    if wanted is None or wanted == n:
        return np.arange(n)
    if wanted > n:
        raise ValueError(
            f"n_landmarks={wanted} must be at most n_samples={n}; lower n_landmarks or "
            "pass None for all samples."
        )
    rng = check_random_state(random_state)
    return select_landmarks(wanted, n_samples=n, random_state=rng)
