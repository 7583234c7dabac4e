"""Velocity and force of curves, and spectra of points, for many features."""

# kernels: _subbundle_kernels=454d50b1 _subbundle_kernels_high=7559be96
# kernels: _subbundle_law=33656264 _subbundle_weights=c3d57322

from geolearn.decomposition._subbundle_kernels import make_room
from geolearn.decomposition._subbundle_kernels_high import (
    all_eigenpairs,
    gradient,
    sums_finite,
    weighted_offsets,
)
from geolearn.decomposition._subbundle_law import (
    LEFT,
    SINGULAR,
    along_line,
    finite,
    judge,
)
from geolearn.decomposition._subbundle_weights import (
    Samples,
    list_samples,
    make_list,
    serves,
)
from geolearn.utils._jit import kernel


@kernel
def slope_high(eigenpairs, samples, near, law, p, eta, line, V, room, velocity, force):
    """Fill velocity and force as the slope for few features does.

    V holds the guess for the leading vectors and receives them.
    """
    if not (finite(p) and finite(eta)):
        return SINGULAR
    if not serves(near, p, law.skin):
        list_samples(samples, near, p, law.kind, law.support, law.skin)
    values = gradient(
        eigenpairs, samples, near, p, eta, law.kind, law.support, law.rank,
        not line, V, room, velocity, force,
    )  # fmt: skip
    if values.shape[0] == 0:
        return LEFT
    if line:
        along_line(eta, velocity)
    return judge(room.facts, values, law, velocity, force)


@kernel
def spectrum_high(
    slope, eigenpairs, points, weights, bounds, boxes, numbers, steps, state, out, facts
):
    """Fill the leading local principal components at one point.

    Arguments are those of the kernel for few features, without steps.
    """
    n, d = points.shape
    p = state[0]
    samples = Samples(points, weights, bounds, boxes)
    kind, support = int(numbers[0]), numbers[1]
    near, room = make_list(n, d, 0, n, d), make_room(0, d)
    list_samples(samples, near, p, kind, support, 0.0)
    B = weighted_offsets(samples, near, p, kind, support, room)
    facts[1], facts[2] = room.facts[0], room.facts[1]
    if B.shape[0] == 0 or not sums_finite(B):
        return
    values, E = all_eigenpairs(eigenpairs, B)
    for i in range(d):
        out[2, i] = p[i] + room.mean[i]
    for a in range(out.shape[0] - 4):
        inside = a < values.shape[0]
        out[3, a] = values[a] if inside else 0.0
        for i in range(d):
            out[4 + a, i] = E[i, a] if inside else 0.0
