"""
Maps of data on a sphere and of covariance matrices
===================================================

t-SNE takes Euclidean neighbours. :class:`~geolearn.embedding.RieSNE` takes those of the
geodesic distance, and draws its map in the plane or on a sphere: here for cities of the
earth, for images of which only the direction counts, and for covariance matrices of
muscle activity.
"""

# %%
# The sphere onto a plane and onto a sphere
# -----------------------------------------
# A plane must cut the earth open: neighbours across the cut come apart. A sphere need
# not. With the kernel ``"brownian"``, which has the shape of the affinities, the map is
# the earth again, up to a rotation or reflection, and to regions full of cities, which
# take more room: every city gets the same number of neighbours.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from geolearn.covariance import Covariances
from geolearn.datasets import load_cities, load_emg_gestures
from geolearn.embedding import RieSNE
from geolearn.manifolds import SPD, Sphere
from geolearn.metrics import continuity, pairwise_distances, trustworthiness
from geolearn.plotting import EmbeddingDisplay, SphereDisplay

cities = load_cities()
plane = RieSNE("sphere", perplexity=10, random_state=0).fit(cities.data)
globe = RieSNE(
    "sphere", target="sphere", kernel="brownian", perplexity=10, random_state=0
).fit(cities.data)

between = pairwise_distances(cities.data, metric="sphere")
for name, model, metric in (("plane", plane, "euclidean"), ("sphere", globe, "sphere")):
    drawn = pairwise_distances(model.embedding_, metric=metric)
    print(
        f"{name:7s} divergence {model.kl_divergence_:.3f}, "
        f"trustworthiness {trustworthiness(between, drawn, 5):.3f}, "
        f"continuity {continuity(between, drawn, 5):.3f}"
    )

# The rotation, or reflection, that brings the map to the earth.
U, _, Vt = np.linalg.svd(globe.embedding_.T @ cities.data)
turned = globe.embedding_ @ (U @ Vt)
error = np.degrees(Sphere(2).dist(turned, cities.data))
print(f"cities are {np.median(error):.1f} degrees off their places (median)")

continents = np.select(
    [
        cities.longitude < -30,
        (cities.longitude < 60) & (cities.latitude < 31),
        cities.longitude < 60,
    ],
    ["Americas", "Africa", "Europe and Near East"],
    "Asia",
)
figure = plt.figure(figsize=(11, 4.2), layout="constrained")
left = figure.add_subplot(1, 2, 1)
EmbeddingDisplay.from_estimator(
    plane, y=continents, ax=left, legend=False, size=20, name="in the plane"
)
right = figure.add_subplot(1, 2, 2, projection="mollweide")
SphereDisplay.from_embedding(
    turned, continents, ax=right, legend=False, size=20, name="on a sphere, turned"
)
for city in ("Tokyo", "London", "Lagos", "Lima", "New York", "Mumbai"):
    k = list(cities.names).index(city)
    longitude, latitude = np.radians(SphereDisplay(turned).coordinates[k])
    left.annotate(city, plane.embedding_[k], fontsize=8)
    right.annotate(city, (longitude, latitude), fontsize=8)
plt.show()

# %%
# Images as directions
# --------------------
# Divided by its norm, an image becomes a point of a sphere, and its brightness no
# longer counts. A target sphere has no border: no group is pushed to the outside.
X, digit = load_digits(return_X_y=True)
X = X / np.linalg.norm(X, axis=1, keepdims=True)
images = {
    target: RieSNE("sphere", target=target, random_state=0).fit(X[::2])
    for target in ("euclidean", "sphere")
}

figure = plt.figure(figsize=(11, 4.2), layout="constrained")
ax = figure.add_subplot(1, 2, 1)
EmbeddingDisplay.from_estimator(
    images["euclidean"], y=digit[::2], ax=ax, legend=False, name="in the plane"
)
ax = figure.add_subplot(1, 2, 2, projection="hammer")
SphereDisplay.from_estimator(
    images["sphere"], y=digit[::2], ax=ax, label_name="digit", name="on a sphere"
)
plt.show()

# %%
# The other half of the images is placed on the finished map.
placed = images["euclidean"].transform(X[1::2])
nearest = pairwise_distances(placed, images["euclidean"].embedding_).argmin(axis=1)
accuracy = np.mean(digit[::2][nearest] == digit[1::2])
print(f"{accuracy:.1%} of the new images lie next to one of the same digit")

# %%
# Covariance matrices
# -------------------
# Each window of the recording becomes a covariance matrix of its eight electrodes.
# Affine-invariant distances see ratios of power in every direction of the electrode
# space; Euclidean ones see little but the strongest electrode.
recordings = load_emg_gestures(session="mg_s1")
C = Covariances("lwf").fit_transform(recordings.data)
gesture = recordings.target_names[recordings.target]
figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for ax, metric in zip(axes, ("affine_invariant", "euclidean"), strict=True):
    model = RieSNE(SPD(8, metric), random_state=0).fit(C)
    EmbeddingDisplay.from_estimator(
        model,
        y=gesture,
        ax=ax,
        legend=ax is axes[1],
        label_name="gesture",
        name=metric.replace("_", "-"),
    )
    map_distances = pairwise_distances(model.embedding_)
    np.fill_diagonal(map_distances, np.inf)
    # Windows of one run follow each other: neighbours of other runs count.
    map_distances[recordings.run[:, None] == recordings.run] = np.inf
    same = gesture[map_distances.argmin(axis=1)] == gesture
    print(f"{metric}: {same.mean():.0%} of nearest windows show the same gesture")
plt.show()
