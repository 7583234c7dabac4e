"""Decay of the eigenvalues of a representation."""

import warnings
from numbers import Integral

import numpy as np

from geolearn.diagnostics._checks import check_choice
from geolearn.diagnostics._spectrum import check_representation, spectrum

# A line through fewer eigenvalues follows their noise.
_FEW = 10


def alpha_req(
    Z, *, ranks=(6, 100), weights="inverse_rank", centered=True, random_state=None
) -> float:
    r"""Estimate the power law of the eigenvalues of a representation.

    If the eigenvalues of the covariance decay as
    :math:`\lambda_j \propto j^{-\alpha}`, alpha is minus the slope of
    :math:`\ln \lambda_j` on :math:`\ln j`, by (weighted) least squares over a range
    of ranks. Representations with alpha near 1 transfer best in the experiments of
    [1]_; larger values mean few dominant directions, smaller ones a spectrum as flat
    as noise.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Representation, one row a sample.
    ranks : tuple of two ints, default=(6, 100)
        First and last rank of the fit, inclusive, counted from 1. The first
        eigenvalues often stand apart from the law, the last ones are sampling noise.
    weights : {"inverse_rank", "uniform"}, default="inverse_rank"
        Weight of rank j in the fit: 1/j, so that every octave counts alike, or 1.
    centered : bool, default=True
        Whether to subtract the mean of the columns.
    random_state : int, RandomState instance or None, default=None
        Seeds the randomised decomposition of a table with more than 5000 rows and
        columns.

    Returns
    -------
    alpha : float
        Exponent of the decay.

    Raises
    ------
    ValueError
        If fewer than 2 eigenvalues above rounding lie in `ranks`, or a parameter is
        invalid.

    Warns
    -----
    UserWarning
        If the numerical rank of `Z` is below the last of `ranks`, so that the range
        is shortened, or if it holds fewer than 10 ranks.

    See Also
    --------
    rankme : Effective rank.

    References
    ----------
    .. [1] K. K. Agrawal, A. K. Mondal, A. Ghosh, B. A. Richards, "alpha-ReQ:
       Assessing representation quality in self-supervised learning by measuring
       eigenspectrum decay", Advances in Neural Information Processing Systems 35,
       2022.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import alpha_req
    >>> eigenvalues = np.arange(1.0, 121.0) ** -1.3
    >>> round(alpha_req(np.diag(np.sqrt(eigenvalues)), centered=False), 10)
    1.3
    """
    check_choice("weights", weights, ("inverse_rank", "uniform"))
    first, last = _check_ranks(ranks)
    Z = check_representation(Z)
    found = spectrum(Z, centered=centered, random_state=random_state)
    usable = int(np.count_nonzero(found.values[: found.n_exact] > found.tolerance))
    if min(last, usable) <= first:
        raise ValueError(
            f"ranks={ranks!r} holds fewer than 2 of the {usable} eigenvalues above "
            "rounding; start at a lower rank or take more samples."
        )
    _warn_short(ranks, first, last, usable)
    last = min(last, usable)
    x = np.log(np.arange(first, last + 1))
    y = 2.0 * np.log(found.values[first - 1 : last])
    w = np.exp(-x) if weights == "inverse_rank" else np.ones(x.size)
    w /= w.sum()
    x, y = x - w @ x, y - w @ y
    return float(-(w * x) @ y / ((w * x) @ x))


def _check_ranks(ranks):
    try:
        first, last = ranks
    except (TypeError, ValueError):
        first = last = None
    integers = [
        isinstance(rank, Integral) and not isinstance(rank, bool)
        for rank in (first, last)
    ]
    if not all(integers) or not 1 <= first < last:
        raise ValueError(
            f"ranks must be two ints with 1 <= first < last, got {ranks!r}."
        )
    return int(first), int(last)


def _warn_short(ranks, first, last, usable):
    message = ""
    if usable < last:
        message = (
            f"Z has {usable} eigenvalues above rounding; ranks={ranks!r} is shortened "
            f"to ({first}, {usable})."
        )
    n_ranks = min(last, usable) - first + 1
    if n_ranks < _FEW:
        message += f" alpha rests on {n_ranks} eigenvalues only."
    if message:
        warnings.warn(message.strip(), UserWarning, stacklevel=3)
