"""Points and graphs of the hyperbolic plane in the Poincaré disk."""

import math
from typing import Any

import numpy as np
from sklearn.utils import check_array

from geolearn.manifolds import Hyperboloid, convert_hyperbolic
from geolearn.plotting._coloring import Coloring
from geolearn.plotting._coordinates import embed, final_estimator
from geolearn.plotting._drawing import check_scatter_params, point_style, prepare_axes
from geolearn.utils._hyperbolic_models import HYPERBOLIC_MODELS

_MARGIN = 1.03  # of the axes, in radii of the disk
_ARC_POINTS = 33
_INK = "#303030"


class PoincareDisplay:
    """Show points of the hyperbolic plane, and edges between them.

    The plane is drawn as the Poincaré disk, where angles are true and geodesics are
    arcs of circles at right angles to the boundary. Make one with
    :meth:`from_estimator` or :meth:`from_embedding`.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, 3) or (n_samples, 2)
        Points of the hyperbolic plane: on the hyperboloid, time coordinate first, or
        in one of the two disks.
    labels : array-like of shape (n_samples,) or None, default=None
        What the points are coloured by, as in :meth:`EmbeddingDisplay.plot`.
    model : {"hyperboloid", "poincare", "klein"}, default="hyperboloid"
        Model of the points.
    curvature : float, default=-1.0
        Sectional curvature of the points, negative. The disk is drawn with radius 1.
    edges : array-like of int of shape (n_edges, 2) or None, default=None
        Pairs of rows that are joined by geodesics.
    name : str or None, default=None
        Title of the plot.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Figure of the last plot.
    points_ : ndarray of shape (n_samples, 2)
        Points of the unit disk as drawn, after `center` is moved to its middle.
    scatter_ : matplotlib PathCollection or list of such
        The points drawn, as in `EmbeddingDisplay`.
    edges_ : matplotlib LineCollection or None
        The geodesics.
    legend_ : matplotlib Legend or None
        Legend of the categories or of the missing labels.
    colorbar_ : matplotlib Colorbar or None
        Scale of continuous labels.

    Raises
    ------
    ValueError
        If the rows are no points of the hyperbolic plane in that model, the curvature
        is not negative, or edges name rows that do not exist.

    See Also
    --------
    HyperbolicDecisionDisplay : Predictions of an estimator on the disk.
    geolearn.embedding.TreeEmbedding : Trees in the hyperbolic plane.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.embedding import TreeEmbedding
    >>> from geolearn.plotting import PoincareDisplay
    >>> edges = np.array([[(k - 1) // 2, k] for k in range(1, 15)])
    >>> tree = np.zeros((15, 15))
    >>> tree[edges[:, 0], edges[:, 1]] = 1.0
    >>> embedding = TreeEmbedding(scale=1.5).fit(tree)
    >>> display = PoincareDisplay.from_estimator(embedding, edges=edges)
    >>> len(display.edges_.get_paths())
    14
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        embedding,
        labels=None,
        *,
        model: str = "hyperboloid",
        curvature: float = -1.0,
        edges=None,
        name=None,
    ):
        if model not in HYPERBOLIC_MODELS:
            raise ValueError(
                f"model={model!r} is unknown; choose one of {HYPERBOLIC_MODELS}."
            )
        X = check_array(embedding, dtype=np.float64, input_name="embedding")
        n_columns = 3 if model == "hyperboloid" else 2
        if X.shape[1] != n_columns:
            raise ValueError(
                f"embedding has {X.shape[1]} columns; points of the hyperbolic plane "
                f"have {n_columns} with model={model!r}. Other dimensions cannot be "
                f"drawn in a disk."
            )
        plane = convert_hyperbolic(X, model, "hyperboloid", curvature)
        plane = Hyperboloid(2, curvature).check_points(plane)
        self.embedding = plane * math.sqrt(-curvature)
        self.labels = labels
        self.edges = None if edges is None else _check_edges(edges, len(X))
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        model: str | None = None,
        curvature: float | None = None,
        edges=None,
        name=None,
        **plot_params,
    ) -> "PoincareDisplay":
        """Embed samples in the hyperbolic plane with an estimator and draw them.

        Parameters
        ----------
        estimator : estimator object
            Transformer to the hyperbolic plane, such as `TreeEmbedding`,
            ``HyperbolicMDS(2)`` or ``RieSNE(target="hyperboloid")``, pipeline of
            transformers or search over one.
        X : array-like or None, default=None
            Samples to embed. None draws the `embedding_` kept from the fit; see
            :meth:`EmbeddingDisplay.from_estimator`.
        y : array-like of shape (n_samples,) or None, default=None
            Labels to colour the points by.
        model : {"hyperboloid", "poincare", "klein"} or None, default=None
            Model of the embedding. None takes the hyperboloid.
        curvature : float or None, default=None
            Sectional curvature of the embedding. None takes that of the estimator's
            `signature` or `target_manifold_`, where it has one, else -1.
        edges : array-like of int of shape (n_edges, 2) or None, default=None
            Pairs of rows that are joined by geodesics.
        name : str or None, default=None
            Title of the plot. None takes the class of the estimator; "" leaves it out.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        PoincareDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If `X` is None and the estimator is not fitted.
        ValueError
            If the embedding is not in the hyperbolic plane, or as in :meth:`plot`.
        """
        embedding, _ = embed(estimator, X)
        final = final_estimator(estimator)
        display = cls(
            embedding,
            y,
            model="hyperboloid" if model is None else model,
            curvature=_curvature_of(final) if curvature is None else curvature,
            edges=edges,
            name=type(final).__name__ if name is None else name,
        )
        return display.plot(**plot_params)

    @classmethod
    def from_embedding(
        cls,
        embedding,
        labels=None,
        *,
        model: str = "hyperboloid",
        curvature: float = -1.0,
        edges=None,
        name=None,
        **plot_params,
    ) -> "PoincareDisplay":
        """Draw points of the hyperbolic plane.

        Parameters
        ----------
        embedding : array-like of shape (n_samples, 3) or (n_samples, 2)
            Points of the hyperbolic plane.
        labels : array-like of shape (n_samples,) or None, default=None
            Labels to colour the points by.
        model : {"hyperboloid", "poincare", "klein"}, default="hyperboloid"
            Model of the points.
        curvature : float, default=-1.0
            Sectional curvature of the points, negative.
        edges : array-like of int of shape (n_edges, 2) or None, default=None
            Pairs of rows that are joined by geodesics.
        name : str or None, default=None
            Title of the plot.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        PoincareDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As the class, and as :meth:`plot`.
        """
        display = cls(
            embedding,
            labels,
            model=model,
            curvature=curvature,
            edges=edges,
            name=name,
        )
        return display.plot(**plot_params)

    def plot(
        self,
        ax=None,
        *,
        center=None,
        edge_params: dict | None = None,
        kind: str = "auto",
        palette=None,
        cmap="viridis",
        percentiles=(0, 100),
        size: float | None = None,
        alpha: float | None = None,
        legend: bool = True,
        label_name: str | None = None,
        title: str | None = None,
        rasterized: bool | None = None,
        **scatter_params: Any,
    ) -> "PoincareDisplay":
        """Draw the disk.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure with pyplot.
        center : int, "mean" or None, default=None
            Row that is moved to the middle of the disk by a translation of the
            hyperbolic plane, which changes no distance, or the Fréchet mean of all.
            What is in the middle is drawn largest. None moves nothing.
        edge_params : dict or None, default=None
            Parameters of matplotlib's `LineCollection` for the edges, such as
            ``{"linewidths": 0.5}``.
        kind : {"auto", "categorical", "continuous"}, default="auto"
            What the labels are, as in :meth:`EmbeddingDisplay.plot`.
        palette : str, sequence of colours, mapping or None, default=None
            Colours of the categories.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of a continuous scale.
        percentiles : tuple of 2 float, default=(0, 100)
            Percentiles of continuous labels at the two ends of the scale.
        size : float or None, default=None
            Area of a point in square typographic points; None chooses.
        alpha : float or None, default=None
            Opacity of the points from 0 to 1; None chooses.
        legend : bool, default=True
            Whether to add the legend, or the colourbar of continuous labels.
        label_name : str or None, default=None
            Title of the legend or colourbar. None takes the name of the labels.
        title : str or None, default=None
            Title of the axes. None takes the name of the display.
        rasterized : bool or None, default=None
            Whether vector formats hold the points as an image. None does so above
            5000 points.
        **scatter_params : dict
            Further parameters of matplotlib's `Axes.scatter`.

        Returns
        -------
        PoincareDisplay
            This display.

        Raises
        ------
        ValueError
            If `center` is not a row, or as in :meth:`EmbeddingDisplay.plot`.
        TypeError
            If `scatter_params` has a colour or a size of the points.
        """
        n_samples = self.embedding.shape[0]
        plane = self._centred(center)
        coloring = Coloring.of(
            self.labels,
            n_samples,
            kind=kind,
            palette=palette,
            cmap=cmap,
            percentiles=percentiles,
        )
        check_scatter_params(scatter_params)
        self.ax_ = prepare_axes(ax, 2)
        self.figure_ = self.ax_.figure
        self.points_ = convert_hyperbolic(plane, "hyperboloid", "poincare")
        self.edges_ = self._draw_edges(plane, edge_params or {})
        style = point_style(self.ax_, n_samples, size, alpha, rasterized)
        self.scatter_, self.legend_, self.colorbar_ = coloring.draw(
            self.ax_,
            self.points_,
            {**style, "zorder": 3, **scatter_params},
            legend=legend,
            label_name=label_name,
        )
        self._finish(title)
        return self

    def _centred(self, center):
        """Return the points, moved so that the centre is at the origin."""
        X = self.embedding
        if center is None:
            return X
        if isinstance(center, str) and center == "mean":
            middle = Hyperboloid(2).frechet_mean(X)
        elif isinstance(center, (int, np.integer)) and not isinstance(center, bool):
            if not -len(X) <= center < len(X):
                raise ValueError(
                    f"center={center} is no row of the embedding, which has {len(X)}."
                )
            middle = X[center]
        else:
            raise ValueError(f"center={center!r} must be a row, 'mean' or None.")
        return _translated(X, middle)

    def _draw_edges(self, plane, edge_params):
        if self.edges is None:
            return None
        from matplotlib.collections import LineCollection

        t = np.linspace(0.0, 1.0, _ARC_POINTS)
        start, end = (plane[self.edges[:, k], None] for k in (0, 1))
        arcs = Hyperboloid(2).geodesic(start, end, t)
        arcs = convert_hyperbolic(arcs.reshape(-1, 3), "hyperboloid", "poincare")
        params = {"colors": "0.6", "linewidths": 0.8, "zorder": 2, **edge_params}
        lines = LineCollection(arcs.reshape(-1, _ARC_POINTS, 2), **params)
        return self.ax_.add_collection(lines, autolim=False)

    def _finish(self, title):
        from matplotlib.patches import Circle

        rim = Circle((0.0, 0.0), 1.0, fill=False, edgecolor=_INK, zorder=1)
        self.ax_.add_patch(rim)
        self.ax_.set(xlim=(-_MARGIN, _MARGIN), ylim=(-_MARGIN, _MARGIN))
        self.ax_.set_aspect("equal")
        self.ax_.set_axis_off()
        title = self.name if title is None else title
        if title:
            self.ax_.set_title(title)


def _check_edges(edges, n_samples):
    edges = np.asarray(edges)
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise ValueError(
            f"edges must be pairs of rows, integers of shape (n_edges, 2); got shape "
            f"{edges.shape} of dtype {edges.dtype}."
        )
    if edges.size and (edges.min() < 0 or edges.max() >= n_samples):
        raise ValueError(
            f"edges name rows from {edges.min()} to {edges.max()}, but the embedding "
            f"has rows 0 to {n_samples - 1}."
        )
    return edges


def _curvature_of(estimator):
    """Return the curvature that an embedding says its points have, or -1."""
    target = getattr(estimator, "target_manifold_", None)
    if isinstance(target, Hyperboloid):
        return target.curvature
    signature = getattr(estimator, "signature", None)
    if signature is not None and len(signature) == 1 and signature[0][0] < 0.0:
        return float(signature[0][0])
    return -1.0


def _translated(X, middle):
    """Translate the hyperbolic plane so that a point comes to the origin."""
    plane = Hyperboloid(2)
    # A boost would subtract products of large coordinates; logarithms do not.
    directions = plane.transport(middle, plane.origin, plane.log(middle, X))
    return plane.exp(plane.origin, directions)
