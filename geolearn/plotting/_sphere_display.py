"""Points on the sphere: maps in longitude and latitude, and views in space."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from geolearn.plotting._coloring import Coloring
from geolearn.plotting._coordinates import embed, final_estimator
from geolearn.plotting._drawing import check_scatter_params, point_style, prepare_axes
from geolearn.plotting._sphere_geometry import (
    check_center,
    draw_globe,
    longitude_latitude,
    rotation_to,
)

_OFF = 1e-6  # relative difference of norms beyond which rows are on no sphere
_GEOGRAPHIC = ("mollweide", "hammer", "aitoff", "lambert")
_PROJECTIONS = (*_GEOGRAPHIC, "plate_carree", "3d")


class SphereDisplay:
    """Show points of the sphere as a map of the world or as a globe.

    Longitude is the angle of (x, y), latitude that above the plane z = 0, both in
    degrees. Make one with :meth:`from_estimator` or :meth:`from_embedding`.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, 3)
        Points of a sphere about the origin, of any radius.
    labels : array-like of shape (n_samples,) or None, default=None
        What the points are coloured by, as in :meth:`EmbeddingDisplay.plot`.
    name : str or None, default=None
        Title of the plot.

    Attributes
    ----------
    coordinates : ndarray of shape (n_samples, 2)
        Longitude in (-180, 180] and latitude in [-90, 90], in degrees.
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Figure of the last plot.
    scatter_ : matplotlib PathCollection or list of such
        The points drawn, as in `EmbeddingDisplay`.
    legend_ : matplotlib Legend or None
        Legend of the categories or of the missing labels.
    colorbar_ : matplotlib Colorbar or None
        Scale of continuous labels.

    Raises
    ------
    ValueError
        If there are not three columns, or the rows differ in norm.

    See Also
    --------
    EmbeddingDisplay : Points of the plane and of space.
    PoincareDisplay : Points of the hyperbolic plane.

    Examples
    --------
    >>> from geolearn.manifolds import Sphere
    >>> from geolearn.plotting import SphereDisplay
    >>> X = Sphere(2).random_point(50, random_state=0)
    >>> display = SphereDisplay.from_embedding(X, X[:, 2], label_name="height")
    >>> display.ax_.name
    'mollweide'
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(self, embedding, labels=None, *, name=None):
        X = check_array(embedding, dtype=np.float64, input_name="embedding")
        if X.shape[1] != 3:
            raise ValueError(
                f"embedding has {X.shape[1]} columns; points of a sphere in space have "
                f"3. Use EmbeddingDisplay for others."
            )
        norms = np.linalg.norm(X, axis=1)
        radius = float(np.median(norms))
        off = np.abs(norms - radius)
        if not radius > 0.0 or off.max() > _OFF * radius:
            first = int(np.argmax(off > _OFF * radius))
            raise ValueError(
                f"embedding[{first}] has norm {norms[first]:.6g}, others have "
                f"{radius:.6g}: the rows lie on no sphere about the origin. Divide "
                f"them by their norms if only directions matter."
            )
        self.embedding = X / norms[:, None]
        self.labels = labels
        self.name = name

    @property
    def coordinates(self) -> np.ndarray:
        """Longitude and latitude in degrees."""
        return np.degrees(longitude_latitude(self.embedding))

    @classmethod
    def from_estimator(
        cls, estimator, X=None, y=None, *, name=None, **plot_params
    ) -> "SphereDisplay":
        """Embed samples in the sphere with an estimator and draw them.

        Parameters
        ----------
        estimator : estimator object
            Transformer to the sphere, such as ``RieSNE(target="sphere")``, pipeline of
            transformers or search over one.
        X : array-like or None, default=None
            Samples to embed. None draws the `embedding_` kept from the fit; see
            :meth:`EmbeddingDisplay.from_estimator`.
        y : array-like of shape (n_samples,) or None, default=None
            Labels to colour the points by.
        name : str or None, default=None
            Title of the plot. None takes the class of the estimator; "" leaves it out.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        SphereDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If `X` is None and the estimator is not fitted.
        ValueError
            If the embedding is not in the sphere, or as in :meth:`plot`.
        """
        embedding, _ = embed(estimator, X)
        if name is None:
            name = type(final_estimator(estimator)).__name__
        return cls(embedding, y, name=name).plot(**plot_params)

    @classmethod
    def from_embedding(
        cls, embedding, labels=None, *, name=None, **plot_params
    ) -> "SphereDisplay":
        """Draw points of the sphere.

        Parameters
        ----------
        embedding : array-like of shape (n_samples, 3)
            Points of a sphere about the origin, of any radius.
        labels : array-like of shape (n_samples,) or None, default=None
            Labels to colour the points by.
        name : str or None, default=None
            Title of the plot.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        SphereDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As the class, and as :meth:`plot`.
        """
        return cls(embedding, labels, name=name).plot(**plot_params)

    def plot(
        self,
        ax=None,
        *,
        projection: str | None = None,
        center=None,
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
    ) -> "SphereDisplay":
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes of that projection to draw on; None makes a new figure with pyplot.
        projection : str or None, default=None
            "mollweide" and "hammer" keep areas, "lambert" too, about its centre;
            "aitoff"; "plate_carree" takes longitude and latitude in degrees as they
            are; "3d" is a globe. None takes that of `ax`, or "mollweide".
        center : "mean", (longitude, latitude) in degrees, or None, default=None
            Direction in the middle of the map, or towards the viewer of the globe,
            with north above; "mean" is that of the mean of the points. Maps are turned
            with it, and their grid is then that of the turned sphere. None leaves
            longitude and latitude 0 in the middle.
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
        SphereDisplay
            This display.

        Raises
        ------
        ValueError
            If the projection is unknown or not that of `ax`, `center` is not a
            direction, the mean is at the middle of the sphere, or as in
            :meth:`EmbeddingDisplay.plot`.
        TypeError
            If `scatter_params` has a colour or a size of the points.
        """
        n_samples = self.embedding.shape[0]
        projection = _choose_projection(projection, ax)
        center = check_center(center, self.embedding)
        coloring = Coloring.of(
            self.labels,
            n_samples,
            kind=kind,
            palette=palette,
            cmap=cmap,
            percentiles=percentiles,
        )
        check_scatter_params(scatter_params)
        self.ax_ = _axes(ax, projection)
        self.figure_ = self.ax_.figure
        points = self._draw_frame(projection, center)
        style = point_style(self.ax_, n_samples, size, alpha, rasterized)
        self.scatter_, self.legend_, self.colorbar_ = coloring.draw(
            self.ax_,
            points,
            {**style, **scatter_params},
            legend=legend,
            label_name=label_name,
        )
        title = self.name if title is None else title
        if title:
            self.ax_.set_title(title)
        return self

    def _draw_frame(self, projection, center):
        """Draw grid and axes; return the coordinates to scatter."""
        ax = self.ax_
        if projection == "3d":
            draw_globe(ax, center)
            return self.embedding
        turned = self.embedding
        if center is not None:
            turned = turned @ rotation_to(*center).T
        angles = longitude_latitude(turned)
        ax.grid(color="0.88", linewidth=0.6)
        ax.set_axisbelow(True)
        if projection == "plate_carree":
            ax.set(xlim=(-180, 180), ylim=(-90, 90), aspect="equal")
            ax.set(xlabel="longitude", ylabel="latitude")
            ax.set(xticks=range(-180, 181, 60), yticks=range(-90, 91, 30))
            return np.degrees(angles)
        ax.tick_params(labelsize="x-small", labelcolor="0.55")
        if center is not None:  # degrees of a turned sphere tell nothing
            ax.set(xticklabels=[], yticklabels=[])
        return angles


def _choose_projection(projection, ax):
    own = None
    if ax is not None:
        own = "plate_carree" if ax.name == "rectilinear" else ax.name
        if own not in _PROJECTIONS:
            raise ValueError(
                f"ax has projection {ax.name!r}; choose from {list(_PROJECTIONS)}."
            )
    if projection is None:
        return own or "mollweide"
    if projection not in _PROJECTIONS:
        raise ValueError(
            f"projection={projection!r} is unknown; choose from {list(_PROJECTIONS)}."
        )
    if own not in (None, projection):
        raise ValueError(
            f"projection={projection!r}, but ax has {own!r}; make it with "
            f"projection={projection!r}, or leave out ax."
        )
    return projection


def _axes(ax, projection):
    if ax is not None:
        return ax
    if projection in ("3d", "plate_carree"):
        return prepare_axes(None, 3 if projection == "3d" else 2)
    import matplotlib.pyplot as plt

    figure = plt.figure(layout="constrained")
    return figure.add_subplot(projection=projection)
