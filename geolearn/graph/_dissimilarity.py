"""From heat to distance: Varadhan's formula with a volume correction."""

import warnings
from dataclasses import dataclass

import numpy as np
from numba import prange

from geolearn.metrics import pairwise_distances
from geolearn.utils._jit import kernel
from geolearn.utils._threads import numba_threads

VOLUME_MEANS = ("arithmetic", "geometric")
# Squared row distances below this share of the squared norms have lost half
# their digits in the Gram form and are summed again from differences.
CANCELLATION_SHARE = 1e-6
ROWS_PER_BLOCK = 512


@kernel
def _varadhan(heat, log_volume, scale, sigma, power):
    """Return (4 t (sigma log v - log h))^(power / 2), clipped at 0."""
    if heat <= 0.0:  # no heat between components
        return np.inf
    squared = scale * (sigma * log_volume - np.log(heat))
    if squared <= 0.0:
        return 0.0
    return squared ** (0.5 * power)


@kernel
def _log_volume(a, b, floor, geometric):
    """Return the log of the mean of two diagonal entries of the heat kernel."""
    if geometric:
        return 0.5 * (np.log(a + floor) + np.log(b + floor))
    return np.log(0.5 * (a + b) + floor)


@kernel
def _square_row(H, i, diagonal, scale, sigma, geometric, floor, power):
    for j in range(i + 1, H.shape[0]):
        heat = 0.5 * (H[i, j] + H[j, i]) + floor
        volume = _log_volume(diagonal[i], diagonal[j], floor, geometric)
        d = _varadhan(heat, volume, scale, sigma, power)
        H[i, j] = d
        H[j, i] = d
    H[i, i] = 0.0


