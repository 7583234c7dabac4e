"""What PrincipalSubbundle fits: the field, its bandwidth and the base point."""

import math
import warnings
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._principal_subbundle_input import (
    check_size,
    data_dimension,
)
from geolearn.decomposition._subbundle_bandwidth import select_bandwidth
from geolearn.decomposition._subbundle_base import choose_base
from geolearn.decomposition._subbundle_curved import curved_field
from geolearn.decomposition._subbundle_field import euclidean_field
from geolearn.decomposition._subbundle_types import GAP
from geolearn.manifolds import Euclidean

__all__ = ["FittedField", "fit_field"]

_LOOKED_AT = 500  # samples whose spectra are summarised
_SPARSE_SHARE = 0.1  # of samples with too few neighbours, above which it is said
_GROWTH = 1.1  # of bandwidths that are too small
_MAX_GROWTHS = 500
_SPECTRUM = 10  # eigenvalues that are reported at most
_TANGENT = 0.5  # eigenvalues above, in units of the squared bandwidth, are tangent
_SMALLEST, _LARGEST = 1e-153, 1e153  # bandwidths that can be squared
_WEIGHTLESS = 6.0  # bandwidths at which a Gaussian weight is next to nothing


class FittedField(NamedTuple):
    """Hold the field of subspaces and what was chosen with it."""

    field: Any
    base: np.ndarray  # (d,)
    frame: np.ndarray  # (d, k)
    scores: np.ndarray | None  # (n_candidates, 2) bandwidths and scores
    spectrum: np.ndarray  # (min(dim, 10),)


def fit_field(estimator, X, samples, manifold, rng) -> FittedField:
    """Choose rank and bandwidth, build the field and find the base point."""
    field, scores = _build(estimator, samples, manifold, rng)
    base_point = estimator.base_point
    # An index counts the samples that were given, not the distinct ones.
    given = X if isinstance(base_point, Integral) else samples.points
    base, _ = choose_base(field, given, base_point, False, None, rng)
    _check_near(field, base)
    if estimator.bandwidth == "auto":
        field = _dense_enough(field) or field
    field = _widened(field, base)
    base, frame = choose_base(
        field,
        samples.points,
        base,
        estimator.center_base,
        estimator.base_bandwidth,
        rng,
    )
    _check_gap(field, base)
    return FittedField(field, base, frame, scores, _summary(field, estimator.n_jobs))


def _build(estimator, samples, manifold, rng):
    """Return the field and the scores of the bandwidths that were tried."""
    options = {
        "kernel": estimator.kernel,
        "support": estimator.support,
        "sample_weight": samples.weight,
    }
    points, k, bandwidth = samples.points, estimator.n_components, estimator.bandwidth
    check_size(1 if k == "auto" else k, points, manifold)
    _check_magnitude(bandwidth)
    scores = None
    if bandwidth == "auto":
        choice = select_bandwidth(
            points,
            k,
            manifold=manifold,
            random_state=rng,
            n_jobs=estimator.n_jobs,
            **options,
        )
        bandwidth, k = choice.bandwidth, choice.n_components
        scores = np.column_stack([choice.candidates, choice.scores])
    if k == "auto" or k < 1:
        field = _field(points, manifold, 1, bandwidth, options)
        k = _usual_rank(field, estimator.n_jobs)
    k = int(k)
    if estimator.n_components == "auto":
        k = max(1, min(k, data_dimension(points, manifold), len(points) - 2))
    return _field(points, manifold, k, bandwidth, options), scores


def _check_magnitude(bandwidth):
    """Refuse bandwidths in units of which nothing can be computed."""
    if bandwidth != "auto" and not _SMALLEST < bandwidth < _LARGEST:
        raise ValueError(
            f"bandwidth={bandwidth:g} must be between {_SMALLEST:g} and {_LARGEST:g}, "
            f"or its square is no number; measure the data in other units."
        )


def _field(points, manifold, k, bandwidth, options):
    options = options | {"n_components": k, "bandwidth": float(bandwidth)}
    if isinstance(manifold, Euclidean):
        return euclidean_field(points, **options)
    return curved_field(points, manifold, **options)


def _looked_at(field):
    """Return samples that are spread over all of them."""
    return field.points[:: math.ceil(len(field.points) / _LOOKED_AT)]


def _usual_rank(field, n_jobs):
    """Return the most frequent number of eigenvalues of the size of a tangent one."""
    found = field.local_pca(_looked_at(field), n_jobs)
    ranks = np.sum(found.eigenvalues > _TANGENT * field.bandwidth**2, axis=1)
    return int(np.bincount(ranks).argmax())


def _check_near(field, base):
    """Refuse a base point from which no curve can start."""
    limit = max(2.0 * field.bandwidth, 2.0 * field.spacing)
    distance = float(field.local_pca(base[None]).nearest[0])
    if not distance <= limit:
        raise ValueError(
            f"base_point is {distance:.3g} from the nearest sample, and curves stop "
            f"beyond {limit:.3g}; choose a base_point among the data or a larger "
            f"bandwidth than {field.bandwidth:.3g}."
        )


