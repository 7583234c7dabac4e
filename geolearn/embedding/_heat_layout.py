"""From a graph to coordinates: heat, dissimilarities, scaling, placement."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from geolearn.graph import denoise_dissimilarity
from geolearn.graph._dissimilarity import (
    VaradhanFormula,
    average_over_times,
    time_weights,
)
from geolearn.graph._heat import heat_columns
from geolearn.optimize import place_points
from geolearn.optimize._mds import scale

# Distances between components: beyond the largest finite one, and at least where
# the authors' floor of 1e-16 saturates, D^2 = 147.4 t.
BETWEEN_COMPONENTS = 1.1
SATURATION = 147.4
# Added to the heat as an MDS weight, so that no pair is ignored (authors' value).
HEAT_WEIGHT_FLOOR = 1e-5
# Rows placed at a time, in values of their dissimilarities to the landmarks.
BLOCK_VALUES = 2**22
SPREAD_OF_NOTHING = 1e-6
# Logarithms of heat nearer to equilibrium than this many errors say nothing.
HOMOGENISED_ERRORS = 4.0


@dataclass(frozen=True)
class PairWeights:
    """Weights of pairs in the stress.

    `low` and `span` scale the dissimilarities of Gaussian weights. Inverse weights
    take dissimilarities below `resolution`, their accuracy, to be that large.
    """

    kind: str | None
    parameter: float
    low: float = 0.0
    span: float = 1.0
    resolution: float = 0.0

    def fitted(self, D) -> "PairWeights":
        """Take the range of the training dissimilarities `D`."""
        if self.kind != "gaussian":
            return self
        low, high = float(D.min()), float(D.max())
        return replace(self, low=low, span=max(high - low, 1e-300))

    def __call__(self, D, heat) -> np.ndarray | None:
        """Return the weights of the pairs with dissimilarities `D` and heat `heat`."""
        if self.kind is None:
            return None
        if self.kind == "heat":
            return heat + HEAT_WEIGHT_FLOOR
        if self.kind == "gaussian":
            return np.exp(-(((D - self.low) / self.span) ** 2) / self.parameter)
        return np.maximum(D, self.resolution) ** -self.parameter


@dataclass(frozen=True)
class LandmarkFrame:
    """The landmarks, by which other points are placed.

    `diagonal` (n_times, m) is the heat that stays at each, `raw` their
    dissimilarities before denoising, `saturation` the dissimilarity between
    components.
    """

    indices: np.ndarray
    diagonal: np.ndarray
    raw: np.ndarray
    saturation: float
    weights: PairWeights
    embedding: np.ndarray


@dataclass(frozen=True)
class HeatLayout:
    """An embedding of all nodes with what is kept of the heat.

    `heat` holds, for every time and landmark, the heat at all nodes, `diagonal` the
    heat that stays at each node. `homogenised` tells whether the heat has
    forgotten where it started.
    """

    embedding: np.ndarray
    frame: LandmarkFrame
    heat: np.ndarray
    diagonal: np.ndarray
    dissimilarity: np.ndarray
    stress: float
    n_iter: int
    order: int
    homogenised: bool


class HeatSolver:
    """Run the heat method with fixed parameters on one graph.

    Parameters
    ----------
    formula : VaradhanFormula
        Dissimilarity of heat.
    denoising : float
        Weight of the triplet distance.
    heat : dict
        Arguments of `heat_columns`.
    scaling : dict
        Arguments of `metric_mds`.
    weights : PairWeights
        Weights of the stress.
    extension : {"stress", "average"}
        How points that are no landmarks are placed.
    n_jobs : int or None
        Number of threads.
    progress : Progress
        Receives a line for each step.
    """

    def __init__(
        self,
        formula: VaradhanFormula,
        *,
        denoising,
        heat,
        scaling,
        weights,
        extension,
        n_jobs,
        progress,
    ):
        self.formula = formula
        self.denoising = denoising
        self.heat = heat
        self.scaling = scaling
        self.weights = weights
        self.extension = extension
        self.n_jobs = n_jobs
        self.progress = progress

    def solve_full(self, L, references, array_weights=None) -> HeatLayout:
        """Embed all nodes by their mutual dissimilarities; keep some heat columns."""
        n = L.shape[0]
        times = self.formula.times
        kept = np.empty((times.size, references.size, n))
        diagonal = np.empty((times.size, n))
        D = np.zeros((n, n)) if times.size > 1 else None
        mean_heat = np.zeros((n, n)) if self.weights.kind == "heat" else None
        order = 0
        for a, (t, share) in enumerate(zip(times, time_weights(times), strict=True)):
            columns = heat_columns(L, t, n_jobs=self.n_jobs, **self.heat)
            order = max(order, columns.order)
            H = columns.values
            kept[a] = H[0, references]
            diagonal[a] = np.diagonal(H[0])
            if mean_heat is not None:
                mean_heat += share * (H[0] + H[0].T) / 2
            page = replace(self.formula, times=np.array([t])).square(H, self.n_jobs)
            D = page if D is None else np.add(D, share * page, out=D)
        self.progress("dissimilarities of %d points done", n)
        D, saturation = saturate(D, times.max(), self.formula.power)
        raw = D[np.ix_(references, references)] if self.denoising else None
        if self.denoising:
            D = denoise_dissimilarity(D, self.denoising)
        weights = self.weights.fitted(D)
        W = weights(D, mean_heat) if array_weights is None else array_weights
        result = self._scale(D, W)
        self.progress("scaling done, stress-1 %.4f", result.stress)
        frame = LandmarkFrame(
            references,
            diagonal[:, references],
            D[np.ix_(references, references)] if raw is None else raw,
            saturation,
            weights,
            result.embedding[references],
        )
        return HeatLayout(
            result.embedding, frame, kept, diagonal, D, result.stress, result.n_iter,
            order, self._has_homogenised(D, kept[:, :, references], frame.diagonal),
        )  # fmt: skip

    def solve_landmarks(self, L, landmarks, array_weights=None) -> HeatLayout:
        """Embed the landmarks by their dissimilarities and place the rest."""
        n = L.shape[0]
        times = self.formula.times
        columns = heat_columns(
            L, times, sources=landmarks, n_jobs=self.n_jobs, **self.heat
        )
        heat = columns.values
        among = heat[:, :, landmarks]  # a copy
        mean_heat = average_over_times(among, times)
        own = np.diagonal(among, axis1=1, axis2=2).copy()
        diagonal = _interpolated_diagonal(heat, own)
        diagonal[:, landmarks] = own
        raw = self.formula.square(among, self.n_jobs)
        raw, saturation = saturate(raw, times.max(), self.formula.power)
        D = denoise_dissimilarity(raw, self.denoising) if self.denoising else raw
        weights = self.weights.fitted(D)
        if array_weights is None:
            W = weights(D, (mean_heat + mean_heat.T) / 2)
        else:
            W = array_weights[np.ix_(landmarks, landmarks)]
            check_weights_to(landmarks, array_weights)
        result = self._scale(D, W)
        self.progress(
            "%d landmarks scaled, stress-1 %.4f", landmarks.size, result.stress
        )
        frame = LandmarkFrame(
            landmarks, own, raw, saturation, weights, result.embedding
        )
        embedding = self._place_nodes(heat, diagonal, frame, array_weights)
        self.progress("%d points placed", n)
        return HeatLayout(
            embedding, frame, heat, diagonal, D, result.stress, result.n_iter,
            columns.order, self._has_homogenised(D, heat[:, :, landmarks], own),
        )  # fmt: skip

    def _place_nodes(self, heat, diagonal, frame, array_weights):
        """Place all nodes by their heat to the landmarks."""
        n = heat.shape[2]
        embedding = np.empty((n, frame.embedding.shape[1]))
        for block in row_blocks(n, heat.shape[0] * heat.shape[1]):
            C = np.ascontiguousarray(heat[:, :, block].swapaxes(1, 2))
            start = shares(C) @ frame.embedding
            given = None
            if array_weights is not None:
                given = array_weights[block][:, frame.indices]
            embedding[block] = self.place(C, diagonal[:, block], frame, start, given)
            self.progress("placed %d of %d points", block.stop, n, level=2)
        embedding[frame.indices] = frame.embedding
        return embedding

    def _scale(self, D, W):
        """Embed by metric scaling; name the estimator's parameters if it is short."""
        result, gain = scale(D, weights=W, n_jobs=self.n_jobs, **self.scaling)
        if not result.converged:
            warnings.warn(
                f"After mds_max_iter={self.scaling['max_iter']} majorisation steps the "
                f"stress still fell by {gain:.2g} of the total in the last one, wanted "
                f"mds_tol={self.scaling['tol']:g}. Increase mds_max_iter or mds_tol"
                + (
                    ', or use mds_solver="auto".'
                    if self.scaling["solver"] == "smacof"
                    else "."
                ),
                ConvergenceWarning,
                stacklevel=6,
            )
        return result

    def _has_homogenised(self, D, among, own):
        """Tell whether nothing is left of distances in `D` or in the heat."""
        noise = HOMOGENISED_ERRORS * self.heat["tol"]
        return is_constant(D) or is_equilibrium(among, own, noise)

    def rows(self, C, diagonal, frame, same=None) -> np.ndarray:
        """Return dissimilarities to the landmarks, given heat (overwritten).

        `same` (n_points, m) tells which points are which landmarks: these are at
        distance 0, although the formula without volume correction says otherwise.
        """
        D = self.formula.rows(
            C, np.ascontiguousarray(diagonal), frame.diagonal, self.n_jobs
        )
        np.copyto(D, frame.saturation, where=np.isinf(D))
        if same is not None:
            D[same] = 0.0
        if self.denoising:
            D = denoise_dissimilarity(D, self.denoising, reference=frame.raw)
        return D

    def place(self, C, diagonal, frame, start, weights=None) -> np.ndarray:
        """Place points by their heat `C` (n_times, n_points, m) to the landmarks."""
        if self.extension == "average":
            return start
        heat = None
        if self.weights.kind == "heat":
            heat = average_over_times(C, self.formula.times)
        D = self.rows(C, diagonal, frame)
        if weights is None:
            weights = frame.weights(D, heat)
        return place_points(
            D, frame.embedding, start, weights=weights, n_jobs=self.n_jobs
        )


