"""Inner products under any kernel metric."""

from collections.abc import Callable
from typing import Any

import numpy as np

from geolearn.manifolds.spd._names import ALIASES

__all__ = ["kernel_inner"]


def kernel_inner(
    base_point: Any,
    u: Any,
    v: Any,
    kernel: str | Callable,
    *,
    power: float | None = None,
) -> np.ndarray:
    r"""Return inner products under a kernel metric of Hiai and Petz [1]_.

    With P = V diag(d) V^T, U' = V^T U V and W' = V^T W V the inner product is
    the sum over i, j of U'_ij W'_ij / phi(d_i, d_j). Kernel metrics are invariant
    under rotations; which named metrics they contain is worked out in [2]_.

    Parameters
    ----------
    base_point : array_like of shape (..., n, n)
        SPD matrices P.
    u : array_like of shape (..., n, n)
        Symmetric matrices U.
    v : array_like of shape (..., n, n)
        Symmetric matrices W.
    kernel : str or callable
        Function phi(x, y) of two arrays of positive numbers, symmetric and
        positive, or its name: "affine_invariant" (x y), "bogoliubov_kubo_mori"
        (the logarithmic mean m), "bures_wasserstein" (2 (x + y)), "euclidean" (1),
        "log_euclidean" (m squared), "polar_affine" (the squared harmonic mean),
        "power_euclidean" ((theta (x - y) / (x^theta - y^theta)) squared) or
        "power_affine" (the same times (x y)^theta). Aliases of `SPD` are known.
    power : float, default=None
        Exponent theta of the last two, which need it, not zero.

    Returns
    -------
    ndarray of shape (...)
        Inner products.

    Raises
    ------
    ValueError
        If the kernel is unknown or not positive, `power` is missing, zero or of no
        use, or a matrix is not positive definite.

    References
    ----------
    .. [1] F. Hiai, D. Petz, "Riemannian metrics on positive definite matrices
       related to means", Linear Algebra Appl. 430, 2009,
       doi:10.1016/j.laa.2009.01.025.
    .. [2] Y. Thanwerdas, X. Pennec, "O(n)-invariant Riemannian metrics on SPD
       matrices", 2021, arXiv:2109.05768.

    Examples
    --------
    >>> import numpy as np
    >>> P, U = np.diag([1.0, 4.0]), np.array([[1.0, 2.0], [2.0, 4.0]])
    >>> float(kernel_inner(P, U, U, lambda x, y: x * y))
    4.0
    >>> round(float(kernel_inner(P, U, U, "bogoliubov_kubo_mori")), 6)
    8.696785
    """
    from geolearn.manifolds.spd._kernels import kernel_factors  # compiles
    from geolearn.manifolds.spd._spectral import eigen, rotate

    P, U, W = (np.asarray(a, dtype=np.float64) for a in (base_point, u, v))
    kernel = _checked_kernel(kernel, power)
    d, V = eigen(P)
    weights = kernel_factors(kernel, d, power)
    return np.sum(rotate(V, U) * rotate(V, W) * weights, axis=(-2, -1))[()]


def _checked_kernel(kernel, power):
    from geolearn.manifolds.spd._kernels import KERNELS, WITH_POWER  # compiles

    needs_power = False
    if isinstance(kernel, str):
        name = kernel.replace("-", "_")
        kernel = ALIASES.get(name, name)
        if kernel not in KERNELS:
            raise ValueError(
                f"kernel={kernel!r} is not known; pass a function phi(x, y) or "
                f"one of {', '.join(KERNELS)}."
            )
        needs_power = kernel in WITH_POWER
    elif not callable(kernel):
        raise TypeError(f"kernel must be a name or a function, got {kernel!r}.")
    if needs_power and (power is None or power == 0.0):
        raise ValueError(f"kernel={kernel!r} needs power, a number other than 0.")
    if power is not None and not needs_power:
        raise ValueError(
            f"power has no meaning for kernel={kernel!r}; it belongs to "
            f"{', '.join(WITH_POWER)}. Leave it at None."
        )
    return kernel
