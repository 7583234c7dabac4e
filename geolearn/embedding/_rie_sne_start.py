"""Where the descent of RieSNE starts."""

import numpy as np
from sklearn.utils.extmath import randomized_svd

from geolearn.embedding._rie_sne_input import is_precomputed
from geolearn.graph import select_landmarks
from geolearn.manifolds import Euclidean, Sphere
from geolearn.metrics import pairwise_distances
from geolearn.optimize._classical import coordinates, top_gram_pairs
from geolearn.utils.validation import check_points

__all__ = ["principal_coordinates", "start_embedding"]

_PLANE_SPREAD = 1e-4  # standard deviation of the first coordinate
_CURVED_SPREAD = 1e-2
_N_LANDMARKS = 1_000
_DENSE_UP_TO = 1_000  # order of a Gram matrix whose whole spectrum is cheap
_ACCURACY = 1e-4  # relative residual of the eigenvectors of a start
# Columns below this share of the first are rounding, and are filled with noise of
# the share below: else the points could never leave a line or a great circle.
_ROUNDING, _NOISE = 1e-8, 1e-2


def start_embedding(init, X, manifold, target, *, rng, n_jobs=None):
    """Return the points of the target from which to descend.

    Parameters
    ----------
    init : {"pca", "random"} or array_like
        How to start, or the points themselves.
    X : ndarray of shape (n_samples, ...)
        Training samples, or their distances.
    manifold : Manifold or "precomputed"
        Manifold of the samples.
    target : Manifold
        Manifold of the embedding.
    rng : RandomState
        Source of randomness.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    ndarray of shape (n_samples, ...)
        Points of the target.

    Raises
    ------
    ValueError
        If a given start is not on the target, or has another number of points.
    """
    n = X.shape[0]
    if not isinstance(init, str):
        Y = check_points(target, init, name="init")
        if len(Y) != n:
            raise ValueError(
                f"init has {len(Y)} points, but X has {n} samples; pass one point of "
                f"{target!r} for each."
            )
        return Y
    if isinstance(target, Sphere):
        if init == "random":
            return target._random_point(n, rng)
        Z = principal_coordinates(
            X, manifold, target.dim + 1, centred=False, rng=rng, n_jobs=n_jobs
        )
        return _on_sphere(target, Z, rng)
    spread = _PLANE_SPREAD if isinstance(target, Euclidean) else _CURVED_SPREAD
    if init == "random":
        Z = spread * rng.standard_normal((n, target.dim))
    else:
        Z = principal_coordinates(X, manifold, target.dim, rng=rng, n_jobs=n_jobs)
        Z *= spread / Z[:, 0].std()
    origin = np.broadcast_to(target.origin, (n, *target.point_shape))
    return target._exp(origin, target._vector_to_tangent(origin, Z))


def _on_sphere(target, Z, rng):
    """Return rows of any length scaled to the sphere; zero rows go anywhere."""
    length = np.linalg.norm(Z, axis=1)
    lost = length <= _ROUNDING * length.max()
    Z[lost] = rng.standard_normal((int(lost.sum()), Z.shape[1]))
    return target._project(Z)


def principal_coordinates(X, manifold, k, *, centred=True, rng, n_jobs=None):
    """Return the k first principal coordinates of samples on a manifold.

    Those of the coordinates in the surrounding space for flat space and spheres; of
    the tangent vectors at the Fréchet mean of at most 1000 samples where logarithms
    are unique; elsewhere, and for given distances, by classical scaling of at most
    1000 random landmarks, to which the other samples are added by their distances.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Samples or distances.
    manifold : Manifold or "precomputed"
        Manifold of the samples.
    k : int
        Number of coordinates.
    centred : bool, default=True
        Whether to subtract the average of coordinates in the surrounding space.
    rng : RandomState
        Draws landmarks, and noise for coordinates that the samples do not have.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    ndarray of shape (n_samples, k)
        Coordinates of any unit, none of them constant.
    """
    if is_precomputed(manifold):
        Z = _scaling(X, "precomputed", k, rng, n_jobs)
    elif isinstance(manifold, Euclidean | Sphere):
        Z = _principal(X - X.mean(axis=0) if centred else X, k, rng)
    elif np.isinf(manifold.injectivity_radius):
        mean = manifold.frechet_mean(X[_some(len(X), rng)], tol=_ACCURACY)
        Z = _principal(manifold.log_vector(mean, X), k, rng)
    else:
        Z = _scaling(X, manifold, k, rng, n_jobs)
    return _filled(Z, k, rng)


def _some(n, rng):
    """Return all sample numbers, or those of the landmarks."""
    if n <= _N_LANDMARKS:
        return np.arange(n)
    return select_landmarks(_N_LANDMARKS, n_samples=n, random_state=rng)


def _filled(Z, k, rng):
    """Return k columns: noise in place of those that are missing or only rounding."""
    filled = np.zeros((len(Z), k))
    filled[:, : Z.shape[1]] = Z
    size = np.sqrt(np.mean(filled**2, axis=0))
    largest = size.max()
    empty = size <= _ROUNDING * largest
    noise = rng.standard_normal((len(Z), int(empty.sum())))
    filled[:, empty] = (_NOISE * largest if largest > 0.0 else 1.0) * noise
    return filled


def _principal(T, k, rng):
    """Return the leading coordinates in the basis of the right singular vectors."""
    T = T / max(np.abs(T).max(), np.finfo(float).tiny)  # the squares cannot overflow
    n, d = T.shape
    k = min(k, n, d)
    if min(n, d) > _DENSE_UP_TO:
        U, s, _ = randomized_svd(T, k, random_state=rng)
        return coordinates(s**2, U)
    if d <= n:
        vectors = np.linalg.eigh(T.T @ T)[1][:, : -k - 1 : -1]
        Z = T @ vectors
        values = np.sum(Z**2, axis=0)
        return coordinates(values, Z / np.sqrt(np.where(values > 0.0, values, 1.0)))
    values, vectors = np.linalg.eigh(T @ T.T)
    return coordinates(values[::-1][:k], vectors[:, ::-1][:, :k])


def _scaling(X, manifold, k, rng, n_jobs):
    """Return classical scaling of landmarks, with the other samples added."""
    n = len(X)
    chosen = _some(n, rng)
    if is_precomputed(manifold):
        to_landmarks = X[:, chosen]
    else:
        to_landmarks = pairwise_distances(X, X[chosen], metric=manifold, n_jobs=n_jobs)
    # The largest distance becomes 1, so that the squares cannot overflow.
    to_landmarks = to_landmarks / to_landmarks.max()
    D = to_landmarks[chosen]
    values, vectors, _ = top_gram_pairs(
        0.5 * (D + D.T), min(k, len(D) - 1), tol=_ACCURACY, rng=rng
    )
    Y = coordinates(values, vectors)
    if len(chosen) == n:
        return Y
    squares = np.mean(D**2, axis=0) - to_landmarks**2
    inverse = 1.0 / np.where(values > 0.0, values, np.inf)
    return 0.5 * squares @ (Y * inverse)
