"""Heat-geodesic embedding."""

import warnings
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from geolearn.embedding._heat_choices import choose_points, choose_times
from geolearn.embedding._heat_extension import Extension
from geolearn.embedding._heat_graph import build_graph, distinct_nodes, restrict
from geolearn.embedding._heat_input import (
    check_new,
    check_training,
    check_weights,
    is_pairwise,
)
from geolearn.embedding._heat_layout import padded
from geolearn.embedding._heat_parameters import CONSTRAINTS, make_solver
from geolearn.graph import degrees, graph_laplacian
from geolearn.graph._heat import largest_eigenvalue_bound
from geolearn.graph._precomputed import is_precomputed
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import _fit_context


def _knows_distances(estimator):
    """Raise AttributeError where new points cannot be located."""
    if is_precomputed(estimator.affinity):
        raise AttributeError(
            'New points cannot be located with affinity="precomputed", which has no '
            'distances; use metric="precomputed" or features.'
        )
    return True


class HeatGeodesicEmbedding(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""Embed data by the geodesic distances that heat diffusion reveals [1]_.

    A neighbourhood graph of the samples is built, heat is diffused on it for a time
    t, and Varadhan's formula with a volume correction turns the heat kernel into
    squared distances, which metric multidimensional scaling embeds:

    .. math:: D_{ij}^2 = 4t\,[\sigma \log \tfrac{H_{ii} + H_{jj}}{2} - \log H_{ij}],
       \quad H = e^{-tL}.

    Every entry of the heat kernel is computed with a small relative error, however
    small it is, so that far distances are as good as near ones. Above 3000 samples
    the method runs on landmarks and places the other samples by their heat.

    Parameters
    ----------
    n_components : int, default=2
        Dimension p of the embedding.
    n_neighbors : int, default=10
        Number of neighbours k of the graph, not counting the sample itself.
    affinity : {"alpha_decay", "gaussian_knn", "umap", "precomputed"} or callable
        Graph: alpha-decay kernel with adaptive bandwidths (the default), Gaussian
        kernel on the k nearest neighbours, UMAP's fuzzy graph, or `X` itself as a
        symmetric non-negative affinity matrix. A callable maps the distinct rows of
        `X` to such a matrix.
    decay : float, default=40.0
        Exponent of the alpha-decay kernel, also where new samples enter the graph.
        40 is nearly an unweighted graph; small values (2) create shortcuts.
    kernel_threshold : float, default=1e-4
        Weights of the alpha-decay kernel below it are dropped, in [0, 0.18]; above
        exp(-1)/2 the graph would lose its nearest neighbours.
    anisotropy : float, default=0.0
        Density correction of the alpha-decay graph, in [0, 1].
    metric : str, callable or Manifold, default="euclidean"
        Distance between samples, see :func:`geolearn.metrics.pairwise_distances`,
        or "precomputed": then `X` holds distances, square or as a sparse graph of
        nearest neighbours.
    metric_params : dict, default=None
        Further arguments of the metric.
    knn_method : {"auto", "exact", "approximate"}, default="auto"
        Search of neighbours, see :func:`geolearn.graph.nearest_neighbors`.
    laplacian : {"normalized", "combinatorial"}, default="normalized"
        Laplacian L. Times scale with the inverse mean degree for the second.
    t : float, array-like of float, "auto" or "relaxation", default="auto"
        Diffusion time. An array averages the distances of several times. "auto" is
        the paper's knee of the entropy on `t_grid`; it hardly depends on the data
        and gives 22.27 almost always with the default grid. "relaxation" is
        :math:`1/(2\lambda_2)` clipped to [20, 2000], better on noisy data and large
        graphs.
    t_grid : array-like of shape (n_times,), default=None
        Increasing times for ``t="auto"``; ``linspace(0.05, 200, 10)`` by default.
    heat_method : {"chebyshev", "uniformization", "euler", "exact"}
        Evaluation of the heat kernel, "chebyshev" by default, see
        :func:`geolearn.graph.heat_kernel`.
    heat_tol : float, default=1e-8
        Relative accuracy of every entry of the heat kernel.
    euler_steps : int, default=30
        Number of steps of ``heat_method="euler"``.
    kernel_floor : float, default=0.0
        Added to the heat inside the logarithms. 1e-16 reproduces the saturation of
        the authors' code at distances of ``sqrt(147.4 t)``.
    volume_correction : float, default=1.0
        Weight :math:`\sigma \ge 0` of the volume term; the authors' code has 0.
    volume_mean : {"arithmetic", "geometric"}, default="arithmetic"
        Mean of the two volumes; "geometric" for times far above the relaxation
        time.
    power : float, default=1.0
        Exponent of the dissimilarity; 2 gives squared dissimilarities.
    denoising : float, default=0.0
        Weight in [0, 1] of the triplet distance, see
        :func:`geolearn.graph.denoise_dissimilarity`.
    mds_solver : {"auto", "sgd", "smacof", "classical"}, default="auto"
        Solver of the scaling, see :func:`geolearn.optimize.metric_mds`.
    mds_weights : str, array-like of shape (n_samples, n_samples) or None, default=None
        Weights of the pairs in the stress: None for all 1, "heat" for the heat plus
        1e-5, "inverse_distance" for :math:`D^{-\beta}`, "gaussian" for
        :math:`e^{-\hat D^2/\beta}` with D scaled to [0, 1], or given for all pairs.
    mds_weights_param : float, default=1.0
        :math:`\beta` of the weights.
    mds_max_iter : int, default=300
        Largest number of majorisation steps.
    mds_tol : float, default=1e-7
        The majorisation stops when a step lowers the stress by less, relative to
        :math:`\sum w D^2`.
    n_landmarks : int, "auto" or None, default="auto"
        Number of landmarks; None embeds all samples by their mutual distances.
        "auto" does so up to 3000 samples and else takes n / 50 landmarks, at least
        300 and at most 1000.
    landmark_method : {"random", "kmeans++", "farthest"}, default="random"
        Choice of the landmarks; each connected component has at least one.
    extension : {"stress", "average"}, default="stress"
        Place samples that are not landmarks, and new ones, by minimising their
        stress, or at the heat-weighted (graph-weighted for new ones) average.
    disconnected : {"saturate", "connect", "error"}, default="saturate"
        What to do with a disconnected graph: set distances between components to
        one large value, with a warning; add the shortest edges between components;
        or raise an error.
    store_dissimilarity : bool, default=True
        Whether to keep `dissimilarity_`.
    working_memory : float, default=None
        Largest size in MiB of the arrays that grow with the square of the number of
        samples, or with samples times landmarks; half of the available memory by
        default.
    random_state : int, RandomState instance or None, default=None
        Seeds landmarks, approximate neighbours and the scaling. The result is the
        same for any `n_jobs`.
    n_jobs : int, default=None
        Number of threads; None is 1, -1 all cores.
    verbose : int, default=0
        1 reports the steps, 2 also inner iterations.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components)
        Coordinates of the training samples, in the units of the dissimilarity;
        float32 if `X` is.
    affinity_matrix_ : csr_array of shape (n_nodes, n_nodes)
        Symmetric affinities W, zero diagonal. Identical samples share a node.
    node_indices_ : ndarray of shape (n_samples,)
        Node of each sample; ``arange(n_samples)`` if all samples differ.
    bandwidths_ : ndarray of shape (n_nodes,)
        Distance of each node to its k-th neighbour. Not with precomputed affinity.
    degrees_ : ndarray of shape (n_nodes,)
        Row sums of the affinities.
    n_connected_components_ : int
        Number of connected components of the graph.
    component_labels_ : ndarray of shape (n_nodes,)
        Component of each node.
    t_ : float or ndarray of shape (n_times,)
        Diffusion time that was used.
    t_grid_, entropies_ : ndarray of shape (n_times,)
        Times and entropies of the heat kernel, with ``t="auto"`` only.
    relaxation_time_ : float
        :math:`1/(2\lambda_2)` before clipping, with ``t="relaxation"`` only; above
        20 000 nodes a lower bound of it where it exceeds 2000.
    heat_order_ : int
        Degree of the series, or number of steps, that the heat kernel took.
    heat_diagonal_ : ndarray of shape (n_nodes,) or (n_times, n_nodes)
        Heat that stays at each node; interpolated from the landmarks for others.
    landmark_indices_ : ndarray of shape (m,)
        Nodes by which other points are placed: the landmarks, or at most 300 random
        nodes when all samples are embedded by their mutual distances.
    landmark_embedding_ : ndarray of shape (m, n_components)
        Their coordinates.
    landmark_heat_ : ndarray of shape (n_nodes, m) or (n_times, n_nodes, m)
        Columns of the heat kernel at these nodes.
    dissimilarity_ : ndarray of shape (n_nodes, n_nodes) or (m, m)
        Dissimilarities among all nodes, or among the landmarks.
    stress_ : float
        Stress-1 of the scaling, ``sqrt(sum w (d - D)^2 / sum w D^2)``.
    n_iter_ : int
        Number of iterations of the scaling.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `X` has string column names.

    See Also
    --------
    geolearn.embedding.MetricMDS : Metric scaling of given distances.

    Notes
    -----
    Where this departs from the authors' code: logarithms of heat are accurate
    however far the points are, the volume correction is on by default, the diagonal
    of the dissimilarity is 0, the triplet distance is divided by the square root of
    n, the embedding keeps its units, and new samples can be transformed.

    References
    ----------
    .. [1] G. Huguet, A. Tong, E. De Brouwer, Y. Zhang, G. Wolf, I. Adelstein,
       S. Krishnaswamy, "A Heat Diffusion Perspective on Geodesic Preserving
       Dimensionality Reduction", NeurIPS 2023, arXiv:2305.19043.

    Examples
    --------
    >>> from geolearn.datasets import make_swiss_roll
    >>> from geolearn.embedding import HeatGeodesicEmbedding
    >>> X, _ = make_swiss_roll(n_samples=300, random_state=0)
    >>> embedder = HeatGeodesicEmbedding(random_state=0).fit(X)
    >>> embedder.embedding_.shape
    (300, 2)
    >>> embedder.transform(X[:5] + 0.01).shape
    (5, 2)
    """

    _parameter_constraints: ClassVar[dict] = CONSTRAINTS

    def __init__(
        self,
        n_components=2,
        *,
        n_neighbors=10,
        affinity="alpha_decay",
        decay=40.0,
        kernel_threshold=1e-4,
        anisotropy=0.0,
        metric="euclidean",
        metric_params=None,
        knn_method="auto",
        laplacian="normalized",
        t="auto",
        t_grid=None,
        heat_method="chebyshev",
        heat_tol=1e-8,
        euler_steps=30,
        kernel_floor=0.0,
        volume_correction=1.0,
        volume_mean="arithmetic",
        power=1.0,
        denoising=0.0,
        mds_solver="auto",
        mds_weights=None,
        mds_weights_param=1.0,
        mds_max_iter=300,
        mds_tol=1e-7,
        n_landmarks="auto",
        landmark_method="random",
        extension="stress",
        disconnected="saturate",
        store_dissimilarity=True,
        working_memory=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.affinity = affinity
        self.decay = decay
        self.kernel_threshold = kernel_threshold
        self.anisotropy = anisotropy
        self.metric = metric
        self.metric_params = metric_params
        self.knn_method = knn_method
        self.laplacian = laplacian
        self.t = t
        self.t_grid = t_grid
        self.heat_method = heat_method
        self.heat_tol = heat_tol
        self.euler_steps = euler_steps
        self.kernel_floor = kernel_floor
        self.volume_correction = volume_correction
        self.volume_mean = volume_mean
        self.power = power
        self.denoising = denoising
        self.mds_solver = mds_solver
        self.mds_weights = mds_weights
        self.mds_weights_param = mds_weights_param
        self.mds_max_iter = mds_max_iter
        self.mds_tol = mds_tol
        self.n_landmarks = n_landmarks
        self.landmark_method = landmark_method
        self.extension = extension
        self.disconnected = disconnected
        self.store_dissimilarity = store_dissimilarity
        self.working_memory = working_memory
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Embed the training samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Samples, or their distances (``metric="precomputed"``), or their
            affinities (``affinity="precomputed"``), the last two dense or sparse.
        y : None
            Ignored.

        Returns
        -------
        self : HeatGeodesicEmbedding
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of range or does not fit the data, or if the graph
            is disconnected and ``disconnected="error"``.
        MemoryError
            If ``n_landmarks`` is not "auto" and the fit needs more than
            `working_memory`.

        Warns
        -----
        UserWarning
            If the graph is disconnected, `n_neighbors` is too large, or fewer than
            three samples are distinct.
        RuntimeWarning
            If the diffusion has homogenised, or the heat kernel underflows.
        ConvergenceWarning
            If the heat series or the scaling did not converge.
        """
        self._embed(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Embed the training samples and return their coordinates.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Samples, distances or affinities, see :meth:`fit`.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            The attribute `embedding_`.
        """
        self._embed(X)
        return self.embedding_

    def transform(self, X):
        """Place samples in the embedding.

        A sample enters the graph by the alpha-decay weights of its neighbours, takes
        the mean of their heat, and is placed by its dissimilarities to the
        landmarks. A training sample gets its training coordinates, also if rounding
        in the steps before has moved it by 1e-5 of its bandwidth.

        Parameters
        ----------
        X : array-like of shape (n_new, n_features) or (n_new, n_samples)
            Samples, or their distances to all training samples.

        Returns
        -------
        ndarray of shape (n_new, n_components)
            Coordinates.
        """
        X = check_new(self, X)
        if self._frame is None:  # fewer than three distinct samples
            return np.zeros((X.shape[0], self.n_components), self.embedding_.dtype)
        return padded(
            self._extension().place(X), self.n_components, self.embedding_.dtype
        )

    @available_if(_knows_distances)
    def dissimilarity(self, X=None):
        """Compute the dissimilarities of samples to the landmarks.

        Parameters
        ----------
        X : array-like of shape (n_new, n_features) or (n_new, n_samples), default=None
            Samples, or their distances to all training samples. None takes the
            training samples.

        Returns
        -------
        ndarray of shape (n_new, m)
            Dissimilarities to the nodes `landmark_indices_`, to which
            :meth:`transform` fits the coordinates.
        """
        check_is_fitted(self)
        if X is None:
            return self._extension().node_dissimilarity()[self.node_indices_]
        return self._extension().dissimilarity(check_new(self, X))

    @available_if(_knows_distances)
    def score_samples(self, X):
        r"""Score how well samples are surrounded by training samples.

        The score is :math:`-\log(\varepsilon_x / \bar\varepsilon)` with the distance
        :math:`\varepsilon_x` to the k-th nearest training sample and the geometric
        mean :math:`\bar\varepsilon` of the bandwidths of these k. It is near 0 inside
        the data and low for outliers.

        Parameters
        ----------
        X : array-like of shape (n_new, n_features) or (n_new, n_samples)
            Samples, or their distances to all training samples.

        Returns
        -------
        ndarray of shape (n_new,)
            Scores.
        """
        X = check_new(self, X)
        return self._extension().score(X)

    @property
    def _n_features_out(self):
        return self.embedding_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        pairwise = is_pairwise(self)
        tags.input_tags.pairwise = pairwise
        tags.input_tags.positive_only = pairwise
        tags.input_tags.sparse = pairwise
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _embed(self, X):
        """Fit: validate, build the graph, choose t, diffuse, scale, store."""
        # what this fit does not set must not be left over from another
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        X, dtype = check_training(self, X)
        progress = Progress(self.verbose, __name__)
        seeds = check_random_state(self.random_state).randint(2**31 - 1, size=4)
        nodes = distinct_nodes(
            X, precomputed=is_pairwise(self), is_affinity=is_precomputed(self.affinity)
        )
        self.node_indices_ = nodes.of
        if nodes.first.size < 3:
            self._store_trivial(nodes, dtype)
            return
        given_weights = check_weights(self.mds_weights, X.shape[0], nodes)
        X = restrict(X, nodes, pairwise=is_pairwise(self))
        graph = build_graph(
            X,
            affinity=self.affinity,
            n_neighbors=self.n_neighbors,
            decay=self.decay,
            threshold=self.kernel_threshold,
            anisotropy=self.anisotropy,
            metric=self.metric,
            metric_params=self.metric_params,
            knn_method=self.knn_method,
            disconnected=self.disconnected,
            random_state=seeds[0],
            n_jobs=self.n_jobs,
        )
        progress("graph of %d nodes and %d edges", X.shape[0], graph.W.nnz // 2)
        L = graph_laplacian(graph.W, self.laplacian)
        phi = 1.0 if self.laplacian == "normalized" else largest_eigenvalue_bound(L) / 2
        chosen = choose_times(
            self.t, self.t_grid, L, phi=phi, random_state=seeds[1], n_jobs=self.n_jobs
        )
        progress("diffusion time %s", np.array2string(chosen.times, precision=4))
        points = choose_points(
            self.n_landmarks,
            X,
            n_times=chosen.times.size,
            labels=graph.labels,
            working_memory=self.working_memory,
            method=self.landmark_method,
            distances=graph.index,
            random_state=seeds[2],
            n_jobs=self.n_jobs,
        )
        solver = make_solver(self, chosen.times, phi, points, seeds[3], progress)
        solve = solver.solve_landmarks if points.partial else solver.solve_full
        layout = solve(L, points.indices, given_weights)
        for name, value in chosen.attributes.items():
            setattr(self, name, value)
        self._store(nodes, graph, layout, solver, dtype)
        progress("embedding done")

    def _store(self, nodes, graph, layout, solver, dtype):
        """Set the fitted attributes."""
        if layout.homogenised:
            warnings.warn(
                "The diffusion has homogenised: it does not tell the samples apart and "
                "the embedding has no meaning; reduce t or n_neighbors"
                + (" or volume_correction." if self.volume_correction > 1 else "."),
                RuntimeWarning,
                stacklevel=5,
            )
        self._solver, self._frame = solver, layout.frame
        self._index, self._first_samples = graph.index, nodes.first
        self._node_embedding = layout.embedding
        self.affinity_matrix_ = graph.W
        if graph.bandwidths is not None:
            self.bandwidths_ = graph.bandwidths
        self.degrees_ = degrees(graph.W)
        self.n_connected_components_ = graph.n_components
        self.component_labels_ = graph.labels
        heat = layout.heat.swapaxes(1, 2)
        several = np.ndim(self.t) > 0
        self.landmark_heat_ = heat if several else heat[0]
        self.heat_diagonal_ = layout.diagonal if several else layout.diagonal[0]
        self.heat_order_ = layout.order
        self.landmark_indices_ = layout.frame.indices
        self.landmark_embedding_ = padded(
            layout.frame.embedding, self.n_components, np.float64
        )
        if self.store_dissimilarity:
            self.dissimilarity_ = layout.dissimilarity
        self.stress_ = layout.stress
        self.n_iter_ = layout.n_iter
        self.embedding_ = padded(layout.embedding[nodes.of], self.n_components, dtype)

    def _store_trivial(self, nodes, dtype):
        """Put all samples at the origin when fewer than three differ."""
        warnings.warn(
            f"Only {nodes.first.size} of {nodes.of.size} samples are distinct; all are "
            "embedded at the origin.",
            UserWarning,
            stacklevel=5,
        )
        self._frame = None
        self.embedding_ = np.zeros((nodes.of.size, self.n_components), dtype)

    def _extension(self) -> Extension:
        """Assemble what places new points from the fitted attributes."""
        if self._frame is None:
            raise ValueError(
                "Fewer than three training samples were distinct: there are no "
                "landmarks to compare with; fit on three at least."
            )
        several = np.ndim(self.t_) > 0
        return Extension(
            index=self._index,
            bandwidths=self.bandwidths_,
            n_neighbors=self.n_neighbors,
            decay=self.decay,
            threshold=self.kernel_threshold,
            solver=self._solver,
            frame=self._frame,
            heat=self.landmark_heat_ if several else self.landmark_heat_[None],
            diagonal=self.heat_diagonal_ if several else self.heat_diagonal_[None],
            embedding=self._node_embedding,
        )


# The wrapping of `transform` by the base class, for `set_output`, would hide that it
# is missing with affinity="precomputed".
HeatGeodesicEmbedding.transform = available_if(_knows_distances)(  # type: ignore[method-assign]  # the wrapped method
    HeatGeodesicEmbedding.transform
)
