"""Which side of a split a value lies on, and thresholds that respect it."""

import math

from geolearn.utils._jit import kernel


@kernel(nogil=True)
def is_left(z, threshold, circular):
    """Say on which side a value lies; the one test of growth and prediction.

    On a circle the left side is the half-circle [threshold, threshold + pi); |z| is
    the angle modulo pi and the sign of z tells the half.
    """
    if not circular:
        return z <= threshold
    return (abs(z) >= threshold) != (math.copysign(1.0, z) < 0.0)


@kernel(nogil=True)
def threshold_between(values, a, b, position, circular):
    """Return the midpoint of a gap, moved where rounding would misroute a sample."""
    if position < b:
        low, high = values[position - 1], values[position]
        middle = 0.5 * low + 0.5 * high  # the sum may overflow
        if circular:  # low < threshold <= high
            return middle if middle > low else high
        return middle if middle < high else low  # low <= threshold < high
    low, high = values[b - 1], values[a] + math.pi
    middle = 0.5 * low + 0.5 * high
    if middle < math.pi:
        return middle if middle > low else 0.0
    return min(middle - math.pi, values[a])
