"""
Subspaces spanned by data points
================================

:class:`~geolearn.decomposition.BarycentricSubspaceAnalysis` describes data by a few of
the samples themselves: hands by three hands, cities by two. Each sample becomes a
combination of these references.
"""

# %%
# Two cities
# ----------
# Two cities span a great circle, three the whole sphere. The best circle through two
# cities leaves the others closest to it; its coordinates tell how much of either city
# is in the foot of the perpendicular.
import matplotlib.pyplot as plt
import numpy as np

from geolearn.datasets import load_cities, load_hand_shapes
from geolearn.decomposition import BarycentricSubspaceAnalysis, TangentPCA
from geolearn.manifolds import Hyperboloid, PlanarShapes, Sphere
from geolearn.plotting import PoincareDisplay, SphereDisplay

cities = load_cities()
sphere = Sphere(2)
bsa = BarycentricSubspaceAnalysis(1, manifold=sphere, strategy="pure").fit(cities.data)
first, second = bsa.reference_indices_
print(f"references: {cities.names[first]} and {cities.names[second]}")
print(f"unexplained variance: {bsa.unexplained_variance_.round(3)}")

figure = plt.figure(figsize=(9, 4.5), layout="constrained")
ax = figure.add_subplot(projection="mollweide")
distance = 6371.0 * bsa.distance(cities.data)
SphereDisplay.from_embedding(
    cities.data,
    distance,
    ax=ax,
    size=25,
    label_name="km from the circle",
    cmap="cividis",
)
turn = np.linspace(0.0, 2.0 * np.pi, 400)
direction = sphere.log(*cities.data[[first, second]])
direction /= np.linalg.norm(direction)
circle = np.cos(turn)[:, None] * cities.data[first] + np.sin(turn)[:, None] * direction
longitude, latitude = np.radians(SphereDisplay(circle).coordinates).T
order = np.argsort(longitude)
ax.plot(longitude[order], latitude[order], color="0.4", linewidth=1)
for k in (first, second):
    x, y = np.radians([cities.longitude[k], cities.latitude[k]])
    ax.plot(x, y, "o", markersize=11, markerfacecolor="none", color="crimson")
    ax.annotate(cities.names[k], (x, y), xytext=(6, 6), textcoords="offset points")
plt.show()

# %%
# Two points of the hyperbolic plane
# ----------------------------------
# The span of two points is the geodesic through both, in the disk an arc. With p = 2
# distant points pull the best one towards themselves; p = 1 leaves them alone, and
# finds the line that most points follow.
plane = Hyperboloid(2)
rng = np.random.default_rng(1)
along = plane.exp(plane.origin, np.outer(rng.normal(0.0, 1.0, 40), [0.0, 1.0, 0.5]))
near = plane.exp(along, plane.random_tangent(along, scale=0.1, random_state=2))
far = plane.exp(plane.origin, [0.0, -1.0, 2.0])
others = plane.random_normal(8, mean=far, scale=0.5, random_state=3)
points = np.vstack([near, others])

figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
for ax, p in zip(axes, (2.0, 1.0), strict=True):
    line = BarycentricSubspaceAnalysis(1, manifold=plane, strategy="pure", p=p)
    feet = line.fit(points).reconstruct(points)
    start, towards = line.references_[0], plane.log(*line.references_)
    ends = plane.exp(start, [[-9.0], [9.0]] * towards / plane.norm(start, towards))
    count = len(points)
    joined = np.vstack(
        [
            np.column_stack([np.arange(count), np.arange(count) + count]),
            [2 * count, 2 * count + 1],
        ]
    )
    kind = np.repeat(["point", None, None], [count, count, 2])
    PoincareDisplay.from_embedding(
        np.vstack([points, feet, ends]),
        kind,
        edges=joined,
        ax=ax,
        legend=False,
        size=12,
    )
    PoincareDisplay.from_embedding(
        line.references_, ax=ax, palette=["crimson"], size=60, title=f"p = {p:g}"
    )
plt.show()

# %%
# Three hands
# -----------
# Shapes are landmarks up to place, size and rotation: points of a curved space. The
# references are hands that somebody has made. Both poses are among them, although the
# method does not know of poses.
hands = load_hand_shapes()
space = PlanarShapes(hands.planar.shape[1])
X = space.project(hands.planar)
pose = hands.target_names[hands.target]
forward = BarycentricSubspaceAnalysis(4, manifold=space).fit(X)
chosen = forward.reference_indices_[:3]  # each is the best one to add to those before
bsa = BarycentricSubspaceAnalysis(2, manifold=space, references=X[chosen]).fit(X)


def draw_hand(ax, shape, color, **options):
    """Draw the bones of a hand, fingers upwards."""
    for start, end in hands.bones:
        part = shape[[start, end]]
        ax.plot(-part[:, 1], part[:, 0], color=color, **options)
    ax.set(aspect="equal")
    ax.axis("off")


figure, axes = plt.subplots(1, 4, figsize=(11, 3.4), layout="constrained")
for ax, k in zip(axes, chosen, strict=False):
    draw_hand(ax, X[k], "tab:blue", linewidth=2.5)
    ax.set_title(f"reference: hand {k}\n({pose[k]})", fontsize=10)
farthest = int(np.argmax(np.where(pose == pose[-1], bsa.residuals_, 0.0)))
rebuilt = bsa.reconstruct(X[farthest : farthest + 1])[0]
turned = X[farthest] + space.log(X[farthest], rebuilt)  # aligned with the original
draw_hand(axes[3], X[farthest], "0.7", linewidth=2.5)
draw_hand(axes[3], turned, "tab:orange", linewidth=1.5)
weights = ", ".join(f"{w:.2f}" for w in bsa.embedding_[farthest])
axes[3].set_title(f"worst of its pose (grey), rebuilt\nweights {weights}", fontsize=10)
plt.show()

# %%
# The weights are coordinates that can be read: most of a spread hand is in the first
# and third reference, of a grabbing one in the second.
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for name, color in zip(hands.target_names, ("#0072B2", "#E69F00"), strict=True):
    rows = pose == name
    axes[0].scatter(*bsa.embedding_[rows, :2].T, color=color, label=name)
axes[0].set(xlabel="weight of the first reference", ylabel="of the second reference")
axes[0].legend()

# %%
# How much is explained?
# ----------------------
# Next to it, the share of the variance that spans of samples leave over, and that
# directions at the mean leave over. Directions are free to fit, and explain more in as
# many dimensions; nobody has ever seen them.
total = np.mean(space.dist(space.frechet_mean(X), X) ** 2)
dimensions = np.arange(1, 5)
directions = []
for k in dimensions:
    rebuilt = TangentPCA(k, manifold=space).fit(X).reconstruct(X)
    directions.append(np.mean(space.dist(rebuilt, X) ** 2) / total)
samples = forward.unexplained_variance_[1:] / total
axes[1].plot(dimensions, samples, "s-", label="spans of samples")
axes[1].plot(dimensions, directions, "o-", label="tangent PCA")
axes[1].set(xlabel="dimension", ylabel="share of variance left over")
axes[1].set(xticks=dimensions, ylim=(0, None))
axes[1].legend()
plt.show()
