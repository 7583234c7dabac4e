"""Fans of geodesics: sampled principal submanifolds, and unions of them."""

from typing import Any, NamedTuple

import numpy as np

from geolearn.decomposition._subbundle_model import Flow
from geolearn.decomposition._subbundle_types import OK

_GOLDEN = np.pi * (1.0 + np.sqrt(5.0))
_FAR = 3.0  # bandwidths within which overlapping fans are averaged
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
    if n_records is None:
        n_records = int(np.ceil(2.0 * radius / field.bandwidth))
        n_records = min(max(n_records, 4), _MAX_RECORDS)
    flow = Flow(step, integrator, n_jobs)
    shot = flow.shoot(field, base, frame, radius * U, record=n_records)
    share = np.arange(1, n_records + 1) / n_records
    v = radius * share[None, :, None] * U[:, None]
    P = shot.path[:, 1:].reshape(-1, base.size)
    gone = np.isnan(P).any(axis=1)
    status = np.where(gone, np.repeat(shot.status, n_records), OK)
    return Fan(
        np.concatenate([base[None], P]),
        np.concatenate([np.zeros((1, k)), v.reshape(-1, k)]),
        np.concatenate([[OK], status]).astype(np.int8),
    )
