"""How close labelled features are to a simplex of points."""

from typing import NamedTuple

import numpy as np

from geolearn.diagnostics._classes import split_classes


class NeuralCollapse(NamedTuple):
    """Distances of labelled features from collapse; 0 is full collapse.

    Parameters
    ----------
    within_class : float
        NC1: scatter within the classes relative to that between their means.
    unequal_norms : float
        NC2, first part: coefficient of variation of the norms of the centred means.
    unequal_angles : float
        NC2, second part: mean deviation of the cosines between centred means from
        those of a simplex.
    """

    within_class: float
    unequal_norms: float
    unequal_angles: float


def neural_collapse(Z, y) -> NeuralCollapse:
    r"""Measure how far labelled features have collapsed to a simplex.

    Features of a network that is trained to the end collapse [1]_: every class to
    its mean (NC1), and the C means to the vertices of a regular simplex around their
    centre (NC2). With the class means :math:`\mu_c`, their centre :math:`\mu`, the
    scatter :math:`\Sigma_W` within and :math:`\Sigma_B` between classes,

    - NC1 is :math:`\mathrm{tr}(\Sigma_W \Sigma_B^+) / C` [2]_,
    - NC2 is the coefficient of variation of :math:`\|\mu_c - \mu\|`, and the mean of
      the modulus of :math:`\cos(\mu_c - \mu, \mu_{c'} - \mu) + 1 / (C - 1)` over all
      pairs of classes.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Features, one row a sample.
    y : array-like of shape (n_samples,)
        Classes, at least 2.

    Returns
    -------
    collapse : NeuralCollapse
        Named tuple of `within_class` (NC1), `unequal_norms` and `unequal_angles`
        (NC2), each at least 0 and 0 for full collapse.

    Raises
    ------
    ValueError
        If there is one class only, the shapes do not fit, or the mean of a class is
        the centre of the means.

    Notes
    -----
    Every class has the same weight, whatever its size; for classes of equal size this
    is the usual definition. A simplex of C points needs C - 1 features: with fewer,
    NC2 cannot be 0.

    References
    ----------
    .. [1] V. Papyan, X. Y. Han, D. L. Donoho, "Prevalence of neural collapse during
       the terminal phase of deep learning training", Proceedings of the National
       Academy of Sciences 117, 2020, doi:10.1073/pnas.2015509117.
    .. [2] T. Tirer, H. Huang, J. Niles-Weed, "Perturbation analysis of neural
       collapse", International Conference on Machine Learning, 2023,
       arXiv:2210.16658.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import neural_collapse
    >>> simplex = np.eye(3) - 1 / 3
    >>> Z, y = np.repeat(simplex, 4, axis=0), np.repeat([0, 1, 2], 4)
    >>> [round(value, 12) for value in neural_collapse(Z, y)]
    [0.0, 0.0, 0.0]
    """
    Z, classes = split_classes(Z, y)
    size = np.abs(Z).max()
    if size > 0.0:
        # Squares of very small or large units neither underflow nor overflow.
        Z, classes = Z / size, classes._replace(means=classes.means / size)
    M = classes.means - classes.means.mean(axis=0)
    norms = np.linalg.norm(M, axis=1)
    tolerance = 8 * max(Z.shape[1], len(norms)) * np.finfo(float).eps
    if norms.min() <= tolerance * max(np.abs(classes.means).max(), norms.max()):
        label = classes.labels.tolist()[int(norms.argmin())]
        raise ValueError(
            f"The mean of class {label!r} is the centre of all class means: it has no "
            "direction, and neural collapse is not defined."
        )
    n_classes = norms.size
    unit = M / norms[:, None]
    cosines = (unit @ unit.T)[np.triu_indices(n_classes, 1)]
    return NeuralCollapse(
        _within_over_between(Z, classes, M),
        float(norms.std() / norms.mean()),
        float(np.mean(np.abs(cosines + 1.0 / (n_classes - 1)))),
    )


def _within_over_between(Z, classes, M):
    """Return the trace of Sigma_W Sigma_B^+ over the number of classes."""
    _, s, Vt = np.linalg.svd(M, full_matrices=False)
    # Sigma_B = M' M / C has rank C - 1 at most.
    kept = s > max(M.shape) * np.finfo(float).eps * s[0]
    s, Vt = s[kept], Vt[kept]
    scatter = np.zeros(s.size)
    for own, mean in zip(classes.rows, classes.means, strict=True):
        scatter += (((Z[own] - mean) @ Vt.T) ** 2).mean(axis=0)
    # C from the pseudo-inverse, 1/C from the mean over classes, 1/C of NC1.
    return float((scatter / s**2).sum() / len(classes.rows))
