"""Forces of fixed points on single new points, and sums of the kernel."""

import numpy as np
from numba import prange

from geolearn.utils._jit import kernel

# Codes of the kernels of the embedding.
_STUDENT, _CHORDAL, _BROWNIAN, _VMF = 0, 1, 2, 3

# Below this distance the slope of the volume density is its limit, to 1e-9.
_NEAR = 1e-4
# Below this sine of the distance there is no direction: an antipode, or the point.
_NO_SINE = 1e-12


@kernel
def _square(y, z, sign):
    """Return the squared chord; minus the time coordinate's square if sign < 0."""
    s = 0.0
    for c in range(y.size):
        difference = y[c] - z[c]
        s += -difference * difference if sign < 0 and c == 0 else difference**2
    return max(s, 0.0)


@kernel
def _radial(s2, sign, dim, code, scale):
    """Return the kernel and phi' / d times d / sin d, at a squared chord.

    The second factor multiplies the other point, whose tangential part it
    weighs; sin is sinh or the identity by the sign of the curvature.
    """
    if code == _CHORDAL or (sign == 0 and code == _STUDENT):
        return scale / (scale + s2), 2.0 / (scale + s2)
    if sign == 0:  # Gaussian
        return np.exp(-0.5 * s2 / scale), 1.0 / scale
    if code == _VMF:
        return np.exp(-0.5 * s2 / scale), 1.0 / scale
    half = 0.5 * np.sqrt(s2)
    if sign > 0:
        half = min(half, 1.0)
        cosine = np.sqrt(1.0 - half * half)
        d, sine, cosd = 2.0 * np.arcsin(half), 2.0 * half * cosine, 1.0 - 2.0 * half**2
    else:
        d = 2.0 * np.arcsinh(half)
        sine, cosd = 2.0 * half * np.sqrt(1.0 + half * half), 1.0 + 2.0 * half**2
    stretch = 1.0 if d < _NEAR else d / max(sine, _NO_SINE)
    if code == _STUDENT:
        return scale / (scale + d * d), 2.0 * stretch / (scale + d * d)
    if d < _NEAR:
        return np.exp(-0.5 * d * d / scale), 1.0 / scale - sign * (dim - 1) / 6.0
    density = np.exp(-0.5 * (dim - 1) * np.log(max(sine, _NO_SINE) / d))
    slope = 1.0 / scale + 0.5 * (dim - 1) / d * (cosd / max(sine, _NO_SINE) - 1.0 / d)
    return np.exp(-0.5 * d * d / scale) * density, slope * stretch


@kernel(parallel=True)
def place_forces(Y, Z, indptr, indices, weights, sign, dim, code, scale, z, out):
    """Fill out with the downhill forces on the rows of Y from the rows of Z.

    Row i is pulled by its neighbours in the sparse rows of weights, and pushed by
    all of Z; the result still has a part normal to the target. z is the fixed
    normaliser.
    """
    for a0 in prange(Y.shape[0]):
        a = np.intp(a0)
        y, row = Y[a], out[a]
        row[:] = 0.0
        for j in range(Z.shape[0]):
            k, slope = _radial(_square(y, Z[j], sign), sign, dim, code, scale)
            push = k * slope / z
            for c in range(y.size):
                row[c] -= push * (Z[j, c] - y[c])
        for position in range(indptr[a], indptr[a + 1]):
            j = indices[position]
            _, slope = _radial(_square(y, Z[j], sign), sign, dim, code, scale)
            pull = weights[position] * slope
            for c in range(y.size):
                row[c] += pull * (Z[j, c] - y[c])


@kernel(parallel=True)
def kernel_sums(Y, rows, sign, dim, code, scale, out):
    """Fill out with the sums of the kernel between some rows of Y and all others."""
    for a0 in prange(rows.size):
        a = np.intp(a0)
        total = 0.0
        for j in range(Y.shape[0]):
            if j != rows[a]:
                s2 = _square(Y[rows[a]], Y[j], sign)
                total += _radial(s2, sign, dim, code, scale)[0]
        out[a] = total
