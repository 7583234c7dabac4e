"""Multidimensional scaling into hyperbolic space by one eigendecomposition."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from geolearn.embedding._distance_input import LandmarkInputMixin, choose_landmarks
from geolearn.embedding._hyperbolic_mds_input import (
    OVERFLOW_DIAMETER,
    check_diameter,
    check_scale,
    check_square,
)
from geolearn.embedding._hyperbolic_mds_solve import (
    DIAMETERS,
    place,
    relative_error,
    spectral_embedding,
)
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context

# Above this many samples landmarks are embedded and the rest is placed.
_ALL_UP_TO = 20_000
_N_LANDMARKS = 2_000

# Rows of given distances that are placed at a time.
_ROWS = 1024


class HyperbolicMDS(
    LandmarkInputMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""Embed distances in hyperbolic space by an eigendecomposition (h-MDS) [1]_.

    For points of hyperbolic space of dimension r at distances :math:`\tau D`, the
    matrix :math:`-\cosh(\tau D)` has r positive eigenvalues and one negative one,
    and :math:`X = V \Lambda^{1/2}` of the positive ones holds their spatial
    coordinates on the hyperboloid, centred. For other distances the `n_components`
    largest positive eigenpairs give an approximation. The scale :math:`\tau` sets
    how curved the space is in units of the distances: the curvature is
    :math:`-\tau^2`.

    The authors' code takes the eigenvalues of largest modulus and drops the negative
    ones, which leaves fewer dimensions than asked for; here they are the largest.

    Parameters
    ----------
    n_components : int, default=2
        Dimension r of the hyperbolic space.
    scale : float or "auto", default="auto"
        Factor tau of the distances. "auto" tries those that bring the largest
        distance to 1, 2, 4, 8 and 16, and keeps that of least distortion. Distances
        of hyperbolic space of curvature K are recovered exactly with ``sqrt(-K)``,
        which "auto" does not look for. Above a largest distance of 18 double
        precision gets short, which is warned of; above 700 and below 1e-7 is an error.
    metric : str, callable or Manifold, default="precomputed"
        "precomputed", where `X` holds distances, or the distance between samples: a
        name of `geolearn.metrics` or scikit-learn, a function, a manifold.
    metric_params : dict or None, default=None
        Further arguments of the metric.
    n_landmarks : int, "auto" or None, default="auto"
        Number of random samples that are embedded by their mutual distances; the
        others are placed as by `transform`. "auto" takes all up to 20 000 samples
        and 2000 beyond, None takes all. m landmarks need 24 m^2 bytes.
    eigen_solver : {"auto", "dense", "arpack"}, default="auto"
        "dense" is LAPACK's, "arpack" a Lanczos iteration for few pairs, "auto"
        takes that above 300 points unless many components are wanted.
    random_state : int, RandomState instance or None, default=None
        Draws landmarks. Pass an int for reproducible results.
    n_jobs : int or None, default=None
        Number of threads for distances; None means 1, -1 all. The result does not
        depend on it.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components + 1)
        Points on the hyperboloid of curvature -1, time coordinate first; their
        distances divided by `scale_` approximate those given. In each column after
        the first, the entry of largest modulus is positive. Divided by `scale_`,
        they are points of curvature ``-scale_**2`` in the units of the distances.
    eigenvalues_ : ndarray of shape (n_components,)
        Largest eigenvalues of ``-cosh(scale_ * D)``, descending; 0 where none is
        positive.
    scale_ : float
        Factor tau.
    distortion_ : float
        Average over pairs of landmarks at positive distance d of ``|d' - d| / d``,
        d' the distance in the embedding divided by `scale_`. Infinite where d'
        overflows, at radii of some 180.
    landmark_indices_ : ndarray of shape (n_landmarks,)
        Samples that were embedded by their mutual distances; all of them unless
        landmarks are in use.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    TreeEmbedding : Embedding of trees in the plane with exact edges.
    MetricMDS : Embedding of distances in Euclidean space.

    Notes
    -----
    On exact distances the error of recovered distances is of the order of 1e-14 for
    ``scale * diameter`` 4 and 1e-13 for 12; points are told apart while
    ``1e-16 cosh(scale * diameter)`` is far below half the square of their scaled
    distance.

    References
    ----------
    .. [1] F. Sala, C. De Sa, A. Gu, C. Ré, "Representation tradeoffs for hyperbolic
       embeddings", ICML 2018, arXiv:1804.03329.

    Examples
    --------
    A tree with three leaves:

    >>> import numpy as np
    >>> from geolearn.embedding import HyperbolicMDS
    >>> D = np.array([[0, 1, 1, 1], [1, 0, 2, 2], [1, 2, 0, 2], [1, 2, 2, 0]])
    >>> mds = HyperbolicMDS(n_components=2, scale=1.0).fit(D)
    >>> mds.embedding_.shape
    (4, 3)
    >>> x, y = mds.embedding_[:2, 1:], mds.embedding_[:2, 0]
    >>> round(float(np.arccosh(y[0] * y[1] - x[0] @ x[1])), 6)  # instead of 1
    1.112735
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "metric": [str, callable, HasMethods("dist")],
        "metric_params": [dict, None],
        "n_landmarks": [
            Interval(Integral, 2, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "eigen_solver": [StrOptions({"auto", "dense", "arpack"})],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_components=2,
        *,
        scale="auto",
        metric="precomputed",
        metric_params=None,
        n_landmarks="auto",
        eigen_solver="auto",
        random_state=None,
        n_jobs=None,
    ):
        self.n_components = n_components
        self.scale = scale
        self.metric = metric
        self.metric_params = metric_params
        self.n_landmarks = n_landmarks
        self.eigen_solver = eigen_solver
        self.random_state = random_state
        self.n_jobs = n_jobs

    @property
    def _n_features_out(self):
        return self.embedding_.shape[1]

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Embed the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_samples) or (n_samples, n_features)
            Distances if `metric` is "precomputed", otherwise samples.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        HyperbolicMDS
            The fitted estimator.

        Raises
        ------
        ValueError
            If given distances are not square, symmetric to 1e-8 of the largest,
            non-negative and finite with zero diagonal, if `X` is not finite, if
            `n_landmarks` exceeds the number of samples, or if `scale` makes cosh
            overflow or takes all its digits.
        """
        X = validate_data(
            self,
            X,
            dtype=np.float64,
            order="C",
            ensure_min_samples=2,
            # infinite distances get a message of their own
            ensure_all_finite=not self._is_precomputed,
        )
        if self._is_precomputed:
            check_square(X)
        chosen = choose_landmarks(
            self.n_landmarks,
            X.shape[0],
            all_up_to=_ALL_UP_TO,
            otherwise=_N_LANDMARKS,
            random_state=self.random_state,
        )
        D = self._mutual_distances(X, chosen)
        self._embed(D)
        self.landmark_indices_ = chosen
        self._landmarks = None if self._is_precomputed else X[chosen]
        self.embedding_ = self._with_the_rest(X, chosen)
        return self

    def fit_transform(self, X, y=None):
        """Embed the samples and return the embedding.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_samples) or (n_samples, n_features)
            Distances if `metric` is "precomputed", otherwise samples.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        ndarray of shape (n_samples, n_components + 1)
            The attribute `embedding_`.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        return self.fit(X).embedding_

    def transform(self, X):
        """Place samples by their distances from the training samples.

        Exact for points of the space of the embedding: the spatial coordinates of a
        point at scaled distances d from the training points X are
        ``-Lambda^-1 X' cosh(d)``. Training samples go to their places.

        Parameters
        ----------
        X : array-like of shape (n_new, n_fit) or (n_new, n_features)
            Distances from all samples of `fit` if `metric` is "precomputed",
            otherwise new samples.

        Returns
        -------
        ndarray of shape (n_new, n_components + 1)
            Points on the hyperboloid; each depends on its own sample only.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `X` is not finite, has another number of columns than in `fit`, holds
            negative distances, or a distance is so large that cosh overflows.
        """
        check_is_fitted(self)
        X = validate_data(
            self,
            X,
            dtype=np.float64,
            order="C",
            reset=False,
            ensure_non_negative=self._is_precomputed,
        )
        return self._place(X)

    def _embed(self, D):
        """Set the embedding of the landmarks, at the best scale if none is given."""
        diameter = float(D.max())
        check_diameter(diameter)
        if isinstance(self.scale, str):
            # Coinciding points have no scale; 1 leaves them at the origin.
            scales = [reach / diameter if diameter else 1.0 for reach in DIAMETERS]
        else:
            check_scale(self.scale, diameter)
            scales = [float(self.scale)]
        best = None
        for scale in scales:
            embedding, eigenvalues = spectral_embedding(
                D, scale, diameter, self.n_components, self.eigen_solver
            )
            distortion = relative_error(D, embedding, scale, self.n_jobs)
            if best is None or distortion < best[0]:
                best = distortion, scale, embedding, eigenvalues
        self.distortion_, self.scale_, self._landmark_embedding, self.eigenvalues_ = (
            best
        )
        n_found = int(np.count_nonzero(self.eigenvalues_))
        if n_found < self.n_components:
            warnings.warn(
                f"-cosh(scale * distances) has {n_found} positive eigenvalues, less "
                f"than n_components={self.n_components}; the other columns of the "
                f"embedding are 0. Lower n_components.",
                UserWarning,
                stacklevel=4,
            )

    def _with_the_rest(self, X, chosen):
        """Return the embedding of all samples, those outside `chosen` placed."""
        n = X.shape[0]
        if chosen.size == n:
            return self._landmark_embedding
        rest = np.setdiff1d(np.arange(n), chosen)
        embedding = np.empty((n, self.n_components + 1))
        embedding[chosen] = self._landmark_embedding
        embedding[rest] = self._place(X[rest])
        return embedding

    def _place(self, X):
        out = np.empty((X.shape[0], self._n_coordinates))
        for rows, D in self._distance_blocks(X, _ROWS):
            reach = self.scale_ * float(D.max())
            if reach > OVERFLOW_DIAMETER:
                raise ValueError(
                    f"X holds a sample at scaled distance {reach:.4g} from a training "
                    f"sample; cosh overflows above {OVERFLOW_DIAMETER:g}. Lower scale="
                    f"{self.scale_:.6g} or leave the sample out."
                )
            out[rows] = place(
                np.cosh(self.scale_ * D),
                self._landmark_embedding[:, 1:],
                self.eigenvalues_,
            )
        return out

    @property
    def _n_coordinates(self):
        return self._landmark_embedding.shape[1]
