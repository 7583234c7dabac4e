"""Stochastic neighbour embedding of Riemannian data."""

from numbers import Integral, Real
from typing import ClassVar

from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from geolearn.embedding._rie_sne_coordinates import chart
from geolearn.embedding._rie_sne_input import (
    check_new,
    check_training,
    choose_method,
    choose_target,
    without_traces,
)
from geolearn.embedding._rie_sne_place import (
    Frame,
    mean_kernel_sum,
    place,
    same_samples,
)
from geolearn.embedding._rie_sne_start import start_embedding
from geolearn.embedding._sne_objective import SNEObjective
from geolearn.embedding._sne_optimizer import Schedule, descend
from geolearn.embedding._sne_optimizer_steps import steps_for
from geolearn.graph import brownian_affinities, brownian_affinities_to
from geolearn.graph._precomputed import is_precomputed
from geolearn.graph._samples import takes_matrices
from geolearn.manifolds import Manifold
from geolearn.utils._progress import Progress
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context
from geolearn.utils.validation import check_points

# Neighbours that place a new sample, and their effective number over all of them.
_PLACEMENT_NEIGHBORS = 15
_PLACEMENT_SHARE = 3.0


class RieSNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Embed Riemannian data in the plane, on a sphere or in hyperbolic space [1]_.

    The t-SNE [2]_ of data on a known manifold. The Gaussian affinities become
    transition densities of Brownian motion on the manifold, to leading order

    .. math:: p_{j|i} \propto \theta(x_i, x_j)^{-1/2} e^{-d(x_i, x_j)^2 / 2 t_i},

    with the geodesic distance d, the volume density :math:`\theta` of the
    exponential map and a diffusion time :math:`t_i` that gives every point the same
    perplexity. Points y of the target minimise the Kullback-Leibler divergence of
    q, the normalised kernel of their distances, from the symmetrised p.

    The paper prints another factor in place of :math:`\theta^{-1/2}`, which depends
    on coordinates; the authors' program uses none for the experiments. The scale of
    the kernel on the sphere is learned here; ``kernel="vmf", kernel_scale=1.0`` is the
    paper's setting.

    Parameters
    ----------
    manifold : str or Manifold, default="euclidean"
        Where the data lie: a name of `geolearn.manifolds.get_manifold` ("euclidean",
        "sphere", "hyperboloid", "spd", ...), an instance, or "precomputed", where
        `X` holds distances.
    target : {"euclidean", "sphere", "hyperboloid"} or Manifold, default="euclidean"
        Where the embedding lies. Hyperbolic targets are experimental. Manifolds
        other than these three, such as ``SPD(2)``, go through their logarithms, for
        up to some thousand samples.
    n_components : int, default=2
        Dimension of a target given by name.
    perplexity : float, default=30.0
        Effective number of neighbours, above 1 and below their number.
    volume_correction : {"auto", "parametrix", "none"}, default="auto"
        Whether to use the factor :math:`\theta^{-1/2}`. "auto" uses it unless some
        point cannot attain the perplexity with it, as happens in high dimensions.
    kernel : {"auto", "student", "student_chordal", "brownian", "vmf"}, default="auto"
        Kernel of the embedding: :math:`1 / (1 + d^2 / \tau)`; the same with the
        chord instead of d; :math:`\theta^{-1/2} e^{-d^2 / 2 \tau}`; the von
        Mises-Fisher density :math:`e^{(\cos d - 1) / \tau}` on spheres. "auto" is
        "student_chordal" on spheres, else "student", the only one on other manifolds
        than the three named targets.
    kernel_scale : {"auto", "learn"} or float, default="auto"
        Scale tau of the kernel. "learn" descends in it, too, after the exaggeration.
        "auto" learns it from 1 on spheres, takes 0.1 in hyperbolic space, where
        learning drives the points outwards, and 1 elsewhere.
    affinity : {"auto", "exact", "knn"}, default="auto"
        Pairs with affinities: all, or nearest neighbours. "auto" takes all up to
        2000 samples.
    n_neighbors : int or None, default=None
        Number of neighbours; None takes 3 times the perplexity.
    early_exaggeration : float, default=12.0
        Factor of the affinities in the first iterations, at least 1.
    early_exaggeration_iter : int, default=250
        Number of these iterations.
    max_iter : int, default=750
        Number of iterations in all; the usual end of the descent.
    learning_rate : {"auto"} or float, default="auto"
        Step along the gradient in flat space with tau = 1, at the start of each
        phase. "auto" is n / 4, divided by the exaggeration while it lasts [3]_.
        scikit-learn counts alike; programs that drop the factor 4 of the gradient
        call it n.
    init : {"pca", "random"} or array-like of shape (n_samples, ...), default="pca"
        Start. "pca" takes the principal coordinates in flat space and on spheres,
        those of tangent vectors at the Fréchet mean where logarithms are unique, and
        classical scaling of at most 1000 landmarks elsewhere and for given distances;
        scaled to a small spread, or to the sphere. An array holds points of the
        target.
    method : {"auto", "exact", "barnes_hut", "fft"}, default="auto"
        How the repulsion is summed. "exact" takes all pairs, in memory of order n;
        "barnes_hut" a tree, in the plane, in space and on the sphere of two
        dimensions with a chordal kernel; "fft" hands over to openTSNE, in the plane.
        "auto" is "exact" up to 5000 samples, then the tree where there is one; "fft"
        in the plane above 20 000 samples if openTSNE is installed.
    angle : float, default=0.5
        Largest size of a cell, seen from a point, that the tree takes for one point.
    min_grad_norm : float, default=1e-7
        Stop when the Riemannian length of the gradient of all points is below.
    n_iter_without_progress : int, default=300
        Stop when the divergence has not fallen for so many iterations after the
        exaggeration; looked at every 50.
    random_state : int, RandomState instance or None, default=None
        Draws random starts and landmarks. Pass an int for reproducible results.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all. Results do not depend on it, except
        those of openTSNE.
    verbose : int, default=0
        1 logs the divergence every 50 iterations.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components) or (n_samples, ...)
        Points of the target: in flat space their coordinates, on the sphere and in
        hyperbolic space n_components + 1 coordinates of the surrounding space (time
        first), elsewhere of the manifold's `point_shape`.
    kl_divergence_ : float
        Divergence reached. It compares embeddings of the same `affinities_` with the
        same kernel only.
    n_iter_ : int
        Number of iterations.
    affinities_ : csr_array of shape (n_samples, n_samples)
        Joint probabilities, symmetric, of sum 1; traces whose sum is below 1e-9 are
        left out.
    diffusion_time_ : ndarray of shape (n_samples,)
        Diffusion times t, in squared units of the distances; infinite where the
        perplexity is not attainable.
    kernel_scale_ : float
        Scale tau in the end.
    volume_correction_ : str
        "parametrix" or "none", which was used.
    method_ : str
        "exact", "barnes_hut" or "fft", which was used.
    target_manifold_ : Manifold
        Target.
    n_samples_fit_ : int
        Number of training samples.
    n_features_in_ : int
        Number of features seen during :term:`fit`; of matrices, the number of rows.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if `X` had names that are all strings.

    See Also
    --------
    HeatGeodesicEmbedding : Embedding that keeps geodesic distances of the data.
    geolearn.graph.brownian_affinities : The affinities.
    sne_objective : The divergence and its gradient.
    geolearn.metrics.trustworthiness : How many neighbours are true ones.

    Notes
    -----
    The affinities take about ``36 * n * perplexity * 2`` bytes above 2000 samples. For
    more than 100 000 samples on curved targets, fit a random subset of some 20 000
    and place the others by `transform`.

    References
    ----------
    .. [1] A. Bergsson, S. Hauberg, "Visualizing Riemannian data with Rie-SNE", 2022,
       arXiv:2203.09253.
    .. [2] L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", J. Mach.
       Learn. Res. 9, 2008.
    .. [3] A. Belkina et al., "Automated optimized parameters for t-distributed
       stochastic neighbor embedding improve visualization and analysis of large
       datasets", Nat. Commun. 10, 2019, doi:10.1038/s41467-019-13055-y.

    Examples
    --------
    Directions around two poles, in the plane:

    >>> import numpy as np
    >>> from geolearn.embedding import RieSNE
    >>> from geolearn.manifolds import Sphere
    >>> sphere = Sphere(4)
    >>> poles = np.repeat([sphere.origin, -sphere.origin], 20, axis=0)
    >>> V = sphere.random_tangent(poles, scale=0.2, random_state=0)
    >>> sne = RieSNE(sphere, perplexity=8.0, random_state=0).fit(sphere.exp(poles, V))
    >>> sne.embedding_.shape, sne.volume_correction_, sne.method_
    ((40, 2), 'parametrix', 'exact')
    >>> first, second = sne.embedding_[:20], sne.embedding_[20:]
    >>> gap = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    >>> bool(gap > 2.0 * first.std())
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "manifold": [str, Manifold],
        "target": [StrOptions({"euclidean", "sphere", "hyperboloid"}), Manifold],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        # Its bounds depend on the data, and the message names both.
        "perplexity": [Real],
        "volume_correction": [StrOptions({"auto", "parametrix", "none"})],
        "kernel": [
            StrOptions({"auto", "student", "student_chordal", "brownian", "vmf"})
        ],
        "kernel_scale": [
            StrOptions({"auto", "learn"}),
            Interval(Real, 0.0, None, closed="neither"),
        ],
        "affinity": [StrOptions({"auto", "exact", "knn"})],
        "n_neighbors": [Interval(Integral, 2, None, closed="left"), None],
        "early_exaggeration": [Interval(Real, 1.0, None, closed="left")],
        "early_exaggeration_iter": [Interval(Integral, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [
            StrOptions({"auto"}),
            Interval(Real, 0.0, None, closed="neither"),
        ],
        "init": [StrOptions({"pca", "random"}), "array-like"],
        "method": [StrOptions({"auto", "exact", "barnes_hut", "fft"})],
        "angle": [Interval(Real, 0.0, 1.0, closed="both")],
        "min_grad_norm": [Interval(Real, 0.0, None, closed="left")],
        "n_iter_without_progress": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        manifold="euclidean",
        *,
        target="euclidean",
        n_components=2,
        perplexity=30.0,
        volume_correction="auto",
        kernel="auto",
        kernel_scale="auto",
        affinity="auto",
        n_neighbors=None,
        early_exaggeration=12.0,
        early_exaggeration_iter=250,
        max_iter=750,
        learning_rate="auto",
        init="pca",
        method="auto",
        angle=0.5,
        min_grad_norm=1e-7,
        n_iter_without_progress=300,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.manifold = manifold
        self.target = target
        self.n_components = n_components
        self.perplexity = perplexity
        self.volume_correction = volume_correction
        self.kernel = kernel
        self.kernel_scale = kernel_scale
        self.affinity = affinity
        self.n_neighbors = n_neighbors
        self.early_exaggeration = early_exaggeration
        self.early_exaggeration_iter = early_exaggeration_iter
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.init = init
        self.method = method
        self.angle = angle
        self.min_grad_norm = min_grad_norm
        self.n_iter_without_progress = n_iter_without_progress
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
    def fit(self, X, y=None, *, log_volume_density=None):
        """Embed the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, p, q) or \
                (n_samples, n_samples)
            Points of the manifold, at least four; a manifold instance of matrices
            also takes them as rows of p * q numbers. Distances if `manifold` is
            "precomputed".
        y : Ignored
            Not used; present for the interface.
        log_volume_density : array-like of shape (n_samples, n_samples), default=None
            Logarithms of the volume density between the samples of precomputed
            distances; None leaves the factor out.

        Returns
        -------
        RieSNE
            The fitted estimator.

        Raises
        ------
        ValueError
            If a sample is off the manifold, the message names it; if all distances
            are zero, `perplexity` does not fit the number of neighbours, or other
            parameters do not fit each other or the data.
        ImportError
            If `method` is "fft" and openTSNE is not installed.

        Warns
        -----
        UserWarning
            If the volume factor is left out, because the perplexity is not attainable
            with it.
        ConvergenceWarning
            If the descent overflows twice, or `volume_correction` is "parametrix" and
            points cannot attain the perplexity. Reaching `max_iter` is no cause of
            warning.
        """
        self._embed(X, log_volume_density)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, *, log_volume_density=None):
        """Embed the samples and return their points.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, p, q) or \
                (n_samples, n_samples)
            Samples or distances, see :meth:`fit`.
        y : Ignored
            Not used; present for the interface.
        log_volume_density : array-like of shape (n_samples, n_samples), default=None
            See :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples, ...)
            The attribute `embedding_`.
        """
        self._embed(X, log_volume_density)
        return self.embedding_

    def transform(self, X, *, log_volume_density=None):
        """Place samples among the training samples, which stay where they are.

        A sample starts at the mean of the points of its 15 nearest training samples,
        weighted by affinities of perplexity 5, and descends in the divergence of
        these affinities. A sample equal to a training sample gets its point.

        Parameters
        ----------
        X : array-like of shape (n_new, n_features), (n_new, p, q) or (n_new, n_fit)
            Samples, or their distances from all training samples if `manifold` is
            "precomputed".
        log_volume_density : array-like of shape (n_new, n_fit), default=None
            Logarithms of the volume density for precomputed distances; needed if
            `fit` had them and `volume_correction_` is "parametrix".

        Returns
        -------
        ndarray of shape (n_new, ...)
            Points of the target; each depends on its own sample only.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If a sample is off the manifold or has another shape than in `fit`.
        """
        check_is_fitted(self)
        X = check_new(self, X, self._manifold)
        k = min(_PLACEMENT_NEIGHBORS, self.n_samples_fit_)
        W = brownian_affinities_to(
            X,
            self._training,
            self._manifold,
            perplexity=k / _PLACEMENT_SHARE,
            n_neighbors=k,
            volume_correction=self.volume_correction_,
            log_volume_density=log_volume_density,
            n_jobs=self.n_jobs,
        )
        Y = place(self._frame, W, n_jobs=self.n_jobs)
        known, rows = same_samples(X, self._training)
        Y[known] = self.embedding_[rows]
        return Y

    def embedding_coordinates(self, Y=None):
        """Return coordinates in which the embedding is drawn.

        Parameters
        ----------
        Y : array-like of shape (n, ...), default=None
            Points of the target, such as those of :meth:`transform`; None takes
            `embedding_`.

        Returns
        -------
        ndarray of shape (n, n_components)
            In flat space the points themselves; on the sphere of two dimensions
            longitude and latitude in radians, on the circle the angle; in hyperbolic
            space the coordinates of the Poincaré ball.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        ValueError
            If `Y` is not on the target, or the target has no such coordinates.
        """
        check_is_fitted(self)
        target = self.target_manifold_
        return chart(target, self.embedding_ if Y is None else check_points(target, Y))

    def _embed(self, X, log_volume_density):
        """Fit: validate, compute affinities, start, descend, store."""
        X, manifold = check_training(self, X)
        target = choose_target(
            self.target, self.n_components, self.kernel, self.kernel_scale
        )
        method = choose_method(self.method, target, len(X))
        progress = Progress(self.verbose, __name__)
        rng = check_random_state(self.random_state)
        affinities = brownian_affinities(
            X,
            manifold,
            perplexity=self.perplexity,
            volume_correction=self.volume_correction,
            affinity=self.affinity,
            n_neighbors=self.n_neighbors,
            log_volume_density=log_volume_density,
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        progress("affinities with volume correction %r", affinities.volume_correction)
        start = start_embedding(
            self.init, X, manifold, target.manifold, rng=rng, n_jobs=self.n_jobs
        )
        joint = without_traces(affinities.joint)
        layout = self._descend(joint, start, target, method, progress)
        self._store(X, manifold, affinities, joint, target, layout, method)

    def _descend(self, joint, start, target, method, progress):
        schedule = Schedule(
            exaggeration=self.early_exaggeration,
            exaggeration_iter=self.early_exaggeration_iter,
            max_iter=self.max_iter,
            learning_rate=self.learning_rate,
            min_grad_norm=self.min_grad_norm,
            n_iter_without_progress=self.n_iter_without_progress,
            learn_scale=target.learn_scale,
        )
        # The tree gives the divergence that openTSNE's coarse sums miss by percents.
        objective = SNEObjective(
            joint,
            target=target.manifold,
            kernel=target.kernel,
            method="barnes_hut" if method == "fft" else method,
            angle=self.angle,
            n_jobs=self.n_jobs,
        )
        options = {"schedule": schedule, "progress": progress}
        if method == "fft":
            from geolearn.embedding._rie_sne_fft import descend_fft

            layout = descend_fft(joint, start, n_jobs=self.n_jobs, **options)
            return layout._replace(kl=objective(layout.embedding).kl)
        steps = steps_for(target.manifold)
        return descend(objective, start, steps, scale=target.scale, **options)

    def _store(self, X, manifold, affinities, joint, target, layout, method):
        """Set the fitted attributes."""
        self._manifold = manifold
        # New distances are given with their own rows: only the number of training
        # samples matters then.
        self._training = None if is_precomputed(manifold) else X
        self.embedding_ = layout.embedding
        self.kl_divergence_ = layout.kl
        self.n_iter_ = layout.n_iter
        self.kernel_scale_ = layout.scale
        self.affinities_ = sparse.csr_array(joint)
        self.diffusion_time_ = affinities.diffusion_time
        self.volume_correction_ = affinities.volume_correction
        self.method_ = method
        self.target_manifold_ = target.manifold
        self.n_samples_fit_ = len(X)
        frame = Frame(layout.embedding, target.manifold, target.kernel, layout.scale)
        self._frame = frame._replace(
            normaliser=mean_kernel_sum(frame, n_jobs=self.n_jobs)
        )
