"""Large stacks in pieces, so that temporaries stay small."""

import numpy as np

__all__ = ["in_chunks", "pieces"]

_CHUNK_BYTES = 64 * 2**20


def pieces(n_items, item_bytes, piece_bytes=None):
    """Return slices over `n_items` of about `piece_bytes` each, by default 64 MB."""
    step = max(1, (piece_bytes or _CHUNK_BYTES) // max(1, item_bytes))
    return [slice(i, min(i + step, n_items)) for i in range(0, n_items, step)]


def in_chunks(function, arrays, n_core):
    """Apply a function that broadcasts to slices of the first leading axis.

    Parameters
    ----------
    function : callable
        Takes the arrays, returns an array with their broadcast leading axes.
    arrays : sequence of ndarray
        Arguments.
    n_core : sequence of int
        Number of trailing axes of each that belong to one item.

    Returns
    -------
    ndarray
        The same as ``function(*arrays)``.
    """
    leading = [a.shape[: a.ndim - k] for a, k in zip(arrays, n_core, strict=True)]
    shape = np.broadcast_shapes(*leading)
    item = max(
        a[(0,) * len(s)].nbytes if a.size else 1
        for a, s in zip(arrays, leading, strict=True)
    )
    slices = pieces(shape[0], item * int(np.prod(shape[1:]))) if shape else []
    if len(slices) < 2:
        return function(*arrays)
    whole = None
    for rows in slices:
        parts = [
            a[rows] if len(s) == len(shape) and s[0] > 1 else a
            for a, s in zip(arrays, leading, strict=True)
        ]
        part = function(*parts)
        if whole is None:
            whole = np.empty((shape[0], *part.shape[1:]))
        whole[rows] = part
    return whole
