"""Descriptions of the parameters and attributes that compositions share.

A key may end in "@tree", "@forest", "@boosting", "@classifier" or "@regressor", and
then holds for these only. Defaults come from the signatures.
"""

import inspect
import textwrap

__all__ = ["write_docstring"]

_WIDTH = 88

_PARAMETERS = {
    "model": (
        '{"hyperboloid", "poincare", "klein"}',
        "Coordinates of the points, see `geolearn.preprocessing.AxialCoordinates`.",
    ),
    "curvature": ("float", "Sectional curvature of the space, negative."),
    "time_axis": (
        "int",
        "Column of the time coordinate of hyperboloid points; other models ignore it.",
    ),
    "criterion@classifier": (
        '{"gini", "entropy", "log_loss"}',
        "Impurity of a node; the last two are the same.",
    ),
    "criterion@regressor": (
        '{"squared_error", "absolute_error", "poisson"}',
        "Impurity of a node: the variance, the mean distance from the median, or the "
        'Poisson deviance. "friedman_mse", where the installed scikit-learn has it, is '
        "accepted too.",
    ),
    "splitter": (
        '{"best", "random"}',
        "Whether the best hyperplane is taken of each tried axis, or one at a random "
        "place, uniform in geodesic length.",
    ),
    "max_depth": (
        "int or None",
        "Largest number of splits above a leaf; None sets no limit.",
    ),
    "min_samples_split": (
        "int or float",
        "Least number of samples of a node that is split; a float is a share of all.",
    ),
    "min_samples_leaf": (
        "int or float",
        "Least number of samples of a leaf; a float is a share of all.",
    ),
    "min_samples_leaf@boosting": ("int", "Least number of samples of a leaf."),
    "min_weight_fraction_leaf": (
        "float",
        "Least share of the total weight of a leaf, in [0, 0.5].",
    ),
    "max_features": (
        'int, float, {"sqrt", "log2"} or None',
        "Number of axes tried at each split; a float is a share of all, None takes "
        "all.",
    ),
    "max_features@boosting": (
        "float",
        "Share of the axes, drawn at random, that are tried at each split.",
    ),
    "max_leaf_nodes": (
        "int or None",
        "Largest number of leaves, the split of largest gain first; None sets no "
        "limit.",
    ),
    "min_impurity_decrease": (
        "float",
        "Least gain of a split, times the share of the weight in the node.",
    ),
    "ccp_alpha": (
        "float",
        "Price of a leaf in minimal cost-complexity pruning, non-negative; 0 does not "
        "prune.",
    ),
    "class_weight": (
        'dict, list of dict, "balanced" or None',
        "Factors of the sample weights by class, a list for several outputs; "
        '"balanced" makes all classes equally heavy.',
    ),
    "class_weight@forest": (
        'dict, list of dict, {"balanced", "balanced_subsample"} or None',
        "Factors of the sample weights by class, a list for several outputs; "
        '"balanced" makes all classes equally heavy, "balanced_subsample" in each '
        "bootstrap sample.",
    ),
    "class_weight@boosting": (
        'dict, "balanced" or None',
        'Factors of the sample weights by class; "balanced" makes all classes equally '
        "heavy.",
    ),
    "monotonic_cst": (
        "array-like of int of shape (dim,) or None",
        "For each axis, whether predictions may only rise (1) or only fall (-1) with "
        "the axial coordinate, or both (0). Binary classification and single-output "
        "regression only.",
    ),
    "random_state": (
        "int, RandomState instance or None",
        "Source of randomness. Pass an int for reproducible results; trees break ties "
        "between axes at random, too.",
    ),
    "n_estimators": ("int", "Number of trees."),
    "bootstrap": (
        "bool",
        "Whether each tree sees samples drawn with replacement, or all of them.",
    ),
    "oob_score": (
        "bool or callable",
        "Whether to score each sample by the trees that did not see it, with `score`'s "
        "measure or with a function of targets and predictions. Needs `bootstrap`.",
    ),
    "n_jobs": ("int or None", "Number of threads; None means 1, -1 all."),
    "verbose": ("int", "0 is silent; higher numbers print progress."),
    "warm_start": (
        "bool",
        "Whether another `fit` keeps the trees and adds those that are missing.",
    ),
    "max_samples": (
        "int, float or None",
        "Number of samples drawn for each tree, or their share; None draws as many as "
        "there are. Needs `bootstrap`.",
    ),
    "loss@classifier": (
        '{"log_loss"}',
        "Loss that is minimised, the binary or multinomial log-likelihood.",
    ),
    "loss@regressor": (
        '{"squared_error", "absolute_error", "gamma", "poisson", "quantile"}',
        'Loss that is minimised; "gamma" and "poisson" predict exponentials.',
    ),
    "quantile": (
        "float or None",
        'Level in [0, 1] of ``loss="quantile"``, which needs it.',
    ),
    "learning_rate": ("float", "Factor of the leaf values of each tree, positive."),
    "max_iter": ("int", "Largest number of iterations, with a tree for each class."),
    "l2_regularization": ("float", "Ridge penalty of leaf values, non-negative."),
    "max_bins": (
        "int",
        "Number of quantile bins, at most 255, to which axial coordinates are rounded "
        "before training.",
    ),
    "categorical_features": (
        "array-like or None",
        "Axes taken as categories, as in scikit-learn. Axial coordinates are lengths, "
        "so that the default finds none.",
    ),
    "interaction_cst": (
        '{"pairwise", "no_interactions"}, list of sequences of int, or None',
        "Sets of axes that may be split on one way to a leaf.",
    ),
    "early_stopping": (
        '"auto" or bool',
        'Whether to stop when the validation score stalls; "auto" does so above 10000 '
        "samples.",
    ),
    "scoring": (
        "str, callable or None",
        'Score that decides about early stopping; "loss" takes the loss, None the '
        "estimator's `score`.",
    ),
    "validation_fraction": (
        "int, float or None",
        "Number or share of samples kept for early stopping; None uses the training "
        "samples.",
    ),
    "n_iter_no_change": (
        "int",
        "Number of iterations without improvement before early stopping.",
    ),
    "tol": ("float", "Improvement of the score that counts, non-negative."),
}

