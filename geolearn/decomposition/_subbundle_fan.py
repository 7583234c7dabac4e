"""Fans of geodesics: sampled principal submanifolds, and unions of them."""

from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_model import Flow
from geolearn.decomposition._subbundle_space import (
    curvature,
    distance_of_gap,
    lowered,
    metric_of,
    squared_gap,
)
from geolearn.decomposition._subbundle_types import ENERGY_DRIFT, OK
from geolearn.graph import NeighborIndex

_GOLDEN = np.pi * (1.0 + np.sqrt(5.0))
SPACING = 4.0  # of bases, over the bandwidth
_MAX_RECORDS = 200


class Fan(NamedTuple):
    """Points on geodesics from one base in many directions.

    Attributes
    ----------
    points : ndarray of shape (m, d)
        Positions; NaN where a geodesic was stopped before.
    v : ndarray of shape (m, k)
        Their coordinates: ``points`` is the exponential map of ``v``.
    status : ndarray of shape (m,), int8
        0, or the status of the geodesic that was stopped before.
    """

    points: np.ndarray
    v: np.ndarray
    status: np.ndarray


class Union(NamedTuple):
    """Points of fans from several bases.

    Attributes
    ----------
    points : ndarray of shape (m, d)
        Positions, all finite.
    base : ndarray of int of shape (m,)
        Row of the base of each point.
    v : ndarray of shape (m, k)
        Its coordinates there.
    status : ndarray of shape (m,), int8
        0, or 2 where the energy drifted on the way.
    bases : ndarray of shape (n_bases, d)
        Where fans start.
    """

    points: np.ndarray
    base: np.ndarray
    v: np.ndarray
    status: np.ndarray
    bases: np.ndarray


def directions(k, n_directions, seed=0) -> np.ndarray:
    """Return unit vectors (n, k): regular for k <= 3, uniform draws beyond."""
    if k == 1:
        return np.array([[1.0], [-1.0]])
    i = np.arange(n_directions)
    if k == 2:
        angle = 2.0 * np.pi * i / n_directions
        return np.column_stack([np.cos(angle), np.sin(angle)])
    if k == 3:
        z = 1.0 - 2.0 * (i + 0.5) / n_directions
        r = np.sqrt(1.0 - z**2)
        return np.column_stack([r * np.cos(_GOLDEN * i), r * np.sin(_GOLDEN * i), z])
    draws = np.random.default_rng(seed).standard_normal((n_directions, k))
    return draws / np.linalg.norm(draws, axis=1, keepdims=True)


def _records(field, radius):
    """Return how many points lie on a geodesic: two a bandwidth."""
    return min(max(int(np.ceil(2.0 * radius / field.bandwidth)), 4), _MAX_RECORDS)


def shoot_fan(
    field: Any,
    base: np.ndarray,
    frame: np.ndarray,
    radius: float,
    n_directions: int = 64,
    *,
    n_records: int | None = None,
    step: float = 0.25,
    integrator: str = "rk4",
    seed: int = 0,
    n_jobs: int | None = None,
) -> Fan:
    """Follow geodesics from a base in directions spread over the subspace.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    base : ndarray of shape (d,)
        Where geodesics start.
    frame : ndarray of shape (d, k)
        Orthonormal frame of the subspace there.
    radius : float
        Their length.
    n_directions : int, default=64
        Number of directions; k = 1 has two.
    n_records : int, default=None
        Points on each, at equal distances; None means two a bandwidth.
    step : float, default=0.25
        Length of an integration step over the bandwidth.
    integrator : str, default="rk4"
        As in `EuclideanField.shoot`.
    seed : int, default=0
        Draws the directions where k is more than 3.
    n_jobs : int or None, default=None
        Number of threads.

    Returns
    -------
    fan : Fan
        The base, and then the points of one geodesic after the other.
    """
    k = frame.shape[1]
    U = directions(k, n_directions, seed)
    n_records = _records(field, radius) if n_records is None else n_records
    flow = Flow(step, integrator, n_jobs)
    shot, path = flow.trace(field, base, frame, radius * U, n_records)
    share = np.arange(1, n_records + 1) / n_records
    v = radius * share[None, :, None] * U[:, None]
    P = path.reshape(-1, base.size)
    gone = np.isnan(P).any(axis=1)
    status = np.where(gone, np.repeat(shot.status, n_records), OK)
    return Fan(
        np.concatenate([base[None], P]),
        np.concatenate([np.zeros((1, k)), v.reshape(-1, k)]),
        np.concatenate([[OK], status]).astype(np.int8),
    )


