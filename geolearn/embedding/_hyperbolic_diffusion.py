"""Hyperbolic diffusion distances between nodes or samples."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import validate_data

from geolearn.embedding._distance_input import DistanceInputMixin, choose_landmarks
from geolearn.embedding._hyperbolic_diffusion_heat import (
    DataDiffusion,
    GraphHeat,
    add_scale,
)
from geolearn.embedding._hyperbolic_mds_input import check_square
from geolearn.embedding._tree_embedding_graph import graph_adjacency, is_graph
from geolearn.graph import check_affinity, degrees
from geolearn.utils._memory import allocate
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions, _fit_context

# Above this many samples only distances to landmarks are computed.
_ALL_UP_TO = 10_000
_N_LANDMARKS = 200

_MOST_SCALES = 1000  # 2^-1000 and its inverse are still numbers

# Squares of distances inside this range neither overflow nor lose digits.
_SMALLEST, _LARGEST = 1e-140, 1e140

# Values of a block of rows of a graph's operator at a time.
_BLOCK_VALUES = 2**22


class HyperbolicDiffusionDistance(
    DistanceInputMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""Measure distances along a hidden hierarchy by diffusion at dyadic times [1]_.

    With a diffusion operator P, row i of :math:`P^{2^{-k}}` says where heat that
    starts at i is after the time :math:`2^{-k}`. Its square root
    :math:`\psi_i^k`, on the sphere, at the height :math:`2^{k\alpha-2}` is a point of
    a hyperbolic half-space, and the distance is the sum over the scales,

    .. math:: d(i, j) = \sum_{k=0}^{K} 2\,\mathrm{arsinh}
        \bigl(2^{1 - k\alpha} \|\psi_i^k - \psi_j^k\|_2\bigr), \quad
        K + 1 = \mathrm{n\_scales}.

    On a tree it behaves like :math:`\min(1, d_T^{2\alpha})` of the tree distance: it
    tells neighbourhoods apart, not far points. The points, of dimension
    ``n_scales * (n_samples + 1)``, are never formed.

    Parameters
    ----------
    n_scales : int, default=4
        Number of times 1, 1/2, 1/4, ..., at most 1000.
    alpha : float, default=0.5
        Exponent that weighs the scales, in (0, 1).
    affinity : {"precomputed_graph", "distance"}, default="precomputed_graph"
        "precomputed_graph": `X` holds the weights A of a graph, and
        ``P = exp(-L)``, ``L = Deg - A``. "distance": P is the Markov operator of
        ``exp(-d^2 / epsilon)`` with both sides divided by the row sums.
    epsilon : float or "median", default="median"
        Squared width of the affinity, in squared units of the distances. "median" is
        the median of the squares of positive distances. Not used for graphs.
    metric : str, callable or Manifold, default="precomputed"
        Distance d for ``affinity="distance"``: "precomputed", where `X` holds
        distances, or a name, function or manifold as in
        `geolearn.metrics.pairwise_distances`.
    metric_params : dict or None, default=None
        Further arguments of the metric.
    n_landmarks : int, "auto" or None, default="auto"
        Number of random samples to which distances are computed; "auto" takes all
        up to 10 000 samples and 200 beyond, None takes all. That takes 40 n^2 bytes;
        a graph of more than 10 000 nodes and m landmarks 8 n m (n_scales + 1) bytes,
        and time in proportion to n, the number of edges and the largest degree.
    random_state : int, RandomState instance or None, default=None
        Draws landmarks. Pass an int for reproducible results.
    n_jobs : int or None, default=None
        Number of threads for the metric; None means 1, -1 all.

    Attributes
    ----------
    distances_ : ndarray of shape (n_samples, n_landmarks)
        Distances of all samples to the landmarks, which are all samples unless they
        are too many; then the array is symmetric with zero diagonal.
    landmark_indices_ : ndarray of shape (n_landmarks,)
        Samples of the columns.
    epsilon_ : float or None
        Squared width in use, None for graphs.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    HyperbolicMDS : Embedding of distances in hyperbolic space.
    HeatGeodesicEmbedding : Embedding by the logarithm of heat.

    Notes
    -----
    For graphs the heat is computed without cancellation and distances have about
    12 digits. For distances it comes from an eigendecomposition, whose rounding the
    roots turn into errors of about 1e-7. The authors' code uses a cosine distance
    d in ``exp(-d / 2)`` and floors of 1e-6.

    References
    ----------
    .. [1] Y.-W. E. Lin, R. Coifman, G. Mishne, R. Talmon, "Hyperbolic diffusion
       embedding and distance for hierarchical representation learning", ICML 2023,
       arXiv:2305.18962.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.embedding import HyperbolicDiffusionDistance
    >>> A = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> HyperbolicDiffusionDistance().fit(A).distances_.round(4)
    array([[0.    , 4.5104, 6.9865],
           [4.5104, 0.    , 4.5104],
           [6.9865, 4.5104, 0.    ]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_scales": [Interval(Integral, 1, _MOST_SCALES, closed="both")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "affinity": [StrOptions({"precomputed_graph", "distance"})],
        "epsilon": [Interval(Real, 0, None, closed="neither"), StrOptions({"median"})],
        "metric": [str, callable, HasMethods("dist")],
        "metric_params": [dict, None],
        "n_landmarks": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_scales=4,
        *,
        alpha=0.5,
        affinity="precomputed_graph",
        epsilon="median",
        metric="precomputed",
        metric_params=None,
        n_landmarks="auto",
        random_state=None,
        n_jobs=None,
    ):
        self.n_scales = n_scales
        self.alpha = alpha
        self.affinity = affinity
        self.epsilon = epsilon
        self.metric = metric
        self.metric_params = metric_params
        self.n_landmarks = n_landmarks
        self.random_state = random_state
        self.n_jobs = n_jobs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self._is_pairwise
        tags.input_tags.positive_only = self._is_pairwise
        tags.input_tags.sparse = self._is_graph
        return tags

    @property
    def _is_graph(self):
        return self.affinity == "precomputed_graph"

    @property
    def _is_pairwise(self):
        return self._is_graph or self._is_precomputed

    @property
    def _n_features_out(self):
        return self.distances_.shape[1]

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Compute the distances.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_samples), graph, or \
                array-like of shape (n_samples, n_features)
            Weights of the edges, symmetric, or a networkx graph with attribute
            "weight" (1 where absent); or distances or samples for
            ``affinity="distance"``.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        HyperbolicDiffusionDistance
            The fitted estimator.

        Raises
        ------
        ValueError
            If weights or distances are not square, symmetric, non-negative and
            finite, the squares of distances over- or underflow, or `n_landmarks`
            exceeds the number of samples.
        MemoryError
            If the distances do not fit in the available memory.
        """
        X = self._validated(X)
        chosen = choose_landmarks(
            self.n_landmarks,
            X.shape[0],
            all_up_to=_ALL_UP_TO,
            otherwise=_N_LANDMARKS,
            random_state=self.random_state,
        )
        if self._is_graph:
            self.epsilon_ = None
            self.distances_ = self._graph_distances(check_affinity(X), chosen)
        else:
            D = X if self._is_precomputed else self._distances(X)
            self.epsilon_ = self._find_epsilon(D)
            operator = DataDiffusion(D, self.epsilon_, self.n_scales)
            self.distances_ = self._whole(operator, chosen)
            # roots of rounding errors part the rows of samples that coincide
            self.distances_[D[:, chosen] == 0.0] = 0.0
        self.landmark_indices_ = chosen
        return self

    def fit_transform(self, X, y=None):
        """Compute the distances and return them.

        Parameters
        ----------
        X : array-like, sparse matrix or graph
            As for `fit`.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        ndarray of shape (n_samples, n_landmarks)
            The attribute `distances_`.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        return self.fit(X).distances_

    def _validated(self, X):
        if self._is_graph and is_graph(X):
            X = graph_adjacency(X)
        X = validate_data(
            self,
            X,
            accept_sparse="csr" if self._is_graph else False,
            dtype=np.float64,
            order="C",
            # infinite distances get a message of their own
            ensure_all_finite=self._is_graph or not self._is_pairwise,
            ensure_non_negative=self._is_graph,
        )
        if not self._is_graph and self._is_pairwise:
            check_square(X)
        return X

    def _find_epsilon(self, D):
        largest = float(D.max())
        if largest > _LARGEST or 0.0 < largest < _SMALLEST:
            raise ValueError(
                f"The largest distance is {largest:.3g}, outside [{_SMALLEST:g}, "
                f"{_LARGEST:g}], where squares over- or underflow; rescale the "
                "distances."
            )
        if not isinstance(self.epsilon, str):
            return float(self.epsilon)
        positive = D[D > 0.0]
        # without two different samples any width gives distance 0
        return float(np.median(positive**2)) if positive.size else 1.0

    def _factor(self, k):
        return 2.0 ** (1.0 - k * self.alpha)

    def _allocate(self, n, m):
        out = allocate(
            (n, m), "HyperbolicDiffusionDistance", "Set n_landmarks to a lower number."
        )
        out[...] = 0.0
        return out

    def _graph_distances(self, A, chosen):
        isolated = np.flatnonzero(degrees(A) == 0.0)
        if isolated.size:
            warnings.warn(
                f"{isolated.size} nodes have no edge, the first is node {isolated[0]}: "
                "their heat stays where it is, and they are about as far from each "
                "node as can be. Remove them if they carry no information.",
                UserWarning,
                stacklevel=4,
            )
        heat = GraphHeat(A, self.n_scales)
        if chosen.size == heat.n or heat.n <= _ALL_UP_TO:
            return self._whole(heat, chosen)
        return self._columns(heat, chosen)

    def _whole(self, operator, chosen):
        """Return distances from whole operators, one scale at a time."""
        out = self._allocate(operator.n, chosen.size)
        for i, P in enumerate(operator.squares()):
            others = P if chosen.size == operator.n else P[chosen]
            add_scale(out, P, others, self._factor(self.n_scales - 1 - i))
        if chosen.size == operator.n:
            out += out.T.copy()
            out *= 0.5
        out[chosen, np.arange(chosen.size)] = 0.0
        return out

    def _columns(self, heat, chosen):
        """Return distances to landmarks from blocks of rows of the operators."""
        out = self._allocate(heat.n, chosen.size)
        landmarks = list(heat.rows(chosen))
        step = max(1, _BLOCK_VALUES // heat.n)
        for start in range(0, heat.n, step):
            rows = np.arange(start, min(start + step, heat.n))
            for i, P in enumerate(heat.rows(rows)):
                factor = self._factor(self.n_scales - 1 - i)
                add_scale(out[start : start + step], P, landmarks[i], factor)
        out[chosen, np.arange(chosen.size)] = 0.0
        return out
