"""
Classifiers of covariance matrices
==================================

Each window of muscle activity is an 8 x 8 covariance matrix, a point of the curved
space of symmetric positive definite matrices. First the simplest classifier looked at
closely: the nearest class mean. Then all of them side by side.
"""

# %%
# The nearest mean
# ----------------
# :class:`~geolearn.covariance.MDM` keeps the Fréchet mean of each class; its
# ``transform`` returns the distances to them. Here are two of the five gestures,
# trained on four rounds of a session and drawn for the two others. A window is
# classified by the side of the diagonal that it lies on.
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from geolearn.covariance import (
    MDM,
    Covariances,
    FgMDM,
    RiemannianSVC,
    SPDKNeighborsClassifier,
    TangentSpace,
)
from geolearn.datasets import load_emg_gestures

BLUE, ORANGE = "#0b6fb0", "#d9570b"
emg = load_emg_gestures(session="mg_s1")
gesture, rounds = emg.target_names[emg.target], emg.run // 5
C = Covariances("lwf").fit_transform(emg.data)

pair = np.isin(gesture, ["rock", "paper"])
train, test = pair & (rounds < 4), pair & (rounds >= 4)
mdm = MDM().fit(C[train], gesture[train])
distances = mdm.transform(C[test])
accuracy = mdm.score(C[test], gesture[test])
print(f"classes {list(map(str, mdm.classes_))}, accuracy {accuracy:.3f}")

figure, ax = plt.subplots(figsize=(5.2, 5), layout="constrained")
limits = distances.min() - 0.15, distances.max() + 0.15
ax.plot(limits, limits, color="0.5", linewidth=1, linestyle="--", label="decision line")
for name, color in zip(mdm.classes_, (BLUE, ORANGE), strict=True):
    ax.scatter(*distances[gesture[test] == name].T, s=22, color=color, label=name)
ax.set(
    xlabel=f"distance to the mean of {mdm.classes_[0]}",
    ylabel=f"distance to the mean of {mdm.classes_[1]}",
    xlim=limits,
    ylim=limits,
    aspect="equal",
)
ax.legend(loc="upper left")
plt.show()

# %%
# The means
# ---------
# The means of the five gestures are all that MDM knows. Drawn are their tangent vectors
# at the common mean, as matrices: red on the diagonal says that a direction is stronger
# than in the average of all windows, blue that it is weaker. Rest is weak everywhere;
# each gesture has its own muscles.
mdm.fit(C, gesture)
tangent = TangentSpace().fit(C)
rows, columns = np.triu_indices(8)
maps = np.zeros((5, 8, 8))
# Off the diagonal the coordinates are entries times sqrt(2).
weight = np.where(rows == columns, 1.0, np.sqrt(0.5))
maps[:, rows, columns] = maps[:, columns, rows] = tangent.transform(mdm.means_) * weight

figure, axes = plt.subplots(1, 5, figsize=(11, 2.7), layout="constrained")
limit = np.abs(maps).max()
for ax, name, matrix in zip(axes, mdm.classes_, maps, strict=True):
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set(title=name, xticks=[], yticks=[])
figure.colorbar(image, ax=axes, shrink=0.8, label="logarithm")
plt.show()

# %%
# Side by side
# ------------
# Five gestures, whole rounds held out. The tangent space turns matrices into vectors
# whose lengths are distances, and any classifier of vectors follows; the linear kernel
# of :class:`~geolearn.covariance.RiemannianSVC` lives in the same space. Under the
# Euclidean metric, which takes the matrices for flat, the same nearest-mean rule is
# much worse.
classifiers = {
    "MDM, Euclidean": MDM("euclidean"),
    "MDM": MDM(),
    "FgMDM": FgMDM(),
    "5 nearest neighbours": SPDKNeighborsClassifier(n_neighbors=5),
    "RiemannianSVC, linear": RiemannianSVC(kernel="linear", C=0.1),
    "tangent space + logistic": make_pipeline(
        TangentSpace(), LogisticRegression(C=0.1, max_iter=1000)
    ),
}
scores_of = {}
for name, classifier in classifiers.items():
    start = time.perf_counter()
    scores_of[name] = cross_val_score(
        classifier, C, emg.target, groups=rounds, cv=GroupKFold(6)
    )
    seconds = time.perf_counter() - start
    print(f"{name:26s} {scores_of[name].mean():.3f}  {seconds:5.2f} s")

figure, ax = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
for height, (name, scores) in enumerate(scores_of.items()):
    color = "0.55" if "Euclidean" in name else BLUE
    ax.plot(scores, np.full(len(scores), height), "o", color=color, alpha=0.35)
    ax.plot(scores.mean(), height, "|", color=color, markersize=22, markeredgewidth=3)
ax.axvline(0.2, color="0.6", linestyle="--", linewidth=1)
ax.text(0.21, len(scores_of) - 0.85, "chance", color="0.4")
ax.set_yticks(range(len(scores_of)), scores_of)
ax.set(xlabel="accuracy in each round held out; bars: mean", xlim=(0.15, 1.02))
ax.set_ylim(-0.6, len(scores_of) - 0.4)
plt.show()
