"""
A surface and its chart from noisy points
=========================================

:class:`~geolearn.decomposition.PrincipalSubbundle` makes a local principal component
analysis at every point of space, and follows the shortest curves in its planes.
They sweep out the surface, and their start directions are coordinates on it.
"""

# %%
# Planes, curves, surface
# -----------------------
# An S-shaped sheet with noise. Left: planes at a few samples, and curves from the base
# point. Right: the chart. The sheet unrolls without distortion, so the chart should be
# a rectangle in which colours follow a straight line.
import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import orthogonal_procrustes
from sklearn.manifold import Isomap

from geolearn.datasets import make_rotated_digit, make_s_surface, make_scan
from geolearn.decomposition import PrincipalSubbundle
from geolearn.plotting import EmbeddingDisplay, SubbundleDisplay


def error(chart, flat):
    """Return the median distance of a chart from the flat coordinates, turned."""
    found = np.isfinite(chart).all(axis=1)
    a = chart[found] - chart[found].mean(axis=0)
    b = flat[found] - flat[found].mean(axis=0)
    return np.median(np.linalg.norm(a @ orthogonal_procrustes(a, b)[0] - b, axis=1))


X, flat = make_s_surface(800, noise=0.04, random_state=0)
model = PrincipalSubbundle(n_components=2, bandwidth=0.25)
chart = model.fit_transform(X)
isomap = Isomap(n_neighbors=10).fit_transform(X)
print("spectrum over the squared bandwidth:", model.spectrum_.round(2))
print(f"{np.mean(model.status_ == 0):.0%} of the samples charted")
for name, Y in (("PrincipalSubbundle", chart), ("Isomap", isomap)):
    print(f"{name}: median error of the chart {error(Y, flat):.3f}")

figure = plt.figure(figsize=(12, 4), layout="constrained")
ax = figure.add_subplot(1, 3, 1, projection="3d")
SubbundleDisplay.from_estimator(
    model, X, flat[:, 0], ax=ax, radius=3.0, legend=False, name="planes and curves"
)
ax.view_init(20, -60)
for k, (name, Y) in enumerate((("normal coordinates", chart), ("Isomap", isomap))):
    ax = figure.add_subplot(1, 3, k + 2)
    EmbeddingDisplay.from_embedding(
        Y, labels=flat[:, 0], ax=ax, legend=k == 1, label_name="position", title=name
    )
plt.show()

# %%
# More noise, more dimensions
# ---------------------------
# The same sheet in twenty dimensions, with noise in all of them. Neighbours in a graph
# lie on different sheets now; weighted means of many samples still see the sheet.
X, flat = make_s_surface(400, noise=0.06, n_features=20, random_state=0)
model = PrincipalSubbundle(n_components=2, bandwidth=0.4, kernel="tapered")
chart = model.fit_transform(X)
isomap = Isomap(n_neighbors=10).fit_transform(X)
for name, Y in (("PrincipalSubbundle", chart), ("Isomap", isomap)):
    print(f"{name}, 20 dimensions: median error of the chart {error(Y, flat):.3f}")

# %%
# Reconstruction
# --------------
# A scan of a mask, with noise and uneven density. Fans of curves from several base
# points cover it; where they leave the scan, they end. A surface through a noisy sample
# keeps its distance from the middle, so the base points are moved there first.
scan = make_scan(2500, noise=0.02, random_state=0, return_X_y=False)
model = PrincipalSubbundle(n_components=2, bandwidth=0.06, center_base="ridge")
surface = model.fit(scan.X).reconstruct(radius=0.3, n_points=6000, overlap="average")


def off(points):
    """Return the distance from the true surface, to first order."""
    xy = points[:, :2]
    return (points[:, 2] - scan.height(xy)) * scan.normals(xy)[:, 2]


print(
    f"median distance from the true surface: scan {np.median(abs(off(scan.X))):.4f}, "
    f"reconstruction {np.median(abs(off(surface))):.4f}"
)
figure = plt.figure(figsize=(10, 5), layout="constrained")
for k, (name, points) in enumerate((("scan", scan.X), ("reconstruction", surface))):
    ax = figure.add_subplot(1, 2, k + 1, projection="3d")
    ax.scatter(*points.T, c=points[:, 2], s=2, cmap="viridis")
    ax.set(title=name, xticks=[], yticks=[], zticks=[])
    ax.set_aspect("equal")
    ax.view_init(70, -75)
plt.show()

# %%
# A curve of images
# -----------------
# One handwritten digit, turned through a full circle: a closed curve in the space of
# pixels. The signed distance along the curve tells the angle.
X, angle = make_rotated_digit(360, noise=0.05, random_state=0)
model = PrincipalSubbundle(n_components=1, bandwidth="auto", random_state=0)
position = model.fit_transform(X).ravel()
turned = (angle - angle[np.argmin(np.abs(position))] + np.pi) % (2 * np.pi) - np.pi
print(
    f"bandwidth {model.bandwidth_:.2f}, length of the curve "
    f"{np.nanmax(position) - np.nanmin(position):.1f} grey values"
)
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.plot(np.degrees(turned), position, ".", color="#0072b2")
ax.set(xlabel="true angle (degrees)", ylabel="distance along the curve")
plt.show()
