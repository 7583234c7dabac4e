"""The shapes of a principal subbundle: planes, fans of curves, swept surfaces."""

import numpy as np

_GOLDEN = np.pi * (3.0 - np.sqrt(5.0))  # angle between neighbours on a sunflower
_CANDIDATES = 2000  # points among which the spread ones are sought


def spread_subset(X, n):
    """Return indices of `n` points that lie far from each other."""
    if X.shape[0] <= n:
        return np.arange(X.shape[0])
    # Farthest points are found among a subset: the cost is its size times n.
    among = np.random.default_rng(0).permutation(X.shape[0])[:_CANDIDATES]
    gap = np.full(among.shape[0], np.inf)
    chosen = [int(np.argmin(np.sum((X[among] - X.mean(axis=0)) ** 2, axis=1)))]
    for _ in range(n - 1):
        new = np.sum((X[among] - X[among[chosen[-1]]]) ** 2, axis=1)
        gap = np.minimum(gap, new)
        chosen.append(int(np.argmax(gap)))
    return among[chosen]


def directions(dim, n):
    """Return unit vectors of R^dim in all directions, at most `n` but at least two.

    In the plane they go round in order.
    """
    if dim == 1:
        return np.array([[1.0], [-1.0]])
    if dim == 2:
        angle = 2.0 * np.pi * np.arange(n) / n
        return np.column_stack((np.cos(angle), np.sin(angle)))
    if dim == 3:
        z = 1.0 - (2.0 * np.arange(n) + 1.0) / n
        around = _GOLDEN * np.arange(n)
        ring = np.sqrt(1.0 - z * z)
        return np.column_stack((ring * np.cos(around), ring * np.sin(around), z))
    vectors = np.random.default_rng(0).normal(size=(n, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def quads(fan):
    """Return the quadrangles between neighbouring curves of a closed fan.

    Parameters
    ----------
    fan : ndarray of shape (n_curves, n_times, dim)
        Curves from one point in directions that go round; NaN where they have ended.

    Returns
    -------
    ndarray of shape (n_quads, 4, dim)
        Those without NaN.
    """
    after = np.roll(fan, -1, axis=0)
    corners = (fan[:, :-1], fan[:, 1:], after[:, 1:], after[:, :-1])
    patches = np.stack(corners, axis=2).reshape(-1, 4, fan.shape[2])
    return patches[np.isfinite(patches).all(axis=(1, 2))]


def squares(positions, tangents, length):
    """Return squares of half diagonal `length` in planes, of shape (n, 4, m)."""
    signs = np.array([(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)])
    corners = np.sqrt(0.5) * length * signs @ np.swapaxes(tangents, 1, 2)
    return positions[:, None] + corners


def draw_surface(ax, fan, color, alpha):
    """Draw the surface that the curves of a fan sweep out; return the collection."""
    patches = quads(fan)
    if patches.shape[0] == 0:  # matplotlib cannot shade nothing
        return None
    if fan.shape[2] == 3:
        from mpl_toolkits.mplot3d.art3d import Poly3DCollection

        surface = Poly3DCollection(patches, facecolors=color, alpha=alpha, shade=True)
        surface.set_edgecolor("none")  # shading fails on edges without colour
        ax.add_collection3d(surface)
        return surface
    from matplotlib.collections import PolyCollection

    surface = PolyCollection(patches, facecolors=color, edgecolors="none", alpha=alpha)
    ax.add_collection(surface)
    return surface


def draw_curves(ax, curves, color):
    """Draw curves of shape (n_curves, n_times, dim), thin when there are many."""
    width = 1.2 if curves.shape[0] <= 8 else 0.7
    return [
        line
        for curve in curves
        for line in ax.plot(*curve.T, color=color, linewidth=width, zorder=3)
    ]


def draw_tangents(ax, positions, tangents, length, color):
    """Draw tangent spaces.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes of two or three dimensions.
    positions : ndarray of shape (n, m)
        Points.
    tangents : ndarray of shape (n, m, k)
        Bases of the tangent spaces there, as they are seen.
    length : float
        Half the length of the vectors, in units of the data.
    color : matplotlib colour
        Colour.

    Returns
    -------
    matplotlib Collection
        Squares for planes in space, crosses of the basis vectors otherwise.
    """
    if tangents.shape[1:] == (3, 2):
        from mpl_toolkits.mplot3d.art3d import Poly3DCollection

        planes = Poly3DCollection(
            squares(positions, tangents, length),
            facecolors=color,
            edgecolors=color,
            linewidths=0.6,
            alpha=0.35,
        )
        return ax.add_collection3d(planes)
    steps = length * np.swapaxes(tangents, 1, 2)  # (n, k, m)
    ends = np.stack((positions[:, None] - steps, positions[:, None] + steps), axis=2)
    segments = ends.reshape(-1, 2, positions.shape[1])
    if positions.shape[1] == 3:
        from mpl_toolkits.mplot3d.art3d import Line3DCollection

        return ax.add_collection3d(
            Line3DCollection(segments, colors=color, linewidths=1.0)
        )
    from matplotlib.collections import LineCollection

    return ax.add_collection(
        LineCollection(segments, colors=color, linewidths=1.0, zorder=3)
    )
