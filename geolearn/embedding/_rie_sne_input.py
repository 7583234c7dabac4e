"""What RieSNE checks of data and parameters before it starts."""

import importlib.util
from typing import NamedTuple

import numpy as np
from scipy import sparse

from geolearn.embedding._product_input import check_distances
from geolearn.embedding._sne_objective_sums import has_tree
from geolearn.graph._precomputed import is_precomputed
from geolearn.graph._samples import validate_samples
from geolearn.manifolds import Euclidean, Hyperboloid, Manifold, Sphere, get_manifold
from geolearn.utils.validation import check_points

__all__ = [
    "Target",
    "check_new",
    "check_training",
    "choose_method",
    "choose_target",
    "without_traces",
]

MIN_SAMPLES = 4
_EXACT_UP_TO = 5_000
_TREE_UP_TO = 20_000  # above, interpolation is faster where openTSNE is installed
# Beyond, an iteration of the exact sum takes ten seconds, and the tree on curved
# targets is not proven.
_CURVED_UP_TO = 100_000

_TRACES = 1e-9  # sum of the joint affinities that are left out at most
_SPARSE = 0.2  # share of pairs below which a sparse array is faster

_NAMED = {"euclidean": Euclidean, "sphere": Sphere, "hyperboloid": Hyperboloid}
# Scale at which the points of a hyperbolic embedding stay within radius 5.
_HYPERBOLIC_SCALE = 0.1


class Target(NamedTuple):
    """Hold the target manifold and the kernel on it."""

    manifold: Manifold
    kernel: str
    scale: float
    learn_scale: bool


def check_training(estimator, X):
    """Return the training samples and their manifold or "precomputed"."""
    X = validate_samples(estimator, X, ensure_min_samples=MIN_SAMPLES)
    if is_precomputed(estimator.manifold):
        check_distances(X)
        return X, "precomputed"
    manifold = get_manifold(estimator.manifold, X.shape[1:])
    return check_points(manifold, X), manifold


def check_new(estimator, X, manifold):
    """Return new samples of the manifold of the training samples."""
    X = validate_samples(estimator, X, reset=False)
    return X if is_precomputed(estimator.manifold) else check_points(manifold, X)


def choose_target(target, n_components, kernel, kernel_scale):
    """Return the target manifold, its kernel and the scale to start from."""
    manifold = target if isinstance(target, Manifold) else _NAMED[target](n_components)
    _check_unit(manifold)
    sphere, curved = isinstance(manifold, Sphere), not isinstance(manifold, Euclidean)
    if kernel == "auto":
        kernel = "student_chordal" if sphere else "student"
    own = isinstance(manifold, Euclidean | Sphere | Hyperboloid)
    if (kernel == "vmf" and not sphere) or (kernel != "student" and not own):
        allowed = ["student"] + ["student_chordal", "brownian"] * own
        raise ValueError(
            f"kernel={kernel!r} is not defined on the target {manifold!r}; choose "
            f"from {allowed} or leave kernel='auto'."
        )
    scale = _HYPERBOLIC_SCALE if isinstance(manifold, Hyperboloid) else 1.0
    if not isinstance(kernel_scale, str):
        return Target(manifold, kernel, float(kernel_scale), False)
    learn = curved and (kernel_scale == "learn" or sphere)
    return Target(manifold, kernel, scale, learn)


def _check_unit(manifold):
    radius = getattr(manifold, "radius", 1.0) if isinstance(manifold, Sphere) else 1.0
    curvature = manifold.curvature if isinstance(manifold, Hyperboloid) else -1.0
    if radius != 1.0 or curvature != -1.0:
        raise ValueError(
            f"target={manifold!r} must have radius 1 or curvature -1: the scale of "
            f"the kernel makes others superfluous. Pass target='sphere' or "
            f"'hyperboloid', and kernel_scale for another scale."
        )


def choose_method(method, target, n):
    """Return how the repulsion is summed: "exact", "barnes_hut" or "fft"."""
    manifold = target.manifold
    flat = isinstance(manifold, Euclidean)
    tree = has_tree(manifold)
    has_fft = flat and manifold.dim <= 2 and target[1:] == ("student", 1.0, False)
    if method == "fft":
        _check_fft(has_fft, target)
    if method == "barnes_hut" and not tree:
        raise ValueError(
            f"method='barnes_hut' sums in Euclidean space of up to three dimensions "
            f"or on the sphere of up to two; the target is {manifold!r}. Pass "
            f"method='exact'."
        )
    if method != "auto":
        return method
    if n <= _EXACT_UP_TO:
        return "exact"
    if not flat and n > _CURVED_UP_TO:
        raise ValueError(
            f"n_samples={n} is more than method='auto' takes on the curved target "
            f"{manifold!r}, {_CURVED_UP_TO}. Fit a random subset, for example of "
            f"20000 samples, and place the others by transform; or name a method."
        )
    if has_fft and n > _TREE_UP_TO and importlib.util.find_spec("openTSNE"):
        return "fft"
    return "barnes_hut" if tree else "exact"


def _check_fft(has_fft, target):
    if not has_fft:
        raise ValueError(
            f"method='fft' needs a Euclidean target of one or two dimensions with "
            f"kernel 'student' and kernel_scale 1; got {target.manifold!r}, "
            f"kernel={target.kernel!r}, scale {target.scale:g}. Pass method='auto'."
        )
    if importlib.util.find_spec("openTSNE") is None:
        raise ImportError(
            "method='fft' needs openTSNE, which is not installed; run pip install "
            "'geolearn[opentsne]' or pass method='barnes_hut'."
        )


def without_traces(joint):
    """Return joint affinities without those that are small even together.

    With all pairs they often are most; the attraction then costs as little as with
    neighbours. A dense array where that does not pay, else a csr_array.
    """
    if sparse.issparse(joint):
        return sparse.csr_array(joint)
    kept = joint >= _TRACES / joint.size
    if np.count_nonzero(kept) > _SPARSE * joint.size:
        return joint
    some = sparse.csr_array(np.where(kept, joint, 0.0))
    some.data /= some.data.sum()
    return some
