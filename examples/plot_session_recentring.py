"""
Re-centring sessions
====================

Electrodes are never put back in the same place. A classifier of hand gestures that was
trained in one session does badly in the next, although the gestures are as distinct
as before: all matrices of the session have moved together.
:class:`~geolearn.covariance.SPDAligner` moves the mean of each session to the identity
matrix. This needs no labels, so that a new session can be moved too.
"""

# %%
# Two sessions of one subject
# ---------------------------
# Five gestures, eight electrodes around the forearm, windows of 1.2 seconds. A window
# becomes the covariance matrix of its channels and of two delayed copies of them,
# 24 x 24, shrunk by the rule of Ledoit and Wolf. Each session consists of six rounds,
# in which every gesture is held once.
import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.model_selection import LeaveOneGroupOut, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from geolearn.covariance import AugmentedCovariances, SPDAligner, TangentSpace
from geolearn.datasets import load_emg_gestures
from geolearn.plotting import EmbeddingDisplay

emg = load_emg_gestures(subject="mg")
session, gesture = emg.session, emg.target_names[emg.target]
round_ = emg.run // 5
matrices = AugmentedCovariances(order=3, lag=1, estimator="lwf").fit_transform(emg.data)

# %%
# Before and after
# ----------------
# Two principal components of the tangent vectors, whose lengths are distances from
# the reference: the common mean of both sessions on the left, the identity matrix
# after re-centring. On the left the sessions lie apart (above), and a gesture lies in
# several places (below). In the middle each session has been re-centred; they
# overlap, but session 1 falls into two parts. Its last two rounds are the smaller one,
# as if the electrodes had moved before them. So on the right each round is a domain
# of its own, and a gesture lies where it lies in all other rounds.


def aligned_vectors(domain, **options):
    """Return tangent vectors of matrices that are aligned by domain."""
    aligned = SPDAligner(**options).fit_transform(matrices, sample_domain=domain)
    return TangentSpace(reference="identity").fit_transform(aligned)


vectors = {
    "as recorded": TangentSpace().fit_transform(matrices),
    "re-centred by session": aligned_vectors(session, scale=False),
    "re-centred by round": aligned_vectors(round_, scale=False),
}
order = np.random.default_rng(0).permutation(len(session))  # nobody is hidden
figure, axes = plt.subplots(2, 3, figsize=(12, 7.5), layout="constrained")
for column, (name, v) in zip(axes.T, vectors.items(), strict=True):
    plane = PCA(n_components=2).fit_transform(v)[order]
    last = name == "re-centred by round"
    for ax, label_name in zip(column, ("session", "gesture"), strict=True):
        labels = session if label_name == "session" else gesture
        EmbeddingDisplay.from_embedding(
            plane,
            labels=labels[order],
            ax=ax,
            label_name=label_name,
            title=name if label_name == "session" else None,
            legend=last,
            alpha=0.6,
            size=12,
        )

# %%
# Does it help a classifier?
# --------------------------
# Train on one session, test on the other. Nothing but the windows themselves is used
# to re-centre the test session, no labels: this is called transductive, since the
# result for one window depends on the others. It rests on every domain holding
# the gestures in the same shares, as sessions and rounds do here.


def accuracies(v):
    """Return the accuracy on session 2 after training on session 1, and vice versa."""
    scores = []
    for train in ("mg_s1", "mg_s2"):
        known = session == train
        model = SVC(kernel="linear").fit(v[known], gesture[known])
        scores.append(model.score(v[~known], gesture[~known]))
    return scores


figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
colors = ("0.7", "#56B4E9", "#0072B2")
for k, (name, v) in enumerate(vectors.items()):
    place = np.arange(2) + 0.27 * (k - 1)
    bars = ax.bar(place, accuracies(v), 0.25, label=name, color=colors[k])
    ax.bar_label(bars, fmt="{:.2f}", padding=2)
ax.axhline(0.2, color="black", linewidth=1, linestyle=":")
ax.annotate("chance", (0.5, 0.2), ha="center", va="bottom")
ax.set(xticks=[0, 1], xlim=(-0.5, 1.5), ylim=(0, 1.05), ylabel="accuracy")
ax.set_xticklabels(["session 1 to session 2", "session 2 to session 1"])
ax.spines[["top", "right"]].set_visible(False)
figure.legend(frameon=False, loc="outside upper center", ncols=3)

# %%
# The same in a pipeline
# ----------------------
# scikit-learn's metadata routing carries the session of each window to the aligner,
# through pipelines and cross-validation. Each session is left out in turn; at
# prediction it is a domain that the aligner has not seen, and ``unseen`` says what to
# do with it: "transductive", the default, is what the figure shows.
with sklearn.config_context(enable_metadata_routing=True):
    aligner = SPDAligner(scale=False)
    aligner.set_fit_request(sample_domain=True)
    aligner.set_transform_request(sample_domain=True)
    model = make_pipeline(
        aligner, TangentSpace(reference="identity"), SVC(kernel="linear")
    )
    scores = cross_validate(
        model,
        matrices,
        gesture,
        cv=LeaveOneGroupOut(),
        params={"groups": session, "sample_domain": session},
    )["test_score"]
print("accuracy on session 2 and 1:", scores[::-1].round(3))
