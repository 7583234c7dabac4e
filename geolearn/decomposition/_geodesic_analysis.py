"""Exact principal geodesic analysis in spaces of constant curvature."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np

from geolearn.decomposition._affine_span_frames import SpanFrame, unfold
from geolearn.decomposition._bsa_free import free_flag
from geolearn.decomposition._bsa_input import check_training
from geolearn.decomposition._tangent_scores import TangentScores, signed
from geolearn.manifolds import Euclidean
from geolearn.utils._sklearn import HasMethods, Interval, _fit_context

_ORTHOGONAL = 1e-12  # cosine of the distance to a subspace that is only rounding


class PrincipalGeodesicAnalysis(TangentScores):
    r"""Find geodesic subspaces through the mean with the least residuals [1]_.

    Starting from the Fréchet mean, each component is the direction for which the
    squared distances of the samples to the geodesic subspace spanned so far are the
    least. Distances are those of the manifold, not of its tangent space as in
    `TangentPCA`, which leaves more unexplained where data are spread widely. This is
    the forward strategy of barycentric subspace analysis with free references [2]_.
    Only for spaces of constant curvature, where there are closed forms: "euclidean",
    "sphere", "hyperboloid", "poincare", "klein" and SPD matrices with flat metrics.

    Parameters
    ----------
    n_components : int, default=2
        Number of components, at most the dimension of the manifold.
    manifold : str or Manifold, default="euclidean"
        Space of the samples: a name that `geolearn.manifolds.get_manifold` knows, or
        an instance such as ``Sphere(2, radius=3.0)``.
    n_init : int, default=4
        Number of further starts, at samples, for the mean on spheres and for each
        direction.
    max_iter : int, default=100
        Largest number of steps for the mean and for each direction.
    tol : float, default=1e-10
        Square root of the relative decrease of the residuals that the last step may
        still promise.
    random_state : int, RandomState instance or None, default=None
        Draws samples for starts. Pass an int for reproducible results.

    Attributes
    ----------
    mean_ : ndarray of shape point_shape
        Fréchet mean of the samples.
    components_ : ndarray of shape (n_components, \*point_shape)
        Orthonormal tangent vectors at the mean. The coordinate of largest size of
        each is positive.
    unexplained_variance_ : ndarray of shape (n_components + 1,)
        Weighted means of squared distances to the mean and to the subspaces of the
        first 1, 2, ... components.
    explained_variance_ : ndarray of shape (n_components,)
        Decrease of the unexplained variance by each component.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        The same as a share of the variance.
    n_components_ : int
        Number of components.
    n_iter_ : int
        Steps in all; 1 for closed forms.
    manifold_ : Manifold
        Space of the samples.
    n_features_in_ : int
        Length of the second axis of `X`.
    feature_names_in_ : ndarray of shape (n_features_in\_,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    TangentPCA : The first-order approximation, on any manifold.
    BarycentricSubspaceAnalysis : Span subspaces by points.

    Notes
    -----
    Scores are the tangent vector at the mean of the nearest point of the subspace,
    in coordinates along the components: with one component the signed distance along
    the geodesic. On spheres the nearest point of a sample that is orthogonal to the
    subspace is not unique; its scores are 0.

    References
    ----------
    .. [1] S. Sommer, F. Lauze, M. Nielsen, "Optimization over geodesics for exact
       principal geodesic analysis", Advances in Computational Mathematics 40, 2014,
       doi:10.1007/s10444-013-9308-1.
    .. [2] X. Pennec, "Barycentric subspace analysis on manifolds", Annals of
       Statistics 46(6A), 2018, doi:10.1214/17-AOS1636, arXiv:1607.02833.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.datasets import load_cities
    >>> from geolearn.decomposition import PrincipalGeodesicAnalysis
    >>> X = load_cities().data
    >>> pga = PrincipalGeodesicAnalysis(n_components=1, manifold="sphere").fit(X)
    >>> pga.transform(X).shape
    (50, 1)
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "manifold": [str, HasMethods(["exp", "log", "dist"])],
        "n_init": [Interval(Integral, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=2,
        *,
        manifold="euclidean",
        n_init=4,
        max_iter=100,
        tol=1e-10,
        random_state=None,
    ):
        self.n_components = n_components
        self.manifold = manifold
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        r"""Find the mean and the principal directions.

        Parameters
        ----------
        X : array-like of shape (n_samples, \*point_shape)
            Points of the manifold. Rows may be flattened matrices where `manifold` is
            an instance.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, of any sum; None weighs all samples alike.

        Returns
        -------
        PrincipalGeodesicAnalysis
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` is not finite or not on the manifold, if the manifold is not of
            constant curvature, if `n_components` is above its dimension, or if
            `sample_weight` is negative or all zero.

        Warns
        -----
        ConvergenceWarning
            If `tol` is not reached.
        """
        self._fit(X, sample_weight)
        return self

    def _fit(self, X, sample_weight):
        """Set the fitted attributes; return the checked points."""
        self._as_rows = np.asarray(X).ndim == 2
        X, manifold = check_training(self, X)
        _check_manifold(manifold, self.n_components)
        flag = free_flag(
            manifold,
            X,
            self.n_components,
            strategy="forward",
            p=2.0,
            sample_weight=sample_weight,
            n_init=self.n_init,
            max_iter=self.max_iter,
            tol=self.tol,
            random_state=self.random_state,
        )
        self.manifold_, self.n_components_ = manifold, self.n_components
        self.n_iter_ = max(1, flag.n_iter)
        restore = unfold(manifold)[2]
        self.mean_ = restore(flag.base[None])[0]
        self.unexplained_variance_ = flag.unexplained
        components = flag.basis
        if flag.model is not manifold:
            # Through points some way off: models differ in their tangent vectors.
            far = self._away(flag.model)
            ends = restore(flag.model._exp(flag.base, far * flag.basis))
            components = manifold.log(self.mean_, ends) / far
        self.components_ = signed(components)
        self.explained_variance_ = -np.diff(flag.unexplained)
        total = flag.unexplained[0]
        self.explained_variance_ratio_ = self.explained_variance_ / (
            total if total > 0.0 else 1.0
        )
        return X

    def _scores(self, X):
        model, unfolded, _ = unfold(self.manifold_)
        frame = SpanFrame(model, unfolded(self.mean_[None]))
        tangents = self.components_
        if model is not self.manifold_:
            far = self._away(model)
            ends = self.manifold_.exp(self.mean_, far * tangents)
            tangents = model._log(frame.base, unfolded(ends)) / far
        basis = model._tangent_to_vector(frame.base, tangents)
        c, q = frame.coordinates(unfolded(X))
        p = q @ basis.T
        if frame.sign == 0:
            return p
        along = np.linalg.norm(p, axis=1)
        if frame.sign > 0:
            angle = np.arctan2(along, c)
            along = np.where(np.hypot(c, along) > _ORTHOGONAL, along, 0.0)
        else:
            across = np.linalg.norm(q - p @ basis, axis=1)
            angle = np.arcsinh(along / np.hypot(1.0, across))
        factor = np.where(along > 0.0, angle / np.where(along > 0.0, along, 1.0), 0.0)
        return frame.scale * factor[:, None] * p

    def _away(self, model):
        """Return a length of the order of the data, or of the radius of curvature."""
        if not isinstance(model, Euclidean):
            return model._length_scale
        spread = float(np.sqrt(self.unexplained_variance_[0]))
        return spread if spread > 0.0 else 1.0


def _check_manifold(manifold, k):
    if unfold(manifold) is None:
        raise ValueError(
            f"manifold={manifold!r} is not of constant curvature, and its geodesic "
            f"subspaces have no closed form; use TangentPCA, or "
            f"BarycentricSubspaceAnalysis."
        )
    if k > manifold.dim:
        raise ValueError(
            f"n_components={k} must be at most the dimension {manifold.dim} of "
            f"{manifold!r} (n_features={manifold.point_shape[0]}); lower n_components."
        )
