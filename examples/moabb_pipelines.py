"""
Pipelines for moabb, and a swap from pyRiemann
==============================================

A moabb evaluation takes a dictionary of scikit-learn pipelines that get trials of
shape (n_trials, n_channels, n_times) and their labels. The estimators of geolearn are
such pipelines as they are. This script is not run by the gallery: with moabb installed,
``python examples/moabb_pipelines.py`` downloads a data set and scores it. Importing it
needs geolearn only.
"""

# %%
# The pipelines
# -------------
# The augmented covariance method beside the usual plain ones. ``"riemann"`` is an alias
# of ``"affine_invariant"``; the other names that pyRiemann uses are known too. The
# defaults of ``searched`` are the published grid.
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from geolearn.covariance import (
    MDM,
    AugmentedCovariances,
    Covariances,
    TangentSpace,
    augmentation_grid,
)


def pipelines():
    """Return the pipelines by name, as moabb wants them."""
    return {
        "MDM": make_pipeline(Covariances("oas"), MDM(metric="riemann")),
        "TS+LR": make_pipeline(
            Covariances("oas"), TangentSpace(metric="riemann"), LogisticRegression()
        ),
        "ACM(4, 1)+TS+SVM": make_pipeline(
            AugmentedCovariances(order=4, lag=1, estimator="oas"),
            TangentSpace(metric="riemann"),
            SVC(kernel="linear"),
        ),
    }


def searched(n_channels, n_times, orders=range(1, 11), lags=range(1, 11)):
    """Return the pipeline whose order and lag an inner cross-validation chooses.

    moabb scores it on its own outer folds, so that the choice is nested.
    """
    pipeline = make_pipeline(
        AugmentedCovariances(estimator="oas"),
        TangentSpace(metric="riemann"),
        SVC(kernel="linear"),
    )
    grid = augmentation_grid(
        orders,
        lags,
        n_channels,
        n_times,
        step="augmentedcovariances",
        params={"svc__C": [0.5, 1.0, 1.5]},
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return GridSearchCV(pipeline, grid, cv=folds)


# %%
# The same in pyRiemann
# ---------------------
# What changes in a script is the import; ``MDM``, ``FgMDM``, ``TangentSpace``,
# ``Covariances`` and ``Potato`` keep their names and the names of their metrics. Steps
# of the two libraries can also be mixed, for both pass on plain arrays.


def mixed_pipeline():
    """Return a pipeline of steps of both libraries; needs pyRiemann."""
    from pyriemann.estimation import Covariances as PeerCovariances

    return make_pipeline(
        PeerCovariances("oas"), TangentSpace(metric="riemann"), LogisticRegression()
    )


# %%
# The evaluation
# --------------
# Left hand against right hand in the sessions of BNCI2014-001, band-passed between 8
# and 35 Hz. moabb's own benchmark, with other implementations of the methods, reports
# areas under the curve of .817 for MDM, .865 for tangent space with a support vector
# machine, and .917 for augmented covariances with order and lag searched.
def main():
    """Score the pipelines; needs moabb and a network."""
    from moabb.datasets import BNCI2014_001
    from moabb.evaluations import WithinSessionEvaluation
    from moabb.paradigms import LeftRightImagery

    evaluation = WithinSessionEvaluation(
        paradigm=LeftRightImagery(fmin=8, fmax=35),
        datasets=[BNCI2014_001()],
        overwrite=True,
    )
    results = evaluation.process(pipelines())
    print(results.groupby("pipeline")["score"].agg(["mean", "std"]).round(3))


if __name__ == "__main__":
    main()