@kernel(parallel=True)
def _fill_square(H, diagonal, scale, sigma, geometric, floor, power):
    """Turn a square heat kernel into dissimilarities, in place."""
    n = H.shape[0]
    # rows i and n - 1 - i together: every thread gets the same number of pairs
    for q in prange((n + 1) // 2):
        _square_row(H, q, diagonal, scale, sigma, geometric, floor, power)
        if n - 1 - q != q:
            _square_row(H, n - 1 - q, diagonal, scale, sigma, geometric, floor, power)


@kernel(parallel=True)
def _fill_rows(H, rows, columns, scale, sigma, geometric, floor, power):
    """Turn heat from rows to columns into dissimilarities, in place."""
    for i in prange(H.shape[0]):
        for j in range(H.shape[1]):
            volume = _log_volume(rows[i], columns[j], floor, geometric)
            H[i, j] = _varadhan(H[i, j] + floor, volume, scale, sigma, power)


def heat_geodesic_dissimilarity(
    H,
    t,
    *,
    row_diagonal=None,
    column_diagonal=None,
    volume_correction=1.0,
    volume_mean="arithmetic",
    floor=0.0,
    power=1.0,
    denoising=0.0,
    overwrite=False,
    n_jobs=None,
):
    r"""Turn a heat kernel into heat-geodesic dissimilarities [1]_.

    .. math:: D_{ij}^2 = 4t\,[\sigma \log \tfrac{H_{ii} + H_{jj}}{2} - \log H_{ij}],
       \quad D_{ii} = 0.

    Parameters
    ----------
    H : ndarray of shape (n, n), (n, m) or (n_times, n, m)
        Heat kernel; a rectangular one holds the heat from n points to m others
        and needs both diagonals.
    t : float or array-like of shape (n_times,)
        Diffusion time of each page of `H`. Several dissimilarities are averaged
        with weights proportional to ``1 - t / sum(t)``.
    row_diagonal : array-like of shape (n,) or (n_times, n), default=None
        Heat that stays at each row's point, :math:`H_{ii}`. None takes the
        diagonal of a square `H`, makes the result symmetric and its diagonal 0.
    column_diagonal : array-like of shape (m,) or (n_times, m), default=None
        The same for the columns.
    volume_correction : float, default=1.0
        Weight :math:`\sigma \ge 0` of the volume term. Above 1 the formula can
        turn negative; it is then clipped at 0, with a warning.
    volume_mean : {"arithmetic", "geometric"}, default="arithmetic"
        Mean of the two diagonal entries. "geometric" does not degenerate into
        degree noise for times far above the relaxation time.
    floor : float, default=0.0
        Added to the heat inside the logarithms; 1e-16 saturates distances at
        ``sqrt(147.4 t)``.
    power : float, default=1.0
        Exponent of the dissimilarity; 2 gives squared dissimilarities.
    denoising : float, default=0.0
        Weight :math:`\rho \in [0, 1]` of the triplet distance
        :math:`\|D_{i\cdot} - D_{j\cdot}\| / \sqrt n`, see
        :func:`denoise_dissimilarity`. Needs a square `H` of a connected graph.
    overwrite : bool, default=False
        Whether `H` may be overwritten by the result, which saves its size in
        memory.
    n_jobs : int, default=None
        Number of threads; None is 1, -1 all cores.

    Returns
    -------
    ndarray of shape (n, m)
        Dissimilarities, infinite where the heat is zero and `floor` is 0.

    Raises
    ------
    ValueError
        If shapes disagree or a parameter is out of range.

    References
    ----------
    .. [1] G. Huguet, A. Tong, E. De Brouwer, Y. Zhang, G. Wolf, I. Adelstein,
       S. Krishnaswamy, "A Heat Diffusion Perspective on Geodesic Preserving
       Dimensionality Reduction", NeurIPS 2023, arXiv:2305.19043.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import heat_geodesic_dissimilarity
    >>> H = np.full((5, 5), 0.0786938681) + 0.6065306597 * np.eye(5)
    >>> heat_geodesic_dissimilarity(H, 0.1)[0].round(8)
    array([0.        , 0.93041525, 0.93041525, 0.93041525, 0.93041525])
    """
    times = np.atleast_1d(np.asarray(t, dtype=np.float64))
    as_array = np.asarray if overwrite else np.array
    H = as_array(H, dtype=np.float64, order="C")
    if H.ndim == 2:
        H = H[None]
    _check_arguments(H, times, volume_correction, volume_mean, floor, power)
    square = row_diagonal is None and column_diagonal is None
    rows, columns = _diagonals(H, row_diagonal, column_diagonal)
    formula = VaradhanFormula(
        times, float(volume_correction), volume_mean, float(floor), float(power)
    )
    D = formula.square(H, n_jobs) if square else formula.rows(H, rows, columns, n_jobs)
    if denoising:
        D = denoise_dissimilarity(D, denoising)
    return D


@dataclass(frozen=True)
class VaradhanFormula:
    """The formula of `heat_geodesic_dissimilarity` with its parameters, unchecked."""

    times: np.ndarray
    volume_correction: float
    volume_mean: str
    floor: float
    power: float

    def _numbers(self, t):
        geometric = self.volume_mean == "geometric"
        return 4.0 * t, self.volume_correction, geometric, self.floor, self.power

    def square(self, pages, n_jobs=None) -> np.ndarray:
        """Overwrite square heat kernels (n_times, n, n), return their dissimilarity."""
        with numba_threads(n_jobs):
            for page, t in zip(pages, self.times, strict=True):
                _fill_square(page, np.diagonal(page).copy(), *self._numbers(t))
        return self._average(pages)

    def rows(self, pages, rows, columns, n_jobs=None) -> np.ndarray:
        """Overwrite heat (n_times, n, m) with known diagonals, likewise."""
        with numba_threads(n_jobs):
            for page, t, r, c in zip(pages, self.times, rows, columns, strict=True):
                _fill_rows(page, r, c, *self._numbers(t))
        return self._average(pages)

    def _average(self, pages):
        if len(pages) == 1:
            return pages[0]
        return average_over_times(pages, self.times)


def average_over_times(pages, times) -> np.ndarray:
    """Average arrays, one for each time, with the weights of the times.

    Term by term: a matrix product rounds an entry by how many there are.
    """
    shares = time_weights(times)
    total = shares[0] * pages[0]
    for share, page in zip(shares[1:], pages[1:], strict=True):
        total += share * page
    return total


def time_weights(times) -> np.ndarray:
    """Return the weights ``1 - t / sum(t)`` of several times, summing to 1."""
    times = np.asarray(times, dtype=np.float64)
    if times.shape[0] == 1:
        return np.ones(1)
    weights = 1.0 - times / times.sum()
    return weights / weights.sum()


def denoise_dissimilarity(D, denoising, *, reference=None):
    r"""Mix dissimilarities with the distances of their profiles.

    The triplet distance compares how two points see all others [1]_:
    :math:`T_{ij} = \|D_{i\cdot} - D_{j\cdot}\|_2`. It is divided here by
    :math:`\sqrt n`, which makes it comparable to D, so that `denoising` is a
    mixing weight; the authors' weight :math:`\rho` is reached, up to a global
    scale, by :math:`\rho\sqrt n / (1 - \rho + \rho\sqrt n)`.

    Parameters
    ----------
    D : ndarray of shape (n, m)
        Dissimilarities to m reference points.
    denoising : float
        Weight of the triplet distance, in [0, 1].
    reference : ndarray of shape (m, m), default=None
        Dissimilarities among the reference points; `D` itself by default.

    Returns
    -------
    ndarray of shape (n, m)
        ``(1 - denoising) * D + denoising * T / sqrt(m)``.

    Raises
    ------
    ValueError
        If `denoising` is outside [0, 1] or `D` is not finite or not of the right
        shape.

    References
    ----------
    .. [1] G. Huguet et al., "A Heat Diffusion Perspective on Geodesic Preserving
       Dimensionality Reduction", NeurIPS 2023, arXiv:2305.19043.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.graph import denoise_dissimilarity
    >>> D = np.array([[0.0, 3.0], [3.0, 0.0]])
    >>> denoise_dissimilarity(D, 0.5)
    array([[0., 3.],
           [3., 0.]])
    """
    if not 0.0 <= denoising <= 1.0:
        raise ValueError(f"denoising={denoising!r} must lie in [0, 1].")
    D = np.asarray(D, dtype=np.float64)
    symmetric = reference is None
    reference = D if symmetric else np.asarray(reference, dtype=np.float64)
    m = reference.shape[0]
    if D.ndim != 2 or reference.shape != (m, m) or D.shape[1] != m:
        raise ValueError(
            f"D of shape {D.shape} needs reference dissimilarities of shape "
            f"({D.shape[-1]}, {D.shape[-1]}), got {reference.shape}."
        )
    if not (np.isfinite(D).all() and np.isfinite(reference).all()):
        raise ValueError(
            "The triplet distance needs finite dissimilarities; connect the graph or "
            "replace infinite entries first."
        )
    if symmetric:
        T = _row_distances(D, D)
        T = (T + T.T) / 2
        np.fill_diagonal(T, 0.0)
    else:
        # pair by pair: a matrix product rounds a row by how many come with it
        T = pairwise_distances(D, reference)
    T *= denoising / np.sqrt(m)
    T += (1.0 - denoising) * D
    return T


def _row_distances(A, B):
    """Return Euclidean distances of all rows, accurate for close pairs too."""
    center = B.mean(axis=0)
    B = B - center
    b = np.einsum("ij,ij->i", B, B)
    out = np.empty((A.shape[0], B.shape[0]))
    for low in range(0, A.shape[0], ROWS_PER_BLOCK):
        block = A[low : low + ROWS_PER_BLOCK] - center
        a = np.einsum("ij,ij->i", block, block)
        scale = a[:, None] + b
        squared = scale - 2.0 * (block @ B.T)
        close = np.nonzero(squared < CANCELLATION_SHARE * scale)
        # at most ROWS_PER_BLOCK pairs at a time, however many coincide
        for start in range(0, close[0].size, ROWS_PER_BLOCK):
            i, j = (index[start : start + ROWS_PER_BLOCK] for index in close)
            gap = block[i] - B[j]
            squared[i, j] = np.einsum("ij,ij->i", gap, gap)
        out[low : low + ROWS_PER_BLOCK] = np.sqrt(np.maximum(squared, 0.0))
    return out


def _check_arguments(H, times, volume_correction, volume_mean, floor, power):
    if H.ndim != 3 or times.ndim != 1 or H.shape[0] != times.shape[0]:
        raise ValueError(
            f"H needs one page for each time, got shape {H.shape} for "
            f"{times.shape[0]} times."
        )
    if not np.all((times > 0) & (times < np.inf)):
        raise ValueError(f"t={times!r} must be positive.")
    if not volume_correction >= 0:
        raise ValueError(f"volume_correction={volume_correction!r} must be >= 0.")
    if volume_mean not in VOLUME_MEANS:
        raise ValueError(
            f"volume_mean={volume_mean!r} is not one of {', '.join(VOLUME_MEANS)}."
        )
    if not floor >= 0:
        raise ValueError(f"floor={floor!r} must be >= 0.")
    if not power > 0:
        raise ValueError(f"power={power!r} must be positive.")
    if not H.min(initial=0.0) >= 0:  # also catches NaN
        raise ValueError("H must be non-negative and free of NaN.")
    if volume_correction > 1:
        warn_of_clipping(volume_correction, stacklevel=4)


def warn_of_clipping(volume_correction, stacklevel):
    """Warn that a volume correction above 1 can turn squared distances negative."""
    warnings.warn(
        f"volume_correction={volume_correction:g} is above 1: negative squared "
        "dissimilarities are clipped at 0; use a value in [0, 1].",
        UserWarning,
        stacklevel=stacklevel,
    )


def _diagonals(H, row_diagonal, column_diagonal):
    """Return the diagonals of every page as arrays (n_times, n) and (n_times, m)."""
    n_times, n, m = H.shape
    if row_diagonal is None and column_diagonal is None:
        if n != m:
            raise ValueError(
                f"A rectangular H of shape ({n}, {m}) needs row_diagonal and "
                "column_diagonal."
            )
        diagonal = np.ascontiguousarray(np.diagonal(H, axis1=1, axis2=2))
        return diagonal, diagonal
    if row_diagonal is None or column_diagonal is None:
        raise ValueError("Give both row_diagonal and column_diagonal, or neither.")
    result = []
    for name, values, size in (
        ("row_diagonal", row_diagonal, n),
        ("column_diagonal", column_diagonal, m),
    ):
        values = np.ascontiguousarray(np.atleast_2d(values), dtype=np.float64)
        if values.shape != (n_times, size):
            raise ValueError(
                f"{name} must have shape ({size},) or ({n_times}, {size}), got "
                f"{values.shape}."
            )
        result.append(values)
    return result
