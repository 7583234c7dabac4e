"""
Trees, forests and boosting on the hyperbolic plane
===================================================

The points are drawn in the Poincaré disk. Every split of a hyperbolic decision tree is
a geodesic, seen here as an arc at right angles to the boundary; forests and boosting
are sums of such trees. At the end all of them are compared with the same models of
scikit-learn on the coordinates of the hyperboloid.
"""

# %%
# One tree
# --------
# The data are four wrapped normal distributions with random covariances. Each split of
# :class:`~geolearn.tree.HyperbolicDecisionTreeClassifier` is perpendicular to one of
# the two axes of the disk and goes half-way, in hyperbolic length, between two training
# points. A split below another one ends at it.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from geolearn.datasets import make_wrapped_normal_mixture
from geolearn.ensemble import (
    HyperbolicHistGradientBoostingClassifier,
    HyperbolicRandomForestClassifier,
)
from geolearn.plotting import HyperbolicDecisionDisplay
from geolearn.tree import HyperbolicDecisionTreeClassifier

threadpool_limits(1)  # boosting on so few points is fastest with one thread
X, y = make_wrapped_normal_mixture(
    800, n_classes=4, noise=0.6, scale_means=False, random_state=3
)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
tree = HyperbolicDecisionTreeClassifier(max_depth=4, random_state=0)
tree.fit(X_train, y_train)
for split in tree.split_hyperplanes_()[:3]:
    print(
        f"node {split.node}: axis {split.axis}, {split.threshold:+.3f} from the origin"
    )

figure, ax = plt.subplots(figsize=(6, 5.6), layout="constrained")
HyperbolicDecisionDisplay.from_estimator(
    tree, X_test, y_test, ax=ax, label_name="class", name="a tree of depth 4"
)
plt.show()

# %%
# Many trees
# ----------
# A forest averages trees over random samples of the training points, boosting adds
# small trees one after the other. Colours are mixed by the probabilities of the
# classes, so that pale borders are undecided regions.
models = {
    "tree": tree,
    "forest": HyperbolicRandomForestClassifier(min_samples_leaf=3, random_state=0),
    "boosting": HyperbolicHistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=8, random_state=0
    ),
}
figure, axes = plt.subplots(1, 3, figsize=(11.5, 4.1), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    accuracy = model.fit(X_train, y_train).score(X_test, y_test)
    HyperbolicDecisionDisplay.from_estimator(
        model,
        X_test,
        y_test,
        response_method="predict_proba",
        splits=False,
        ax=ax,
        size=10,
        region_alpha=0.6,
        legend=ax is axes[-1],
        label_name="class",
        name=f"{name}: accuracy {accuracy:.2f}",
    )
plt.show()

# %%
# Beside scikit-learn
# -------------------
# The same models on the ambient coordinates (the columns of ``X``), whose splits are
# not geodesic. Six mixtures of four classes in four dimensions, as in the papers on
# these trees, which compare at depth 3; 200 of 1000 points are the test set.
# The geometry gains little for a shallow tree and more for forests and boosting; the
# step from one tree to many gains the most.
settings = {
    "tree, depth 3": (
        HyperbolicDecisionTreeClassifier,
        DecisionTreeClassifier,
        {"max_depth": 3},
    ),
    "forest": (HyperbolicRandomForestClassifier, RandomForestClassifier, {}),
    "boosting": (
        HyperbolicHistGradientBoostingClassifier,
        HistGradientBoostingClassifier,
        {"max_iter": 20},
    ),
}
scores = np.empty((6, len(settings), 2))
for seed in range(6):
    X, y = make_wrapped_normal_mixture(1000, n_classes=4, dim=4, random_state=seed)
    parts = train_test_split(X, y, test_size=200, random_state=seed)
    for row, (*classes, options) in enumerate(settings.values()):
        for column, model_class in enumerate(classes):
            model = model_class(**options, random_state=seed).fit(parts[0], parts[2])
            scores[seed, row, column] = model.score(parts[1], parts[3])

COLORS = {"hyperbolic": "#0b6fb0", "ambient": "0.55"}
figure, ax = plt.subplots(figsize=(7.5, 3.2), layout="constrained")
for column, (name, color) in enumerate(
    [("hyperbolic", "#0b6fb0"), ("ambient", "0.55")]
):
    for row, setting in enumerate(settings):
        values, height = scores[:, row, column], 0.14 - 0.28 * column - row
        ax.plot(values, np.full(6, height), "o", color=color, alpha=0.35)
        ax.plot(values.mean(), height, "|", color=color, markersize=20, mew=3)
        print(f"{setting:14s} {name:10s} {values.mean():.3f}")
    ax.plot([], [], "o", color=color, label=name)
ax.set_yticks(-np.arange(len(settings)), settings)
ax.set(xlabel="accuracy on the six test sets; bars: mean", ylim=(-2.6, 0.9))
ax.legend(loc="upper left", ncols=2)
plt.show()
