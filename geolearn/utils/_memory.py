"""Check the size of a result before it is allocated."""

import os
from pathlib import Path

import numpy as np

_GIB = 2.0**30
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int | None:
    """Return the memory that a process may still use, None where it is unknown.

    On Linux the smaller of the kernel's estimate and what the control group leaves;
    on other systems the physical memory, if the system tells it.
    """
    known = []
    try:
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                known.append(1024 * int(line.split()[1]))
    except (OSError, ValueError, IndexError):
        pass
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        known.append(limit - int((_CGROUP / "memory.current").read_text()))
    except (OSError, ValueError):  # no control group, or "max"
        pass
    if not known:
        try:
            known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        except (AttributeError, OSError, ValueError):
            return None
    return max(min(known), 0)


def allocate(shape: tuple[int, int], what: str, remedy: str) -> np.ndarray:
    """Return an empty float64 array, or raise MemoryError with the size and a remedy.

    Parameters
    ----------
    shape : tuple of two ints
        Shape of the array.
    what : str
        Name of the function that needs the array.
    remedy : str
        What the user can do instead.

    Returns
    -------
    ndarray of shape `shape`
        Uninitialised.
    """
    needed = 8 * shape[0] * shape[1]
    available = available_bytes()
    if available is None or needed <= available:
        try:
            return np.empty(shape)
        except (MemoryError, ValueError):  # NumPy: "array is too big"
            pass
    have = "" if available is None else f"; {available / _GIB:.3g} GiB are available"
    raise MemoryError(
        f"{what} needs {needed / _GIB:.3g} GiB for a float64 array of shape "
        f"{shape}{have}. {remedy}"
    )
