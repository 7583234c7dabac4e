"""Parameters of the heat-geodesic embedding: what they may be and where they go."""

from numbers import Integral, Real

from geolearn.embedding._heat_graph import AFFINITIES
from geolearn.embedding._heat_layout import HeatSolver, PairWeights
from geolearn.graph._affinity import LARGEST_THRESHOLD
from geolearn.graph._dissimilarity import VaradhanFormula, warn_of_clipping
from geolearn.graph._heat import METHODS
from geolearn.utils._sklearn import HasMethods, Interval, StrOptions

CONSTRAINTS: dict[str, list] = {
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    "affinity": [StrOptions(set(AFFINITIES)), callable],
    "decay": [Interval(Real, 0, None, closed="neither")],
    "kernel_threshold": [Interval(Real, 0, LARGEST_THRESHOLD, closed="both")],
    "anisotropy": [Interval(Real, 0, 1, closed="both")],
    "metric": [str, callable, HasMethods(["dist", "exp", "log"])],
    "metric_params": [dict, None],
    "knn_method": [StrOptions({"auto", "exact", "approximate"})],
    "laplacian": [StrOptions({"normalized", "combinatorial"})],
    "t": [
        Interval(Real, 0, None, closed="neither"),
        StrOptions({"auto", "relaxation"}),
        "array-like",
    ],
    "t_grid": ["array-like", None],
    "heat_method": [StrOptions(set(METHODS))],
    "heat_tol": [Interval(Real, 0, 1, closed="neither")],
    "euler_steps": [Interval(Integral, 1, None, closed="left")],
    "kernel_floor": [Interval(Real, 0, None, closed="left")],
    "volume_correction": [Interval(Real, 0, None, closed="left")],
    "volume_mean": [StrOptions({"arithmetic", "geometric"})],
    "power": [Interval(Real, 0, None, closed="neither")],
    "denoising": [Interval(Real, 0, 1, closed="both")],
    "mds_solver": [StrOptions({"auto", "sgd", "smacof", "classical"})],
    "mds_weights": [
        StrOptions({"heat", "inverse_distance", "gaussian"}),
        "array-like",
        None,
    ],
    "mds_weights_param": [Interval(Real, 0, None, closed="neither")],
    "mds_max_iter": [Interval(Integral, 1, None, closed="left")],
    "mds_tol": [Interval(Real, 0, None, closed="left")],
    "n_landmarks": [
        Interval(Integral, 3, None, closed="left"),
        StrOptions({"auto"}),
        None,
    ],
    "landmark_method": [StrOptions({"random", "kmeans++", "farthest"})],
    "extension": [StrOptions({"stress", "average"})],
    "disconnected": [StrOptions({"saturate", "connect", "error"})],
    "store_dissimilarity": ["boolean"],
    "working_memory": [Interval(Real, 0, None, closed="neither"), None],
    "random_state": ["random_state"],
    "n_jobs": [Integral, None],
    "verbose": ["verbose"],
}


def make_solver(estimator, times, phi, points, seed, progress) -> HeatSolver:
    """Collect the parameters of heat, dissimilarity and scaling."""
    if estimator.volume_correction > 1:
        warn_of_clipping(estimator.volume_correction, stacklevel=5)
    kind = estimator.mds_weights if isinstance(estimator.mds_weights, str) else None
    return HeatSolver(
        VaradhanFormula(
            times,
            float(estimator.volume_correction),
            estimator.volume_mean,
            float(estimator.kernel_floor),
            float(estimator.power),
        ),
        denoising=float(estimator.denoising),
        heat={
            "method": estimator.heat_method,
            "tol": estimator.heat_tol,
            "phi": phi,
            "euler_steps": estimator.euler_steps,
            "verbose": estimator.verbose,
        },
        scaling={
            "n_components": min(estimator.n_components, points.n_embedded - 1),
            "solver": estimator.mds_solver,
            "max_iter": estimator.mds_max_iter,
            "tol": estimator.mds_tol,
            "random_state": seed,
            "verbose": estimator.verbose,
        },
        weights=PairWeights(
            kind,
            float(estimator.mds_weights_param),
            # the squares have errors of up to 8 t heat_tol
            resolution=(8 * times.max() * estimator.heat_tol) ** (estimator.power / 2),
        ),
        extension=estimator.extension,
        n_jobs=estimator.n_jobs,
        progress=progress,
    )