def reconstruct(
    field: Any,
    bases: np.ndarray | None = None,
    *,
    spacing: float | None = None,
    radius: float | None = None,
    n_points: int | None = None,
    n_directions: int = 64,
    overlap: str = "union",
    start: np.ndarray | None = None,
    step: float = 0.25,
    integrator: str = "rk4",
    seed: int = 0,
    n_jobs: int | None = None,
) -> Union:
    """Cover the data with fans from several bases.

    Parameters
    ----------
    field : EuclideanField or ConstantCurvatureField
        Field of subspaces.
    bases : ndarray of shape (b, d), default=None
        Where fans start. None takes samples, each as far as possible from those
        before, until all are within `spacing` of one.
    spacing : float, default=None
        Distance of the bases; None means `radius`, or four bandwidths.
    radius : float, default=None
        Length of the geodesics; None means `spacing`.
    n_points : int, default=None
        About how many points there shall be, before geodesics are stopped; in
        place of `n_directions`.
    n_directions : int, default=64
        Geodesics from one base; k = 1 has two.
    overlap : {"union", "average"}, default="union"
        Whether points stay where they are, or are moved across the surface to the
        mean of the fans there, with the weights ``exp(-|v|^2 / (2 sigma^2))``.
    start : ndarray of shape (d,), default=None
        First base; None takes the sample nearest to the mean of all.
    step, integrator, seed, n_jobs
        As in `shoot_fan`.

    Returns
    -------
    union : Union
        Points of all fans that were reached.
    """
    if overlap not in ("union", "average"):
        raise ValueError(f"overlap must be 'union' or 'average', got {overlap!r}.")
    if spacing is None:
        spacing = SPACING * field.bandwidth if radius is None else radius
    radius = spacing if radius is None else radius
    for name, value in (("spacing", spacing), ("radius", radius)):
        if not 0.0 < value < np.inf:
            raise ValueError(f"{name} must be positive and finite, got {value!r}.")
    if bases is None:
        bases = spread_bases(field, spacing, start)
    n_records = _records(field, radius)
    if n_points is not None:
        n_directions = max(2 * field.rank, -(-n_points // (len(bases) * n_records)))
    fans = _shoot_all(
        field,
        bases,
        radius,
        n_directions,
        n_records,
        seed,
        Flow(step, integrator, n_jobs),
    )
    if overlap == "average":
        fans = fans._replace(points=_averaged(field, fans, n_jobs))
    return fans


def spread_bases(field, spacing, start=None) -> np.ndarray:
    """Return samples that every sample is within `spacing` of, far from each other."""
    X = field.points
    if start is None:
        start = X[np.argmin(squared_gap(field, X, X.mean(axis=0)))]
    bases = [start]
    nearest = _distance(field, start, X)
    while nearest.max() > spacing:
        bases.append(X[np.argmax(nearest)])
        nearest = np.minimum(nearest, _distance(field, bases[-1], X))
    return np.array(bases)


def _distance(field, x, X):
    return distance_of_gap(field, squared_gap(field, x[None], X))


def _shoot_all(field, bases, radius, n_directions, n_records, seed, flow):
    """Return the union of the fans of all bases."""
    b, k = len(bases), field.rank
    U = directions(k, n_directions, seed)
    m = len(U)
    frames = field.frame(bases, n_jobs=flow.n_jobs)
    shot, path = flow.trace(
        field,
        np.repeat(bases, m, axis=0),
        np.repeat(frames, m, axis=0),
        radius * np.tile(U, (b, 1)),
        n_records,
    )
    share = np.arange(1, n_records + 1) / n_records
    v = (radius * share[:, None] * U[:, None]).reshape(-1, k)
    P = path.reshape(b, m * n_records, -1)
    status = np.repeat(shot.status, n_records).reshape(b, -1)
    P = np.concatenate([bases[:, None], P], axis=1).reshape(-1, bases.shape[1])
    v = np.tile(np.concatenate([np.zeros((1, k)), v]), (b, 1))
    status = np.concatenate([np.zeros((b, 1), dtype=np.int8), status], axis=1).ravel()
    base = np.repeat(np.arange(b), m * n_records + 1)
    kept = np.isfinite(P).all(axis=1)
    status = np.where(status == ENERGY_DRIFT, status, OK).astype(np.int8)
    return Union(P[kept], base[kept], v[kept], status[kept], bases)


def _averaged(field, fans, n_jobs):
    """Return points moved across their tangent spaces to the mean of all fans."""
    flat = curvature(field) == 0.0
    P = fans.points
    if not flat:
        P = np.ascontiguousarray(P)
    frames = field.frame(P, n_jobs=n_jobs)
    weight = np.exp(-0.5 * (fans.v**2).sum(axis=1) / field.bandwidth**2)
    total, move = weight.copy(), np.zeros_like(P)
    for j in range(len(fans.bases)):
        own = np.flatnonzero(fans.base == j)
        index = NeighborIndex.build(P[own], metric=metric_of(field))
        lengths, found = index.query(P, 1, n_jobs=n_jobs)
        near = (lengths[:, 0] <= field.bandwidth) & (fans.base != j)
        rows, other = np.flatnonzero(near), own[found[near, 0]]
        away = P[other] - P[rows] if flat else field.manifold.log(P[rows], P[other])
        F = frames[rows]
        inside = np.einsum("mik,mi->mk", F, lowered(field, away))
        away = away - np.einsum("mik,mk->mi", F, inside)
        move[rows] += weight[other, None] * away
        total[rows] += weight[other]
    move /= total[:, None]
    return P + move if flat else field.manifold.exp(P, move)
