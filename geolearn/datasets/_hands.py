"""Landmarks of human hands in two poses."""

import numpy as np
from sklearn.utils import Bunch

from geolearn.datasets._files import read_arrays, read_description
from geolearn.manifolds import PlanarShapes

_FINGERS = ("thumb", "index", "middle", "ring", "little")
_JOINTS = ("base", "first joint", "second joint", "tip")
_WRIST, _THUMB_TIP, _MIDDLE_TIP = 0, 5, 13
_MAX_ROUNDS = 200
_SETTLED = 1e-15  # change of the mean in a round that is rounding


def load_hand_shapes():
    """Load 52 human hands in two poses, 22 landmarks each.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        Dictionary-like, with the fields

        data : ndarray of shape (52, 22, 3)
            Landmarks in space as recorded, in metres by the size of the hands: not
            centred, scaled or turned. They are the wrist, the palm, and base, two
            joints and tip of each finger from the thumb on.
        planar : ndarray of shape (52, 22, 2)
            The hands seen from the front: points of ``PlanarShapes(22)``. Hands are
            centred, scaled to norm one and turned in space to their mean shape
            (generalised Procrustes analysis, without reflections), projected on the
            two first principal directions of this mean, and centred and scaled again.
            The fingers point along the first axis, the thumb along the second.
        target : ndarray of shape (52,)
            Pose of each hand, an index into `target_names`.
        target_names : ndarray of shape (2,)
            "grab" (25 hands) and "expand" (27 hands).
        landmark_names : ndarray of shape (22,)
            Names of the landmarks.
        bones : ndarray of shape (21, 2)
            Pairs of landmarks that a drawing of the hand connects.
        DESCR : str
            Description with origin and licence.

    See Also
    --------
    geolearn.manifolds.PlanarShapes : Distances and means of the planar hands.

    Examples
    --------
    >>> from geolearn.datasets import load_hand_shapes
    >>> from geolearn.manifolds import PlanarShapes
    >>> hands = load_hand_shapes()
    >>> hands.data.shape
    (52, 22, 3)
    >>> shapes = PlanarShapes(22)
    >>> grab, expand = (shapes.frechet_mean(hands.planar[hands.target == k])
    ...                 for k in (0, 1))
    >>> round(float(shapes.dist(grab, expand)), 3)
    0.286
    """
    arrays = read_arrays("hand_shapes")
    return Bunch(
        data=arrays["data"],
        planar=_front_views(arrays["data"]),
        target=arrays["target"].astype(np.intp),
        target_names=np.array(["grab", "expand"]),
        landmark_names=np.array(
            ["wrist", "palm"] + [f"{f} {joint}" for f in _FINGERS for joint in _JOINTS]
        ),
        bones=_bones(),
        DESCR=read_description("hand_shapes"),
    )


def _bones():
    """Return the bones: the thumb starts at the wrist, the others at the palm."""
    pairs = [(_WRIST, 1)]
    for k in range(len(_FINGERS)):
        base = 2 + len(_JOINTS) * k
        pairs.append((min(k, 1), base))
        pairs += [(joint, joint + 1) for joint in range(base, base + len(_JOINTS) - 1)]
    return np.array(pairs)


def _front_views(X):
    """Return the hands turned to their mean shape and projected on its plane."""
    Z = X - X.mean(axis=1, keepdims=True)
    Z = Z / np.linalg.norm(Z, axis=(1, 2), keepdims=True)
    mean = Z[0]
    for _ in range(_MAX_ROUNDS):
        turned = _turn(Z, mean)
        previous, mean = mean, turned.mean(axis=0)
        mean = mean / np.linalg.norm(mean)
        if np.sum((mean - previous) ** 2) < _SETTLED**2:
            break
    axes = np.linalg.svd(mean)[2][:2].T
    signs = np.sign([mean[_MIDDLE_TIP] @ axes[:, 0], mean[_THUMB_TIP] @ axes[:, 1]])
    return PlanarShapes(X.shape[1]).project(_turn(Z, mean) @ (axes * signs))


def _turn(Z, mean):
    """Turn centred configurations to be as near as possible to the mean."""
    U, _, Vt = np.linalg.svd(np.swapaxes(Z, 1, 2) @ mean)
    U[:, :, -1] *= np.sign(np.linalg.det(U @ Vt))[:, None]  # rotations, no reflections
    return Z @ (U @ Vt)
