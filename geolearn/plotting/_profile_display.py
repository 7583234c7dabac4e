"""Heat map of the annuli around one point."""

from typing import Any

import numpy as np

from geolearn.plotting._drawing import prepare_axes

_VOID = "0.88"  # grey of cells without an annulus
_QUANTITIES = ("relative", "combined", "distance", "n_points", "top_degree")
_LABELS = {
    "relative": "distance from the flat model / outer radius",
    "combined": "distance from the flat model",
    "distance": "distance in degree {degree}",
    "n_points": "points",
    "top_degree": "highest degree",
}


class EuclidicityProfileDisplay:
    """Show how the annuli around one point differ from flat ones.

    The score of :class:`~geolearn.topology.Euclidicity` is a mean over annuli; this
    draws each of them in a plane of inner and outer radius. Make one with
    :meth:`from_estimator`, or with :meth:`from_profile`.

    Parameters
    ----------
    inner_radius : array-like of shape (n_cells,)
        Inner radius of each annulus, in units of the data. The cells are the product
        of all inner and all outer radii.
    outer_radius : array-like of shape (n_cells,)
        Outer radius of each.
    values : array-like of shape (n_cells,)
        What the cells are coloured by; NaN where there is no annulus.
    value_name : str or None, default=None
        Title of the colourbar.
    name : str or None, default=None
        Title of the plot.

    Attributes
    ----------
    radii : tuple of ndarray
        The distinct inner and outer radii, increasing.
    table : ndarray of shape (n_inner, n_outer)
        The values in this order; NaN where there are none.
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Figure of the last plot.
    mesh_ : matplotlib QuadMesh
        The cells drawn.
    colorbar_ : matplotlib Colorbar or None
        Scale of the values.
    texts_ : list of matplotlib Text
        The numbers in the cells.

    Raises
    ------
    ValueError
        If the three arrays have not one dimension and the same length, or two cells
        have the same radii.

    See Also
    --------
    SingularityDisplay : The scores of all points.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.plotting import EuclidicityProfileDisplay
    >>> r, s = np.meshgrid([0.1, 0.2, 0.3], [0.3, 0.4], indexing="ij")
    >>> values = np.where(r < s, s - r, np.nan)
    >>> display = EuclidicityProfileDisplay(r.ravel(), s.ravel(), values.ravel())
    >>> display.table.shape
    (3, 2)
    >>> display.plot().ax_.get_xlabel()
    'outer radius'
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    def __init__(
        self, inner_radius, outer_radius, values, *, value_name=None, name=None
    ):
        inner, outer, values = (
            np.asarray(array, dtype=np.float64)
            for array in (inner_radius, outer_radius, values)
        )
        if inner.ndim != 1 or not inner.shape == outer.shape == values.shape:
            raise ValueError(
                f"inner_radius, outer_radius and values have the shapes {inner.shape}, "
                f"{outer.shape} and {values.shape}; give one row of a profile each."
            )
        self.radii, self.table = _tabulate(inner, outer, values)
        self.value_name = value_name
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        x,
        *,
        quantity: str = "relative",
        degree: int = 0,
        name=None,
        **plot_params,
    ) -> "EuclidicityProfileDisplay":
        """Compute the profile of one point and draw it.

        Parameters
        ----------
        estimator : Euclidicity
            Fitted estimator.
        x : array-like of shape (n_features,)
            The point; it need not be among the samples.
        quantity : {"relative", "combined", "distance", "n_points", "top_degree"}, \
                default="relative"
            What to show of the annuli: the distance from the model over the outer
            radius, of which the score is the mean; the distance itself; that of one
            degree; the number of points; or the highest degree with a class of
            homology.
        degree : int, default=0
            Degree of "distance".
        name : str or None, default=None
            Title of the plot. None writes the score of the point; "" leaves it out.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        EuclidicityProfileDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `x` is not one point, or `quantity` or `degree` is not in the profile.
        """
        point = np.asarray(x)
        if point.ndim == 1:
            point = point[None, :]
        if point.ndim != 2 or point.shape[0] != 1:
            raise ValueError(
                f"x has shape {np.shape(x)}; give one point of shape (n_features,)."
            )
        profile = estimator.profile(point)
        if name is None:
            score = -float(estimator.score_samples(point)[0])
            name = f"Euclidicity {score:.3g}"
        return cls.from_profile(
            profile, quantity=quantity, degree=degree, name=name, **plot_params
        )

    @classmethod
    def from_profile(
        cls,
        profile,
        index: int = 0,
        *,
        quantity: str = "relative",
        degree: int = 0,
        name=None,
        **plot_params,
    ) -> "EuclidicityProfileDisplay":
        """Draw the profile of one point out of those of several.

        Parameters
        ----------
        profile : Bunch
            Profiles returned by :meth:`geolearn.topology.Euclidicity.profile`.
        index : int, default=0
            Which of the points to draw.
        quantity : {"relative", "combined", "distance", "n_points", "top_degree"}, \
                default="relative"
            What to show, as in :meth:`from_estimator`.
        degree : int, default=0
            Degree of "distance".
        name : str or None, default=None
            Title of the plot.
        **plot_params : dict
            Parameters of :meth:`plot`.

        Returns
        -------
        EuclidicityProfileDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `quantity`, `degree` or `index` is not in the profile.
        """
        values = _quantity(profile, index, quantity, degree)
        inner, outer = (
            _cells(profile[key], index) for key in ("inner_radius", "outer_radius")
        )
        label = _LABELS[quantity].format(degree=degree)
        return cls(inner, outer, values, value_name=label, name=name).plot(
            **plot_params
        )

    def plot(
        self,
        ax=None,
        *,
        cmap="viridis",
        limits=None,
        annotate: bool | str = False,
        legend: bool = True,
        title: str | None = None,
        **mesh_params: Any,
    ) -> "EuclidicityProfileDisplay":
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure with pyplot.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the values.
        limits : tuple of 2 float, or None, default=None
            Values at the two ends of the scale; give the same to compare points. None
            takes the smallest and the largest.
        annotate : bool or str, default=False
            Whether to write the values into the cells; a str is their format, such as
            ".3g", which True stands for.
        legend : bool, default=True
            Whether to add the colourbar.
        title : str or None, default=None
            Title of the axes. None takes the name of the display.
        **mesh_params : dict
            Further parameters of matplotlib's `Axes.pcolormesh`.

        Returns
        -------
        EuclidicityProfileDisplay
            This display.

        Raises
        ------
        ValueError
            If `ax` has three dimensions, or `limits` does not increase.
        """
        import matplotlib
        from matplotlib.ticker import MaxNLocator

        if limits is not None and not limits[0] < limits[1]:
            raise ValueError(f"limits={limits!r} must be two increasing numbers.")
        low, high = (None, None) if limits is None else limits
        self.ax_ = prepare_axes(ax, 2)
        self.figure_ = self.ax_.figure
        colormap = matplotlib.colormaps.get_cmap(cmap).with_extremes(bad=_VOID)
        params = {"cmap": colormap, "vmin": low, "vmax": high, **mesh_params}
        inner, outer = self.radii
        self.mesh_ = self.ax_.pcolormesh(
            _edges(outer), _edges(inner), np.ma.masked_invalid(self.table), **params
        )
        self.ax_.set(xlabel="outer radius", ylabel="inner radius")
        self.texts_ = self._annotate(annotate)
        self.colorbar_ = None
        if legend:
            whole = np.array_equal(self.table, np.round(self.table), equal_nan=True)
            self.colorbar_ = self.figure_.colorbar(
                self.mesh_,
                ax=self.ax_,
                pad=0.02,
                # Between counts or degrees there is nothing to mark.
                ticks=MaxNLocator(integer=True) if whole else None,
            )
            self.colorbar_.outline.set_visible(False)
            if self.value_name:
                self.colorbar_.set_label(self.value_name)
        title = self.name if title is None else title
        if title:
            self.ax_.set_title(title)
        return self

    def _annotate(self, annotate):
        """Write the values into the cells, dark on bright and bright on dark."""
        if annotate is False:
            return []
        form = ".3g" if annotate is True else annotate
        inner, outer = self.radii
        texts = []
        for i, j in np.argwhere(~np.isnan(self.table)):
            value = self.table[i, j]
            red, green, blue, _ = self.mesh_.cmap(self.mesh_.norm(value))
            bright = 0.3 * red + 0.6 * green + 0.1 * blue > 0.5
            texts.append(
                self.ax_.text(
                    outer[j],
                    inner[i],
                    format(value, form),
                    ha="center",
                    va="center",
                    fontsize="x-small",
                    color="0.1" if bright else "0.95",
                )
            )
        return texts


