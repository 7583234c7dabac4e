"""Sarkar's embedding of trees in the hyperbolic plane."""

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

from geolearn.embedding._tree_embedding_graph import (
    graph_adjacency,
    is_graph,
    read_edges,
    spanning_tree,
)
from geolearn.embedding._tree_embedding_layout import (
    exact_distances,
    frame_coordinates,
    largest_error,
    scale_for_distortion,
)
from geolearn.utils._sklearn import Interval, StrOptions, _fit_context

# Radius where distances are still good to about 1e-9, and where nothing is left.
_PRECISE_RADIUS = 24.0
_LARGEST_RADIUS = 36.0

_ROUNDING = 1e-13  # error of distances up to twice that radius in any case


class TreeEmbedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Embed a weighted tree in the hyperbolic plane by Sarkar's construction [1]_.

    An edge of length w becomes a geodesic of length :math:`\tau w`, exactly. The
    edges at a node leave it at equal angles, the children of the root from angle 0
    in the order of their numbers, those of other nodes counter-clockwise from the
    edge upwards. Other distances come out too short by an amount that does not grow
    with them, so that a larger scale :math:`\tau` lowers the relative distortion; what
    double precision can hold bounds it.

    A graph with cycles or loops is replaced by its breadth-first tree, with a warning.

    Parameters
    ----------
    scale : {"float64"}, float or None, default="float64"
        Factor tau of the edge lengths. "float64" brings the deepest node to the
        radius 24. None takes the scale that bounds the worst-case distortion by
        ``1 + epsilon``, which is often too large. A radius above 24 is warned of,
        above 36 it is an error.
    epsilon : float, default=0.1
        Distortion allowed where `scale` is None.
    root : int or "center", default=0
        Number of the node at the origin. "center" takes the middle of a longest
        path, which halves the radius at best.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_nodes, 3)
        Points on the hyperboloid of curvature -1, time coordinate first; their
        distances divided by `scale_` approximate those along the tree. Divided by
        `scale_`, they are points of curvature ``-scale_**2`` in the units of `X`.
    scale_ : float
        Factor tau.
    expected_error_ : float
        Largest error by rounding of the distances of `embedding_` between parents
        and children and between neighbouring siblings, in the units of `X`.
    parent_ : ndarray of int, shape (n_nodes,)
        Parent of every node, -1 for the root.
    depth_ : ndarray of shape (n_nodes,)
        Distance along the tree from the root, in the units of `X`.
    root_ : int
        Number of the root.
    n_features_in_ : int
        Number of nodes.
    feature_names_in_ : ndarray of shape (n_nodes,)
        Names of the columns, if `X` had names that are all strings.

    See Also
    --------
    HyperbolicMDS : Embedding of any distances in hyperbolic space.

    Notes
    -----
    The construction goes back to [2]_. The authors of [1]_ take balls instead, up to
    radius 28.8, and beyond it arithmetic with thousands of bits: coordinates cannot
    hold deep trees. The method `distances` needs no coordinates and is exact at any
    radius.

    References
    ----------
    .. [1] F. Sala, C. De Sa, A. Gu, C. Ré, "Representation tradeoffs for hyperbolic
       embeddings", ICML 2018, arXiv:1804.03329.
    .. [2] R. Sarkar, "Low distortion Delaunay embedding of trees in hyperbolic
       plane", Graph Drawing 2011, doi:10.1007/978-3-642-25878-7_34.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.embedding import TreeEmbedding
    >>> from geolearn.metrics import pairwise_distances
    >>> path = np.diag([1.0, 2.0], k=1)  # 0 - 1 - 2
    >>> tree = TreeEmbedding(scale=3.0).fit(path)
    >>> tree.embedding_.shape
    (3, 3)
    >>> (pairwise_distances(tree.embedding_, metric="hyperboloid") / 3.0).round(6)
    array([[0., 1., 3.],
           [1., 0., 2.],
           [3., 2., 0.]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "scale": [
            StrOptions({"float64"}),
            Interval(Real, 0, None, closed="neither"),
            None,
        ],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "root": [Interval(Integral, 0, None, closed="left"), StrOptions({"center"})],
    }

    def __init__(self, scale="float64", *, epsilon=0.1, root=0):
        self.scale = scale
        self.epsilon = epsilon
        self.root = root

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = True
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        return tags

    @property
    def _n_features_out(self):
        return self.embedding_.shape[1]

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Embed a tree.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_nodes, n_nodes), or graph
            Lengths of the edges; 0 or absent means no edge. An edge may stand in
            one direction, from parent to child, say, or with one length in both. A
            networkx graph is read with its attribute "weight", 1 where absent, and
            numbers its nodes as ``list(X)`` does.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        TreeEmbedding
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` is not square, not connected, not finite, has negative lengths,
            stored zeros or edges of two lengths; if `root` is not a node; if
            the radius exceeds 36.
        """
        X = validate_data(
            self,
            graph_adjacency(X) if is_graph(X) else X,
            accept_sparse="csr",
            dtype=np.float64,
        )
        edges, n = read_edges(X), X.shape[0]
        if not isinstance(self.root, str) and self.root >= n:
            raise ValueError(
                f"root={self.root} is not one of the {n} nodes; pass a number from 0 "
                f"to {n - 1} or 'center'."
            )
        root = self.root if isinstance(self.root, str) else int(self.root)
        self._tree = spanning_tree(edges, n, root)
        self.scale_ = self._find_scale()
        self.embedding_ = frame_coordinates(self._tree, self.scale_)
        error = largest_error(self._tree, self.scale_, self.embedding_)
        self.expected_error_ = error / self.scale_
        self.parent_, self.depth_ = self._tree.parent, self._tree.depth
        self.root_ = int(self._tree.order[0])
        self._warn_far()
        return self

    def fit_transform(self, X, y=None):
        """Embed a tree and return the embedding.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_nodes, n_nodes), or graph
            As for `fit`.
        y : Ignored
            Not used; present for the interface.

        Returns
        -------
        ndarray of shape (n_nodes, 3)
            The attribute `embedding_`.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        return self.fit(X).embedding_

    def distances(self):
        """Compute all distances of the embedding, unharmed by its radius.

        They are computed around the lowest common ancestor of each pair of nodes
        instead of from coordinates, to about 1e-15 relative, in O(n^2) time.

        Returns
        -------
        ndarray of shape (n_nodes, n_nodes)
            Hyperbolic distances divided by `scale_`, in the units of `X`. Compare
            them with those along the tree by `geolearn.metrics.average_distortion`.

        Raises
        ------
        NotFittedError
            If `fit` was not called before.
        """
        check_is_fitted(self)
        return exact_distances(self._tree, self.scale_) / self.scale_

    def _find_scale(self):
        tree = self._tree
        depth = float(tree.depth.max())
        if depth == 0.0:  # one node
            return 1.0 if self.scale is None or self.scale == "float64" else self.scale
        if self.scale == "float64":
            return _PRECISE_RADIUS / depth
        scale = self.scale
        if scale is None:
            degree = tree.n_children + (tree.parent >= 0)
            shortest = tree.length[tree.order[1:]].min()
            scale = scale_for_distortion(self.epsilon, int(degree.max()), shortest)
        scale = float(scale)
        if scale * depth > _LARGEST_RADIUS * (1.0 + 1e-12):
            wanted = f"scale={scale:.6g}"
            if self.scale is None:
                wanted += f" for epsilon={self.epsilon:g}"
            raise ValueError(
                f"{wanted} puts the deepest node at radius {scale * depth:.4g}; double "
                f"precision resolves nothing beyond {_LARGEST_RADIUS:g}. Take scale at "
                f"most {_LARGEST_RADIUS / depth:.6g}, or 'float64' for "
                f"{_PRECISE_RADIUS / depth:.6g}; root='center' lowers the radius."
            )
        return scale

    def _warn_far(self):
        radius = self.scale_ * float(self.depth_.max())
        if radius > _PRECISE_RADIUS * (1.0 + 1e-12):
            loss = (
                f"miss distances of neighbours by up to {self.expected_error_:.1e}"
                if self.expected_error_ * self.scale_ > _ROUNDING
                else "have few digits left for far nodes, though distances of "
                "neighbours are still exact to rounding"
            )
            warnings.warn(
                f"scale={self.scale_:.6g} puts the deepest node at radius "
                f"{radius:.4g}: coordinates {loss}. Take scale at most "
                f"{self.scale_ * _PRECISE_RADIUS / radius:.6g}, or use the method "
                "distances.",
                UserWarning,
                stacklevel=4,
            )
