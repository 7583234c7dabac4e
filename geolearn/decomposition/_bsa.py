"""Barycentric subspace analysis as an estimator."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted

from geolearn.decomposition._affine_span import barycenter
from geolearn.decomposition._bsa_input import (
    check_choices,
    check_new,
    check_training,
)
from geolearn.decomposition._bsa_references import find_references
from geolearn.decomposition._bsa_span import Span
from geolearn.graph._precomputed import is_precomputed
from geolearn.graph._samples import takes_matrices
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context
from geolearn.utils.validation import check_sample_weight


def _knows_points(estimator):
    if is_precomputed(estimator.manifold):
        raise AttributeError(
            "manifold='precomputed' knows distances only, so there are no points to "
            "return; fit samples with their manifold instead."
        )
    return True


class BarycentricSubspaceAnalysis(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""Find reference points whose affine span explains data on a manifold [1]_.

    The affine span of references x_0, ..., x_k is the set of their weighted means,
    with weights that sum to one and may be negative: a subspace of dimension k that
    no mean and no tangent space enters. In flat space it is the plane through the
    references, on spheres and in hyperbolic space the great subsphere or subspace.
    Fitting looks for references among the samples, which can be looked at, or
    anywhere, such that the weighted mean U of ``d(y, span) ** p`` over the samples y
    is small. `transform` gives the barycentric coordinates of the nearest points of
    the span, one column a reference.

    Parameters
    ----------
    n_components : int, default=2
        Dimension k of the span of the k + 1 references; 0 looks for one point, the
        medoid or the mean. Not used if references are given.
    manifold : str or Manifold, default="euclidean"
        Space of the samples: a name that `geolearn.manifolds.get_manifold` knows, an
        instance such as ``SPD(3)``, or "precomputed", where `X` holds distances in a
        space of constant curvature.
    curvature : float or None, default=None
        Sectional curvature of that space for "precomputed"; None means 0.
    p : float, default=2.0
        Power of the distances in U. Powers up to 1 are robust: references move
        into clusters, where 2 is pulled by outliers [2]_. Below 1 there are many
        local minima.
    strategy : str, default="forward"
        "forward" takes the best single reference and adds the best next one, again
        and again. "pure" minimises U of all references together; their order means
        nothing. "backward" takes the pure optimum, and orders it by removing the
        reference that is missed least, again and again. "flag" minimises the sum of U
        over the nested spans of the first 1, ..., k + 1 references.
        "forward_backward" goes forward beyond k and back again; among samples only.
    references : {"sample", "free"} or array-like, default="sample"
        Where references are looked for: among the samples, or anywhere. Or an array
        of shape (k + 1, \*point_shape) of independent points, or a list of k + 1
        indices of samples, whose order is kept; then nothing is looked for.
    search : {"auto", "exhaustive", "greedy"}, default="auto"
        Which sets of samples are tried. "greedy" improves the forward result by
        exchanging one reference at a time, which may miss the optimum; "exhaustive"
        tries all sets, where there are no closed forms the `n_screen` most promising
        of all. "auto" tries all sets while they are few. "forward" is always greedy.
    first : {"mean", "pair"}, default="mean"
        Start of "forward": the best single reference, or the best pair.
    convex : bool, default=False
        Whether projections stay between the references, with weights from 0 to 1, and
        references are such that the others lie between them. Every set that is tried
        costs a projection a sample.
    n_candidates : int or None, default=None
        Number of samples that may become references. None takes all up to 2000
        samples, and draws 1000 beyond.
    n_screen : int or None, default=None
        Number of sets of references whose spans are projected on in every step where
        there is no closed form; those that are best in the tangent space at the
        mean. None means the larger of 200 and 5 n_samples. Not used by `convex`.
    n_init : int, default=4
        Number of random starts for free references, beside the one of principal
        directions.
    max_iter : int, default=100
        Largest number of steps of a projection, and of the descent of free
        references.
    tol : float, default=1e-10
        Projections stop when the gradient is `tol` times the distance.
    random_state : int, RandomState instance or None, default=None
        Draws candidates and starts. Pass an int for reproducible results.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it.
    verbose : int, default=0
        1 logs the stages.

    Attributes
    ----------
    references_ : ndarray of shape (k + 1, \*point_shape) or None
        References, in the order of the nested spans; None for "precomputed".
    reference_indices_ : ndarray of int of shape (k + 1,) or None
        The samples that they are; None for free references and given points.
    embedding_ : ndarray of shape (n_samples, k + 1)
        Barycentric coordinates of the training samples.
    residuals_ : ndarray of shape (n_samples,)
        Distances of the training samples to the span.
    unexplained_variance_ : ndarray of shape (k + 1,)
        U of the spans of the first 1, ..., k + 1 references.
    explained_variance_ratio_ : ndarray of shape (k,)
        Decrease of U by each reference after the first, as a share of the first U.
    auv_ : float
        Accumulated unexplained variance: sum of `unexplained_variance_`.
    hessian_index_ : ndarray of int of shape (n_samples,) or None
        Number of negative eigenvalues of the Hessian of the weighted variance at the
        projections. They are weighted means in the sense of Karcher where it is 0, and
        `inverse_transform` finds them again; -1 where weights are NaN, None for
        manifolds without a Hessian. Distances tell one direction across the span.
    converged_ : ndarray of bool of shape (n_samples,)
        Whether the projection is unique and was found.
    search_ : {"exhaustive", "greedy", "free", "given"}
        How references were looked for.
    n_iter_ : int
        Steps of the descent of free references; 1 otherwise.
    n_features_in_ : int
        Length of the second axis of `X`.
    feature_names_in_ : ndarray of shape (n_features_in\_,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    affine_span_project : Project on the span of given references.
    geolearn.manifolds : The manifolds.

    Notes
    -----
    Projections are closed forms in spaces of constant curvature (and flat metrics of
    SPD matrices), and a Newton descent elsewhere. Manifolds without Hessians work;
    the identity stands in for them, and projections take more steps.

    Samples of weight zero are never references, but have coordinates like the others.
    A subspace of samples passes through k + 1 of them exactly: compare it with others
    on held-out data, by `score`.

    References
    ----------
    .. [1] X. Pennec, "Barycentric subspace analysis on manifolds", Annals of
       Statistics 46(6A), 2018, doi:10.1214/17-AOS1636, arXiv:1607.02833.
    .. [2] X. Pennec, "Sample-limited L_p barycentric subspace analysis on constant
       curvature spaces", Geometric Science of Information, 2017,
       doi:10.1007/978-3-319-68445-1_3.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.decomposition import BarycentricSubspaceAnalysis
    >>> from geolearn.datasets import load_cities
    >>> cities = load_cities()
    >>> bsa = BarycentricSubspaceAnalysis(n_components=1, manifold="sphere")
    >>> weights = bsa.fit_transform(cities.data)
    >>> weights.shape
    (50, 2)
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 0, None, closed="left")],
        "manifold": [str, HasMethods(["exp", "log", "dist"])],
        "curvature": [Interval(Real, None, None, closed="neither"), None],
        "p": [Interval(Real, 0.0, None, closed="neither")],
        "strategy": [
            StrOptions({"forward", "backward", "pure", "flag", "forward_backward"})
        ],
        "references": [StrOptions({"sample", "free"}), "array-like"],
        "search": [StrOptions({"auto", "exhaustive", "greedy"})],
        "first": [StrOptions({"mean", "pair"})],
        "convex": ["boolean"],
        "n_candidates": [Interval(Integral, 1, None, closed="left"), None],
        "n_screen": [Interval(Integral, 1, None, closed="left"), None],
        "n_init": [Interval(Integral, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=2,
        *,
        manifold="euclidean",
        curvature=None,
        p=2.0,
        strategy="forward",
        references="sample",
        search="auto",
        first="mean",
        convex=False,
        n_candidates=None,
        n_screen=None,
        n_init=4,
        max_iter=100,
        tol=1e-10,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.manifold = manifold
        self.curvature = curvature
        self.p = p
        self.strategy = strategy
        self.references = references
        self.search = search
        self.first = first
        self.convex = convex
        self.n_candidates = n_candidates
        self.n_screen = n_screen
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = is_precomputed(self.manifold)
        tags.input_tags.positive_only = is_precomputed(self.manifold)
        tags.input_tags.two_d_array = not takes_matrices(self.manifold)
        tags.input_tags.three_d_array = takes_matrices(self.manifold)
        return tags

    @property
    def _n_features_out(self):
        return self.embedding_.shape[1]

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        r"""Find references and project the samples on their span.

        Parameters
        ----------
        X : array-like of shape (n_samples, \*point_shape) or (n_samples, n_samples)
            Points of the manifold, or their distances if `manifold` is
            "precomputed". Rows may be flattened matrices where `manifold` is an
            instance.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, of any sum; None weighs all samples alike.

        Returns
        -------
        BarycentricSubspaceAnalysis
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` is not finite or not on the manifold, if there are fewer distinct
            samples than references, if given references depend on one another or lie
            on one another's cut loci, if `sample_weight` is negative or all zero, or
            if parameters contradict one another.

        Warns
        -----
        UserWarning
            If the subspace fills the manifold; if projections are not unique, or have
            weights at infinity, with their number.
        ConvergenceWarning
            If projections did not converge, with their number.
        """
        check_choices(self)
        progress = Progress(self.verbose, __name__)
        self._as_rows = np.asarray(X).ndim == 2
        X, manifold = check_training(self, X)
        weight = check_sample_weight(sample_weight, len(X))
        found = find_references(self, X, manifold, weight)
        progress("references found, search: %s", found.search)
        self._span = span = self._span_of(found, X, manifold)
        points = span.points(X)
        result = span.project(points)
        unexplained = found.unexplained
        if unexplained is None:
            unexplained = span.nested_variances(points, weight)
        self.references_ = found.points
        self.reference_indices_ = found.indices
        self.embedding_ = result.weights
        self.residuals_ = result.distance
        self.converged_ = result.converged
        self.unexplained_variance_ = unexplained
        self.explained_variance_ratio_ = _ratios(unexplained)
        self.auv_ = float(unexplained.sum())
        self.hessian_index_ = span.index(result)
        self.search_ = found.search
        self.n_iter_ = found.n_iter
        progress("unexplained: %s", np.array2string(unexplained))
        return self

    def fit_transform(self, X, y=None, sample_weight=None):
        r"""Fit and return the barycentric coordinates of the training samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, \*point_shape) or (n_samples, n_samples)
            As in `fit`.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, k + 1)
            The attribute `embedding_`.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        return self.fit(X, sample_weight=sample_weight).embedding_

    def transform(self, X):
        r"""Return the barycentric coordinates of the projections of samples.

        Parameters
        ----------
        X : array-like of shape (n_new, \*point_shape) or (n_new, n_samples)
            New samples, or their distances from all samples of `fit` if `manifold` is
            "precomputed".

        Returns
        -------
        ndarray of shape (n_new, k + 1)
            Weights of the references; rows sum to 1, or are NaN (with a warning) where
            the projection lies at infinity.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, not on the manifold or of another shape than in
            `fit`.
        """
        return self._of_new(X).weights

    @available_if(_knows_points)
    def inverse_transform(self, X):
        r"""Return the weighted means of the references.

        On spheres and other positively curved manifolds several points may have the
        same weights; the one of least variance is returned. It is the projection of
        the sample only where `hessian_index_` is 0; `reconstruct` needs no weights.

        Parameters
        ----------
        X : array-like of shape (n, k + 1)
            Weights; rows are divided by their sums.

        Returns
        -------
        ndarray of shape (n, \*point_shape)
            Points, in the form of the samples of `fit`.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, a row sums to 0, or the number of columns is not
            that of the references.

        Warns
        -----
        ConvergenceWarning
            If there are weights without a mean, whose points are NaN.
        """
        check_is_fitted(self)
        W = check_array(X, dtype=np.float64, input_name="X")
        if W.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {W.shape[1]} columns, but there are {self._n_features_out} "
                f"references: pass what transform returned."
            )
        span = self._span
        return _shaped(barycenter(span.space, span.references, W), self._as_rows)

    @available_if(_knows_points)
    def reconstruct(self, X):
        r"""Return the nearest points of the span.

        Parameters
        ----------
        X : array-like of shape (n, \*point_shape)
            Samples.

        Returns
        -------
        ndarray of shape (n, \*point_shape)
            Their projections, in the form of the samples.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            As `transform` does.
        """
        return _shaped(self._of_new(X).projection, np.asarray(X).ndim == 2)

    def distance(self, X):
        r"""Return the distances of samples to the span.

        Parameters
        ----------
        X : array-like of shape (n, \*point_shape) or (n, n_samples)
            Samples, or their distances from all samples of `fit`.

        Returns
        -------
        ndarray of shape (n,)
            Residual distances, in the units of the manifold.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            As `transform` does.
        """
        return self._of_new(X).distance

    def score_samples(self, X):
        r"""Return how well the span explains each sample.

        Parameters
        ----------
        X : array-like of shape (n, \*point_shape) or (n, n_samples)
            Samples, or their distances from all samples of `fit`.

        Returns
        -------
        ndarray of shape (n,)
            ``-distance(X) ** p``, at most 0.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            As `transform` does.
        """
        return -(self.distance(X) ** self.p)

    def score(self, X, y=None, sample_weight=None):
        r"""Return the mean of `score_samples`, for searches over parameters.

        Parameters
        ----------
        X : array-like of shape (n, \*point_shape) or (n, n_samples)
            Samples, or their distances from all samples of `fit`.
        y : Ignored
            Not used; present for the interface.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights, of any sum.

        Returns
        -------
        float
            Minus the unexplained variance of these samples.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            As `transform` does.
        """
        values = self.score_samples(X)
        return float(check_sample_weight(sample_weight, len(values)) @ values)

    def _span_of(self, found, X, manifold):
        """Return the span of the references, with a word if it is everything."""
        chosen, D = found.indices, None
        if manifold is None:
            D = X[np.ix_(chosen, chosen)]
        span = Span(
            manifold,
            found.points,
            indices=chosen,
            D=D,
            curvature=self.curvature or 0.0,
            p=self.p,
            convex=self.convex,
            tol=self.tol,
            max_iter=self.max_iter,
        )
        k = len(span.references) - 1
        if manifold is not None and k >= manifold.dim and not self.convex:
            warnings.warn(
                f"The subspace fills the manifold: n_components={k} is at least the "
                f"dimension {manifold.dim} of {manifold!r}, so that every point is in "
                f"it. Lower n_components.",
                UserWarning,
                stacklevel=4,
            )
        return span

    def _of_new(self, X):
        """Return the projections of samples."""
        check_is_fitted(self)
        span = self._span
        return span.project(span.points(check_new(self, X, span.manifold)))


def _shaped(points, as_rows):
    return points.reshape(len(points), -1) if as_rows else points


def _ratios(unexplained):
    """Return the shares of the first variance that later ones explain."""
    total = unexplained[0]
    steps = -np.diff(unexplained)
    return steps / total if total > 0.0 else np.zeros_like(steps)
