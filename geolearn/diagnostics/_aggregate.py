"""One dimension from many local ones."""

import numpy as np

from geolearn.diagnostics._checks import check_choice


def aggregate_dimension(dimensions, method="geometric") -> float:
    """Average local dimensions to one number.

    The Fisher-Rao distance between local dimensions a and b is the modulus of
    ln(a / b), so that their centre is the geometric mean [1]_. The harmonic mean
    pools the maximum likelihood estimates as one likelihood does. The median is
    robust where the points lie on pieces of different dimension.

    Parameters
    ----------
    dimensions : array-like of shape (n_points,)
        Local dimensions, positive; NaN are left out.
    method : {"geometric", "harmonic", "median", "mean"}, default="geometric"
        Kind of average.

    Returns
    -------
    dimension : float
        Average.

    Raises
    ------
    ValueError
        If `method` is unknown, a dimension is not positive, or all are NaN.

    References
    ----------
    .. [1] H. Huang, R. J. G. B. Campello, S. M. Erfani, X. Ma, M. E. Houle,
       J. Bailey, "LDReg: Local dimensionality regularized self-supervised
       learning", International Conference on Learning Representations, 2024,
       arXiv:2401.10474.

    Examples
    --------
    >>> from geolearn.diagnostics import aggregate_dimension
    >>> aggregate_dimension([1.0, 2.0, 4.0])
    2.0
    >>> round(aggregate_dimension([1.0, 2.0, 4.0], "harmonic"), 4)
    1.7143
    """
    check_choice("method", method, ("geometric", "harmonic", "median", "mean"))
    values = np.asarray(dimensions, dtype=np.float64).ravel()
    values = values[~np.isnan(values)]
    if values.size == 0:
        raise ValueError("dimensions holds no number; all estimates are NaN.")
    if values.min() <= 0.0:
        raise ValueError(
            f"dimensions must be positive, the smallest is {values.min():.3g}."
        )
    if method == "geometric":
        return float(np.exp(np.mean(np.log(values))))
    if method == "harmonic":
        return float(1.0 / np.mean(1.0 / values))
    if method == "median":
        return float(np.median(values))
    return float(np.mean(values))
