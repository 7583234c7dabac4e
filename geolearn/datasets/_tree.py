"""A tree of random walks in a space of many dimensions."""

from numbers import Integral

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import Bunch, check_random_state, check_scalar

from geolearn.datasets._frame import answer, check_real

_NOISE_SCALE = 10.0  # the benchmark multiplies its noise level by this


def make_branching_tree(
    n_branches: int = 5,
    n_per_branch: int = 200,
    n_features: int = 10,
    *,
    noise: float = 0.0,
    n_neighbors: int = 10,
    random_state=None,
    return_geodesics: bool = False,
    return_X_y: bool = True,
):
    """Make a tree of random walks with known geodesic distances.

    Each branch is a walk whose steps are uniform on the cube [-1, 1]^n_features.
    The first branch starts at the origin; each of the others starts at a random
    point of the first one.

    Parameters
    ----------
    n_branches : int, default=5
        Number of branches, at least 1.
    n_per_branch : int, default=200
        Number of points of each branch, at least 1.
    n_features : int, default=10
        Dimension of the space, at least 1.
    noise : float, default=0.0
        Noise level of the benchmark: the Gaussian noise added to every
        coordinate has the standard deviation **10 times** `noise`. A step of
        the walk has length sqrt(n_features / 3) or so (1.8 at 10 features), the
        noise vector 10 sqrt(n_features) `noise`; the levels in use are 0.1, 0.5
        and 1.
    n_neighbors : int, default=10
        Neighbours of each point in the graph that defines the geodesics.
    random_state : int, RandomState instance or None, default=None
        Draws the walks and the noise. Pass an int for reproducible results.
    return_geodesics : bool, default=False
        Whether to return the true geodesic distances as well. They take
        8 n_samples^2 bytes.
    return_X_y : bool, default=True
        If False, return a Bunch instead of a tuple.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Points, branch after branch, each from its start to its tip;
        n_samples is `n_branches` times `n_per_branch`.
    y : ndarray of shape (n_samples,)
        Branch of each point, 0 ... `n_branches` - 1.
    geodesics : ndarray of shape (n_samples, n_samples)
        Geodesic distances between the points without noise. Only if
        `return_geodesics` is True.
    data : :class:`~sklearn.utils.Bunch`
        Instead of the tuple, if `return_X_y` is False. It has the fields
        `X`, `y`, `geodesics` (if asked for), `clean` (`X` without noise),
        `parent` of shape (n_samples,), the point that each point was reached
        from (-1 for the first), and `graph`, a sparse symmetric array of shape
        (n_samples, n_samples) with the edge lengths, whose shortest paths are
        the geodesic distances.

    Raises
    ------
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_swiss_roll : A surface whose geodesics have a closed form.

    Notes
    -----
    The geodesic distance is the length of the shortest path in the graph that
    joins two noise-free points if either is among the `n_neighbors` nearest of
    the other, as in the benchmark of [1]_. If that graph falls into several
    parts, which can happen with few features or neighbours, the steps of the
    walks are added to it.

    The numbers are drawn from the legacy stream of `numpy.random.RandomState`
    in the order of that benchmark, which includes one unused normal array of
    the shape of `X` before the noise. The published runs have 5 branches of 500
    points, 10 and 30 features.

    References
    ----------
    .. [1] G. Huguet, A. Tong, E. De Brouwer, Y. Zhang, G. Wolf, I. Adelstein,
       S. Krishnaswamy, "A Heat Diffusion Perspective on Geodesic Preserving
       Dimensionality Reduction", NeurIPS 2023, arXiv:2305.19043.

    Examples
    --------
    >>> from geolearn.datasets import make_branching_tree
    >>> X, y = make_branching_tree(3, 100, noise=0.1, random_state=0)
    >>> X.shape, int(y.max())
    ((300, 10), 2)

    Some rows of the true distances, without the whole table:

    >>> from scipy.sparse.csgraph import dijkstra
    >>> tree = make_branching_tree(3, 100, random_state=0, return_X_y=False)
    >>> dijkstra(tree.graph, indices=[0, 1]).shape
    (2, 300)
    """
    check_scalar(n_branches, "n_branches", Integral, min_val=1)
    check_scalar(n_per_branch, "n_per_branch", Integral, min_val=1)
    check_scalar(n_features, "n_features", Integral, min_val=1)
    check_scalar(n_neighbors, "n_neighbors", Integral, min_val=1)
    check_real(noise, "noise")
    rng = check_random_state(random_state)
    clean, parent = _grow(n_branches, n_per_branch, n_features, rng)
    rng.normal(size=clean.shape)  # the benchmark's generator draws it in vain
    X = clean + rng.normal(0.0, _NOISE_SCALE * noise, size=clean.shape)
    y = np.repeat(np.arange(n_branches), n_per_branch)
    tree = Bunch(X=X, y=y, clean=clean, parent=parent)
    if return_geodesics or not return_X_y:
        tree.graph = _union_graph(clean, parent, n_neighbors)
    if return_geodesics:
        tree.geodesics = dijkstra(tree.graph, directed=False)
    return answer(tree, return_X_y)


def _grow(n_branches, n_per_branch, n_features, rng):
    """Walk the branches; return the points and the predecessor of each."""
    shape = (n_per_branch, n_features)
    branches = [np.cumsum(2.0 * rng.rand(*shape) - 1.0, axis=0)]
    parent = np.arange(n_branches * n_per_branch) - 1
    for start in range(n_per_branch, parent.shape[0], n_per_branch):
        root = rng.randint(n_per_branch)
        walk = np.cumsum(2.0 * rng.rand(*shape) - 1.0, axis=0)
        branches.append(walk + branches[0][root])
        parent[start] = root
    return np.concatenate(branches), parent


def _union_graph(points, parent, n_neighbors):
    """Join neighbours by edges of their distance; connect what stays apart."""
    n_samples = points.shape[0]
    n_neighbors = min(n_neighbors, n_samples - 1)
    if n_neighbors == 0:
        return csr_array((n_samples, n_samples), dtype=np.float64)
    # The KD-tree subtracts coordinates; brute force would expand the square.
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="kd_tree").fit(points)
    graph = _union(csr_array(search.kneighbors_graph(mode="distance")))
    if connected_components(graph, directed=False)[0] > 1:
        child = np.arange(1, n_samples)
        steps = np.linalg.norm(points[child] - points[parent[child]], axis=1)
        walks = csr_array((steps, (child, parent[child])), graph.shape)
        graph = _union(graph.maximum(walks))
    return graph


def _union(graph):
    """Symmetrise; an edge has one length, so the larger is the one present."""
    graph = csr_array(graph.maximum(graph.T))
    # SciPy 1.11 finds shortest paths with 32-bit indices only.
    graph.indices = graph.indices.astype(np.int32, copy=False)
    graph.indptr = graph.indptr.astype(np.int32, copy=False)
    return graph
