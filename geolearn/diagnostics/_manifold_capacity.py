"""How many classes of a given spread a linear classifier can tell apart."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from geolearn.diagnostics._checks import check_boolean
from geolearn.diagnostics._classes import split_classes

_PEAK = 1.0 / np.sqrt(2.0 * np.pi)  # of the normal density


class ManifoldCapacity(NamedTuple):
    """Capacity of a labelled representation and the geometry behind it.

    Parameters
    ----------
    capacity : float
        Separable classes for each feature, at most 2.
    capacities, radii, dimensions : ndarray of shape (n_classes,)
        Capacity that each class alone would allow, its radius relative to its
        distance from the centre, and its participation ratio; NaN for a class of
        one row.
    """

    capacity: float
    capacities: np.ndarray
    radii: np.ndarray
    dimensions: np.ndarray


def manifold_capacity(Z, y, *, centered=True) -> ManifoldCapacity:
    r"""Estimate how many classes for each feature can be separated linearly.

    P random points in general position with random labels are separable in N
    features up to P/N = 2 (Cover). If each of them is the centre of a cloud of radius
    R (relative to the length of the centre) and dimension D, the mean-field theory of
    [1]_ gives the capacity :math:`\alpha` of round clouds as

    .. math:: \frac1\alpha = \int_{-\kappa}^\infty (t + \kappa)^2
       \frac{e^{-t^2/2}}{\sqrt{2\pi}}\, dt
       = (1 + \kappa^2)\,\Phi(\kappa) + \kappa\,\varphi(\kappa), \qquad
       \kappa = \frac{R \sqrt D}{\sqrt{1 + R^2}}.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Representation, one row a sample.
    y : array-like of shape (n_samples,)
        Classes, at least 2.
    centered : bool, default=True
        Whether class centres are measured from the mean of all of them instead of
        from the origin.

    Returns
    -------
    result : ManifoldCapacity
        Named tuple of `capacity`, the harmonic mean over the classes, and the arrays
        `capacities`, `radii` and `dimensions` with one entry a class.

    Raises
    ------
    ValueError
        If a class centre lies where they are measured from, no class has two rows,
        there is one class only, or the shapes do not fit.

    Warns
    -----
    UserWarning
        If classes with one row are left out: their spread is unknown.

    See Also
    --------
    centroid_nuclear_norm : Directions that the classes fill.

    Notes
    -----
    R is the root mean square distance from the centre of the class, D the
    participation ratio of its covariance. The full theory takes both over the anchor
    points of the clouds and corrects for correlated centres; this estimate is for
    comparing layers or models, not for counting classes.

    References
    ----------
    .. [1] S. Chung, D. D. Lee, H. Sompolinsky, "Classification and geometry of
       general perceptual manifolds", Physical Review X 8, 2018, 031003,
       arXiv:1710.06487.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import manifold_capacity
    >>> points = np.repeat(np.eye(4), 3, axis=0)
    >>> round(manifold_capacity(points, np.repeat(range(4), 3)).capacity, 12)
    2.0
    """
    centered = check_boolean("centered", centered)
    Z, classes = split_classes(Z, y)
    counts = np.array([own.size for own in classes.rows])
    if counts.max() < 2:
        raise ValueError("Every class has one row; their spread is unknown.")
    size = np.abs(Z).max()
    if size > 0.0:
        # Squares of very small or large units neither underflow nor overflow.
        Z, classes = Z / size, classes._replace(means=classes.means / size)
    origin = classes.means.mean(axis=0) if centered else 0.0
    lengths = np.linalg.norm(classes.means - origin, axis=1)
    if lengths.min() <= 8 * np.finfo(float).eps * np.abs(classes.means).max():
        label = classes.labels.tolist()[int(lengths.argmin())]
        raise ValueError(
            f"The centre of class {label!r} lies at the point that centres are "
            "measured from, so that its relative radius is infinite; change centered."
        )
    radii, dimensions = np.full((2, counts.size), np.nan)
    for c in np.flatnonzero(counts > 1):
        deviations = Z[classes.rows[c]] - classes.means[c]
        radii[c], dimensions[c] = _radius_dimension(deviations)
        radii[c] /= lengths[c]
    capacities = _point_capacity(radii * np.sqrt(dimensions) / np.hypot(1.0, radii))
    n_single = int(np.count_nonzero(counts == 1))
    if n_single:
        warnings.warn(
            f"{n_single} of {counts.size} classes have one row; their spread is "
            "unknown and they are left out.",
            UserWarning,
            stacklevel=2,
        )
    capacity = float(1.0 / np.nanmean(1.0 / capacities))
    return ManifoldCapacity(capacity, capacities, radii, dimensions)


def _radius_dimension(deviations):
    """Return the root mean square radius and the participation ratio."""
    n = deviations.shape[0]
    tall = n >= deviations.shape[1]
    gram = (deviations.T @ deviations if tall else deviations @ deviations.T) / n
    total, squares = float(np.trace(gram)), float(np.einsum("ij,ij->", gram, gram))
    if squares == 0.0:
        return 0.0, 0.0  # a point
    return np.sqrt(total), total**2 / squares


def _point_capacity(margin):
    """Return the capacity of points at a margin: 2 at margin 0 (Cover)."""
    density = _PEAK * np.exp(-0.5 * margin**2)
    return 1.0 / ((1.0 + margin**2) * ndtr(margin) + margin * density)
