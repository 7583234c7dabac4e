"""What random forests on product spaces have in common."""

import reprlib
import warnings
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from scipy import sparse
from sklearn.base import BaseEstimator, MultiOutputMixin
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from geolearn.tree.builder import ProductSpaceInput, presort, random_seed
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import Interval

_EVERY = np.empty(0, np.bool_)  # no row rests


class ProductSpaceForest(ProductSpaceInput, MultiOutputMixin, BaseEstimator):
    """Grow trees on bootstrap samples of features sorted once, and average them."""

    _parameter_constraints: ClassVar[dict] = {
        **ProductSpaceInput._parameter_constraints,
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "bootstrap": ["boolean"],
        "oob_score": ["boolean", callable],
        "max_samples": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0.0, 1.0, closed="right"),
            None,
        ],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
    }
    _tree_class: ClassVar[type]
    _tree_parameters: ClassVar[tuple[str, ...]] = (
        "signature",
        "criterion",
        "max_depth",
        "min_samples_split",
        "min_samples_leaf",
        "min_weight_fraction_leaf",
        "max_features",
        "max_leaf_nodes",
        "min_impurity_decrease",
        "ccp_alpha",
        "planes",
        "special_dims",
    )
    bootstrap: bool
    oob_score: Any
    max_samples: Any
    n_estimators: int
    n_jobs: int | None
    warm_start: bool

    def _fit(self, X, y, sample_weight):
        if self.oob_score and not self.bootstrap:
            raise ValueError(
                "oob_score needs samples that a tree has not seen, and "
                "bootstrap=False shows all to every tree; set bootstrap=True."
            )
        if self.max_samples is not None and not self.bootstrap:
            raise ValueError(
                f"max_samples={self.max_samples} is the size of bootstrap samples; "
                f"set bootstrap=True, or max_samples=None."
            )
        again = self.warm_start and hasattr(self, "estimators_")
        earlier = self._fitted_of_tree() if again else {}
        Z, y = self._read_training(X, y)
        target = self._encode(y)
        if again:
            self._check_continues(earlier)
        weight = self._read_weight(sample_weight, Z)
        per_tree = getattr(self, "class_weight", None) == "balanced_subsample"
        if not (per_tree and self.bootstrap):
            weight = self._weigh_classes(weight, y, self._class_weight())
        seeds = self._new_seeds()
        if seeds:
            self._grow_trees(Z, y, target, weight, seeds, per_tree)
        self.max_features_ = self._max_features()
        if self.oob_score:
            self._score_out_of_bag(Z, y)
        return self

    def _check_continues(self, earlier):
        """Refuse trees of other features or classes than the earlier ones have."""
        for name, what in (
            ("_components", "signature"),
            ("split_features_", "planes and special_dims"),
            ("n_outputs_", "outputs of y"),
            ("classes_", "classes of y"),
        ):
            old, new = earlier.get(name), getattr(self, name, None)
            if not _are_equal(old, new):
                self.__dict__.update(earlier)
                change = f"from {reprlib.repr(old)} to {reprlib.repr(new)}"
                raise ValueError(
                    f"warm_start=True adds trees to those there are, but {what} "
                    f"changed {change}. Fit the same problem, or set warm_start=False."
                )

    def _class_weight(self):
        wanted = getattr(self, "class_weight", None)
        return "balanced" if wanted == "balanced_subsample" else wanted

    def _new_seeds(self):
        """Return the seeds of the trees that are missing, and drop stale trees."""
        rng = check_random_state(self.random_state)
        if not self.warm_start or not hasattr(self, "estimators_"):
            self.estimators_, self._seeds = [], []
        n_old = len(self.estimators_)
        if self.n_estimators < n_old:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be at least the {n_old} trees "
                f"there are already when warm_start=True; raise it."
            )
        if self.n_estimators == n_old:
            warnings.warn(
                "warm_start=True without raising n_estimators grows no new trees.",
                UserWarning,
                stacklevel=4,
            )
        return [random_seed(rng) for _ in range(self.n_estimators)][n_old:]

    def _grow_trees(self, Z, y, target, weight, seeds, per_tree):
        features = np.ascontiguousarray(Z.T)
        circular = self.split_features_.circular
        presorted = presort(features, circular, self._max_features())
        progress = Progress(self.verbose, __name__)
        template = self._tree_template()

        def grow(number, seed):
            own = self._bag(weight, y, seed, per_tree)
            tree = self._tree_class(**template, random_state=seed)
            tree.__dict__.update(self._fitted_of_tree())
            limits = tree._limits(len(own), own)
            tree.tree_ = tree._make(
                presorted, target, own, limits, seed, self.ccp_alpha
            )
            tree.max_features_ = limits.max_features
            progress("tree %d of %d", number + 1, self.n_estimators, level=2)
            return tree

        first = len(self.estimators_)
        self.estimators_ += _in_threads(
            self.n_jobs, grow, list(enumerate(seeds, start=first))
        )
        self._seeds += seeds
        progress("%d trees on %d samples", self.n_estimators, len(Z))

    def _tree_template(self):
        return {name: getattr(self, name) for name in self._tree_parameters}

    def _fitted_of_tree(self):
        """Return the attributes that a tree shares with its forest."""
        names = ("n_features_in_", "feature_names_in_", "split_features_")
        own = ("_components", "n_outputs_", "classes_", "n_classes_", "_starts")
        return {n: getattr(self, n) for n in (*names, *own) if hasattr(self, n)}

    def _counts(self, n, seed):
        """Return how often a tree's bootstrap sample holds each training sample."""
        size = n
        if isinstance(self.max_samples, Integral):
            size = int(self.max_samples)
            if size > n:
                raise ValueError(
                    f"max_samples={size} must be at most n_samples={n}; lower it."
                )
        elif self.max_samples is not None:
            size = max(1, round(n * self.max_samples))
        drawn = np.random.RandomState(seed).randint(0, n, size)
        return np.bincount(drawn, minlength=n)

    def _bag(self, weight, y, seed, per_tree):
        """Return the weights of one tree."""
        if not self.bootstrap:
            return weight
        counts = self._counts(len(weight), seed)
        own = counts * weight
        if per_tree:
            rows = np.repeat(np.arange(len(weight)), counts)
            labels = y[:, 0] if y.shape[1] == 1 else y
            own = own * compute_sample_weight("balanced", labels, indices=rows)
        if not np.any(own > 0.0):
            return weight  # all drawn samples have weight zero: a tree of all
        return own

    def _average(self, Z, only=None):
        """Return the mean leaf values (n_samples, n_outputs, n_values).

        Rows are shared out among threads, trees are added in their order, so that
        the sums do not depend on the number of threads.
        """
        shape = self.estimators_[0].tree_.value.shape[1:]
        out = np.zeros((len(Z), int(np.prod(shape))))

        def add(start, stop):
            for number, tree in enumerate(self.estimators_):
                mask = _EVERY if only is None else only[number]
                tree.tree_.add_to(out, Z, start, stop, mask)

        n_blocks = max(1, min(effective_n_jobs(self.n_jobs), len(Z)))
        ends = np.linspace(0, len(Z), n_blocks + 1).astype(int)
        _in_threads(self.n_jobs, add, list(pairwise(ends)))
        if only is None:
            out /= len(self.estimators_)
        else:
            with np.errstate(invalid="ignore"):  # NaN for rows in every sample
                out /= only.sum(axis=0)[:, None]
        return out.reshape(len(Z), *shape)

    def _score_out_of_bag(self, Z, y):
        out = np.array([self._counts(len(Z), seed) == 0 for seed in self._seeds])
        means = self._average(Z, out)
        known = out.any(axis=0)
        if not known.all():
            warnings.warn(
                f"{int((~known).sum())} samples are in the bootstrap sample of every "
                f"tree: their out-of-bag predictions are NaN and do not count in the "
                f"score. Raise n_estimators.",
                UserWarning,
                stacklevel=4,
            )
        truth, guess = self._out_of_bag(means, y, known)
        score = self.oob_score if callable(self.oob_score) else self._default_score
        self.oob_score_ = score(truth, guess) if known.any() else np.nan

    def apply(self, X):
        """Return the leaves that each point reaches.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        ndarray of int of shape (n_samples, n_estimators)
            Numbers of nodes of the trees.
        """
        Z = self._read_points(X)
        return np.column_stack([tree.tree_.apply(Z) for tree in self.estimators_])

    def decision_path(self, X):
        """Return which nodes of all trees each point visits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Points of the product space.

        Returns
        -------
        indicator : sparse matrix of shape (n_samples, n_nodes)
            Ones where a point visits a node, in CSR format.
        n_nodes_ptr : ndarray of int of shape (n_estimators + 1,)
            Columns ``n_nodes_ptr[t]:n_nodes_ptr[t + 1]`` belong to tree t.
        """
        Z = self._read_points(X)
        paths = [tree.tree_.decision_path(Z) for tree in self.estimators_]
        ends = np.cumsum([0, *(path.shape[1] for path in paths)])
        return sparse.hstack(paths).tocsr(), ends

    @property
    def feature_importances_(self):
        """Mean impurity decrease of each feature over trees, summing to one."""
        check_is_fitted(self)
        trees = [t.tree_ for t in self.estimators_ if t.tree_.node_count > 1]
        if not trees:
            return np.zeros(len(self.split_features_.axis))
        mean = np.mean([t.compute_feature_importances() for t in trees], axis=0)
        return mean / mean.sum() if mean.sum() > 0.0 else mean


def _are_equal(one, other):
    """Compare numbers, arrays and nested sequences of these."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_are_equal(a, b) for a, b in pairs)
    return np.array_equal(one, other)


def _in_threads(n_jobs, function, arguments):
    """Call a function that releases the interpreter lock; results keep the order."""
    if effective_n_jobs(n_jobs) == 1 or len(arguments) == 1:
        return [function(*argument) for argument in arguments]
    parallel = Parallel(n_jobs=n_jobs, require="sharedmem")
    return parallel(delayed(function)(*argument) for argument in arguments)
