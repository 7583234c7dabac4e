"""Scatter plots of embedded points."""

from typing import Any

import numpy as np

from geolearn.plotting._coloring import Coloring
from geolearn.plotting._coordinates import embed, final_estimator
from geolearn.plotting._drawing import (
    check_scatter_params,
    equalise,
    point_style,
    prepare_axes,
)
from geolearn.plotting._view import check_components, read_points


class EmbeddingDisplay:
    """Show an embedding as points in two or three dimensions.

    Make one with :meth:`from_estimator` or :meth:`from_embedding`, which also
    draw it; :meth:`plot` draws again, with other colours or on other axes.
    Only matplotlib is needed, and it is imported when the first plot is drawn.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, n_columns)
        Embedded points. The columns of a dataframe name the axes.
    labels : array-like of shape (n_samples,) or None, default=None
        What the points are coloured by, see :meth:`plot`. The name of a pandas
        series becomes the title of the legend.
    feature_names : array-like of str of shape (n_columns,) or None, default=None
        Names of the axes. None takes the columns of a dataframe, or
        "component 0", "component 1" and so on.
    name : str or None, default=None
        Title of the plot.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Figure of the last plot.
    scatter_ : matplotlib PathCollection or list of such
        The points drawn: one collection, or, with more categories than
        colours, a list of them, one for each marker.
    legend_ : matplotlib Legend or None
        Legend of the categories or of the missing labels.
    colorbar_ : matplotlib Colorbar or None
        Scale of continuous labels.

    See Also
    --------
    sklearn.manifold.TSNE : One of the many estimators that this can draw.

    Examples
    --------
    >>> from geolearn.datasets import make_branching_tree
    >>> from geolearn.plotting import EmbeddingDisplay
    >>> from sklearn.decomposition import PCA
    >>> X, branch = make_branching_tree(n_per_branch=50, random_state=0)
    >>> pca = PCA(n_components=2).fit(X)
    >>> display = EmbeddingDisplay.from_estimator(pca, X, branch)
    >>> display.ax_.get_xlabel()
    'pca0'
    >>> [text.get_text() for text in display.legend_.get_texts()]
    ['0', '1', '2', '3', '4']

    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(self, embedding, labels=None, *, feature_names=None, name=None):
        self.embedding, self.feature_names = read_points(
            embedding, feature_names, default="component {}", name="embedding"
        )
        self.labels = labels
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator, X=None, y=None, *, name=None, **plot_params
    ) -> "EmbeddingDisplay":
        """Embed samples with an estimator and draw them.

        Parameters
        ----------
        estimator : estimator object
            Transformer, pipeline of transformers or search over one.
        X : array-like or None, default=None
            Samples to embed. None draws the `embedding_` that the estimator (or
            the last step of the pipeline) kept from its fit. Otherwise a fitted
            estimator draws ``transform(X)``, which for the training samples may
            differ from `embedding_`; an unfitted one is cloned, and the clone's
            ``fit_transform(X)`` is drawn. The estimator itself is never changed.
        y : array-like of shape (n_samples,) or None, default=None
            Labels to colour the points by. They are not passed on to the
            estimator: a supervised one must be fitted beforehand.
        name : str or None, default=None
            Title of the plot. None takes the class of the estimator or of the
            last step of the pipeline; "" leaves it out.
        **plot_params : dict
            Parameters of :meth:`plot`, such as `ax` or `components`.

        Returns
        -------
        EmbeddingDisplay
            The display, drawn. Its axes have the names given by the estimator's
            `get_feature_names_out`.

        Raises
        ------
        NotFittedError
            If `X` is None and the estimator is not fitted.
        ValueError
            If `X` is None and there is no `embedding_`, if `X` is given and
            the fitted estimator has no `transform`, or as in :meth:`plot`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.decomposition import PCA
        >>> from geolearn.plotting import EmbeddingDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> display = EmbeddingDisplay.from_estimator(PCA(2), X, y)
        >>> display.ax_.get_title()
        'PCA'

        >>> import matplotlib.pyplot as plt
        >>> plt.close(display.figure_)
        """
        embedding, names = embed(estimator, X)
        if hasattr(embedding, "columns") or np.shape(names) != np.shape(embedding)[1:]:
            names = None
        if name is None:
            name = type(final_estimator(estimator)).__name__
        display = cls(embedding, y, feature_names=names, name=name)
        return display.plot(**plot_params)

    @classmethod
    def from_embedding(
        cls, embedding, labels=None, *, feature_names=None, name=None, **plot_params
    ) -> "EmbeddingDisplay":
        """Draw points that are embedded already.

        Parameters
        ----------
        embedding : array-like of shape (n_samples, n_columns)
            Embedded points. The columns of a dataframe name the axes.
        labels : array-like of shape (n_samples,) or None, default=None
            Labels to colour the points by.
        feature_names : array-like of str of shape (n_columns,) or None, default=None
            Names of the axes.
        name : str or None, default=None
            Title of the plot.
        **plot_params : dict
            Parameters of :meth:`plot`, such as `ax` or `components`.

        Returns
        -------
        EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As in :meth:`plot`.

        Examples
        --------
        >>> import numpy as np
        >>> from geolearn.plotting import EmbeddingDisplay
        >>> points = np.random.default_rng(0).normal(size=(20, 3))
        >>> display = EmbeddingDisplay.from_embedding(points, components=(0, 2))
        >>> display.ax_.get_ylabel()
        'component 2'

        >>> import matplotlib.pyplot as plt
        >>> plt.close(display.figure_)
        """
        display = cls(embedding, labels, feature_names=feature_names, name=name)
        return display.plot(**plot_params)

    def plot(
        self,
        ax=None,
        *,
        components=None,
        kind: str = "auto",
        palette=None,
        cmap="viridis",
        percentiles=(0, 100),
        size: float | None = None,
        alpha: float | None = None,
        legend: bool = True,
        label_name: str | None = None,
        title: str | None = None,
        equal_aspect: bool = True,
        rasterized: bool | None = None,
        **scatter_params: Any,
    ) -> "EmbeddingDisplay":
        """Draw the points.

        Points are drawn in a shuffled order (the same at every call), so that
        the last category of the data does not cover the others; points without
        a label are drawn first, in grey.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on, of projection "3d" for three components. None makes
            a new figure with pyplot, the only thing that pyplot is used for.
        components : sequence of 2 or 3 int, or None, default=None
            Columns of the embedding to draw, counted from 0. None draws all of
            two or three columns.
        kind : {"auto", "categorical", "continuous"}, default="auto"
            What the labels are. "auto" takes numbers for a continuous scale,
            unless they are whole and have at most 20 distinct values; booleans,
            strings and other objects are categories. None, NaN, NaT and
            infinite labels are missing.
        palette : str, sequence of colours, mapping or None, default=None
            Colours of the categories: the name of a matplotlib colormap, colours
            taken in turn, or the colour of each category. None takes ten that
            colour-blind readers can tell apart. Where the colours run out they
            repeat with other markers.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of a continuous scale.
        percentiles : tuple of 2 float, default=(0, 100)
            Percentiles of continuous labels at the two ends of the scale; values
            beyond take the colours of the ends. (2, 98) keeps outliers from
            using up the scale.
        size : float or None, default=None
            Area of a point in square typographic points. None shrinks it with
            the number of points and with the axes.
        alpha : float or None, default=None
            Opacity from 0 to 1. None takes 0.85, or 0.6 above 5000 points.
        legend : bool, default=True
            Whether to add the legend, or the colourbar of continuous labels.
        label_name : str or None, default=None
            Title of the legend or colourbar. None takes the name of the labels,
            if they have one.
        title : str or None, default=None
            Title of the axes. None takes the name of the display.
        equal_aspect : bool, default=True
            Whether a unit has the same length on all axes. Distances in an
            embedding can be read only then.
        rasterized : bool or None, default=None
            Whether vector formats hold the points as an image. None does so
            above 5000 points.
        **scatter_params : dict
            Further parameters of matplotlib's `Axes.scatter`, the same for all
            points, such as `edgecolors` or `norm`.

        Returns
        -------
        EmbeddingDisplay
            This display.

        Raises
        ------
        ValueError
            If the number of labels differs from that of the points, if the
            embedding has one column or, without `components`, more than three,
            if `components` or `percentiles` are not valid, if `palette` lacks
            a category, or if `ax` has not the dimension of the components.
        TypeError
            If `scatter_params` has a colour or a size of the points.
        """
        # All that can be wrong is found before a figure is made.
        chosen = self._choose(components)
        n_samples = self.embedding.shape[0]
        coloring = Coloring.of(
            self.labels,
            n_samples,
            kind=kind,
            palette=palette,
            cmap=cmap,
            percentiles=percentiles,
        )
        check_scatter_params(scatter_params)
        self.ax_ = prepare_axes(ax, len(chosen))
        self.figure_ = self.ax_.figure
        style = point_style(self.ax_, n_samples, size, alpha, rasterized)
        self.scatter_, self.legend_, self.colorbar_ = coloring.draw(
            self.ax_,
            self.embedding[:, chosen],
            {**style, **scatter_params},
            legend=legend,
            label_name=label_name,
        )
        self._name_axes(chosen, title)
        if equal_aspect:
            equalise(self.ax_)
        return self

    def _choose(self, components):
        """Return the columns to draw, as a list."""
        n_columns = self.embedding.shape[1]
        if components is None:
            if n_columns in (2, 3):
                return list(range(n_columns))
            remedy = (
                "choose two or three, for instance components=(0, 1)"
                if n_columns > 3
                else "a plot needs at least two"
            )
            raise ValueError(f"the embedding has {n_columns} column(s); {remedy}.")
        return check_components(components, n_columns)

    def _name_axes(self, chosen, title):
        for axis, j in zip("xyz", chosen, strict=False):
            getattr(self.ax_, f"set_{axis}label")(self.feature_names[j])
        title = self.name if title is None else title
        if title:
            self.ax_.set_title(title)