def check_weights_to(landmarks, weights):
    """Reject weights that leave the place of a point arbitrary."""
    lonely = np.flatnonzero(~weights[:, landmarks].any(axis=1))
    lonely = np.setdiff1d(lonely, landmarks)
    if lonely.size:
        raise ValueError(
            f"mds_weights gives {lonely.size} sample(s) no positive weight to any "
            "landmark; raise n_landmarks or the weights."
        )


def saturate(D, t, power) -> tuple[np.ndarray, float]:
    """Replace infinite dissimilarities, in place, by one beyond all finite ones."""
    infinite = np.isinf(D)
    if not infinite.any():
        return D, np.inf
    largest = float(D.max(initial=0.0, where=~infinite))
    value = max(BETWEEN_COMPONENTS * largest, float(np.sqrt(SATURATION * t) ** power))
    np.copyto(D, value, where=infinite)
    return D, value


def is_equilibrium(among, own, noise) -> bool:
    """Tell whether heat has reached ``H_ij = sqrt(H_ii H_jj)`` up to `noise`.

    `among` (n_times, m, m) is the heat among m nodes, `own` (n_times, m) what stays
    at each. Pairs without heat, of different components, do not count.
    """
    for H, kept in zip(among, own, strict=True):
        seen = (H > 0) & ~np.eye(kept.size, dtype=bool)
        mean = np.log(kept)[:, None] / 2 + np.log(kept) / 2
        gap = mean - np.log(H, out=mean.copy(), where=seen)
        if not seen.any() or gap.max() > noise:
            return False
    return True


