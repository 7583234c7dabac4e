"""Principal component analysis in the tangent space at the mean."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np

from geolearn.decomposition._bsa_input import check_training
from geolearn.decomposition._tangent_scores import TangentScores, signed
from geolearn.manifolds import SPD
from geolearn.utils._sklearn import HasMethods, Interval, RealNotInt, _fit_context
from geolearn.utils.validation import check_sample_weight


class TangentPCA(TangentScores):
    r"""Analyse principal components of logarithms at the Fréchet mean [1]_.

    Samples are replaced by their tangent vectors at the mean, in a frame that is
    orthonormal for the metric, and these by their principal components. Fast, and on
    any manifold; the distances to the mean are exact, the distances to the subspace
    and between samples only to first order. With `manifold` "euclidean" it is
    `sklearn.decomposition.PCA`.

    Parameters
    ----------
    n_components : int, float or None, default=None
        Number of components; a number between 0 and 1 takes the fewest components
        that explain more than that share of the variance, None takes
        ``min(n_samples, dim)``, where samples of weight zero do not count.
    manifold : str or Manifold, default="euclidean"
        Space of the samples: a name that `geolearn.manifolds.get_manifold` knows, or
        an instance such as ``SPD(3)``.
    n_init : int, default=1
        Number of starts of the mean.
    max_iter : int, default=256
        Largest number of steps of the mean.
    tol : float, default=1e-10
        Tolerance of the mean, as in `geolearn.manifolds.Manifold.frechet_mean`.
    random_state : int, RandomState instance or None, default=None
        Draws the further starts of the mean. Pass an int for reproducible results.

    Attributes
    ----------
    mean_ : ndarray of shape point_shape
        Fréchet mean of the samples.
    components_ : ndarray of shape (n_components, \*point_shape)
        Orthonormal tangent vectors at the mean, by decreasing variance. The
        coordinate of largest size of each is positive.
    explained_variance_ : ndarray of shape (n_components,)
        Variances of the scores, unbiased: divided by n_samples - 1 if no weights are
        given, else by one minus the sum of the squares of the normalised weights.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Shares of the variance of all tangent vectors.
    singular_values_ : ndarray of shape (n_components,)
        Singular values of the table of tangent vectors, weighted by weights whose
        mean over samples of positive weight is one.
    n_components_ : int
        Number of components.
    n_iter_ : int
        Steps of the mean; 1 for closed forms.
    manifold_ : Manifold
        Space of the samples.
    n_features_in_ : int
        Length of the second axis of `X`.
    feature_names_in_ : ndarray of shape (n_features_in\_,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    PrincipalGeodesicAnalysis : Measure distances to the subspace on the manifold.
    BarycentricSubspaceAnalysis : Span subspaces by points.

    Notes
    -----
    Samples on the cut locus of the mean have no logarithm, and an error says so.

    References
    ----------
    .. [1] P. T. Fletcher, C. Lu, S. M. Pizer, S. Joshi, "Principal geodesic analysis
       for the study of nonlinear statistics of shape", IEEE Transactions on Medical
       Imaging 23(8), 2004, doi:10.1109/TMI.2004.831793.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.decomposition import TangentPCA
    >>> from geolearn.manifolds import SPD
    >>> X = SPD(3).random_point(20, random_state=0)
    >>> pca = TangentPCA(n_components=2, manifold="spd").fit(X)
    >>> pca.transform(X).shape, pca.components_.shape
    ((20, 2), (2, 3, 3))
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0.0, 1.0, closed="neither"),
            None,
        ],
        "manifold": [str, HasMethods(["exp", "log", "dist"])],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=None,
        *,
        manifold="euclidean",
        n_init=1,
        max_iter=256,
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
        r"""Find the mean and the principal tangent vectors.

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
        TangentPCA
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` is not finite or not on the manifold, if `n_components` is above
            the number of samples or the dimension, if `sample_weight` is negative or
            all zero, or if a sample is on the cut locus of the mean.

        Warns
        -----
        UserWarning
            If the mean may not be unique.
        ConvergenceWarning
            If the mean does not reach `tol`.
        """
        self._fit(X, sample_weight)
        return self

    def _fit(self, X, sample_weight):
        """Set the fitted attributes; return the checked points."""
        self._as_rows = np.asarray(X).ndim == 2
        X, manifold = check_training(self, X)
        weight = check_sample_weight(sample_weight, len(X))
        heavy = weight > 0.0
        largest = self._check_size(int(heavy.sum()), manifold)
        self.manifold_ = manifold
        mean = self._find_mean(X[heavy], weight[heavy])
        self.mean_, self.n_iter_ = mean.mean, max(1, mean.n_iter)
        vectors = manifold.log_vector(self.mean_, X[heavy])
        self._decompose(vectors, weight[heavy], largest)
        return X

    def _find_mean(self, X, weight):
        options = {}
        if self.n_init > 1 and not isinstance(self.manifold_, SPD):
            # Means of SPD matrices are unique, and their solver takes no starts.
            options = {"n_init": self.n_init, "random_state": self.random_state}
        return self.manifold_.frechet_mean(
            X,
            sample_weight=weight,
            max_iter=self.max_iter,
            tol=self.tol,
            return_result=True,
            **options,
        )

    def _check_size(self, n_samples, manifold):
        """Return the largest possible number of components."""
        largest = min(n_samples, manifold.dim)
        if isinstance(self.n_components, Integral) and self.n_components > largest:
            raise ValueError(
                f"n_components={self.n_components} must be at most "
                f"min(n_samples={n_samples}, dim={manifold.dim}) of {manifold!r}; "
                f"lower n_components."
            )
        return largest

    def _decompose(self, vectors, weight, largest):
        rows = np.sqrt(weight)[:, None] * vectors
        # Rows of zeros make room for directions in which nothing varies.
        missing = max(0, largest - len(rows))
        rows = np.concatenate([rows, np.zeros((missing, rows.shape[1]))])
        _, singular, basis = np.linalg.svd(rows, full_matrices=False)
        variance = singular**2
        total = variance.sum()
        ratio = variance / total if total > 0.0 else np.zeros(len(variance))
        k = self._n_wanted(ratio[:largest])
        spare = 1.0 - float(weight @ weight)
        unbiased = 1.0 / spare if len(weight) > 1 else 0.0
        components = self.manifold_.vector_to_tangent(self.mean_, basis[:k])
        self.components_ = signed(components)
        self.explained_variance_ = unbiased * variance[:k]
        self.explained_variance_ratio_ = ratio[:k]
        self.singular_values_ = np.sqrt(len(weight)) * singular[:k]
        self.n_components_ = k

    def _n_wanted(self, ratio):
        if self.n_components is None:
            return len(ratio)
        if isinstance(self.n_components, Integral):
            return int(self.n_components)
        few = int(np.sum(np.cumsum(ratio) <= self.n_components))
        return min(few + 1, len(ratio))
