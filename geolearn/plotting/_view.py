"""How points of any dimension are seen on paper: as they are, or flattened."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils import check_array


@dataclass
class View:
    """Linear map of the data to two or three axes, with their names."""

    origin: np.ndarray  # (d,)
    axes: np.ndarray  # (2 or 3, d)
    names: list[str]

    @classmethod
    def of(cls, X, feature_names, components) -> "View":
        """Choose a view of points.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Points that it should show well.
        feature_names : list of str of length n_features
            Names of the features.
        components : sequence of 2 or 3 int, or None
            Features to show. None shows all of two or three features, else the
            first two principal components, which the names then say.

        Returns
        -------
        View
            The view.

        Raises
        ------
        ValueError
            If there is one feature only, or `components` is not valid.
        """
        n_features = X.shape[1]
        if components is None and n_features in (2, 3):
            components = range(n_features)
        if components is not None:
            chosen = check_components(components, n_features)
            names = [feature_names[j] for j in chosen]
            return cls(np.zeros(n_features), np.eye(n_features)[chosen], names)
        if n_features == 1:
            raise ValueError("X has 1 feature; a plot needs at least two.")
        pca = PCA(n_components=min(2, *X.shape), random_state=0).fit(X)
        if pca.n_components_ < 2:
            raise ValueError(
                f"one point of {n_features} features has no principal components; "
                "choose components=(0, 1)."
            )
        shares = np.nan_to_num(pca.explained_variance_ratio_)
        names = [
            f"principal component {j} ({100.0 * share:.0f} %)"
            for j, share in enumerate(shares)
        ]
        return cls(pca.mean_, pca.components_, names)

    def points(self, P):
        """Return where points of shape (..., d) are seen, of shape (..., m)."""
        return self.vectors(P - self.origin)

    def vectors(self, V):
        """Return how vectors of shape (..., d) are seen, of shape (..., m)."""
        return V @ self.axes.T

    def name_axes(self, ax):
        """Write the names beside the axes."""
        for axis, name in zip("xyz", self.names, strict=False):
            getattr(ax, f"set_{axis}label")(name)


def read_points(X, feature_names=None, *, default="x{}", name="X"):
    """Return points as an array, and the names of their columns as a list."""
    if feature_names is None:
        feature_names = getattr(X, "columns", None)
    points = check_array(X, dtype=np.float64, input_name=name)
    n_columns = points.shape[1]
    if feature_names is None:
        feature_names = [default.format(j) for j in range(n_columns)]
    names = [str(column) for column in feature_names]
    if len(names) != n_columns:
        raise ValueError(
            f"feature_names has {len(names)} entries, but {name} has {n_columns} "
            "columns."
        )
    return points, names


def check_components(components, n_features):
    """Return the columns to draw as a list, or raise."""
    chosen = [int(j) for j in components]
    valid = all(0 <= j < n_features for j in chosen)
    if len(chosen) not in (2, 3) or len(set(chosen)) < len(chosen) or not valid:
        raise ValueError(
            f"components={components!r} must be two or three different columns "
            f"among 0 ... {n_features - 1}."
        )
    return chosen