_ATTRIBUTES = {
    "estimator_": (
        "{wrapped}",
        "Fitted estimator on axial coordinates, e.g. for `sklearn.tree.plot_tree`.",
    ),
    "feature_scale_": (
        "float",
        "Power of two by which axial coordinates were multiplied, 1.0 unless all are "
        "below 1e-3 (or above 1e30), where scikit-learn's absolute tolerance of ties "
        "would join them. Thresholds inside of `estimator_` are in these units.",
    ),
    "classes_": (
        "ndarray of shape (n_classes,) or list of ndarray",
        "Labels in ascending order, a list for several outputs.",
    ),
    "n_classes_": ("int or list of int", "Number of classes of the outputs."),
    "n_outputs_": ("int", "Number of outputs."),
    "max_features_": ("int", "Number of axes tried at each split."),
    "feature_importances_": (
        "ndarray of shape (dim,)",
        "Share of each axis in the total decrease of impurity.",
    ),
    "tree_": ("sklearn.tree._tree.Tree", "Nodes of the tree as arrays."),
    "estimators_": (
        "list of {base}",
        "Fitted trees on axial coordinates.",
    ),
    "estimators_samples_": (
        "list of ndarray of int",
        "Samples that each tree was grown from.",
    ),
    "oob_score_": ("float", "Out-of-bag score, with ``oob_score=True``."),
    "oob_decision_function_": (
        "ndarray of shape (n_samples, n_classes) or (n_samples, n_classes, n_outputs)",
        "Out-of-bag probabilities, with ``oob_score=True``; NaN where a sample was in "
        "every bag.",
    ),
    "oob_prediction_": (
        "ndarray of shape (n_samples,) or (n_samples, n_outputs)",
        "Out-of-bag predictions, with ``oob_score=True``.",
    ),
    "n_iter_": ("int", "Number of iterations done."),
    "n_trees_per_iteration_": ("int", "Number of trees of an iteration."),
    "do_early_stopping_": ("bool", "Whether early stopping was used."),
    "train_score_": (
        "ndarray of shape (n_iter + 1,)",
        "Scores of training samples, before the first iteration and after each; empty "
        "without early stopping.",
    ),
    "validation_score_": (
        "ndarray of shape (n_iter + 1,)",
        "Scores of the samples kept for validation, likewise.",
    ),
    "n_features_in_": ("int", "Number of columns of the points seen during `fit`."),
    "feature_names_in_": (
        "ndarray of shape (n_columns,)",
        "Names of the columns seen during `fit`, if they were all strings.",
    ),
}


def _entry(table, name, marks, default=""):
    """Return a numpydoc entry, the most special one of the table."""
    keys = [*(f"{name}@{mark}" for mark in marks), name]
    kind, text = next(table[key] for key in keys if key in table)
    lines = textwrap.wrap(text, _WIDTH - 8)
    return "\n".join([f"{name} : {kind}{default}", *(f"    {line}" for line in lines)])


def write_docstring(cls, marks, attributes):
    """Fill "{parameters}" and "{attributes}" in the docstring of a composition."""
    if not cls.__doc__:  # python -OO
        return
    parameters = [
        _entry(_PARAMETERS, name, marks, f", default={_quoted(parameter.default)}")
        for name, parameter in inspect.signature(cls.__init__).parameters.items()
        if name != "self"
    ]
    names = ["estimator_", *attributes, "feature_scale_"]
    names += ["n_features_in_", "feature_names_in_"]
    described = "\n".join(_entry(_ATTRIBUTES, name, marks) for name in names)
    described = described.replace("{wrapped}", cls._wrapped.__name__)
    base = "Extra" if cls._wrapped.__name__.startswith("Extra") else "Decision"
    kind = "Classifier" if "classifier" in marks else "Regressor"
    described = described.replace("{base}", f"{base}Tree{kind}")
    text = inspect.cleandoc(cls.__doc__)
    text = text.replace("{parameters}", "\n".join(parameters))
    cls.__doc__ = text.replace("{attributes}", described) + "\n"


def _quoted(value):
    return f'"{value}"' if isinstance(value, str) else repr(value)
