"""Distance on a weighted product of the metrics of this package.

A point is the concatenation of its factors' coordinates, and
``d(x, y)**2 = sum(s_k d_k(x_k, y_k)**2)`` with positive scales ``s_k`` (the metric
tensors are multiplied by ``s_k``). The product is described to the kernel by a flat
float64 vector, the *signature*, of five numbers for each factor: its kind (`KINDS`),
the first column, the column after the last, the scale, and the factor's own parameter
(radius or curvature, else 0). `signature` builds it from names.

The kernel inlines the kernels of the other files, so that each formula exists once.
numba's cache does not see a change in another file; hence the line of hashes below,
which must be brought up to date when one of those files changes. This changes the
present file, and with it the key of its cache; a test compares the hashes.
"""

import math

import numpy as np

from geolearn.metrics import (
    euclidean,
    fisher_rao,
    hyperboloid,
    poincare,
    sphere,
    torus,
)
from geolearn.metrics._registry import get_metric
from geolearn.utils._jit import kernel

# kernels: euclidean=2b555f2b fisher_rao=fcdceae5 hyperboloid=dd3044ff
# kernels: poincare=3185bfc4 sphere=2848bcc9 torus=6eb65962

__all__ = ["KINDS", "distance", "distance_row", "signature"]

_EUCLIDEAN, _SPHERE, _HYPERBOLOID, _POINCARE, _FISHER_RAO, _TORUS = range(6)
KINDS = {
    "euclidean": _EUCLIDEAN,
    "sphere": _SPHERE,
    "hyperboloid": _HYPERBOLOID,
    "poincare": _POINCARE,
    "fisher_rao": _FISHER_RAO,
    "torus": _TORUS,
}
_WIDTH = 5  # numbers of the signature for each factor

_euclidean_distance = euclidean.distance
_sphere_distance = sphere.distance
_hyperboloid_distance = hyperboloid.distance
_poincare_distance = poincare.distance
_fisher_rao_distance = fisher_rao.distance
_torus_distance = torus.distance


@kernel
def _factor_distance(kind, x, y, value):
    if kind == _EUCLIDEAN:
        return _euclidean_distance(x, y)
    if kind == _SPHERE:
        return _sphere_distance(x, y, value)
    if kind == _HYPERBOLOID:
        return _hyperboloid_distance(x, y, value)
    if kind == _POINCARE:
        return _poincare_distance(x, y, value)
    if kind == _FISHER_RAO:
        return _fisher_rao_distance(x, y)
    return _torus_distance(x, y)


@kernel
def distance(x, y, signature):
    """Return the product distance of two points, computed in float64."""
    total = 0.0
    for k in range(signature.shape[0] // _WIDTH):
        at = _WIDTH * k
        start = int(signature[at + 1])
        stop = int(signature[at + 2])
        d = _factor_distance(
            int(signature[at]), x[start:stop], y[start:stop], signature[at + 4]
        )
        total += signature[at + 3] * d * d
    return math.sqrt(total)


@kernel
def distance_row(X, i, Y, params, out):
    """Fill out[i] with the distances of X[i] to all rows of Y."""
    for j in range(Y.shape[0]):
        out[i, j] = 0.0
    for k in range(params.shape[0] // _WIDTH):
        at = _WIDTH * k
        kind = int(params[at])
        start = int(params[at + 1])
        stop = int(params[at + 2])
        scale = params[at + 3]
        x = X[i, start:stop]
        for j in range(Y.shape[0]):
            d = _factor_distance(kind, x, Y[j, start:stop], params[at + 4])
            out[i, j] += scale * d * d
    for j in range(Y.shape[0]):
        out[i, j] = math.sqrt(out[i, j])


def signature(factors, scales=None) -> np.ndarray:
    """Return the vector that describes a product to the kernels.

    Parameters
    ----------
    factors : sequence of tuples (name, n_columns, parameters)
        Name of the factor's metric, its number of columns, and the dictionary of its
        parameters, which may be left out. A factor "product" is flattened.
    scales : sequence of float, default=None
        Positive factors of the metric tensors; None stands for ones.

    Returns
    -------
    ndarray of shape (5 * n_factors,)
        For each factor its kind, first column, last column + 1, scale and parameter.

    Examples
    --------
    >>> from geolearn.metrics import product
    >>> product.signature([("euclidean", 2), ("sphere", 3, {"radius": 2.0})])
    array([0., 0., 2., 1., 0., 1., 2., 5., 1., 2.])
    """
    options = get_metric("product").options({"factors": factors, "scales": scales})
    numbers: list[float] = []
    start = 0
    for (name, n_columns, values), scale in zip(
        options["factors"], options["scales"], strict=True
    ):
        if name == "product":
            inner = signature(values["factors"], values["scales"]).reshape(-1, _WIDTH)
            inner[:, 1:3] += start
            inner[:, 3] *= scale
            numbers.extend(inner.ravel())
        else:
            value = next(iter(values.values()), 0.0)
            numbers += [KINDS[name], start, start + n_columns, scale, value]
        start += n_columns
    return np.array(numbers, dtype=np.float64)
