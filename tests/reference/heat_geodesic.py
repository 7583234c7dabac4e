"""The whole heat-geodesic method for few points, dense and slow, from the formulas."""

import math

import numpy as np

from tests.reference import graph, mds


def heat(W, t, laplacian="normalized"):
    """exp(-t L) by the series of a non-negative matrix, scaled and squared.

    L = q I - N with N >= 0: all terms of exp(t N / 2^s) and all products are
    non-negative, so that even tiny entries keep their digits.
    """
    L = graph.laplacian(W, normalized=laplacian == "normalized")
    q = L.diagonal().max()
    N = q * np.eye(len(W)) - L
    N = np.maximum(N - 1e-15 * q, 0.0)  # rounding of the diagonal
    s = max(0, math.ceil(math.log2(max(t * q, 1e-300))) + 3)
    term = total = np.eye(len(W))
    for k in range(1, 2 * len(W) + 30):
        term = term @ N * (t / 2**s) / k
        total = total + term
    total = total * np.exp(-t * q / 2**s)
    for _ in range(s):
        total = total @ total
    return total


def euler(W, t, steps, laplacian="normalized"):
    L = graph.laplacian(W, normalized=laplacian == "normalized")
    return np.linalg.matrix_power(
        np.linalg.inv(np.eye(len(W)) + (t / steps) * L), steps
    )


def varadhan(h, a, b, t, *, sigma=1.0, mean="arithmetic", floor=0.0, power=1.0):
    """The dissimilarity of two points with heat h between them and a, b kept."""
    if mean == "arithmetic":
        volume = math.log((a + b) / 2 + floor)
    else:
        volume = (math.log(a + floor) + math.log(b + floor)) / 2
    if h + floor == 0:
        return math.inf
    return max(4 * t * (sigma * volume - math.log(h + floor)), 0.0) ** (power / 2)


def shares_of_times(times):
    shares = 1 - times / times.sum() if len(times) > 1 else np.ones(1)
    return shares / shares.sum()


def raw_rows(heats, row_kept, column_kept, times, **formula):
    """Dissimilarities of rows to columns, the mean over the times."""
    D = 0.0
    for H, a, b, t, share in zip(
        heats, row_kept, column_kept, times, shares_of_times(times), strict=True
    ):
        D = D + share * np.array(
            [
                [varadhan(H[i, j], a[i], b[j], t, **formula) for j in range(len(b))]
                for i in range(len(a))
            ]
        )
    return D


def saturated(D, times, power=1.0):
    finite = D[np.isfinite(D)].max()
    value = max(1.1 * finite, math.sqrt(147.4 * max(times)) ** power)
    return np.where(np.isinf(D), value, D)


def denoised(D, reference, denoising):
    """(1 - rho) D + rho T / sqrt(m) with T the distances of the profiles."""
    m = len(reference)
    T = np.array([[np.linalg.norm(d - r) for r in reference] for d in D])
    return (1 - denoising) * D + denoising * T / np.sqrt(m)


def dissimilarity(heats, times, *, denoising=0.0, **formula):
    """Dissimilarities of all points, before and after denoising."""
    times = np.asarray(times, dtype=float)
    kept = [H.diagonal() for H in heats]
    D = raw_rows(heats, kept, kept, times, **formula)
    np.fill_diagonal(D, 0.0)
    raw = saturated(D, times, formula.get("power", 1.0))
    return raw, denoised(raw, raw, denoising)


def weights(kind, D, H, beta=1.0, resolution=1e-3):
    if kind is None:
        return np.ones_like(D)
    if kind == "heat":
        return H + 1e-5
    if kind == "gaussian":
        scaled = (D - D.min()) / (D.max() - D.min())
        return np.exp(-(scaled**2) / beta)
    return np.maximum(D, resolution) ** -beta


def new_rows(pi, heats, references, times, raw, *, denoising=0.0, **formula):
    """Dissimilarities of new points, which enter by pi, to the references."""
    rows = [pi @ H[:, references] for H in heats]
    kept = [np.exp(pi @ np.log(H.diagonal())) for H in heats]
    columns = [H.diagonal()[references] for H in heats]
    D = raw_rows(rows, kept, columns, np.asarray(times, dtype=float), **formula)
    if not denoising:
        return D
    return denoised(D, raw[np.ix_(references, references)], denoising)


def placed(D, landmarks, start, w=None, n_iter=50):
    w = np.ones_like(D) if w is None else w
    return np.array(
        [
            mds.place(d, landmarks, v, y, n_iter)
            for d, v, y in zip(D, w, start, strict=True)
        ]
    )
