"""Mixtures of wrapped normals on products of spaces of constant curvature."""

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state, check_scalar

from geolearn.datasets._frame import answer, check_real
from geolearn.datasets._hyperbolic_mixture import (
    check_finite,
    check_task,
    normal_vectors,
    regression_target,
)
from geolearn.manifolds._signature import check_signature, component_space
from geolearn.manifolds.wrapped_normal import transport_from_origin

_JITTER = 1e-5  # added to the Wishart covariances by the paper


def make_product_mixture(
    signature: Sequence[tuple[float, int]],
    n_samples: int = 1000,
    n_classes: int = 2,
    *,
    n_clusters: int | None = None,
    mean_variance: float = 1.0,
    point_variance: float = 1.0,
    adjust_for_dim: bool = False,
    noise: float = 0.1,
    task: str = "classification",
    random_state: Any = None,
    return_X_y: bool = True,
):
    """Make labelled points of a mixture of wrapped normals on a product space [1]_.

    Each cluster has in each component a mean, the exponential at the origin of a
    normal vector, and a random covariance: Wishart with dim + 1 degrees of freedom.
    A point is the exponential at its cluster mean of a normal vector, drawn at the
    origin and transported there.

    Parameters
    ----------
    signature : sequence of (curvature, dim) pairs
        Components: negative curvature is a hyperboloid and positive curvature a
        sphere, of dim + 1 columns each; zero is flat space of dim columns.
    n_samples : int, default=1000
        Number of points, at least 1.
    n_classes : int, default=2
        Number of classes, at least 1.
    n_clusters : int, default=None
        Number of clusters, at least `n_classes`, of random probabilities. The first
        `n_classes` are one class each, the others get random classes. None takes
        `n_classes`.
    mean_variance : float, default=1.0
        Variance of the vectors of the means, positive.
    point_variance : float, default=1.0
        Scale of the Wishart distribution of the covariances, positive.
    adjust_for_dim : bool, default=False
        Whether both variances are divided by the sum of the dimensions.
    noise : float, default=0.1
        Standard deviation of the noise of a regression target, before its scaling.
    task : {"classification", "regression"}, default="classification"
        Whether `y` holds the class, or a number: an affine function of the drawn
        vector with one slope vector, over all components, and one intercept for each
        cluster, plus noise, then scaled to the range [0, 1].
    random_state : int, RandomState instance or None, default=None
        Draws the data. Pass an int for reproducible results.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_columns)
        Points; the coordinates of the components stand side by side.
    y : ndarray of shape (n_samples,)
        Class 0 ... `n_classes` - 1, or the target in [0, 1].
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`, `y`,
        `component` (cluster of each point), `vectors` of shape (n_samples, sum of
        the dimensions), `means` (points), `covariances` (one array for each
        component), `probabilities`, `classes` (class of each cluster), and for
        regression `slopes` and `intercepts`.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range, or spreads points over more than about 700
        radii of curvature, where coordinates overflow.

    See Also
    --------
    make_wrapped_normal_mixture : The hyperbolic mixture of the papers on its trees.
    geolearn.manifolds.WrappedNormal : One cluster, with its density.

    Notes
    -----
    Vectors are in units of the radius of curvature R = 1 / sqrt(abs(curvature)): a
    vector of length 1 is a step of length R, so that a component looks alike for
    every curvature of the same sign. The reference implementation draws from
    another random stream, so its samples cannot be repeated number by number, and
    it repeats the draw of the clusters until each has two points.

    References
    ----------
    .. [1] P. Chlenski, Q. Chu, R. Khan, K. Du, A. Moretti, I. Pe'er,
       "Mixed-curvature decision trees and random forests", ICML 2025,
       arXiv:2410.13879.

    Examples
    --------
    >>> from geolearn.datasets import make_product_mixture
    >>> signature = [(-1.0, 2), (0.0, 3), (1.0, 2)]
    >>> X, y = make_product_mixture(signature, 200, n_classes=3, random_state=0)
    >>> X.shape
    (200, 9)
    """
    components = check_signature(signature)
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_classes, "n_classes", Integral, min_val=1)
    n_clusters = n_classes if n_clusters is None else n_clusters
    check_scalar(n_clusters, "n_clusters", Integral, min_val=n_classes)
    check_real(mean_variance, "mean_variance", include_boundaries="neither")
    check_real(point_variance, "point_variance", include_boundaries="neither")
    check_real(noise, "noise")
    check_task(task)
    rng = check_random_state(random_state)
    if adjust_for_dim:
        total = sum(dim for _, dim in components)
        mean_variance, point_variance = mean_variance / total, point_variance / total
    spaces = [component_space(K, dim) for K, dim in components]
    means = [_draw_means(space, n_clusters, mean_variance, rng) for space in spaces]
    uniform = rng.uniform(size=n_clusters)
    data = Bunch(means=np.hstack(means), probabilities=uniform / uniform.sum())
    data.component = rng.choice(n_clusters, size=n_samples, p=data.probabilities)
    data.covariances = [
        _wishart(n_clusters, space.dim, point_variance, rng) for space in spaces
    ]
    vectors = [normal_vectors(cov, data.component, rng) for cov in data.covariances]
    data.vectors = np.hstack(vectors)
    triples = zip(spaces, means, vectors, strict=True)
    with np.errstate(over="ignore", invalid="ignore"):
        placed = [_place(s, mean[data.component], v) for s, mean, v in triples]
    data.X = np.hstack(placed)
    causes = f"mean_variance={mean_variance} or point_variance={point_variance}"
    check_finite(data.X, causes)
    others = rng.randint(n_classes, size=n_clusters - n_classes)
    data.classes = np.concatenate([np.arange(n_classes), others])
    data.y = data.classes[data.component]
    if task == "regression":
        data.y = regression_target(data, data.vectors, n_clusters, noise, rng)
    return answer(data, return_X_y)


def _draw_means(space, n_clusters, variance, rng):
    vectors = math.sqrt(variance) * rng.standard_normal((n_clusters, space.dim))
    return _place(space, space.origin, vectors)


def _wishart(n, dim, scale, rng):
    """Draw sums of dim + 1 squares of normal vectors, with a small jitter."""
    factors = math.sqrt(scale) * rng.standard_normal((n, dim, dim + 1))
    return factors @ factors.transpose(0, 2, 1) + _JITTER * np.eye(dim)


def _place(space, base, vectors):
    """Shoot from the points `base` along vectors in units of the curvature radius."""
    lengths = space._length_scale * vectors
    return space.exp(base, transport_from_origin(space, base, lengths))
