"""How many directions a representation uses."""

import numpy as np

from geolearn.diagnostics._checks import check_choice, check_number
from geolearn.diagnostics._spectrum import check_representation, spectrum


def rankme(
    Z, *, centered=False, spectrum_of="singular_values", epsilon=1e-7, random_state=None
) -> float:
    r"""Compute the effective rank RankMe of a representation.

    With the singular values :math:`\sigma` of `Z` and the shares
    :math:`p_k = \sigma_k / \sum_j \sigma_j + \varepsilon` it is the exponential of
    the entropy, :math:`\exp(-\sum_k p_k \ln p_k)` [1]_: 1 if all rows are multiples
    of one, the number of features if all directions are used equally.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Representation, one row a sample.
    centered : bool, default=False
        Whether to subtract the mean of the columns. The paper does not [1]_; then a
        mean far from the origin counts as one strong direction.
    spectrum_of : {"singular_values", "eigenvalues"}, default="singular_values"
        Whether the shares are those of the singular values [1]_, or of their squares,
        which with ``centered=True`` are the eigenvalues of the covariance [2]_ and
        give weak directions less weight.
    epsilon : float, default=1e-7
        Added to every share, as the authors do [1]_; at least 0.
    random_state : int, RandomState instance or None, default=None
        Seeds the randomised decomposition of a table with more than 5000 rows and
        columns.

    Returns
    -------
    rank : float
        Effective rank, at least 1 and (up to `epsilon`) at most
        ``min(n_samples, n_features)``.

    Raises
    ------
    ValueError
        If `Z` has no non-zero entry (no two different rows if `centered`), or a
        parameter is invalid.

    See Also
    --------
    participation_ratio : Effective rank that ignores weak directions.
    alpha_req : Decay of the spectrum.

    Notes
    -----
    With more than 5000 rows and columns the 1000 largest singular values are
    computed and the remaining sum of squares is spread evenly over the others, which
    errs towards a higher rank. Compare values only between representations with the
    same numbers of rows and features.

    References
    ----------
    .. [1] Q. Garrido, R. Balestriero, L. Najman, Y. LeCun, "RankMe: Assessing the
       downstream performance of pretrained self-supervised representations by their
       rank", International Conference on Machine Learning, 2023, arXiv:2210.02885.
    .. [2] M. Z. Li et al., "Tracing the representation geometry of language models
       from pretraining to post-training", 2025, arXiv:2509.23024.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import rankme
    >>> round(rankme(np.diag([3.0, 1.0])), 4)
    1.7548
    >>> round(rankme(np.diag([4.0, 3.0, 2.0, 1.0]), spectrum_of="eigenvalues"), 4)
    2.9402
    """
    check_choice("spectrum_of", spectrum_of, ("singular_values", "eigenvalues"))
    epsilon = check_number("epsilon", epsilon, 0.0, 1.0)
    Z = check_representation(Z)
    values = spectrum(Z, centered=centered, random_state=random_state).values
    if spectrum_of == "eigenvalues":
        values = values**2
    shares = values / values.sum() + epsilon
    shares = shares[shares > 0.0]
    return float(np.exp(-(shares @ np.log(shares))))


def participation_ratio(Z, *, centered=True, random_state=None) -> float:
    r"""Compute the participation ratio of a representation.

    It is :math:`(\sum_k \lambda_k)^2 / \sum_k \lambda_k^2` over the eigenvalues of
    the covariance [1]_: the number of equal eigenvalues that would give the same
    ratio. Strong directions dominate it; see `rankme` for one that counts the weak.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Representation, one row a sample.
    centered : bool, default=True
        Whether to subtract the mean of the columns.
    random_state : int, RandomState instance or None, default=None
        Seeds the randomised decomposition of a table with more than 5000 rows and
        columns, as in `rankme`.

    Returns
    -------
    rank : float
        Ratio, from 1 to ``min(n_samples, n_features)``.

    Raises
    ------
    ValueError
        If `Z` has no non-zero entry (no two different rows if `centered`).

    See Also
    --------
    rankme : Effective rank by entropy.

    References
    ----------
    .. [1] P. Gao, E. Trautmann, B. Yu, G. Santhanam, S. Ryu, K. Shenoy, S. Ganguli,
       "A theory of multineuronal dimensionality, dynamics and measurement", 2017,
       doi:10.1101/214262.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import participation_ratio
    >>> round(participation_ratio(np.diag([3.0, 1.0]), centered=False), 5)
    1.21951
    """
    Z = check_representation(Z)
    values = spectrum(Z, centered=centered, random_state=random_state).values ** 2
    return float(values.sum() ** 2 / (values @ values))
