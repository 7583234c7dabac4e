"""Labels with the colours that they get, for any scatter plot."""

from dataclasses import dataclass
from typing import Any

from geolearn.plotting._drawing import (
    add_colorbar,
    add_legend,
    scale_limits,
    scatter_categories,
    scatter_values,
)
from geolearn.plotting._labels import Labels, read_labels
from geolearn.plotting._palette import category_styles


@dataclass
class Coloring:
    """Labels of points and their colours, checked before there is a figure."""

    labels: Labels
    categories: list[Any]
    styles: list[tuple]
    cmap: Any
    limits: Any  # ends of the scale, None for categories

    @classmethod
    def of(cls, labels, n_samples, *, kind, palette, cmap, percentiles) -> "Coloring":
        """Read labels and choose colours; see `EmbeddingDisplay.plot`."""
        read = read_labels(labels, n_samples, kind)
        if read.values is not None:
            return cls(read, [], [], cmap, scale_limits(read.values, percentiles))
        # Without labels all points are of one category, which no legend lists.
        categories = [None] if labels is None else read.categories
        return cls(read, categories, category_styles(categories, palette), cmap, None)

    def draw(self, ax, points, style, *, legend, label_name) -> tuple[Any, Any, Any]:
        """Draw the points; return what was drawn, the legend and the colourbar."""
        title = self.labels.name if label_name is None else label_name
        if self.limits is not None:
            scatter, extend, missing = scatter_values(
                ax, points, self.labels.values, self.cmap, self.limits, style
            )
            if not legend:
                return scatter, None, None
            colorbar = add_colorbar(scatter, extend, title)
            return scatter, add_legend(ax, [], [], missing, None), colorbar
        scatter, missing = scatter_categories(
            ax, points, self.labels.codes, self.styles, style
        )
        if not legend or self.labels.codes is None:
            return scatter, None, None
        listed = add_legend(ax, self.categories, self.styles, missing, title)
        return scatter, listed, None
