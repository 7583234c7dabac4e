"""
A hierarchy in the hyperbolic plane
===================================

The classification of 75 mammals is a tree. The hyperbolic plane has room for it: the
circumference of a circle grows exponentially with its radius, as the number of nodes of
a tree does with the depth. Here the tree becomes points, first in the plane and then in
more dimensions, and the points become features of a classifier.
"""

# %%
# The tree
# --------
# Orders, families and species, with what a species mostly eats: animals (``*``), plants
# (``-``) or both (``+``). An edge has length one, that of a species one half.
import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse.csgraph import shortest_path
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from geolearn.embedding import HyperbolicMDS, TreeEmbedding
from geolearn.ensemble import HyperbolicExtraTreesClassifier
from geolearn.metrics import (
    average_distortion,
    delta_hyperbolicity,
    hyperbolic_distances,
    pairwise_distances,
)
from geolearn.optimize import classical_mds
from geolearn.plotting import HyperbolicDecisionDisplay, PoincareDisplay

MAMMALS = """
Carnivora/cats: lion* tiger* leopard* lynx* cheetah*
Carnivora/dogs: wolf* fox+ jackal+ dhole* raccoon-dog+
Carnivora/bears: brown-bear+ polar-bear* black-bear+ giant-panda-
Carnivora/martens: otter* weasel* badger+ wolverine*
Whales/dolphins: orca* bottlenose* common-dolphin*
Whales/rorquals: blue-whale* humpback* fin-whale*
Even-toed ungulates/cattle: cow- bison- sheep- goat- gazelle-
Even-toed ungulates/deer: red-deer- moose- reindeer- roe-deer-
Even-toed ungulates/pigs: wild-boar+ warthog- babirusa+
Even-toed ungulates/camels: camel- llama- vicugna-
Odd-toed ungulates/horses: horse- donkey- zebra-
Odd-toed ungulates/rhinoceroses: white-rhino- black-rhino-
Odd-toed ungulates/tapirs: malayan-tapir- lowland-tapir-
Primates/apes: chimpanzee+ gorilla- orangutan- human+
Primates/old-world monkeys: baboon+ macaque+ colobus- langur-
Primates/marmosets: common-marmoset+ tamarin+
Rodents/mice: house-mouse+ brown-rat+ wood-mouse+
Rodents/squirrels: red-squirrel+ marmot- chipmunk+
Rodents/beavers: european-beaver- american-beaver-
Bats/horseshoe bats: greater-horseshoe* lesser-horseshoe*
Bats/fruit bats: flying-fox- egyptian-fruit-bat-
Marsupials/kangaroos: red-kangaroo- wallaby- quokka-
Marsupials/dasyurids: quoll* tasmanian-devil*
Marsupials/opossums: virginia-opossum+ common-opossum+
"""
nodes, parents, diets = ["mammals"], [0], [""]


def add(name, parent, diet=""):
    nodes.append(name)
    parents.append(parent)
    diets.append(diet)
    return len(nodes) - 1


orders = {}
for line in MAMMALS.strip().splitlines():
    groups, species = line.split(": ")
    order, family = groups.split("/")
    if order not in orders:
        orders[order] = add(order, 0)
    family = add(family, orders[order])
    for name in species.split():
        add(name[:-1], family, {"*": "animals", "-": "plants", "+": "both"}[name[-1]])

tree = np.zeros((len(nodes), len(nodes)))
diet = np.array(diets)
leaves = diet != ""
tree[parents, np.arange(len(nodes))] = np.where(leaves, 0.5, 1.0)
tree[0, 0] = 0.0  # the root has no parent
print(f"{len(nodes)} nodes, {leaves.sum()} of them species")

# %%
# In the Poincaré disk
# --------------------
# :class:`~geolearn.embedding.TreeEmbedding` makes every edge a geodesic of its length
# times ``scale``. With this scale the picture can be read; the default reaches much
# farther, where a disk shows no more than its rim.
embedding = TreeEmbedding(scale=2.2).fit(tree)
edges = np.column_stack([parents[1:], np.arange(1, len(nodes))])
COLORS = {"animals": "#d9570b", "both": "#8a63a8", "plants": "#2b8f4e"}

