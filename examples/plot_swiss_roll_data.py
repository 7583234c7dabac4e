"""
Data with known geodesics
=========================

The distance along a data set differs from the distance through the space around
it. Here both are measured from one point (red) of a Swiss roll and of a tree. A
method that preserves geodesics has to reproduce the colours of the right column.
"""

# %%
# The generators return the table of true distances on request.
import matplotlib.pyplot as plt
import numpy as np

from geolearn.datasets import make_branching_tree, make_swiss_roll
from geolearn.plotting import EmbeddingDisplay

roll, _, roll_geodesics = make_swiss_roll(
    1500, noise=0.1, random_state=42, return_geodesics=True
)
tree, branch, tree_geodesics = make_branching_tree(
    noise=0.02, random_state=42, return_geodesics=True
)

# %%
# The roll is seen along its axis, the tree on its first two principal components.
# On the roll the next turn looks close; on the tree a long walk comes back.
centred = tree - tree.mean(axis=0)
_, _, axes_of_tree = np.linalg.svd(centred, full_matrices=False)
clouds = [
    ("roll", roll, roll[:, [0, 2]], roll_geodesics, 0),
    ("tree", tree, centred @ axes_of_tree[:2].T, tree_geodesics, 199),
]

figure, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
for row, (name, X, view, geodesics, source) in zip(axes, clouds, strict=True):
    straight = np.linalg.norm(X - X[source], axis=1)
    for ax, kind, distance in zip(
        row, ("straight", "geodesic"), (straight, geodesics[source]), strict=True
    ):
        EmbeddingDisplay.from_embedding(
            view,
            distance,
            ax=ax,
            kind="continuous",
            title=f"{name}: {kind} distance",
            feature_names=["", ""],
        )
        ax.plot(*view[source], "o", color="red", markeredgecolor="white")
plt.show()
