"""What a heat-geodesic embedding chooses by itself: times, landmarks, memory."""

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geolearn.graph import relaxation_time, select_diffusion_time, select_landmarks
from geolearn.graph._relaxation import RELAXATION_RANGE, clip_relaxation
from geolearn.utils._memory import available_bytes

# All pairs are embedded up to this size.
MAX_FULL_NODES = 3000
FEWEST_LANDMARKS, MOST_LANDMARKS, NODES_PER_LANDMARK = 300, 1000, 50
# Nodes by which new points are placed when all pairs were embedded.
REFERENCES = 300
# Arrays of n x n in a full fit: dissimilarities and their diagonal-wise copy.
FULL_ARRAYS = 2
# Above this size the relaxation time is not resolved beyond its clipping range.
MAX_RELAXATION_NODES = 20_000
GIB = 2.0**30


@dataclass(frozen=True)
class TimeChoice:
    """Diffusion times, and the fitted attributes that tell how they were chosen."""

    times: np.ndarray
    attributes: dict[str, Any] = field(default_factory=dict)


def choose_times(t, t_grid, L, *, phi, random_state, n_jobs) -> TimeChoice:
    """Resolve the parameter `t` for the graph Laplacian `L`."""
    if isinstance(t, str) and t == "auto":
        if t_grid is not None:
            t_grid = check_grid(t_grid)
        chosen = select_diffusion_time(
            L, t_grid, "entropy", phi=phi, random_state=random_state, n_jobs=n_jobs
        )
        return TimeChoice(
            np.array([chosen.t]),
            {"t_": chosen.t, "t_grid_": chosen.grid, "entropies_": chosen.entropies},
        )
    if isinstance(t, str):
        longest = RELAXATION_RANGE[1]
        at_most = longest if L.shape[0] > MAX_RELAXATION_NODES else None
        relaxation, mean_degree = relaxation_time(L, at_most=at_most)
        time = clip_relaxation(relaxation) / mean_degree
        return TimeChoice(
            np.array([time]),
            {"t_": time, "relaxation_time_": relaxation / mean_degree},
        )
    times = _as_floats(t)
    if times.ndim > 1 or times.size == 0 or not np.all((times > 0) & (times < np.inf)):
        raise ValueError(
            f't={t!r} must be a positive number, a 1-D array of them, "auto" or '
            '"relaxation".'
        )
    if times.ndim == 0:
        return TimeChoice(times[None], {"t_": float(times)})
    return TimeChoice(times, {"t_": times})


def check_grid(t_grid) -> np.ndarray:
    """Return the times of the entropy rule: finite, positive, increasing."""
    grid = _as_floats(t_grid)
    positive = grid.ndim == 1 and grid.size > 1 and grid[0] > 0 and grid[-1] < np.inf
    if not positive or not np.all(np.diff(grid) > 0):
        raise ValueError(
            f"t_grid={t_grid!r} must hold at least two positive times in increasing "
            "order; None takes linspace(0.05, 200, 10)."
        )
    return grid


def _as_floats(values) -> np.ndarray:
    """Return a float64 copy, NaN in place of what is no number."""
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        return np.array(np.nan)


@dataclass(frozen=True)
class Points:
    """Nodes whose heat is kept; `partial` if only these are embedded by their pairs."""

    indices: np.ndarray
    partial: bool
    n_embedded: int


def choose_points(
    n_landmarks,
    X,
    *,
    n_times,
    labels,
    working_memory,
    method,
    distances,
    random_state,
    n_jobs,
) -> Points:
    """Resolve `n_landmarks` within the memory that there is."""
    n = X.shape[0]
    limit = memory_limit(working_memory)
    n_components = int(labels.max()) + 1
    if _takes_all(n_landmarks, n, n_times, limit):
        references = select_landmarks(
            min(n, max(REFERENCES, n_components)),
            n_samples=n,
            labels=labels,
            random_state=random_state,
        )
        return Points(references, False, n)
    m = _n_landmarks(n_landmarks, n, n_components, n_times, limit)
    if method == "random":
        landmarks = select_landmarks(
            m, n_samples=n, labels=labels, random_state=random_state
        )
        return Points(landmarks, True, m)
    if distances is None or distances.stores_graph:
        raise ValueError(
            f"landmark_method={method!r} compares all samples, which precomputed "
            'affinities and sparse distances do not allow; use "random".'
        )
    landmarks = select_landmarks(
        m,
        X=X,
        labels=labels,
        method=method,
        metric=distances.metric,
        metric_params=distances.metric_params,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return Points(landmarks, True, m)


def _takes_all(n_landmarks, n, n_times, limit) -> bool:
    """Tell whether all pairs are embedded, as asked for or as memory allows."""
    automatic = isinstance(n_landmarks, str)
    # as many landmarks as samples are all samples
    most = MAX_FULL_NODES if automatic else n_landmarks
    full = most is None or n <= most
    needed = 8.0 * n**2 * (FULL_ARRAYS + (n_times > 1))
    if not full or needed <= limit:
        return full
    sizes = f"{needed / GIB:.2g} GiB of the {limit / GIB:.2g} GiB of working_memory"
    if not automatic:
        raise MemoryError(
            f"Embedding all pairs of {n} samples needs {sizes}; set n_landmarks (300 "
            "is enough for most data), or raise working_memory."
        )
    warnings.warn(
        f"Embedding all pairs of {n} samples would need {sizes}; landmarks are used "
        "instead. Set n_landmarks to silence this.",
        UserWarning,
        stacklevel=6,
    )
    return False


def _n_landmarks(n_landmarks, n_nodes, n_components, n_times, limit):
    """Return the number of landmarks, reduced to the memory if it is automatic."""
    per_landmark = 8.0 * n_nodes * n_times
    affordable = int(limit / per_landmark)
    if not isinstance(n_landmarks, str):
        if n_landmarks > affordable:
            needed = n_landmarks * per_landmark / GIB
            raise MemoryError(
                f"n_landmarks={n_landmarks} needs {needed:.2g} GiB of the "
                f"{limit / GIB:.2g} GiB of working_memory; at most {affordable} "
                "landmarks fit."
            )
        return n_landmarks
    wanted = min(MOST_LANDMARKS, max(FEWEST_LANDMARKS, n_nodes // NODES_PER_LANDMARK))
    wanted = min(max(wanted, n_components), n_nodes)
    if wanted <= affordable:
        return wanted
    fewest = max(3, n_components)
    if affordable < fewest:
        raise MemoryError(
            f"{n_nodes} samples need {fewest * per_landmark / GIB:.2g} GiB for "
            f"{fewest} landmarks, more than the {limit / GIB:.2g} GiB of "
            "working_memory; embed a sample of the data and transform the rest."
        )
    warnings.warn(
        f"{affordable} landmarks instead of {wanted} fit into the working_memory of "
        f"{limit / GIB:.2g} GiB.",
        UserWarning,
        stacklevel=5,
    )
    return affordable


def memory_limit(working_memory) -> float:
    """Return the limit in bytes: `working_memory` MiB, or half of what is free."""
    if working_memory is not None:
        return working_memory * 2.0**20
    free = available_bytes()
    return np.inf if free is None else free / 2