figure, ax = plt.subplots(figsize=(7.5, 6.5), layout="constrained")
eats = np.where(leaves, diet, None)  # orders and families are drawn in grey
display = PoincareDisplay.from_estimator(
    embedding, y=eats, edges=edges, ax=ax, palette=COLORS, legend=False, name=""
)
disk = display.points_
for name, node in orders.items():
    ax.annotate(
        name,
        disk[node],
        ha="center",
        va="bottom",
        fontsize=9,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
    )
for name, color in COLORS.items():
    ax.scatter([], [], s=26, color=color, label=name)
figure.legend(title="eats", loc="upper right")
plt.show()

# %%
# How faithful?
# -------------
# Edges are exact. Other distances come out too short by an amount that does not grow
# with them, so that a larger scale lowers the relative error, until double precision
# ends it. :class:`~geolearn.embedding.HyperbolicMDS` needs no tree, only distances, and
# gains by dimensions; classical multidimensional scaling, in flat space and with its
# best factor, stays behind it.
true_distances = shortest_path(tree, directed=False)
print(
    f"hyperbolicity {delta_hyperbolicity(true_distances):.3f}: the distances of a tree"
)
for scale in (1.0, 2.2, 4.0, "float64"):
    fitted = TreeEmbedding(scale=scale).fit(tree)
    found = hyperbolic_distances(fitted.embedding_) / fitted.scale_
    error = average_distortion(found, true_distances)
    print(f"TreeEmbedding, scale {fitted.scale_:4.1f}: average distortion {error:.3f}")

dimensions = [2, 3, 4, 6, 8, 12, 16]
curved, flat = [], []
for dimension in dimensions:
    curved.append(HyperbolicMDS(dimension).fit(true_distances).distortion_)
    found = pairwise_distances(classical_mds(true_distances, dimension)[0])
    factors = np.linspace(1.0, 3.0, 101)
    flat.append(min(average_distortion(f * found, true_distances) for f in factors))

figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
ax.plot(dimensions, flat, "o-", color="0.55", label="flat")
ax.plot(dimensions, curved, "o-", color="#0b6fb0", label="hyperbolic")
ax.axhline(error, color="#0b6fb0", linestyle="--", linewidth=1)
ax.text(2, error - 0.01, "TreeEmbedding, 2 dimensions", color="#0b6fb0", va="top")
ax.set(xlabel="dimension", ylabel="average distortion", ylim=(0, None))
ax.legend()
plt.show()

# %%
# A classifier on the points
# --------------------------
# Does the place in the hierarchy tell the diet? The embedding knows nothing of diets,
# so that one embedding serves all folds. A forest finds out what holds for whole
# branches (whales, horses) and for families against their order (fruit bats). Looking
# up the nearest relative in the tree does better still on so few species: points pay
# off with more nodes, or beside further features.
folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0)
forest = HyperbolicExtraTreesClassifier(min_samples_leaf=2, random_state=0)
points = embedding.embedding_[leaves]
between_species = true_distances[np.ix_(leaves, leaves)]
nearest = KNeighborsClassifier(1, metric="precomputed")
accuracy = {
    "most frequent diet": np.full(1, np.mean(diet[leaves] == "plants")),
    "forest": cross_val_score(forest, points, diet[leaves], cv=folds),
    "nearest relative": cross_val_score(
        nearest, between_species, diet[leaves], cv=folds
    ),
}
for name, scores in accuracy.items():
    print(f"{name:18s} accuracy {scores.mean():.2f}")

figure, ax = plt.subplots(figsize=(7, 6), layout="constrained")
HyperbolicDecisionDisplay.from_estimator(
    forest.fit(points, diet[leaves]),
    points,
    diet[leaves],
    response_method="predict_proba",
    ax=ax,
    palette=COLORS,
    legend=False,
    name="",
)
for name, color in COLORS.items():
    ax.scatter([], [], s=26, color=color, label=name)
figure.legend(title="eats", loc="upper right")
plt.show()
