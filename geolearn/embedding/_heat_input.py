"""Validation at the door of the heat-geodesic embedding."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted, validate_data

from geolearn.embedding._heat_graph import Nodes
from geolearn.graph._precomputed import is_precomputed

FEWEST_SAMPLES = 3


def is_pairwise(estimator) -> bool:
    """Tell whether `X` holds distances or affinities."""
    return is_precomputed(estimator.affinity) or is_precomputed(estimator.metric)


def check_training(estimator, X) -> tuple[np.ndarray, type]:
    """Return the training data as float64, and the dtype of the embedding."""
    pairwise = is_pairwise(estimator)
    if is_precomputed(estimator.affinity) and is_precomputed(estimator.metric):
        raise ValueError(
            'affinity="precomputed" and metric="precomputed" exclude each other: `X` '
            "holds either affinities or distances; set one of them."
        )
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr" if pairwise else False,
        dtype=[np.float64, np.float32],
        order="C",
        ensure_min_samples=FEWEST_SAMPLES,
        ensure_non_negative=pairwise,
    )
    if pairwise and X.shape[0] != X.shape[1]:
        kind = "affinities" if is_precomputed(estimator.affinity) else "distances"
        raise ValueError(
            f"Precomputed {kind} must be a square matrix (n_samples, n_samples), got "
            f"shape {X.shape}."
        )
    if estimator.n_components >= X.shape[0]:
        raise ValueError(
            f"n_components={estimator.n_components} must be less than "
            f"n_samples={X.shape[0]}; lower n_components."
        )
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    return X.astype(np.float64, copy=False), dtype


def check_new(estimator, X) -> np.ndarray:
    """Return new samples, or their distances to the nodes, as float64."""
    check_is_fitted(estimator)
    pairwise = is_precomputed(estimator.metric)
    X = validate_data(
        estimator,
        X,
        dtype=np.float64,
        order="C",
        reset=False,
        ensure_non_negative=pairwise,
    )
    if pairwise and X.shape[1] != estimator._first_samples.size:
        X = np.ascontiguousarray(X[:, estimator._first_samples])
    return X


def check_weights(weights, n_samples, nodes: Nodes):
    """Return given weights of pairs restricted to the nodes, None for a name."""
    if weights is None or isinstance(weights, str):
        return None
    if issparse(weights):
        raise TypeError("mds_weights must be a dense array, got a sparse one.")
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n_samples, n_samples):
        raise ValueError(
            f"mds_weights must have shape (n_samples, n_samples)="
            f"({n_samples}, {n_samples}), got {weights.shape}."
        )
    pairs = weights[~np.eye(n_samples, dtype=bool)]
    if not (pairs.min() >= 0 and pairs.max() < np.inf):  # also catches NaN
        raise ValueError(
            f"mds_weights must be finite and non-negative, got values from "
            f"{pairs.min():.3g} to {pairs.max():.3g}; a weight of 0 leaves a pair out."
        )
    if not np.allclose(weights, weights.T, rtol=1e-8, atol=0, equal_nan=True):
        raise ValueError("mds_weights must be symmetric; pass (w + w.T) / 2.")
    if nodes.are_samples:
        return weights
    return weights[np.ix_(nodes.first, nodes.first)]
