"""
Geodesics and means on curved spaces
====================================

Straight lines, averages and Gaussian noise have their counterparts on a sphere, in
hyperbolic space and on a torus. A manifold object provides them; the points stay
plain arrays.
"""

# %%
# The sphere
# ----------
#
# The average of directions is not a direction: it lies inside the sphere. The
# Fréchet mean is the point with the least sum of squared distances. Below it is
# drawn with the shortest paths to the samples, which start from it with the
# velocities ``log(mean, X)``.
import matplotlib.pyplot as plt
import numpy as np

from geolearn.manifolds import (
    Hyperboloid,
    PoincareBall,
    Sphere,
    Torus,
    hyperboloid_to_poincare,
)

BLUE, ORANGE, GREEN, GREY = "#0b6fb0", "#d9570b", "#1a7f4b", "#9a9a9a"
times = np.linspace(0.0, 1.0, 60)

sphere = Sphere(2)
center = sphere.project([0.5, -0.75, 0.55])
X = sphere.random_normal(30, center, scale=0.4, random_state=3)
mean = sphere.frechet_mean(X)
print("norm of the average", np.linalg.norm(X.mean(axis=0)).round(3))
print("norm of the Fréchet mean", np.linalg.norm(mean).round(3))


def draw_globe(ax):
    """Draw a faint grid of meridians and parallels on the visible half."""
    around = np.linspace(0.0, 2 * np.pi, 121)
    up = np.linspace(-np.pi / 2, np.pi / 2, 61)
    meridians = [
        (np.cos(up) * np.cos(a), np.cos(up) * np.sin(a), np.sin(up))
        for a in np.arange(0.0, 2 * np.pi, np.pi / 12)
    ]
    parallels = [
        (np.cos(b) * np.cos(around), np.cos(b) * np.sin(around), 0 * around + np.sin(b))
        for b in np.arange(-np.pi / 2, np.pi / 2, np.pi / 12)
    ]
    ax.set_proj_type("ortho")
    eye = viewpoint(ax)
    for line in map(np.array, meridians + parallels):
        seen = np.where(eye @ line > 0.0, line, np.nan)
        ax.plot(*seen, color="0.85", linewidth=0.7)
    across = np.linalg.svd(eye[None])[2][1:]  # two axes of the picture plane
    horizon = np.cos(around)[:, None] * across[0] + np.sin(around)[:, None] * across[1]
    ax.plot(*horizon.T, color="0.6", linewidth=1)
    ax.set(box_aspect=(1, 1, 1), xlim=(-0.62, 0.62), ylim=(-0.62, 0.62))
    ax.set(zlim=(-0.62, 0.62))
    ax.set_axis_off()


def viewpoint(ax):
    """Return the unit vector towards the viewer."""
    azimuth, elevation = np.deg2rad([ax.azim, ax.elev])
    return np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )


def new_globe(title):
    """Return axes with a globe in a figure of their own."""
    figure = plt.figure(figsize=(5.6, 5.4), layout="constrained")
    ax = figure.add_subplot(projection="3d")
    ax.view_init(elev=25, azim=-50)
    draw_globe(ax)
    ax.set_title(title)
    return ax


def legend_below(ax):
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=2, frameon=False)


ax = new_globe("Fréchet mean and geodesics to the samples")
paths = sphere.geodesic(mean, X[:, None], times)  # shape (30, 60, 3)
for path in paths:
    ax.plot(*path.T, color=BLUE, linewidth=0.9, alpha=0.6)
ax.plot(*X.T, "o", color=BLUE, markersize=4, label="samples")
ax.plot(*mean, "o", color=ORANGE, markersize=9, label="Fréchet mean")
legend_below(ax)

