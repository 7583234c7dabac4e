"""Checks of the numbers that functions take."""

from numbers import Integral, Real

import numpy as np


def check_count(name, value, least) -> int:
    """Return an int that is at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be an int of at least {least}, got {value!r}.")
    return int(value)


def check_number(name, value, low, high) -> float:
    """Return a number in [low, high)."""
    if not isinstance(value, bool) and isinstance(value, Real):
        number = float(value)
        if low <= number < high:
            return number
    raise ValueError(f"{name} must be a number in [{low:g}, {high:g}), got {value!r}.")


def check_boolean(name, value) -> bool:
    """Return a bool; a string such as "no" would count as true."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def check_choice(name, value, choices) -> None:
    """Raise unless a string is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name}={value!r} is unknown; choose one of {listed}.")