def _tabulate(inner, outer, values):
    """Return the distinct radii and the values as a table."""
    r, row = np.unique(inner, return_inverse=True)
    s, column = np.unique(outer, return_inverse=True)
    cell = row.ravel() * s.shape[0] + column.ravel()
    if np.unique(cell).shape[0] < cell.shape[0]:
        raise ValueError("two cells have the same inner and outer radius.")
    table = np.full(r.shape[0] * s.shape[0], np.nan)
    table[cell] = values
    return (r, s), table.reshape(r.shape[0], s.shape[0])


def _cells(radius, index):
    """Return the radii of one point; global ones may be given once for all."""
    return radius[index] if np.ndim(radius) == 2 else np.asarray(radius)


def _quantity(profile, index, quantity, degree):
    """Return the values of the cells around one point, NaN where void."""
    if quantity not in _QUANTITIES:
        raise ValueError(f"quantity={quantity!r} must be one of {list(_QUANTITIES)}.")
    source = "combined" if quantity == "relative" else quantity
    table = np.asarray(profile[source], dtype=np.float64)
    if not -table.shape[0] <= index < table.shape[0]:
        raise ValueError(f"index={index} is not among {table.shape[0]} profiles.")
    values = table[index].copy()
    if quantity == "distance":
        if not 0 <= degree < values.shape[1]:
            raise ValueError(
                f"degree={degree} is not among 0 ... {values.shape[1] - 1}, which the "
                "profile has; fit Euclidicity with a larger max_degree."
            )
        values = values[:, degree]
    if quantity == "relative":
        values /= _cells(profile["outer_radius"], index)
    if quantity == "top_degree":
        values[values < 0.0] = np.nan
    return values


def _edges(centres):
    """Return the borders between cells with these increasing centres."""
    if centres.shape[0] == 1:
        half = 0.5 * abs(centres[0]) or 0.5
        return np.array([centres[0] - half, centres[0] + half])
    middle = 0.5 * (centres[1:] + centres[:-1])
    ends = 1.5 * centres[[0, -1]] - 0.5 * centres[[1, -2]]
    return np.concatenate((ends[:1], middle, ends[1:]))
