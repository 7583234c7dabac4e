"""The parts of a scatter plot; every function imports matplotlib when called."""

from typing import Any

import numpy as np

from geolearn.plotting._palette import MISSING

_MANY = 5000  # points above which they are drawn fainter and as an image
_LEGEND_ENTRIES = 40  # categories listed; the others are counted
_LEGEND_ROWS = 18
_TICK_INTERVALS = 6  # of the longest edge of a 3-D box
# Inches above and below; in 3-D for the axis names, which the layout overlooks.
_MARGINS = {2: 0.04, 3: 0.4}
_ZOOM = 0.92  # of a 3-D box, for the same reason


def prepare_axes(ax, n_dims: int):
    """Check the user's axes, or make a figure with axes of `n_dims` dimensions."""
    if ax is None:
        import matplotlib.pyplot as plt
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        layout = ConstrainedLayoutEngine(h_pad=_MARGINS[n_dims])
        figure = plt.figure(layout=layout)
        return figure.add_subplot(projection="3d" if n_dims == 3 else None)
    ax_dims = 3 if getattr(ax, "name", None) == "3d" else 2
    if ax_dims != n_dims:
        remedy = (
            "make it with projection='3d'"
            if n_dims == 3
            else "make it without projection='3d'"
        )
        raise ValueError(
            f"ax has {ax_dims} dimensions for {n_dims} components; {remedy}, or "
            "choose other components."
        )
    return ax


def point_style(ax, n_samples, size, alpha, rasterized) -> dict[str, Any]:
    """Choose size, opacity and rasterisation by the number of points."""
    if size is None:
        box = ax.get_window_extent()
        # 3.7 inches is the height of the axes of matplotlib's default figure.
        scale = min(box.width, box.height) / ax.figure.dpi / 3.7
        size = np.clip(400.0 / np.sqrt(n_samples) * scale**2, 0.3, 36.0)
    if alpha is None:
        alpha = 0.85 if n_samples <= _MANY else 0.6
    if rasterized is None:
        rasterized = n_samples > _MANY
    return {"s": size, "alpha": alpha, "rasterized": rasterized, "linewidths": 0.0}


def check_scatter_params(scatter_params):
    """Refuse what the display sets itself, since it changes the order of points."""
    own = {"c": "palette or cmap", "color": "palette or cmap", "s": "size"}
    own["facecolors"] = own["c"]
    for name in scatter_params:
        if name in own:
            raise TypeError(f"{name} is set by the display; use {own[name]} instead.")
    return scatter_params


def scale_limits(values, percentiles):
    """Return the two percentiles of the values that are not NaN."""
    low, high = percentiles
    if not 0 <= low < high <= 100:
        raise ValueError(
            f"percentiles={percentiles!r} must satisfy 0 <= low < high <= 100."
        )
    present = values[~np.isnan(values)]
    return np.percentile(present, (low, high)) if present.size else (0.0, 1.0)


def scatter_values(ax, points, values, cmap, limits, style):
    """Draw points on a continuous scale.

    Returns the collection, the ends of the scale that are clipped (as the
    `extend` of a colourbar) and whether labels are missing.
    """
    import matplotlib
    from matplotlib.colors import Normalize

    missing = np.isnan(values)
    present = values[~missing]
    order = _drawing_order(missing)
    colormap = matplotlib.colormaps.get_cmap(cmap).with_extremes(bad=MISSING)
    params = {"norm": Normalize(*limits), "cmap": colormap, **style}
    filled = np.where(missing, limits[0], values)
    scatter = ax.scatter(*points[order].T, c=filled[order], **params)
    # 3-D axes drop points whose colour is not finite, so these come afterwards.
    scatter.set_array(np.ma.masked_invalid(values[order]))
    low, high = scatter.get_clim()
    below = present.size > 0 and low > present.min()
    above = present.size > 0 and high < present.max()
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}
    return scatter, extend[int(below), int(above)], bool(missing.any())


def _drawing_order(missing):
    """Return missing points first, then the others shuffled, alike at every call."""
    order = np.random.default_rng(0).permutation(missing.shape[0])
    return np.concatenate((order[missing[order]], order[~missing[order]]))