def is_constant(D) -> bool:
    """Tell whether all dissimilarities of different points are (nearly) equal."""
    n = D.shape[0]
    if n <= 3:
        return False
    off_diagonal = ~np.eye(n, dtype=bool)
    low = D.min(initial=np.inf, where=off_diagonal)
    high = D.max(initial=0.0, where=off_diagonal)
    return bool(high - low <= SPREAD_OF_NOTHING * high)


def shares(C) -> np.ndarray:
    """Return the share of each landmark in the heat of each point, over all times."""
    total = C.sum(axis=2, keepdims=True)
    return np.mean(C / np.maximum(total, np.finfo(np.float64).tiny), axis=0)


def row_blocks(n, values_per_row, *, most=BLOCK_VALUES):
    """Yield slices of rows that bound the size of their dissimilarities."""
    step = min(most, max(1, BLOCK_VALUES // max(values_per_row, 1)))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def _interpolated_diagonal(heat, own):
    """Estimate log H_ii of all nodes from the landmarks that see them, by heat."""
    n = heat.shape[2]
    diagonal = np.empty((heat.shape[0], n))
    for a in range(heat.shape[0]):
        log_own = np.log(own[a])
        for block in row_blocks(n, heat.shape[1]):
            C = heat[a, :, block]
            diagonal[a, block] = np.exp((log_own @ C) / C.sum(axis=0))
    return diagonal


def padded(Y, n_components, dtype) -> np.ndarray:
    """Append columns of zeros: m points need at most m - 1 coordinates."""
    result = np.zeros((Y.shape[0], n_components), dtype=dtype)
    result[:, : Y.shape[1]] = Y
    return result
