"""New points among fixed ones in a product space."""

import numpy as np

from geolearn.embedding._product_loss import row_losses, unit_model
from geolearn.optimize import RiemannianAdam

_STEPS = 400  # the same for every point, so that points do not see each other
_STEADY = 100  # steps before the learning rate falls
_LAST_RATE = 1e-4  # last learning rate, relative to the first
_STARTS = 8  # nearest fixed points that are tried as a start


def place(manifold, fixed, D, scale, components, options):
    """Return points whose distances from the fixed ones are near D / scale.

    Parameters
    ----------
    manifold : ProductManifold
        Space of the divided distances.
    fixed : ndarray of shape (n_fixed, n_columns)
        Points that stay.
    D : ndarray of shape (n_new, n_fixed)
        Distances; those that are infinite count for nothing. A point at distance
        zero from a fixed one takes its place.
    scale : float
        Distances are divided by it.
    components : ndarray of shape (n_components, 3)
        Description of the manifold to the kernels.
    options : dict
        Arguments of `RiemannianAdam`.

    Returns
    -------
    ndarray of shape (n_new, n_columns)
        Points of least loss that the descent met.
    """
    models = unit_model(fixed, components)
    nearest = np.argsort(D, axis=1, kind="stable")[:, :_STARTS]
    n_jobs = options["n_jobs"]

    def losses(X):
        return row_losses(X, models, D, scale, components, n_jobs)

    best = fixed[nearest[:, 0]]
    lowest = losses(best)[0]
    for column in nearest.T[1:]:
        _keep_better(best, lowest, fixed[column], losses(fixed[column])[0])
    adam = RiemannianAdam(manifold, **options)
    X = best.copy()
    for t in range(_STEPS):
        loss, gradient = losses(X)
        _keep_better(best, lowest, X, loss)
        fall = max(0.0, (t - _STEADY) / (_STEPS - _STEADY))
        X = adam.step(X, gradient, learning_rate=adam.learning_rate * _LAST_RATE**fall)
    same = D[np.arange(len(D)), nearest[:, 0]] == 0.0
    best[same] = fixed[nearest[same, 0]]
    return best


def _keep_better(best, lowest, X, loss):
    better = loss < lowest
    best[better] = X[better]
    lowest[better] = loss[better]
