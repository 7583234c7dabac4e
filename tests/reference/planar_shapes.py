"""Planar shapes with 50 digits, from the definitions on complex projective space."""

import mpmath as mp

DIGITS = 50


def exact_points(x):
    """Return landmarks as complex numbers, of unit norm and centred to 50 digits."""
    with mp.workdps(DIGITS):
        z = [mp.mpc(float(a), float(b)) for a, b in x]
        center = sum(z) / len(z)
        z = [a - center for a in z]
        size = mp.sqrt(sum(abs(a) ** 2 for a in z))
        return [a / size for a in z]


def product(z, w):
    return sum(b * mp.conj(a) for a, b in zip(z, w, strict=True))


def dist(x, y):
    with mp.workdps(DIGITS):
        z, w = exact_points(x), exact_points(y)
        c = abs(product(z, w))
        return mp.atan2(mp.sqrt((1 - c) * (1 + c)), c)


def log(x, y):
    """Return the horizontal velocity at z of the geodesic to the shape of w."""
    with mp.workdps(DIGITS):
        z, w = exact_points(x), exact_points(y)
        c = product(z, w)
        theta = mp.acos(abs(c))
        # w turned so that the product with z is positive, less its part along z
        turned = [b * mp.conj(c) / abs(c) for b in w]
        across = [b - abs(c) * a for a, b in zip(z, turned, strict=True)]
        return [theta / mp.sin(theta) * b for b in across]


def gap(v, exact):
    """Return the Euclidean distance of a float vector from an exact one."""
    with mp.workdps(DIGITS):
        return float(
            mp.sqrt(
                sum(
                    abs(mp.mpc(float(a), float(b)) - e) ** 2
                    for (a, b), e in zip(v, exact, strict=True)
                )
            )
        )


def log_volume(theta, n_landmarks):
    """Return the log density: curvature 4 in one direction, 1 in the others."""
    with mp.workdps(DIGITS):
        others = 2 * n_landmarks - 6
        return mp.log(mp.sin(2 * theta) / (2 * theta)) + others * mp.log(
            mp.sin(theta) / theta
        )