def _n_eff(field, Q, n_jobs=None):
    return field.local_pca(Q, n_jobs).n_eff


def _most(field):
    """Return the effective number of all samples, for an infinite bandwidth."""
    return field.weights.sum() ** 2 / (field.weights @ field.weights)


def _widened(field, base):
    """Return the field with a bandwidth at which enough samples weigh at the base."""
    k, before = field.rank, field.bandwidth
    if _n_eff(field, base[None])[0] >= k + 1:
        _warn_narrow(field)
        return field
    most = _most(field)
    wanted = min(k + 2, 0.5 * (k + 1 + most))
    if most <= k + 1:
        warnings.warn(
            f"The samples have an effective number of {most:.3g} by their weights, "
            f"and copies, and curves stop below n_components + 1 = {k + 1}: none can "
            f"start. Lower n_components or level the weights.",
            UserWarning,
            stacklevel=2,
        )
        return field
    field = _not_too_narrow(field, base)
    for _ in range(_MAX_GROWTHS):
        field = _grown(field)
        if _n_eff(field, base[None])[0] >= wanted:
            break
    dense = None if _sparse_share(field) <= _SPARSE_SHARE else _dense_enough(field)
    hint = "" if dense is None else f", such as {dense.bandwidth:.2g},"
    warnings.warn(
        f"bandwidth={before:.3g} gives the base point an effective number of samples "
        f"below n_components + 1 = {k + 1}; bandwidth {field.bandwidth:.3g} is used. "
        f"Pass a larger bandwidth{hint} or another base_point.",
        UserWarning,
        stacklevel=2,
    )
    return field


def _not_too_narrow(field, base):
    """Return the field with a bandwidth at which k + 1 samples bear some weight."""
    n_neighbors = min(field.rank + 1, len(field.points))
    lengths, _ = field.neighbors(base[None], n_neighbors)
    # Weights are those relative to the nearest sample.
    reach = math.sqrt(lengths[0, -1] ** 2 - lengths[0, 0] ** 2) / _WEIGHTLESS
    return field.with_bandwidth(reach) if reach > field.bandwidth else field


def _grown(field):
    """Return the field with a larger bandwidth."""
    wider = field.bandwidth * _GROWTH
    limit = field.manifold.injectivity_radius / 3.0
    if wider >= limit:
        raise ValueError(
            f"Too few samples are near the base point for n_components={field.rank}: "
            f"more would need a bandwidth above {limit:.3g}, a third of the "
            f"injectivity radius of {field.manifold!r}. Choose another base_point or "
            f"lower n_components."
        )
    return field.with_bandwidth(wider)


def _sparse_share(field):
    """Return the share of samples around which too few weigh."""
    n_eff = field.local_pca(_looked_at(field)).n_eff
    return float(np.mean(n_eff < field.rank + 1))


def _dense_enough(field):
    """Return the field with a bandwidth above the spacing of the data, or None."""
    if _most(field) <= field.rank + 1:
        return None
    limit = field.manifold.injectivity_radius / (3.0 * _GROWTH)
    for _ in range(_MAX_GROWTHS):
        if _sparse_share(field) <= _SPARSE_SHARE:
            return field
        if field.bandwidth >= limit:
            break
        field = _grown(field)
    return None


def _warn_narrow(field):
    """Say so where the bandwidth is below the spacing of the data."""
    share = _sparse_share(field)
    if share <= _SPARSE_SHARE:
        return
    wider = _dense_enough(field)
    hint = "" if wider is None else f" Try bandwidth={wider.bandwidth:.2g}."
    warnings.warn(
        f"bandwidth={field.bandwidth:.3g} is below the spacing of the data: "
        f"{share:.0%} of the samples have an effective number of neighbours below "
        f"n_components + 1 = {field.rank + 1}, where curves stop.{hint}",
        UserWarning,
        stacklevel=2,
    )


def _check_gap(field, base):
    """Warn where the subspace at the base point is not defined."""
    lam, k = field.local_pca(base[None]).eigenvalues[0], field.rank
    if k < len(lam) and lam[k - 1] - lam[k] < GAP * lam[k - 1]:
        warnings.warn(
            f"Eigenvalues {k} and {k + 1} of the local covariance at the base point "
            f"are equal, so that no curve can start there: choose another "
            f"n_components than {k}, another bandwidth than {field.bandwidth:.3g} or "
            f"another base_point.",
            UserWarning,
            stacklevel=2,
        )


def _summary(field, n_jobs):
    """Return median eigenvalues in units of the squared bandwidth."""
    found = field.local_pca(_looked_at(field), n_jobs).eigenvalues
    spectrum = np.zeros(min(field.manifold.dim, _SPECTRUM))
    few = found[:, : len(spectrum)]
    spectrum[: few.shape[1]] = np.nanmedian(few, axis=0) / field.bandwidth**2
    return spectrum
