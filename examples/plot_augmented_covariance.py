"""
What delays add to a covariance
===============================

Two classes of trials whose channels have the same power and the same correlations,
but ring at slightly different frequencies. A covariance matrix cannot tell them apart;
the covariance of the channels *and of delayed copies of them* can.
"""

# %%
# Trials that look alike
# ----------------------
# Every channel is a mixture of four sources, which are noise that rings at 0.20 or at
# 0.23 half turns a sample. One trial of each class, one channel:
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from geolearn.covariance import MDM, AugmentedCovariances, Covariances, TangentSpace
from geolearn.datasets import make_autoregressive_trials
from geolearn.manifolds import SPD

BLUE, ORANGE = "#0b6fb0", "#d9570b"
X, y = make_autoregressive_trials(random_state=0)
print(f"{len(X)} trials, {X.shape[1]} channels, {X.shape[2]} samples")

figure, axes = plt.subplots(2, 1, figsize=(8, 3.6), sharex=True, layout="constrained")
for ax, trial, color, c in zip(axes, (0, 100), (BLUE, ORANGE), (0, 1), strict=True):
    ax.plot(X[trial, 0], color=color, linewidth=1)
    ax.set(ylabel=f"class {c}", yticks=[])
axes[1].set(xlabel="sample")
plt.show()

# %%
# Covariances as ellipses
# -----------------------
# An ellipse shows the covariance of two signals: of two channels (left), and of one
# channel with itself two samples later (right). Thin lines are single trials, thick
# ones the Fréchet means of the classes. On the left the classes coincide.
plain = Covariances().fit_transform(X)
augmented = AugmentedCovariances(order=4, lag=1).fit_transform(X)


def ellipse(C):
    """Return the points z with z C^-1 z = 1."""
    angle = np.linspace(0.0, 2.0 * np.pi, 100)
    return np.linalg.cholesky(C) @ np.stack([np.cos(angle), np.sin(angle)])


def draw_ellipses(ax, C, title, labels):
    for c, color in ((0, BLUE), (1, ORANGE)):
        for matrix in C[y == c][:25]:
            ax.plot(*ellipse(matrix), color=color, linewidth=0.5, alpha=0.35)
        mean = SPD(2).frechet_mean(C[y == c])
        ax.plot(*ellipse(mean), color=color, linewidth=2.5, label=f"class {c}")
    ax.set(title=title, xlabel=labels[0], ylabel=labels[1], aspect="equal")


# Rows and columns of the augmented matrix: 4 channels now, 4 one sample later, ...
delayed = augmented[:, [[0], [8]], [0, 8]]
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
draw_ellipses(left, plain[:, :2, :2], "two channels", ("channel 0", "channel 1"))
draw_ellipses(
    right,
    delayed,
    "a channel and its delayed copy",
    ("channel 0", "channel 0, two samples later"),
)
handles, names = left.get_legend_handles_labels()
figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
plt.show()

# %%
# Covariances as heat maps
# ------------------------
# The means of the classes, and their difference on a finer scale. The plain covariance
# is the 4 x 4 block in the corner, repeated along the diagonal. What distinguishes the
# classes stands off the diagonal, most of it at delays of two and three samples.
space = SPD(16)
means = [space.frechet_mean(augmented[y == c]) for c in (0, 1)]
panels = [
    ("mean of class 0", means[0]),
    ("mean of class 1", means[1]),
    ("difference", means[1] - means[0]),
]
figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
for ax, (title, matrix) in zip(axes, panels, strict=True):
    limit = np.abs(means if "mean" in title else matrix).max()
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit)
    for edge in (3.5, 7.5, 11.5):
        ax.axhline(edge, color="0.4", linewidth=0.6)
        ax.axvline(edge, color="0.4", linewidth=0.6)
    ax.set_xticks([1.5, 5.5, 9.5, 13.5], ["t", "t+1", "t+2", "t+3"])
    ax.set_yticks([1.5, 5.5, 9.5, 13.5], ["t", "t+1", "t+2", "t+3"])
    ax.set(title=title)
    if title != "mean of class 0":
        figure.colorbar(image, ax=ax, shrink=0.8)
plt.show()

# %%
# Accuracy
# --------
# Order 1 is the plain covariance. The sources obey a recursion of order 2, whose
# coefficients follow from the covariances at delays 0, 1 and 2: order 3 has them all.
orders = (1, 2, 3, 4)
classifiers = {
    "MDM": MDM(),
    "tangent space + logistic regression": make_pipeline(
        TangentSpace(), LogisticRegression()
    ),
}
folds = StratifiedKFold(5, shuffle=True, random_state=0)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for (name, classifier), color in zip(classifiers.items(), (BLUE, ORANGE), strict=True):
    scores = [
        cross_val_score(
            make_pipeline(AugmentedCovariances(order=p, lag=1), classifier),
            X,
            y,
            cv=folds,
        ).mean()
        for p in orders
    ]
    print(name, np.round(scores, 3))
    ax.plot(orders, scores, "o-", color=color, label=name)
ax.axhline(0.5, color="0.6", linestyle="--", linewidth=1, label="chance")
ax.set(xlabel="order", ylabel="accuracy, 5 folds", xticks=orders, ylim=(0.4, 1.03))
ax.legend(loc="lower right")
plt.show()
