"""Distances between all pairs of rows, whole or in blocks."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from geolearn.metrics import _drivers
from geolearn.metrics._resolve import (
    KernelMetric,
    ManifoldMetric,
    SklearnMetric,
    resolve_metric,
)
from geolearn.utils._memory import allocate

_MIB = 2**20
# Rows of a block when broadcasting through a manifold: the temporaries hold a
# few arrays of the shape of the points for each pair.
_MANIFOLD_BYTES = 16 * 2**20


def pairwise_distances(
    X,
    Y=None,
    metric: Any = "euclidean",
    *,
    metric_params: Mapping[str, Any] | None = None,
    n_jobs: int | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Compute the distances between all rows of `X` and all rows of `Y`.

    Parameters
    ----------
    X : array-like of shape (n_x, n_columns)
        Points, finite. Computed in float64 whatever the type.
    Y : array-like of shape (n_y, n_columns), default=None
        Other points. None computes the distances within `X`: half of the work, and a
        result that is exactly symmetric with zeros on its diagonal.
    metric : str, manifold or callable, default="euclidean"
        Name of a metric of geolearn (see `metric_names`), a manifold, a metric name of
        scikit-learn, or a callable ``d(x, y)``. The last two are delegated to
        :func:`sklearn.metrics.pairwise_distances`.
    metric_params : dict, default=None
        Parameters of the metric, for example ``{"curvature": -2.0}``.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores. Small inputs run on one. The
        result does not depend on it.
    out : ndarray of shape (n_x, n_y), default=None
        C-contiguous float64 array for the result; None allocates one.

    Returns
    -------
    ndarray of shape (n_x, n_y)
        Distances in the units of the metric, float64.

    Raises
    ------
    ValueError
        If a row is not a point of the metric's space, a parameter is out of its range,
        the metric is unknown, or `out` has the wrong shape or type.
    TypeError
        If `metric` is neither a name, a manifold nor a callable.
    MemoryError
        If the result does not fit in the available memory.

    See Also
    --------
    pairwise_distances_blocks : The same rows by rows, in bounded memory.
    kneighbors : Only the nearest rows.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import pairwise_distances
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> pairwise_distances(X, metric="sphere").round(4)
    array([[0.    , 1.5708, 3.1416],
           [1.5708, 0.    , 1.5708],
           [3.1416, 1.5708, 0.    ]])
    """
    distances = resolve_metric(metric, metric_params)
    X, Y = distances.validate(X, Y)
    shape = (X.shape[0], (X if Y is None else Y).shape[0])
    if out is None:
        out = allocate(
            shape,
            "pairwise_distances",
            "Iterate over pairwise_distances_blocks, or ask kneighbors for the "
            "nearest rows only.",
        )
    else:
        _check_out(out, shape)
    if isinstance(distances, KernelMetric):
        if Y is None:
            _drivers.fill_symmetric(distances.row, X, distances.params, out, n_jobs)
        else:
            _drivers.fill(distances.row, X, Y, distances.params, out, n_jobs)
    elif isinstance(distances, ManifoldMetric):
        if distances.fills:
            distances.fill(X, Y, out, n_jobs)
        else:
            _fill_manifold(distances, X, Y, out)
    else:
        from sklearn.metrics import pairwise_distances as sklearn_distances

        out[...] = sklearn_distances(
            X, Y, metric=distances.metric, n_jobs=n_jobs, **distances.options
        )
    return out


