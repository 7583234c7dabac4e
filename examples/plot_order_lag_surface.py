"""
Choosing order and lag
======================

The augmented covariance of a trial has two parameters: how many copies of the channels
it takes (order), and by how many samples each is delayed from the last (lag). A grid
search draws the accuracy as a surface over both; an outer cross-validation says what
the choice is worth.
"""

# %%
# Oscillations
# ------------
# The sources of two classes ring at 0.20 and 0.21 half turns a sample. The correlation
# of such a signal with its delayed copy is a damped cosine of the delay: it tells most
# about the frequency where the cosine is steep, and nothing at its turning point, which
# is half a period away, at five samples. The surface shows it: short lags are best, a
# lag of 5 is useless at any order, and the plain covariance (order 1) is at chance.
# :func:`~geolearn.covariance.augmentation_grid` leaves out pairs for which the trials
# are too short.
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from geolearn.covariance import AugmentedCovariances, TangentSpace, augmentation_grid
from geolearn.datasets import load_emg_gestures, make_autoregressive_trials


def surface_of(search, orders, lags, **fixed):
    """Return the table of scores of the candidates that have the `fixed` values."""
    table = np.full((len(orders), len(lags)), np.nan)
    results = search.cv_results_
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        if all(params[name] == value for name, value in fixed.items()):
            p = orders.index(params["augmentedcovariances__order"])
            t = lags.index(params["augmentedcovariances__lag"])
            table[p, t] = score
    table[0] = table[0, 0]  # order 1: the same matrices, whatever the lag
    return table


def draw_surface(ax, table, orders, lags, limits, title):
    """Draw the scores as coloured cells, with a frame around the best."""
    image = ax.imshow(
        table, origin="lower", aspect="auto", vmin=limits[0], vmax=limits[1]
    )
    for (p, t), score in np.ndenumerate(table):
        ink = "white" if score < np.mean(limits) else "black"
        text = f"{score:.2f}"[1:] if score < 0.995 else "1"
        ax.text(t, p, text, ha="center", va="center", color=ink)
    p, t = np.unravel_index(np.nanargmax(table), table.shape)
    frame = plt.Rectangle(
        (t - 0.47, p - 0.47), 0.94, 0.94, fill=False, color="#d9570b", linewidth=2.5
    )
    ax.add_patch(frame)
    ax.set_xticks(range(len(lags)), lags)
    ax.set_yticks(range(len(orders)), orders)
    ax.set(xlabel="lag", ylabel="order", title=title)
    return image


X, y = make_autoregressive_trials(angles=(0.20 * np.pi, 0.21 * np.pi), random_state=0)
orders, lags = [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6, 7]
ringing = GridSearchCV(
    make_pipeline(
        AugmentedCovariances(), TangentSpace("log_euclidean"), LogisticRegression()
    ),
    augmentation_grid(
        orders, lags, X.shape[1], X.shape[2], step="augmentedcovariances"
    ),
    cv=StratifiedKFold(4, shuffle=True, random_state=0),
    refit=False,
).fit(X, y)

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
table = surface_of(ringing, orders, lags)
limits = np.nanmin(table), np.nanmax(table)
image = draw_surface(ax, table, orders, lags, limits, "Accuracy on ringing sources")
figure.colorbar(image, ax=ax)
plt.show()

# %%
# Muscles
# -------
# Five hand gestures, eight electrodes, one session. The windows of one round of
# gestures follow each other closely, so that whole rounds are held out. With
# ``memory`` the matrices and tangent vectors of one pair are computed once for all
# values of C.
#
# Muscle activity is closer to noise than to an oscillation, and its surface is flatter.
# With little regularisation (C = 1) delays help. With more (C = 0.1) the plain
# covariance does nearly as well: search order, lag and the classifier's parameter
# together.
emg = load_emg_gestures(session="mg_s1")
X, y = emg.data, emg.target
rounds = emg.run // 5  # every gesture once a round
orders, lags, strengths = [1, 2, 3, 4], [1, 2, 3, 4], [1.0, 0.1]
with tempfile.TemporaryDirectory() as folder:
    pipeline = make_pipeline(
        AugmentedCovariances(estimator="lwf"),
        TangentSpace("log_euclidean"),
        SVC(kernel="linear"),
        memory=folder,
    )
    grid = augmentation_grid(
        orders,
        lags,
        X.shape[1],
        X.shape[2],
        step="augmentedcovariances",
        params={"svc__C": strengths},
    )
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), refit=False)
    search.fit(X, y, groups=rounds)
best = {name.split("__")[1]: value for name, value in search.best_params_.items()}
print(f"best of {len(search.cv_results_['params'])}: {best}, {search.best_score_:.3f}")

tables = [surface_of(search, orders, lags, svc__C=C) for C in strengths]
limits = np.nanmin(tables), np.nanmax(tables)
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, table, C in zip(axes, tables, strengths, strict=True):
    image = draw_surface(ax, table, orders, lags, limits, f"Gestures, C = {C:g}")
figure.colorbar(image, ax=axes)
plt.show()

# %%
# What the choice is worth
# ------------------------
# The height of a maximum is not the accuracy to expect: it was chosen among many on the
# same rounds. Nested, the search sees the training rounds only, and its choice is
# scored on others. The groups reach the inner search as metadata. Here the fold that
# is hard stays hard, and the choice gains less than the surface promises.
small = augmentation_grid(
    [1, 2, 3], [1, 2], X.shape[1], X.shape[2], step="augmentedcovariances"
)
model = make_pipeline(
    AugmentedCovariances(order=1, estimator="lwf"),
    TangentSpace("log_euclidean"),
    SVC(kernel="linear"),
)
with sklearn.config_context(enable_metadata_routing=True):
    nested = GridSearchCV(model, small, cv=GroupKFold(2))
    for name, estimator in (("plain covariance", model), ("nested search", nested)):
        scores = cross_val_score(
            estimator, X, y, cv=GroupKFold(3), params={"groups": rounds}
        )
        print(f"{name:17s} {scores.mean():.3f}  of folds {scores.round(3)}")
