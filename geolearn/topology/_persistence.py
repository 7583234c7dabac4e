"""Vietoris-Rips persistence of a point cloud."""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_array

from geolearn.metrics import pairwise_distances
from geolearn.topology._persistence_kernels import rips_diagrams
from geolearn.utils._tables import read_only, worst_asymmetry
from geolearn.utils.validation import check_integer

__all__ = ["vietoris_rips_persistence"]

_OWN_DEGREE = 2
_ASYMMETRY = 1e-10  # of a matrix of distances, relative to the largest


def vietoris_rips_persistence(
    X: Any,
    *,
    max_degree: int = 1,
    metric: Any = "euclidean",
    max_edge_length: float = np.inf,
) -> list[np.ndarray]:
    """Compute the persistent homology of the Vietoris-Rips complexes of points.

    The complex at scale t has an edge between points at most t apart, and all
    simplices whose edges it has. Each row (birth, death) of a diagram is a hole of
    the complexes between the two scales: a component in degree 0, a loop in degree
    1, a void in degree 2 [1]_, with coefficients in the field of two elements.
    Scales are edge lengths, not half of them. Computed in float64, exactly: every
    birth and death is a distance between two points.

    Degrees 0 to 2 have their own compiled code, best up to some hundred points. It
    adds one edge at a time and looks at the points next to both ends; loops are
    followed by annotations [2]_, voids by reduction of coboundaries with apparent
    pairs [3]_.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        Points; with ``metric="precomputed"`` their distances, of shape (n_samples,
        n_samples), symmetric and non-negative, where inf stands for no edge.
    max_degree : int, default=1
        Highest degree. Above 2 the optional library gudhi is needed.
    metric : str, manifold or callable, default="euclidean"
        Name of a metric of geolearn, a manifold, a metric of scikit-learn, a callable
        ``d(x, y)``, or "precomputed".
    max_edge_length : float, default=inf
        Longest edge of the complexes, at least 0, in the units of the metric. Holes
        that live longer have death inf.

    Returns
    -------
    list of ndarray of shape (n_pairs, 2)
        One diagram for each degree 0, ..., `max_degree`: births and deaths, float64,
        sorted by birth and death. Degree 0 has (0, inf) for each component that
        never dies. Pairs of no persistence are left out.

    Raises
    ------
    ValueError
        If `X` has no rows or is not finite, a matrix of distances is not one, or a
        parameter is out of its range.
    TypeError
        If a parameter has the wrong type.
    ImportError
        If `max_degree` is above 2 and gudhi is not installed.

    See Also
    --------
    bottleneck_distance : Compare two diagrams.

    References
    ----------
    .. [1] H. Edelsbrunner, J. Harer, "Computational Topology: An Introduction",
       American Mathematical Society, 2010, doi:10.1090/mbk/069.
    .. [2] T. K. Dey, F. Fan, Y. Wang, "Computing topological persistence for
       simplicial maps", SoCG 2014, arXiv:1208.5018.
    .. [3] U. Bauer, "Ripser: efficient computation of Vietoris-Rips persistence
       barcodes", J. Appl. Comput. Topol. 5, 2021, arXiv:1908.02518.

    Examples
    --------
    Four corners of a square: a loop that lives from the side to the diagonal.

    >>> from geolearn.topology import vietoris_rips_persistence
    >>> X = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    >>> components, loops = vietoris_rips_persistence(X)
    >>> components
    array([[ 0.,  1.],
           [ 0.,  1.],
           [ 0.,  1.],
           [ 0., inf]])
    >>> loops.round(4)
    array([[1.    , 1.4142]])
    """
    max_degree = check_integer(max_degree, "max_degree", minimum=0)
    max_edge_length = _check_length(max_edge_length)
    D = read_only(_distances(X, metric))
    if max_degree > _OWN_DEGREE:
        return _by_gudhi(D, max_degree, max_edge_length)
    merges, *higher = rips_diagrams(D, max_degree, max_edge_length)
    merges = merges[(merges <= max_edge_length) & (merges < np.inf)]
    diagrams = [_components(merges, D.shape[0]), *higher[:max_degree]]
    return [_in_order(diagram) for diagram in diagrams]


def _check_length(value):
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"max_edge_length must be a number, got {value!r}.")
    if not value >= 0.0:
        raise ValueError(
            f"max_edge_length={value!r} must be at least 0; inf keeps all edges."
        )
    return float(value)


def _distances(X, metric):
    """Return the distances between all points, C-contiguous float64."""
    if not (isinstance(metric, str) and metric == "precomputed"):
        return pairwise_distances(X, metric=metric)
    D = check_array(X, dtype=np.float64, order="C", ensure_all_finite=False)
    if D.shape[0] != D.shape[1]:
        raise ValueError(
            f"X has shape {D.shape}; with metric='precomputed' it must be the square "
            "matrix of the distances between all points."
        )
    if not (D >= 0.0).all():
        row, column = np.argwhere(~(D >= 0.0))[0]
        raise ValueError(
            f"X[{row}, {column}]={D[row, column]} is no distance: with "
            "metric='precomputed' entries must be non-negative, inf for no edge."
        )
    if D.diagonal().any():
        row = int(np.argmax(D.diagonal() != 0.0))
        raise ValueError(
            f"X[{row}, {row}]={D[row, row]}, but the distance of a point to itself is "
            "0; set the diagonal to 0 (complexes with later points are not supported)."
        )
    scale = float(np.max(D, where=np.isfinite(D), initial=0.0))
    gap, row, column = worst_asymmetry(D, _ASYMMETRY * scale)
    if gap > _ASYMMETRY * scale:
        raise ValueError(
            f"X[{row}, {column}]={D[row, column]} but X[{column}, {row}]="
            f"{D[column, row]}: with metric='precomputed' X must be symmetric; pass "
            "for example np.maximum(X, X.T)."
        )
    return D


def _components(merges, n_points):
    """Return the diagram of degree 0 from the deaths of components."""
    deaths = np.full(n_points, np.inf)
    deaths[: merges.size] = merges
    deaths = deaths[deaths > 0.0]
    return np.stack([np.zeros(deaths.size), deaths], axis=1)


def _in_order(diagram):
    return diagram[np.lexsort((diagram[:, 1], diagram[:, 0]))]


def _by_gudhi(D, max_degree, max_edge_length):
    """Return the diagrams of any degree, by gudhi with edges collapsed first."""
    try:
        from gudhi import RipsComplex
    except ImportError as error:
        raise ImportError(
            f"max_degree={max_degree} needs gudhi: pip install 'geolearn[topology]', "
            f"or set max_degree to at most {_OWN_DEGREE}."
        ) from error
    radius = min(max_edge_length, float(D.max(axis=1).min()))
    tree = RipsComplex(distance_matrix=D, max_edge_length=radius).create_simplex_tree(
        max_dimension=1
    )
    tree.collapse_edges(nb_iterations=1)
    tree.expansion(max_degree + 1)
    # Without the last option it skips the dimension of the complex itself.
    tree.compute_persistence(
        homology_coeff_field=2,
        min_persistence=0.0,
        persistence_dim_max=tree.dimension() <= max_degree,
    )
    return [
        _in_order(tree.persistence_intervals_in_dimension(degree).reshape(-1, 2))
        for degree in range(max_degree + 1)
    ]