def scatter_categories(ax, points, codes, styles, style):
    """Draw points in the colours and markers of their categories.

    Returns the collection (a list, if there are several markers) and whether
    labels are missing.
    """
    from matplotlib.colors import to_rgba_array

    if codes is None:
        codes = np.zeros(points.shape[0], dtype=np.intp)
    # Code -1 takes the last entry: grey circles.
    colors = to_rgba_array([color for color, _ in styles] + [MISSING])
    markers = np.array([marker for _, marker in styles] + ["o"])
    order = _drawing_order(codes == -1)
    drawn = []
    for marker in dict.fromkeys(markers[codes[order]]):
        chosen = order[markers[codes[order]] == marker]
        params = {"marker": str(marker), "c": colors[codes[chosen]], **style}
        drawn.append(ax.scatter(*points[chosen].T, **params))
    return drawn[0] if len(drawn) == 1 else drawn, bool((codes == -1).any())


def add_legend(ax, categories, styles, missing, title):
    """Put the legend to the right of the axes; None if there is nothing to list."""
    from matplotlib.lines import Line2D

    entries = [
        (str(category), color, marker)
        for category, (color, marker) in zip(categories, styles, strict=False)
    ]
    left_out = len(entries) - _LEGEND_ENTRIES
    if left_out > 0:
        entries = [*entries[:_LEGEND_ENTRIES], (f"and {left_out} more", "none", "")]
    if missing:
        entries.append(("missing", MISSING, "o"))
    if not entries:
        return None
    handles = [
        Line2D([], [], linestyle="", marker=marker, color=color, markersize=6)
        for _, color, marker in entries
    ]
    legend = ax.legend(
        handles,
        [str(k) for k in range(len(entries))],
        **_legend_place(ax, alone=not categories),
        borderaxespad=0.0,
        frameon=False,
        handletextpad=0.3,
        columnspacing=1.0,
        ncols=-(-len(entries) // _LEGEND_ROWS),
        title=title,
        alignment="left",
    )
    # Set afterwards: matplotlib would hide a label that starts with "_" and
    # read one with dollar signs as a formula.
    for text, (label, _, _) in zip(legend.get_texts(), entries, strict=True):
        text.set_parse_math(False)
        text.set_text(label)
    return legend


def _legend_place(ax, alone):
    # A colourbar stands on the right, so "missing" alone goes below the axes; in
    # three dimensions the lower right corner has axis names.
    if not alone:
        return {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0)}
    if _is_3d(ax):
        return {"loc": "lower left", "bbox_to_anchor": (0.0, 0.0)}
    return {"loc": "upper right", "bbox_to_anchor": (1.0, -0.1)}


def add_colorbar(scatter, extend, title):
    """Put the scale to the right of the axes, in full colours."""
    colorbar = scatter.axes.figure.colorbar(
        scatter,
        ax=scatter.axes,
        extend=extend,
        pad=0.1 if _is_3d(scatter.axes) else 0.02,
        # Maps of the world are half as high as wide.
        shrink=1.0 if scatter.axes.name in ("3d", "rectilinear") else 0.55,
    )
    colorbar.solids.set_alpha(1.0)
    colorbar.outline.set_visible(False)
    if title:
        colorbar.set_label(title)
    return colorbar


def _is_3d(ax):
    return ax.name == "3d"


def equalise(ax):
    """Give a unit the same length on all axes."""
    if _is_3d(ax):
        lengths = np.ptp([ax.get_xlim(), ax.get_ylim(), ax.get_zlim()], axis=1)
        ax.set_box_aspect(lengths, zoom=_ZOOM)
        _thin_ticks(ax, lengths)
        return
    # Widening the limits keeps the axes' box, but not where both limits are
    # shared with other axes.
    shared = all(
        len(group.get_siblings(ax)) > 1
        for group in (ax.get_shared_x_axes(), ax.get_shared_y_axes())
    )
    ax.set_aspect("equal", adjustable="box" if shared else "datalim")


def _thin_ticks(ax, lengths):
    """Give short edges of a 3-D box fewer ticks, whose labels would overlap."""
    from matplotlib.ticker import MaxNLocator

    for axis, length in zip((ax.xaxis, ax.yaxis, ax.zaxis), lengths, strict=True):
        n_intervals = max(1, round(_TICK_INTERVALS * length / lengths.max()))
        axis.set_major_locator(MaxNLocator(n_intervals, steps=[1, 2, 2.5, 5, 10]))
