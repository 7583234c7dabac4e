"""How many directions the classes of a representation fill."""

import numpy as np

from geolearn.diagnostics._checks import check_boolean
from geolearn.diagnostics._classes import split_classes


def centroid_nuclear_norm(Z, y, *, normalize=False) -> float:
    r"""Compute the nuclear norm of the class centroids on the unit sphere.

    Every row is scaled to length 1, the rows of each class are averaged, and the
    singular values of the table of centroids are summed. Maximum manifold capacity
    representations [1]_ make this number large: the rows of a class must agree, so
    that their centroid is long, and the classes must point in different directions.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Representation, one row a sample, no row of zeros.
    y : array-like of shape (n_samples,)
        Classes (in [1]_ the views of one image), at least 2.
    normalize : bool, default=False
        Whether to divide by the largest value possible,
        :math:`\sqrt{C \min(C, d)}` for C classes and d features.

    Returns
    -------
    norm : float
        Nuclear norm, positive unless all centroids vanish; the larger the better.

    Raises
    ------
    ValueError
        If a row is zero, there is one class only, or the shapes do not fit.

    See Also
    --------
    manifold_capacity : Number of separable classes for each feature.

    References
    ----------
    .. [1] T. Yerxa, Y. Kuang, E. Simoncelli, S. Chung, "Learning efficient coding of
       natural images with maximum manifold capacity representations", Advances in
       Neural Information Processing Systems 36, 2023, arXiv:2303.03307.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import centroid_nuclear_norm
    >>> Z = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    >>> round(centroid_nuclear_norm(Z, [0, 0, 1, 1]), 6)
    2.0
    >>> round(centroid_nuclear_norm(Z, [0, 1, 0, 1]), 6)
    1.0
    """
    normalize = check_boolean("normalize", normalize)
    Z, classes = split_classes(Z, y)
    largest = np.abs(Z).max(axis=1)
    if not largest.all():
        raise ValueError(
            f"Row {int(np.argmin(largest))} of Z is zero and has no direction; drop "
            "such rows."
        )
    Z = Z / largest[:, None]
    Z /= np.linalg.norm(Z, axis=1)[:, None]
    centroids = np.array([Z[own].mean(axis=0) for own in classes.rows])
    norm = float(np.linalg.svd(centroids, compute_uv=False).sum())
    if normalize:
        norm /= np.sqrt(centroids.shape[0] * min(centroids.shape))
    return norm
