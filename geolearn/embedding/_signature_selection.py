"""Choice of the components of a product space by greedy search."""

from typing import Any, NamedTuple

import numpy as np

from geolearn.embedding._product_space import ProductSpaceEmbedding
from geolearn.manifolds._signature import check_signature
from geolearn.utils.validation import check_integer

_CANDIDATES = ((-1.0, 2), (0.0, 2), (1.0, 2))


class SelectedSignature(NamedTuple):
    """Hold what `select_signature` found.

    Attributes
    ----------
    signature : tuple of (curvature, dim) pairs
        Components in the order in which they were chosen.
    embedding : ProductSpaceEmbedding
        Fitted embedding of that signature.
    losses : dict
        Lowest loss of every signature that was tried.
    """

    signature: tuple[tuple[float, int], ...]
    embedding: ProductSpaceEmbedding
    losses: dict


def select_signature(
    D: Any,
    candidates: Any = _CANDIDATES,
    max_components: int = 3,
    *,
    random_state: Any = None,
    n_jobs: int | None = None,
    **options: Any,
) -> SelectedSignature:
    """Choose the components of a product space by the loss of the embedding.

    Starting from none, the candidate is added with which `ProductSpaceEmbedding`
    reaches the lowest loss, until none lowers it or there are `max_components`
    [1]_. Every signature is fitted from the start.

    Parameters
    ----------
    D : array-like of shape (n_samples, n_samples)
        Distances. Curvatures refer to their unit: divide `D` by its largest entry,
        or offer each component with several curvatures.
    candidates : sequence of (curvature, dim) pairs, \
            default=((-1.0, 2), (0.0, 2), (1.0, 2))
        Components to choose from; each may be taken more than once.
    max_components : int, default=3
        Largest number of components.
    random_state : int, RandomState instance or None, default=None
        As in `ProductSpaceEmbedding`; an int is the same for all signatures.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.
    **options : dict
        Further parameters of `ProductSpaceEmbedding`.

    Returns
    -------
    SelectedSignature
        Named tuple of signature, fitted embedding and the losses of all tries.

    Raises
    ------
    TypeError
        If `max_components` is not an integer or an option has no such parameter.
    ValueError
        If a candidate is not such a pair, there is none, or `D` does not hold
        distances.

    References
    ----------
    .. [1] P. Tabaghi, C. Pan, E. Chien, J. Peng, O. Milenković, "Linear classifiers
       in product space forms", 2021, arXiv:2102.10204.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.embedding import select_signature
    >>> x = np.random.default_rng(0).normal(size=(15, 2))
    >>> D = np.linalg.norm(x[:, None] - x, axis=-1)
    >>> select_signature(D, random_state=0).signature
    ((0.0, 2),)
    """
    pairs = check_signature(candidates)
    max_components = check_integer(max_components, "max_components")
    D = np.asarray(D, dtype=np.float64)
    losses: dict = {}
    chosen: tuple = ()
    embedding: Any = None
    lowest = np.inf
    while len(chosen) < max_components:
        fits = {}
        for pair in dict.fromkeys(pairs):
            signature = (*chosen, pair)
            estimator = ProductSpaceEmbedding(
                signature, random_state=random_state, n_jobs=n_jobs, **options
            )
            fits[signature] = estimator.fit(D)
            losses[signature] = float(estimator.loss_curve_.min())
        best = min(fits, key=losses.__getitem__)
        if losses[best] >= lowest:
            break
        chosen, embedding, lowest = best, fits[best], losses[best]
        if _is_exact(lowest, len(D)):
            break
    return SelectedSignature(chosen, embedding, losses)


def _is_exact(loss, n):
    """Whether rounding explains the loss, so that no component can improve it."""
    return loss <= 1e-12 * n * n
