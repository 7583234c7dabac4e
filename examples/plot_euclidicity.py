"""
Where data stop being a manifold
================================

Maps and charts assume that data lie near a manifold: a surface of the same dimension
everywhere, without crossings or pinches. :class:`~geolearn.topology.Euclidicity` scores
every point by how far its neighbourhood is from flat space.
"""

# %%
# Two surfaces with singular points
# ---------------------------------
# Two planes that cross in a line, and a torus whose tube is pinched to a point. An
# outlier detector looks for sparse places; the crossing is the densest place of all.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from geolearn.datasets import make_crossing_planes, make_pinched_torus
from geolearn.diagnostics import local_intrinsic_dimension
from geolearn.plotting import EuclidicityProfileDisplay, SingularityDisplay
from geolearn.topology import Euclidicity

surfaces = {
    "crossing planes": make_crossing_planes(2000, random_state=0),
    "pinched torus": make_pinched_torus(2000, random_state=0),
}
views = {"crossing planes": (25, -15), "pinched torus": (35, -165)}
figure, axes = plt.subplots(
    2, 2, figsize=(10, 8), layout="constrained", subplot_kw={"projection": "3d"}
)
for row, (name, (X, singular)) in zip(axes, surfaces.items(), strict=True):
    detector = Euclidicity(intrinsic_dim=2, n_steps=6, random_state=0).fit(X)
    lof = LocalOutlierFactor(20).fit(X)
    scores = {
        "Euclidicity": detector.euclidicity_,
        "local outlier factor": -lof.negative_outlier_factor_,
    }
    sure = singular >= 0  # -1: neither next to a singular point nor far from all
    for ax, (method, score) in zip(row, scores.items(), strict=True):
        auc = roc_auc_score(singular[sure], score[sure])
        print(f"{name}, {method}: area under the curve {auc:.2f}")
        SingularityDisplay.from_scores(
            X, score, ax=ax, score_name=method, name=f"{name}\n{method}"
        )
        ax.set_aspect("equal")
        ax.set(xticks=[], yticks=[], zticks=[], xlabel="", ylabel="", zlabel="")
        ax.view_init(*views[name])
plt.show()

# %%
# The scales of one point
# -----------------------
# The score is a mean over annuli; the profile of a point shows each of them. At a
# crossing the wide annuli differ as much from flat ones as the narrow ones, whose few
# points say little anywhere.
X, singular = surfaces["crossing planes"]
detector = Euclidicity(intrinsic_dim=2, random_state=0).fit(X)
regular = np.flatnonzero(singular == 0)[0]
crossing = np.flatnonzero(singular == 1)[0]
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, q, name in zip(
    axes, (regular, crossing), ("regular point", "on the crossing"), strict=True
):
    EuclidicityProfileDisplay.from_estimator(
        detector, X[q], ax=ax, name=name, limits=(0.0, 0.6)
    )
plt.show()

# %%
# Images
# ------
# Handwritten digits form pieces of different dimension: a one has little freedom, an
# eight much. A flat model of the median dimension fits the ones worst.
X, digit = load_digits(return_X_y=True)
X = X / 16.0
detector = Euclidicity(n_steps=6, random_state=0).fit(X)
dimension = local_intrinsic_dimension(X, n_neighbors=50)
print(f"model of dimension {detector.intrinsic_dim_}")
for value in range(10):
    images = digit == value
    score = np.median(detector.euclidicity_[images])
    print(
        f"digit {value}: median score {score:.3f}, "
        f"median dimension {np.median(dimension[images]):.1f}"
    )

order = np.argsort(detector.euclidicity_)
figure, axes = plt.subplots(2, 12, figsize=(10, 2.2), layout="constrained")
for row, chosen, name in zip(
    axes, (order[:12], order[-12:]), ("flattest", "most singular"), strict=True
):
    for ax, k in zip(row, chosen, strict=True):
        ax.imshow(X[k].reshape(8, 8), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()