# %%
# Parallel transport carries a vector along a path without turning it. Around a
# triangle of three right angles it comes back turned by a right angle, the area of
# the triangle: this is curvature.
corners = [
    sphere.project(c) for c in ([0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0])
]
vector = np.array([0.3, 0.0, 0.0])
ax = new_globe("A vector carried around a triangle comes back turned")
ax.quiver(*corners[0], *vector, color=GREEN, linewidth=2.5, label="at the start")
for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
    leg = sphere.geodesic(start, end, times)
    ax.plot(*leg.T, color=GREY, linewidth=1.5)
    steps = leg[10:-1:10]
    carried = sphere.transport(start, steps, vector)
    ax.quiver(*steps.T, *carried.T, color=BLUE, linewidth=1.5)
    vector = sphere.transport(start, end, vector)
ax.quiver(*corners[0], *vector, color=ORANGE, linewidth=2.5, label="on return")
legend_below(ax)
plt.show()

# %%
# Hyperbolic space
# ----------------
#
# In the Poincaré disk distances grow without bound towards the rim: all samples of
# the left picture lie within 3.5 units of the centre and fill that disk uniformly.
# Geodesics are arcs that meet the rim at right angles, and the mean of points near
# the rim is well inside. The hyperboloid is the same space with more room for far
# points; the conversion is an isometry.
disk, sheet = PoincareBall(2), Hyperboloid(2)
cloud = hyperboloid_to_poincare(sheet.random_ball(1500, 3.5, random_state=0))
triangle = disk.exp(
    [0.0, 0.0], 0.8 * np.array([[-0.9, -0.55], [0.95, -0.5], [0.1, 1.05]])
)
weights = [[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]]
means = np.array([disk.frechet_mean(triangle, w) for w in weights])


def draw_disk(ax, title):
    ax.add_patch(plt.Circle((0, 0), 1, facecolor="white", edgecolor="0.3"))
    ax.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal", title=title)
    ax.set_axis_off()


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
draw_disk(left, "1500 points, uniform in a ball of radius 3.5")
angles = np.linspace(0.0, 2 * np.pi, 200)
circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
for radius in (1.0, 2.0, 3.0):
    ring = disk.exp([0.0, 0.0], disk.vector_to_tangent([0.0, 0.0], radius * circle))
    left.plot(*ring.T, color="0.6", linewidth=1)
    label = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    left.text(*ring[25], f"{radius:g}", ha="center", va="center", bbox=label)
left.scatter(*cloud.T, s=5, color=BLUE, linewidths=0)

draw_disk(right, "A geodesic triangle, its mean and weighted means")
for start, end in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
    side = disk.geodesic(start, end, times)
    right.plot(*side.T, color=BLUE, linewidth=1.8)
    line = disk.geodesic(start, end, np.linspace(-3.0, 4.0, 200))
    right.plot(*line.T, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1.5)
right.plot(*triangle.T, "o", color=BLUE, markersize=6)
right.plot(*means[1:].T, "o", color=ORANGE, markersize=6, markerfacecolor="white")
right.plot(*means[0], "o", color=ORANGE, markersize=9)
plt.show()

# %%
# Angles
# ------
#
# Pairs of angles, such as the torsions of a molecule, live on a torus. Their plain
# average depends on where the circle is cut; the Fréchet mean does not. Here the
# cloud straddles the cut in both coordinates.
torus = Torus(2)
angles = torus.random_normal(200, [3.0, -2.9], scale=0.45, random_state=0)
average, intrinsic = angles.mean(axis=0), torus.frechet_mean(angles)

figure, ax = plt.subplots(figsize=(5.4, 5), layout="constrained")
ax.scatter(*angles.T, s=12, color=BLUE, alpha=0.6, linewidths=0, label="samples")
ax.plot(*average, "X", color=GREY, markersize=11, label="average")
ax.plot(*intrinsic, "o", color=ORANGE, markersize=10, label="Fréchet mean")
ticks = [-np.pi, 0.0, np.pi]
labels = [r"$-\pi$", "0", r"$\pi$"]
ax.set(xlim=(-np.pi, np.pi), ylim=(-np.pi, np.pi), aspect="equal")
ax.set_xticks(ticks, labels)
ax.set_yticks(ticks, labels)
ax.set(title="Angles on a torus: opposite edges meet")
ax.legend(loc="upper center")
plt.show()
