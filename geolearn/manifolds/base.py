"""The base class of all manifolds."""

from geolearn.manifolds._clouds import CloudOperations

__all__ = ["Manifold"]


class Manifold(CloudOperations):
    """Describe a Riemannian manifold by its exponential and logarithm.

    Manifolds are small immutable values: comparable, hashable, picklable, and
    shared by `sklearn.base.clone`. A data set of points is an array whose first
    axis is samples. All pointwise methods broadcast over leading axes like NumPy's
    arithmetic: ``exp(x, V)`` shoots many vectors from one point, and
    ``dist(X[:, None], Y[None])`` is a distance matrix. float32 input is computed
    in float64 and returned as float32.

    To add a manifold, derive a class, store every constructor argument under its
    own name, assign `dim` and `point_shape`, and implement ``_exp``, ``_log``,
    ``_project`` and ``_project_tangent`` for float64 arrays with any leading axes;
    also ``_inner``, unless the metric is that of the surrounding space.
    ``_dist``, ``_transport``, ``_log_volume_density``, ``_tangent_to_vector``,
    ``_vector_to_tangent`` and ``_random_point`` have numerical defaults, which a
    closed form replaces. ``_scaled`` of a symmetric space, or ``_hess_half_sqdist``
    and ``_log_adjoint``, give it Hessians. `check_manifold` verifies the result.

    Attributes
    ----------
    dim : int
        Dimension of the manifold.
    point_shape : tuple of int
        Shape of one point, and of one tangent vector.
    injectivity_radius : float
        Length up to which geodesics from any point are the shortest ones; `log`
        inverts `exp` on tangent vectors shorter than it.
    sectional_curvature_bounds : tuple of float
        Lowest and highest sectional curvature; infinite where not known.
    is_flat : bool
        Whether the curvature vanishes.
    is_hadamard : bool
        Whether the manifold is complete and simply connected and no sectional
        curvature is positive, so that every weighted mean is unique.
    has_hessian : bool
        Whether `hess_half_sqdist` is available; flat manifolds always have it.
    origin : ndarray of shape point_shape
        A distinguished point.

    See Also
    --------
    check_manifold : Verify a manifold numerically.
    get_manifold : Create a manifold from its name.
    """
