"""
Unrolling and unfolding with heat
=================================

:class:`~geolearn.embedding.HeatGeodesicEmbedding` on three data sets: a noisy Swiss
roll and a tree whose true distances are known, and the handwritten digits. The last
section shows what the diffusion time does.
"""

# %%
# A roll and a tree
# -----------------
# The maps should look like the data unrolled: a rectangle, and a tree whose branches
# do not cross over. The panels on the right compare all distances with the truth.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from geolearn.datasets import make_branching_tree, make_swiss_roll
from geolearn.embedding import HeatGeodesicEmbedding
from geolearn.metrics import distance_correlation_score
from geolearn.plotting import EmbeddingDisplay

roll, position, roll_geodesics = make_swiss_roll(
    1000, noise=0.5, random_state=42, return_geodesics=True
)
tree, branch, tree_geodesics = make_branching_tree(
    noise=0.1, random_state=42, return_geodesics=True
)


def scatter_of_distances(ax, D, G):
    """Draw a sample of the distances over the true ones."""
    i, j = np.random.default_rng(0).integers(len(D), size=(2, 4000))
    ax.scatter(G[i, j], D[i, j], s=2, alpha=0.3, color="0.3", rasterized=True)
    score = distance_correlation_score(D, G)
    ax.set(
        xlabel="true geodesic distance",
        ylabel="heat-geodesic distance",
        title=f"mean correlation {score:.3f}",
    )


figure, axes = plt.subplots(
    2, 2, figsize=(10, 8), layout="constrained", width_ratios=(1.5, 1)
)
for row, name, X, y, G in zip(
    axes,
    ("position", "branch"),
    (roll, tree),
    (position, branch),
    (roll_geodesics, tree_geodesics),
    strict=True,
):
    embedder = HeatGeodesicEmbedding(t="relaxation", random_state=0).fit(X)
    EmbeddingDisplay.from_estimator(embedder, y=y, ax=row[0], label_name=name)
    scatter_of_distances(row[1], embedder.dissimilarity_, G)

# %%
# Digits, and digits that were not there
# --------------------------------------
# The map is made of 1400 images; the other 397 are placed on it afterwards (framed).
digits, labels = load_digits(return_X_y=True)
embedder = HeatGeodesicEmbedding(t="relaxation", random_state=0).fit(digits[:1400])
figure, ax = plt.subplots(figsize=(8, 6), layout="constrained")
EmbeddingDisplay.from_estimator(
    embedder, y=labels[:1400], ax=ax, label_name="digit", alpha=0.4
)
EmbeddingDisplay.from_embedding(
    embedder.transform(digits[1400:]),
    labels=labels[1400:],
    ax=ax,
    legend=False,
    size=22,
    linewidths=0.5,
    edgecolors="black",
    title="1400 digits, 397 placed afterwards",
)

# %%
# What the diffusion time does
# ----------------------------
# A roll with so much noise that its sheets touch. Short times follow every shortcut;
# longer ones average over them.
noisy, position, G = make_swiss_roll(
    1000, noise=1.0, random_state=42, return_geodesics=True
)
figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
for ax, t in zip(axes, (5.0, 50.0, 500.0), strict=True):
    embedder = HeatGeodesicEmbedding(t=t, random_state=0).fit(noisy)
    score = distance_correlation_score(embedder.dissimilarity_, G)
    EmbeddingDisplay.from_estimator(
        embedder,
        y=position,
        ax=ax,
        label_name="position",
        legend=ax is axes[-1],
        title=f"t = {t:g}, mean correlation {score:.2f}",
    )
plt.show()
