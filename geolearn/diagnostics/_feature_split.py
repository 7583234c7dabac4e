"""Whether two halves of the features tell the same distances."""

import numpy as np
from joblib import Parallel, delayed
from scipy.spatial.distance import pdist
from scipy.stats import rankdata
from sklearn.utils import check_random_state

from geolearn.diagnostics._checks import check_choice, check_count
from geolearn.diagnostics._spectrum import check_representation
from geolearn.utils._threads import matrix_threads, resolve_threads


def feature_split_stability(
    Z,
    *,
    n_splits=30,
    max_samples=1600,
    metric="cosine",
    random_state=None,
    n_jobs=None,
) -> float:
    """Correlate the distances that two random halves of the features give.

    The features are halved at random `n_splits` times. The score is the mean of the
    Spearman correlations between the distances of all pairs of rows in the one half
    and in the other: the feature-split stability "Shesha" [1]_. Near 1, every half
    of the features tells the same geometry; near 0 the distances are noise of single
    features.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Representation, one row a sample; at least 3 rows and 2 features.
    n_splits : int, default=30
        Number of random halvings.
    max_samples : int or None, default=1600
        Number of rows, drawn at random, to which a larger table is reduced; None
        keeps all. Memory grows as its square.
    metric : {"cosine", "euclidean"}, default="cosine"
        Distance between rows of a half. The cosine distance of a row of zeros is 1,
        and 0 to another row of zeros.
    random_state : int, RandomState instance or None, default=None
        Draws the rows and the halvings. Pass an int for reproducible results.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all. The result does not depend on it.

    Returns
    -------
    stability : float
        Mean correlation, in [-1, 1].

    Raises
    ------
    ValueError
        If a parameter is invalid, `Z` has fewer than 2 features, or all distances
        are equal in some half.

    Notes
    -----
    The score depends on the axes: it changes under a rotation of the features, and
    is high if every feature is a random mixture of a few latent variables. It tells
    redundancy, not quality.

    References
    ----------
    .. [1] P. C. Raju, "Geometric stability: The missing axis of representations",
       2026, arXiv:2601.09173.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import feature_split_stability
    >>> rng = np.random.default_rng(0)
    >>> mixed = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 64))
    >>> round(feature_split_stability(mixed, random_state=0), 1)
    0.9
    >>> noise = rng.normal(size=(200, 64))
    >>> abs(round(feature_split_stability(noise, random_state=0), 1))
    0.0
    """
    check_count("n_splits", n_splits, 1)
    if max_samples is not None:
        check_count("max_samples", max_samples, 3)
    check_choice("metric", metric, ("cosine", "euclidean"))
    Z = check_representation(Z, min_samples=3)
    if Z.shape[1] < 2:
        raise ValueError(f"Z has {Z.shape[1]} feature(s); halves need at least 2.")
    rng = check_random_state(random_state)
    if max_samples is not None and Z.shape[0] > max_samples:
        Z = Z[np.sort(rng.permutation(Z.shape[0])[:max_samples])]
    size = np.abs(Z).max()
    if size > 0.0:
        Z = Z / size  # squares neither overflow nor underflow
    orders = [rng.permutation(Z.shape[1]) for _ in range(n_splits)]
    with matrix_threads(1):  # threads run over halvings
        scores = Parallel(n_jobs=resolve_threads(n_jobs), prefer="threads")(
            delayed(_split_correlation)(Z, order, metric) for order in orders
        )
    return float(np.mean(scores))


def _split_correlation(Z, order, metric):
    middle = order.size // 2
    halves = (np.sort(order[:middle]), np.sort(order[middle:]))
    a, b = (_centred_ranks(_distances(Z[:, half], metric)) for half in halves)
    scale = np.sqrt(a @ a) * np.sqrt(b @ b)
    if scale == 0.0:
        raise ValueError(
            "All pairs of rows have the same distance in one half of the features: "
            "there is nothing to correlate. Remove constant features or repeated "
            "rows; with few features take metric='euclidean'."
        )
    return float(np.clip((a @ b) / scale, -1.0, 1.0))


def _distances(Z, metric):
    """Return the distances of the pairs i < j, row by row."""
    if metric == "euclidean":
        return pdist(Z)
    norms = np.sqrt(np.einsum("ij,ij->i", Z, Z))
    zero = norms == 0.0
    unit = Z / np.where(zero, 1.0, norms)[:, None]
    D = 1.0 - unit @ unit.T
    D[np.ix_(zero, zero)] = 0.0
    return D[np.triu_indices(D.shape[0], 1)]


def _centred_ranks(values):
    """Return ranks minus their mean; equal values share their mean rank."""
    order = np.argsort(values)
    ascending = values[order]
    if (ascending[1:] == ascending[:-1]).any():
        ranks = rankdata(values)
    else:
        ranks = np.empty(values.size)
        ranks[order] = np.arange(1.0, values.size + 1.0)
    return ranks - ranks.mean()
