"""Errors of the affine distance of ill-conditioned matrices, in 60 digits."""

import warnings

from _isolated import versions

N = 8  # order of the matrices
DIGITS = 60
# name -> (condition number in equal units, ratio of the largest to the smallest unit of
# the channels)
CASES = {
    "kappa 1e8": (1e8, 1.0),
    "kappa 1e10": (1e10, 1.0),
    "kappa 1e12": (1e12, 1.0),
    "badly scaled, kappa 1e12": (1e8, 1e2),
}


def pairs(case, count):
    """Return two stacks of SPD matrices."""
    import numpy as np

    condition, units = CASES[case]
    rng = np.random.default_rng(0)
    bases = np.linalg.qr(rng.standard_normal((2 * count, N, N)))[0]
    inner = rng.uniform(0.0, np.log(condition), (2 * count, N - 2))
    ends = np.tile([0.0, np.log(condition)], (2 * count, 1))
    spectra = np.exp(np.concatenate((ends, inner), axis=1))
    X = (bases * spectra[:, np.newaxis]) @ bases.transpose(0, 2, 1)
    scale = rng.permutation(np.geomspace(1.0, units, N))
    X *= scale[:, np.newaxis] * scale
    X = 0.5 * (X + X.transpose(0, 2, 1))
    return X[:count], X[count:]


def exact(A, B):
    """Return the affine-invariant distance of the given float64 matrices."""
    import mpmath

    with mpmath.workdps(DIGITS):
        inverse = mpmath.inverse(mpmath.cholesky(mpmath.matrix(A.tolist())))
        whitened = inverse * mpmath.matrix(B.tolist()) * inverse.T
        eigenvalues = mpmath.eigsy(whitened, eigvals_only=True)
        return float(mpmath.sqrt(sum(mpmath.log(value) ** 2 for value in eigenvalues)))


def worst_errors(case, count):
    """Return the largest relative error of each library over `count` pairs."""
    import numpy as np

    from geolearn.manifolds import SPD

    A, B = pairs(case, count)
    truth = np.array([exact(*pair) for pair in zip(A, B, strict=True)])
    errors = {"geolearn": SPD(N).dist(A, B) / truth - 1.0}
    try:
        from pyriemann.geometry.distance import distance_riemann
    except ImportError:
        pass
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # logarithms of negative eigenvalues
            errors["peer"] = distance_riemann(A, B) / truth - 1.0
    answer = {name: float(np.abs(value).max()) for name, value in errors.items()}
    # JSON has no NaN; a failed distance is an error without bound.
    answer = {k: v if np.isfinite(v) else 1e308 for k, v in answer.items()}
    return {"versions": versions("mpmath"), **answer}
