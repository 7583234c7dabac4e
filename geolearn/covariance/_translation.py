"""Moving clouds of SPD matrices from one base point to another, isometrically.

Every move is Exp_target(factor * T(Log_source(X))), where T carries tangent vectors
from the source to the target without changing their lengths. For the affine-invariant,
log-Euclidean and log-Cholesky metrics T comes from a group of translations and the
move is defined everywhere; for the Bures-Wasserstein metric T is the parallel
transport by way of the identity, and the exponential has a domain.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from geolearn import linalg
from geolearn.covariance._geometry import check_spd, distances_to, fit_mean
from geolearn.manifolds import SPD
from geolearn.manifolds.spd._chunks import pieces
from geolearn.manifolds.spd._forms import compose, gram
from geolearn.manifolds.spd._names import canonical_name
from geolearn.manifolds.spd._spectral import eigen, factor, rotate

__all__ = ["TRANSLATIONS", "Translation", "check_result", "make_translation"]

# Beyond this ratio of eigenvalues a whitened matrix is decomposed by the singular
# values of the product of the factors, which keeps twice as many digits.
_ILL_CONDITIONED = 1e6

_CLIP = 1e-6  # floor of the eigenvalues of I + L, as in arXiv 2504.00660


class Translation(ABC):
    """Mean, dispersion and moves of SPD matrices under one metric.

    Parameters
    ----------
    n : int
        Size of the matrices.
    power : float, default=1.0
        Power theta: everything happens to X^theta.
    n_jobs : int, default=None
        Number of threads.
    """

    metric: ClassVar[str]
    uses: ClassVar[frozenset] = frozenset()  # options beyond `power`

    def __init__(self, n, *, power=1.0, n_jobs=None):
        self.geometry = SPD(n, self.metric)
        self.power = power
        self.n_jobs = n_jobs

    def check(self, X):
        """Return valid matrices, or raise and name the first bad one."""
        return check_spd(self.geometry, X)

    def check_parameter(self, value, name):
        """Return a parameter as a valid n x n matrix, or raise and name it."""
        value, n = np.array(value, dtype=np.float64), self.geometry.n
        if value.shape != (n, n):
            raise ValueError(
                f"{name} has shape {value.shape}, but X holds {n} x {n} matrices."
            )
        try:
            return self.check(self.geometry.check_points(value[np.newaxis]))[0]
        except ValueError as error:
            raise ValueError(f"{name} is not a valid matrix: {error}") from error

    def deform(self, X):
        """Return X^theta."""
        return _power(X, self.power, self.n_jobs)

    def restore(self, Y):
        """Undo `deform`."""
        return _power(Y, 1.0 / self.power, self.n_jobs)

    def statistics(self, X, weight, *, tol=1e-8, max_iter=50):
        """Return the Fréchet mean, the dispersion about it and the iterations."""
        kept = weight > 0.0
        Y, weight = self.deform(X[kept]), weight[kept]
        result = fit_mean(
            self.geometry,
            Y,
            weight,
            tol=tol,
            max_iter=max_iter,
            n_jobs=self.n_jobs,
        )
        # result.variance is no substitute: it is extrapolated over the last step.
        d = distances_to(self.geometry, Y, result.mean[None], n_jobs=self.n_jobs)[:, 0]
        variance = float(weight @ d**2) / float(weight.sum()) / self.power**2
        return self.restore(result.mean), variance, result.n_iter

    def between(self, A, B, t):
        """Return the point at parameter t on the geodesic from A to B."""
        A, B = self.deform(np.stack([A, B]))
        return self.restore(self.geometry.geodesic(A, B, t))

    def move(self, X, source=None, target=None, exponent=1.0):
        """Carry matrices from the source to the target, and scale about it.

        Parameters
        ----------
        X : ndarray of shape (n_matrices, n, n)
            SPD matrices.
        source : ndarray of shape (n, n), default=None
            Matrix that goes to `target`; None is the identity matrix.
        target : ndarray of shape (n, n), default=None
            As `source`.
        exponent : float, default=1.0
            Factor of the tangent vectors.

        Returns
        -------
        moved : ndarray of shape (n_matrices, n, n)
            SPD matrices.
        margins : ndarray of shape (n_matrices,)
            Smallest eigenvalue of I + L where the exponential has a domain, else
            infinite; the result is meaningless where it is not positive.
        """
        bases = [None if P is None else self.deform(P) for P in (source, target)]
        moved, margins = np.empty_like(X), np.empty(len(X))
        for rows in pieces(len(X), X[0].nbytes):  # several temporaries of that size
            Y, margins[rows] = self._move(self.deform(X[rows]), *bases, exponent)
            moved[rows] = self.restore(Y)
        return moved, margins

    @abstractmethod
    def _move(self, X, source, target, exponent):
        """Move without the deformation."""


class AffineTranslation(Translation):
    """Congruences and matrix powers.

    Parameters
    ----------
    n : int
        Size of the matrices.
    whitening : {"cholesky", "symmetric"}, default="cholesky"
        Root of the base points.
    **options
        As for `Translation`.
    """

    metric = "affine_invariant"
    uses = frozenset({"whitening"})

    def __init__(self, n, *, whitening="cholesky", **options):
        super().__init__(n, **options)
        self.whitening = whitening

    def _move(self, X, source, target, exponent):
        W = None if source is None else self._roots(source)[1]
        F = None if target is None else self._roots(target)[0]
        if exponent == 1.0:
            whole = F if W is None else W if F is None else F @ W
            return _congruence(whole, X, self.n_jobs), _everywhere(X)
        values, V = _whitened_eigen(W, X, self.n_jobs)
        Y = compose(V, values**exponent)
        return _congruence(F, Y, self.n_jobs), _everywhere(X)

    def _roots(self, P):
        """Return F and its inverse with F F^T = P."""
        if self.whitening == "cholesky":
            L = factor(P)
            return L, linalg.triangular_inverse(L)
        values, V = eigen(P)
        return compose(V, np.sqrt(values)), compose(V, 1.0 / np.sqrt(values))


class LogEuclideanTranslation(Translation):
    """Sums of matrix logarithms.

    Parameters
    ----------
    n : int
        Size of the matrices.
    power : float, default=1.0
        Has no effect on this metric.
    n_jobs : int, default=None
        Number of threads.
    """

    metric = "log_euclidean"

    def __init__(self, n, *, power=1.0, n_jobs=None):
        super().__init__(n, n_jobs=n_jobs)  # the power cancels

    def _move(self, X, source, target, exponent):
        S = _log(X, self.n_jobs)
        S = exponent * (S if source is None else S - _log(source))
        values, V = linalg.eigh(
            S if target is None else S + _log(target), n_jobs=self.n_jobs
        )
        return compose(V, np.exp(values)), _everywhere(X)


class LogCholeskyTranslation(Translation):
    """Sums of strict lower triangles of Cholesky factors, products of diagonals."""

    metric = "log_cholesky"

    def _move(self, X, source, target, exponent):
        C = _log_factor(X, self.n_jobs)
        C = exponent * (C if source is None else C - _log_factor(source))
        if target is not None:
            C = C + _log_factor(target)
        K = np.tril(C, -1)
        diagonal = np.arange(K.shape[-1])
        K[..., diagonal, diagonal] = np.exp(C[..., diagonal, diagonal])
        return gram(K), _everywhere(X)


class BuresWassersteinTranslation(Translation):
    """Parallel transport by way of the identity, where it is closed.

    In the eigenbasis of P = V diag(p) V^T, the logarithm of X has the entries
    (R - I)_ab (p_a + p_b) with the optimal map R. Multiplied by 1 / sqrt(2 (p_a + p_b))
    they are coordinates of orthonormal type, which the transport between P and any
    matrix that commutes with it leaves as they are.

    Parameters
    ----------
    n : int
        Size of the matrices.
    metric_matrix : ndarray of shape (n, n) or None, default=None
        SPD matrix Q: everything happens to Q^{-1/2} X^theta Q^{-1/2}, and the
        transport goes by way of Q. Any root of Q gives the same.
    on_domain_error : {"raise", "clip"}, default="raise"
        "clip" floors the eigenvalues of I + L at 1e-6.
    **options
        As for `Translation`.
    """

    metric = "bures_wasserstein"
    uses = frozenset({"metric_matrix", "on_domain_error"})

    def __init__(self, n, *, metric_matrix=None, on_domain_error="raise", **options):
        super().__init__(n, **options)
        self.clip = on_domain_error == "clip"
        self.root = self.inverse_root = None
        if metric_matrix is not None:
            matrix = self.check_parameter(metric_matrix, "metric_matrix")
            self.root = factor(matrix)
            self.inverse_root = linalg.triangular_inverse(self.root)

    def deform(self, X):
        """Return X^theta in the frame of the metric matrix."""
        return _congruence(self.inverse_root, super().deform(X), self.n_jobs)

    def restore(self, Y):
        """Undo `deform`."""
        return super().restore(_congruence(self.root, Y, self.n_jobs))

    def move(self, X, source=None, target=None, exponent=1.0):
        """Carry matrices as `Translation.move` does."""
        # The identity is not the identity in the frame of the metric matrix.
        eye = None if self.root is None else np.eye(X.shape[-1])
        source = eye if source is None else source
        return super().move(X, source, eye if target is None else target, exponent)

    def _move(self, X, source, target, exponent):
        S = exponent * _bures_coordinates(X, source, self.n_jobs)
        if target is None:
            lam, U = linalg.eigh(S, n_jobs=self.n_jobs)
            margins = 1.0 + lam[:, 0]
            return compose(U, self._floored(1.0 + lam) ** 2), margins
        b, V = eigen(target)
        lam, U = linalg.eigh(rotate(V, S) / _mean_roots(b), n_jobs=self.n_jobs)
        margins = 1.0 + lam[:, 0]
        F = V @ compose(U, self._floored(1.0 + lam)) * np.sqrt(b)
        return gram(F), margins

    def _floored(self, values):
        return np.maximum(values, _CLIP) if self.clip else values


TRANSLATIONS = {
    cls.metric: cls
    for cls in (
        AffineTranslation,
        BuresWassersteinTranslation,
        LogCholeskyTranslation,
        LogEuclideanTranslation,
    )
}


def make_translation(
    metric, n, *, allowed=tuple(TRANSLATIONS), power=1.0, n_jobs=None, **options
):
    """Return the translation of a metric.

    Parameters
    ----------
    metric : str
        Name or alias.
    n : int
        Size of the matrices.
    allowed : tuple of str
        Metrics that the caller has a use for.
    power : float, default=1.0
        Power deformation.
    n_jobs : int, default=None
        Number of threads.
    **options
        Options of one of the classes; None is not given.

    Returns
    -------
    Translation
        An instance of the class for `metric`.

    Raises
    ------
    ValueError
        If the metric is unknown or has no translations, or has no use for an option.
    """
    name = canonical_name(metric)
    if name not in allowed:
        raise ValueError(
            f"metric={metric!r} has no translations that keep distances; use one of "
            f"{', '.join(map(repr, sorted(allowed)))}."
        )
    given = {key: value for key, value in options.items() if value is not None}
    for key, value in given.items():
        if key not in TRANSLATIONS[name].uses:
            user = next(m for m, cls in TRANSLATIONS.items() if key in cls.uses)
            shown = f"={value!r}" if isinstance(value, str) else " is given"
            raise ValueError(
                f"{key}{shown}, but metric={metric!r} has no use for it; leave {key} "
                f"at its default or use metric={user!r}."
            )
    return TRANSLATIONS[name](n, power=power, n_jobs=n_jobs, **given)


def check_result(Z, metric, remedy, *, n_jobs=None):
    """Raise if moved matrices are not positive definite after rounding.

    Parameters
    ----------
    Z : ndarray of shape (n_matrices, n, n)
        Matrices from `Translation.move`.
    metric : str
        Name for the message.
    remedy : str
        What the caller can change.
    n_jobs : int, default=None
        Number of threads.

    Raises
    ------
    ValueError
        If the Cholesky factorisation of a matrix fails.
    """
    failed = linalg.cholesky(Z, n_jobs=n_jobs)[1] != 0
    if failed.any():
        raise ValueError(
            f"{int(failed.sum())} of {len(Z)} results, the first for "
            f"X[{int(np.argmax(failed))}], are too ill-conditioned to be positive "
            f"definite after rounding: under metric={metric!r} these matrices are far "
            f"from the mean. {remedy}"
        )


def _everywhere(X):
    return np.full(len(X), np.inf)


def _power(X, exponent, n_jobs=None):
    if exponent == 1.0:
        return X
    values, V = eigen(X, n_jobs)
    return compose(V, values**exponent)


def _log(X, n_jobs=None):
    values, V = eigen(X, n_jobs)
    return compose(V, np.log(values))


def _log_factor(X, n_jobs=None):
    """Return Cholesky factors with the logarithms of their diagonals."""
    C = factor(X, n_jobs).copy()
    diagonal = np.arange(C.shape[-1])
    C[..., diagonal, diagonal] = np.log(C[..., diagonal, diagonal])
    return C


def _congruence(W, X, n_jobs=None):
    return X if W is None else linalg.congruence(W, X, n_jobs=n_jobs)


def _whitened_eigen(W, X, n_jobs=None):
    """Return eigenvalues and eigenvectors of W X W^T; W None is the identity."""
    if W is None:
        return eigen(X, n_jobs)
    values, V = linalg.eigh(linalg.congruence(W, X, n_jobs=n_jobs), n_jobs=n_jobs)
    poor = ~(values[:, 0] * _ILL_CONDITIONED > values[:, -1])
    if poor.any():
        values, V = np.array(values), np.array(V)
        U, S, _ = np.linalg.svd(W @ factor(X[poor], n_jobs))
        values[poor], V[poor] = S[:, ::-1] ** 2, U[:, :, ::-1]
    return values, V


def _mean_roots(p):
    """Return sqrt((p_a + p_b) / 2) for all pairs of eigenvalues."""
    return np.sqrt(0.5 * (p[:, None] + p))


def _bures_coordinates(X, base, n_jobs=None):
    """Return (R - I)_ab sqrt((p_a + p_b) / 2), turned back from the eigenbasis."""
    if base is None:
        values, V = eigen(X, n_jobs)
        return compose(V, np.sqrt(values) - 1.0)
    p, V = eigen(base)
    root = np.sqrt(p)
    values, U = eigen(rotate(V, X) * np.outer(root, root), n_jobs)
    R = compose(U, np.sqrt(values)) / np.outer(root, root)
    S = (R - np.eye(len(p))) * _mean_roots(p)
    return linalg.congruence(V, S, n_jobs=n_jobs)
