"""Mixtures of wrapped normals on hyperbolic space, as in the papers on its trees."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state, check_scalar

from geolearn.datasets._frame import answer, check_real
from geolearn.manifolds import Hyperboloid

TASKS = ("classification", "regression")


def make_wrapped_normal_mixture(
    n_samples: int = 1000,
    n_classes: int = 2,
    dim: int = 2,
    *,
    noise: float = 1.0,
    curvature: float = -1.0,
    task: str = "classification",
    scale_means: bool = True,
    random_state: Any = None,
    return_X_y: bool = True,
):
    """Make labelled points of a mixture of wrapped normals on the hyperboloid.

    Each class k has a mean, the exponential at the origin of a normal vector, and a
    covariance ``noise`` A A' / dim with standard normal A. A point is the
    exponential at its class mean of a normal vector with that covariance, drawn at
    the origin and transported to the mean.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points, at least 1.
    n_classes : int, default=2
        Number of components, at least 1. Their probabilities are random.
    dim : int, default=2
        Dimension of the hyperbolic space, at least 1.
    noise : float, default=1.0
        Factor of the covariances (not of the standard deviations), positive. For
        regression also the standard deviation of the noise of the target.
    curvature : float, default=-1.0
        Sectional curvature, negative. All vectors are geodesic lengths.
    task : {"classification", "regression"}, default="classification"
        Whether `y` holds the component, or a number: an affine function of the
        spatial part of the transported vector with a slope and an intercept for
        each component, plus noise, then scaled to the range [0, 1].
    scale_means : bool, default=True
        Whether the vectors of the means are divided by `dim`. True gives the data of
        [2]_, False those of [1]_.
    random_state : int, RandomState instance or None, default=None
        Draws the data. Pass an int for reproducible results.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, dim + 1)
        Points on the hyperboloid, time coordinate first.
    y : ndarray of shape (n_samples,)
        Component 0 ... `n_classes` - 1, or the target in [0, 1].
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields `X`, `y`,
        `component` (of each point), `vectors` of shape (n_samples, dim), drawn at
        the origin, `means` (points), `covariances`, `probabilities`, and for
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
    make_product_mixture : Mixtures on products of curved spaces.
    geolearn.manifolds.WrappedNormal : One component, with its density.

    Notes
    -----
    The numbers are drawn from the legacy stream of `numpy.random.RandomState` in the
    order of the papers (means, covariances, probabilities, components, points, and
    for regression slopes, intercepts, noise): an integer seed gives what
    ``numpy.random.seed`` gave there, up to rounding. Their code drops the rare points
    whose Minkowski norm rounds to zero; the points here are computed without that
    cancellation, and none is dropped.

    The published classification tables have ``n_classes=2, noise=2.0,
    scale_means=False`` [1]_ and ``n_samples=1000, n_classes=8`` [2]_.

    References
    ----------
    .. [1] P. Chlenski, E. Turok, A. Moretti, I. Pe'er, "Fast hyperboloid decision
       tree algorithms", ICLR 2024, arXiv:2310.13841.
    .. [2] P. Chlenski, I. Pe'er, "Even faster hyperbolic random forests: a
       Beltrami-Klein wrapper approach", 2025, arXiv:2506.04360.

    Examples
    --------
    >>> from geolearn.datasets import make_wrapped_normal_mixture
    >>> X, y = make_wrapped_normal_mixture(200, n_classes=3, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((200, 3), [0, 1, 2])
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_classes, "n_classes", Integral, min_val=1)
    check_scalar(dim, "dim", Integral, min_val=1)
    check_real(noise, "noise", include_boundaries="neither")
    check_task(task)
    space = Hyperboloid(dim, curvature=curvature)
    rng = check_random_state(random_state)
    data = _draw_components(space, n_classes, noise, scale_means, rng)
    data.component = rng.choice(n_classes, size=n_samples, p=data.probabilities)
    data.vectors = normal_vectors(data.covariances, data.component, rng)
    centers = data.means[data.component]
    moved = space.vector_to_tangent(centers, data.vectors)
    with np.errstate(over="ignore", invalid="ignore"):
        data.X = space.exp(centers, moved)
    check_finite(data.X, f"noise={noise} or abs(curvature)={abs(curvature)}")
    data.y = data.component
    if task == "regression":
        data.y = regression_target(data, moved[:, 1:], n_classes, noise, rng)
    return answer(data, return_X_y)


def _draw_components(space, n_classes, noise, scale_means, rng):
    vectors = rng.normal(size=(n_classes, space.dim))
    if scale_means:
        vectors /= space.dim
    roots = rng.normal(size=(n_classes, space.dim, space.dim))
    uniform = rng.uniform(size=n_classes)
    return Bunch(
        means=space.exp_vector(space.origin, vectors),
        covariances=noise * (roots @ roots.transpose(0, 2, 1)) / space.dim,
        probabilities=uniform / uniform.sum(),
    )


def normal_vectors(covariances, component, rng):
    """Draw what one call of the legacy `multivariate_normal` a point would draw."""
    standard = rng.standard_normal((len(component), covariances.shape[-1]))
    vectors = np.empty_like(standard)
    for k, covariance in enumerate(covariances):
        _, values, axes = np.linalg.svd(covariance)
        rows = component == k
        vectors[rows] = standard[rows] @ (np.sqrt(values)[:, None] * axes)
    return vectors


def regression_target(data, vectors, n_components, noise, rng):
    """Draw slopes, intercepts and noise; return the target, scaled to [0, 1]."""
    dim = vectors.shape[1]
    data.slopes = (0.5 - rng.standard_normal((n_components, dim))) * 2.0
    data.intercepts = (0.5 - rng.standard_normal(n_components)) * 20.0
    y = np.sum(data.slopes[data.component] * vectors, axis=1)
    y += data.intercepts[data.component]
    y += rng.normal(0.0, noise, size=len(vectors))
    extent = y.max() - y.min()
    return (y - y.min()) / (extent if extent > 0.0 else 1.0)


def check_finite(X, causes):
    """Raise if points are farther out than double precision goes."""
    far = np.flatnonzero(~np.isfinite(X).all(axis=1))
    if far.size:
        raise ValueError(
            f"{far.size} of {len(X)} points are more than about 700 radii of curvature "
            f"from the origin, and their coordinates overflow; lower {causes}."
        )


def check_task(task):
    """Raise unless the task is one of the two."""
    if task not in TASKS:
        raise ValueError(f"task={task!r} must be one of {list(TASKS)}.")
