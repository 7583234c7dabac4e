"""Classification by the nearest class mean after geodesic filtering."""

import numpy as np

from geolearn.covariance._discriminant import discriminant_rows, orthonormal_rows
from geolearn.covariance._geometry import (
    fit_mean,
    from_tangent,
    require_tangent_space,
    tangent_vectors,
)
from geolearn.covariance._mdm import MDM
from geolearn.utils._sklearn import _fit_context


class FgMDM(MDM):
    """Classify SPD matrices by the distance to class means after filtering [1]_.

    Tangent vectors at the mean g of all training matrices are projected on the
    discriminant directions of a linear discriminant analysis with Ledoit-Wolf
    shrinkage, mapped back to matrices by the exponential at g, and classified as by
    `MDM`. New matrices pass the same g and the same projection.

    Parameters
    ----------
    metric : str, Manifold or dict, default="affine_invariant"
        As in `MDM`; must have a tangent space. A dictionary gives the metric of all
        means and that of distances and tangent vectors.
    metric_mean : str, Manifold or None, default=None
        Metric of g and of the class means; None takes `metric`.
    metric_params : dict or None, default=None
        Further parameters of `metric` where it is a name, e.g. ``{"power": 0.5}``.
    proba : {"scaled", "raw"}, default="scaled"
        As in `MDM`.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all.

    Attributes
    ----------
    reference_ : ndarray of shape (n, n)
        Mean g of all training matrices.
    coef_ : ndarray of shape (n_classes, n (n + 1) / 2) or (1, n (n + 1) / 2)
        Discriminant coefficients of tangent vectors, in the order of
        `TangentSpace.transform`; one row for two classes.
    filter_ : ndarray of shape (n_directions, n (n + 1) / 2)
        Orthonormal rows F that span the rows of `coef_`; tangent vectors t become
        ``t F^T F``. Directions that hold rounding only are left out, so that there
        is one fewer than classes where the weighted tangent vectors sum to zero.
    means_ : ndarray of shape (n_classes, n, n)
        Means of the filtered matrices.
    classes_ : ndarray of shape (n_classes,)
        Labels in ascending order.
    scale_ : float
        Root of the mean squared distance of filtered matrices from their class
        means.
    manifold_ : Manifold
        Geometry of distances and tangent vectors.
    n_features_in_ : int
        Size n of the matrices.

    References
    ----------
    .. [1] A. Barachant, S. Bonnet, M. Congedo, C. Jutten, "Riemannian geometry
       applied to BCI classification", Latent Variable Analysis and Signal
       Separation, 2010, doi:10.1007/978-3-642-15995-4_78.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.covariance import FgMDM
    >>> rng = np.random.default_rng(0)
    >>> trials = rng.normal(size=(40, 4, 60))
    >>> trials[::2, 0] *= 1.5
    >>> X = trials @ np.swapaxes(trials, 1, 2) / 60
    >>> y = np.arange(40) % 2
    >>> fgmdm = FgMDM().fit(X, y)
    >>> fgmdm.filter_.shape
    (1, 10)
    >>> fgmdm.score(X, y)
    1.0
    """

    _distances_only = False  # logarithms need positive matrices

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Find the filter and the class means.

        Parameters
        ----------
        X : array-like of shape (n_matrices, n, n)
            SPD matrices, at least two of each class.
        y : array-like of shape (n_matrices,)
            Labels of at least two classes.
        sample_weight : array-like of shape (n_matrices,), default=None
            Non-negative weights of the means and of the discriminant analysis; None
            weighs all alike. Only their ratios matter.

        Returns
        -------
        FgMDM
            The fitted estimator.

        Raises
        ------
        ValueError
            If a matrix is not symmetric positive definite, there is one class only,
            or a class has fewer than two matrices of positive weight.

        Warns
        -----
        ConvergenceWarning
            If a mean does not converge.
        """
        X, codes, weight, mean_geometry = self._door(X, y, sample_weight)
        self._check_counts(codes, weight)
        require_tangent_space(self.manifold_, X)
        self.reference_ = fit_mean(mean_geometry, X, weight, n_jobs=self.n_jobs).mean
        vectors = self._vectors(X)
        self.coef_ = discriminant_rows(vectors, codes, len(self.classes_), weight)
        self.filter_ = orthonormal_rows(self.coef_)
        self._fit_means(self._filtered(vectors), codes, weight, mean_geometry)
        return self

    def _check_counts(self, codes, weight):
        if len(self.classes_) < 2:
            raise ValueError(
                f"FgMDM needs samples of at least 2 classes in y, but got only 1 "
                f"class: {self.classes_[0]}. Use MDM for a single class."
            )
        counts = np.bincount(codes[weight > 0.0], minlength=len(self.classes_))
        if counts.min() < 2:
            label = self.classes_[counts.argmin()]
            raise ValueError(
                f"FgMDM needs at least 2 matrices of positive weight in each class, "
                f"but class {label} has {counts.min()}. Add trials of that class or "
                f"use MDM."
            )

    def _vectors(self, X):
        return tangent_vectors(self.manifold_, self.reference_, X, n_jobs=self.n_jobs)

    def _filtered(self, vectors):
        projected = (vectors @ self.filter_.T) @ self.filter_
        return from_tangent(
            self.manifold_, self.reference_, projected, n_jobs=self.n_jobs
        )

    def _points(self, X):
        return self._filtered(self._vectors(X))