def pairwise_distances_blocks(
    X,
    Y=None,
    metric: Any = "euclidean",
    *,
    metric_params: Mapping[str, Any] | None = None,
    block_mib: float = 64,
    n_jobs: int | None = None,
) -> Iterator[tuple[slice, np.ndarray]]:
    """Iterate over the distances in blocks of rows, in bounded memory.

    The input is checked when the function is called, and the blocks are computed as
    they are asked for. Stacked, they are equal to `pairwise_distances`.

    Parameters
    ----------
    X : array-like of shape (n_x, n_columns)
        Points, finite.
    Y : array-like of shape (n_y, n_columns), default=None
        Other points; None stands for `X`.
    metric : str, manifold or callable, default="euclidean"
        As in `pairwise_distances`.
    metric_params : dict, default=None
        Parameters of the metric.
    block_mib : float, default=64
        Size of a block in MiB; a block has at least one row.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all cores.

    Returns
    -------
    iterator of (slice, ndarray of shape (n_rows, n_y))
        Rows of `X` and their distances to all rows of `Y`. Each array is new.

    Raises
    ------
    ValueError
        As `pairwise_distances`, and if `block_mib` is not positive.
    TypeError
        If `metric` is neither a name, a manifold nor a callable.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.metrics import pairwise_distances_blocks
    >>> X = np.arange(6.0).reshape(3, 2)
    >>> for rows, block in pairwise_distances_blocks(X, block_mib=5e-5):
    ...     print(rows.start, rows.stop, block.shape)
    0 2 (2, 3)
    2 3 (1, 3)
    """
    if not block_mib > 0:
        raise ValueError(f"block_mib={block_mib!r} must be positive (MiB a block).")
    distances = resolve_metric(metric, metric_params)
    X, Y = distances.validate(X, Y)
    return blocks(distances, X, Y, block_mib, n_jobs)


def blocks(distances, X, Y, block_mib, n_jobs):
    """Generate (rows, block) from validated input; Y=None stands for X."""
    n_y = (X if Y is None else Y).shape[0]
    rows_fit = max(1, int(block_mib * _MIB) // (8 * n_y))
    if isinstance(distances, SklearnMetric):
        yield from _sklearn_blocks(distances, X, Y, block_mib, n_jobs)
        return
    if isinstance(distances, ManifoldMetric) and not distances.fills:
        rows_fit = min(rows_fit, _manifold_rows(X, n_y))
    others = X if Y is None else Y
    for start in range(0, X.shape[0], rows_fit):
        rows = slice(start, min(start + rows_fit, X.shape[0]))
        if isinstance(distances, KernelMetric):
            block = np.empty((rows.stop - start, n_y))
            _drivers.fill(
                distances.row, X[rows], others, distances.params, block, n_jobs
            )
        else:
            block = np.ascontiguousarray(distances.table(X[rows], others, n_jobs))
        if Y is None:
            np.fill_diagonal(block[:, rows], 0.0)
        yield rows, block


def _check_out(out, shape):
    good = (
        isinstance(out, np.ndarray)
        and out.shape == shape
        and out.dtype == np.float64
        and out.flags.c_contiguous
        and out.flags.writeable
    )
    if not good:
        raise ValueError(
            f"out must be a writeable C-contiguous float64 array of shape {shape}, got "
            f"{type(out).__name__} of shape {getattr(out, 'shape', None)} and dtype "
            f"{getattr(out, 'dtype', None)}; np.empty({shape}) is one."
        )


def _manifold_rows(X, n_y):
    pair_bytes = 8 * int(np.prod(X.shape[1:]))
    return max(1, _MANIFOLD_BYTES // (pair_bytes * n_y))


def _fill_manifold(distances, X, Y, out):
    n = X.shape[0]
    step = _manifold_rows(X, out.shape[1])
    for start in range(0, n, step):
        stop = min(start + step, n)
        if Y is not None:
            out[start:stop] = distances.table(X[start:stop], Y)
            continue
        upper = distances.table(X[start:stop], X[start:])
        square = np.triu(upper[:, : stop - start], 1)
        out[start:stop, start:stop] = square + square.T
        out[start:stop, stop:] = upper[:, stop - start :]
        out[stop:, start:stop] = upper[:, stop - start :].T


def _sklearn_blocks(distances, X, Y, block_mib, n_jobs):
    from sklearn.metrics import pairwise_distances_chunked

    start = 0
    chunks = pairwise_distances_chunked(
        X,
        Y,
        metric=distances.metric,
        n_jobs=n_jobs,
        # Below one row scikit-learn warns: ask for one row at least.
        working_memory=max(
            block_mib, 8 * (X if Y is None else Y).shape[0] / _MIB * 1.01
        ),
        **distances.options,
    )
    for chunk in chunks:
        stop = start + chunk.shape[0]
        yield slice(start, stop), np.ascontiguousarray(chunk, dtype=np.float64)
        start = stop
