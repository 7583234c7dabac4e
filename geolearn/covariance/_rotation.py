"""The orthogonal matrix that turns one set of symmetric matrices into another."""

import numpy as np

from geolearn import linalg
from geolearn.manifolds.spd._forms import compose

__all__ = ["align_frames", "class_logarithms", "rotations_to_target"]

# Starts other than the identity must beat it by this share of the objective.
_PREFERENCE = 1e-9
_MAX_FLIPS = 100


def class_logarithms(translation, X, codes, weight, **options):
    """Return the logarithms of class means.

    Parameters
    ----------
    translation : Translation
        Metric.
    X : ndarray of shape (n_matrices, n, n)
        Centred matrices of one domain.
    codes : ndarray of int of shape (n_matrices,)
        Classes.
    weight : ndarray of shape (n_matrices,)
        Weights, not negative.
    **options
        Further arguments of `Translation.statistics`.

    Returns
    -------
    dict
        Class -> ndarray of shape (n, n), for the classes that have weight.
    """
    logs = {}
    for c in np.unique(codes[weight > 0.0]).tolist():
        rows = codes == c
        M, *_ = translation.statistics(X[rows], weight[rows], **options)
        values, V = linalg.eigh(M)
        logs[c] = compose(V, np.log(values))
    return logs


def rotations_to_target(logs, target):
    """Return the rotation of each domain.

    Parameters
    ----------
    logs : dict
        Domain -> logarithms of its class means, as from `class_logarithms`.
    target : str or int
        Domain that stays.

    Returns
    -------
    dict
        Domain -> orthogonal matrix of shape (n, n).

    Raises
    ------
    ValueError
        If a domain has no class in common with the target.
    """
    rotations = {}
    for name, own in logs.items():
        common = sorted(own.keys() & logs[target].keys())
        if not common:
            raise ValueError(
                f"The domain {name!r} has no class in common with "
                f"target_domain={target!r}; rotate=True needs one."
            )
        S = np.array([own[c] for c in common])
        T = np.array([logs[target][c] for c in common])
        same = name == target
        rotations[name] = np.eye(S.shape[-1]) if same else align_frames(S, T)
    return rotations


def align_frames(S, T, *, tol=1e-10, max_iter=500):
    r"""Minimise sum_k ||U S_k U^T - T_k||_F^2 over orthogonal U.

    Up to constants this maximises f(U) = sum_k tr(T_k U S_k U^T). A multiple of the
    identity added to the matrices changes f by a constant and makes it convex in U, so
    that the polar factor of its gradient sum_k T_k U S_k, from one singular value
    decomposition, never lowers f. For one pair of matrices the optimum is closed: the
    product of the eigenvector matrices, in the same order of the eigenvalues. The
    iteration is started from the identity and from such products, with the signs
    of the eigenvectors chosen by f.

    Parameters
    ----------
    S : ndarray of shape (n_pairs, n, n)
        Symmetric matrices to turn.
    T : ndarray of shape (n_pairs, n, n)
        Symmetric matrices to meet.
    tol : float, default=1e-10
        Largest norm of the gradient, in units of the sum of the products of norms.
    max_iter : int, default=500
        Largest number of steps from each start.

    Returns
    -------
    ndarray of shape (n, n)
        Orthogonal matrix U; the identity where the data do not prefer another.
    """
    n = S.shape[-1]
    size = float(
        np.sum(np.linalg.norm(S, axis=(1, 2)) * np.linalg.norm(T, axis=(1, 2)))
    )
    if size == 0.0:
        return np.eye(n)
    best, best_value = None, -np.inf
    for start in [np.eye(n), *_starts(S, T)]:
        U = _ascend(S, T, start, tol * size, max_iter)
        value = _objective(S, T, U)
        if value > best_value + _PREFERENCE * size:
            best, best_value = U, value
    return best


def _objective(S, T, U):
    return float(np.sum(T * (U @ S @ U.T)))


def _starts(S, T):
    """Return one start a pair, and one for a generic combination of the pairs."""
    generic = np.cos(1.0 + np.arange(len(S)))
    pairs = [*zip(S, T, strict=True)]
    pairs.append((np.tensordot(generic, S, axes=1), np.tensordot(generic, T, axes=1)))
    starts = []
    for source, target in pairs:
        V, W = np.linalg.eigh(source)[1], np.linalg.eigh(target)[1]
        # f(W diag(d) V^T) = d^T A d
        A = np.sum((W.T @ T @ W) * (V.T @ S @ V), axis=0)
        # pairs that leave a sign open leave the turn by it open: take the smaller
        signs = _signs(A, np.sign(np.sum(W * V, axis=0)))
        starts.append((W * signs) @ V.T)
    return starts


def _signs(A, near):
    """Return signs d that flips of one sign cannot improve in d^T A d."""
    off = A - np.diag(np.diag(A))
    leading = np.linalg.eigh(off)[1][:, -1]
    candidates = []
    for d in (near, leading, -leading):
        d = np.where(d >= 0.0, 1.0, -1.0)
        for _ in range(_MAX_FLIPS):
            gain = -d * (off @ d)
            i = int(np.argmax(gain))
            if gain[i] <= 1e-12 * np.abs(off).sum():
                break
            d[i] = -d[i]
        candidates.append(d)
    scores = [d @ off @ d for d in candidates]
    return candidates[int(np.argmax(scores))]


def _ascend(S, T, U, tol, max_iter):
    """Follow polar factors of the gradient uphill from U."""
    eye = np.eye(S.shape[-1])
    S = S - np.linalg.eigvalsh(S)[:, 0, None, None] * eye
    T = T - np.linalg.eigvalsh(T)[:, 0, None, None] * eye
    for _ in range(max_iter):
        G = np.sum(T @ U @ S, axis=0)
        slope = G @ U.T
        if np.linalg.norm(slope - slope.T) <= tol:
            break
        left, _, right = np.linalg.svd(G)
        U = left @ right
    return U
