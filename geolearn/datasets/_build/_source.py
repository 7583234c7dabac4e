"""Where the build scripts find their raw files, and how they write the answer."""

import argparse
import io
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[1] / "data"


def raw_text(package, name, wheel=None):
    """Return a text file of an installed package, or of its wheel.

    The package is not imported, so that its dependencies need not be there.

    Parameters
    ----------
    package : str
        Name of the distribution.
    name : str
        Path of the file within it.
    wheel : path-like or None, default=None
        Wheel file to read from; None means the installed package.
    """
    if wheel is None:
        return Path(distribution(package).locate_file(name)).read_text(encoding="utf-8")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode("utf-8")


def write_arrays(name, arrays):
    """Write `data/<name>.npz`, the same bytes for the same arrays and zlib."""
    path = DATA / f"{name}.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for key, value in arrays.items():
            entry = zipfile.ZipInfo(f"{key}.npy")  # dated 1980, whatever the clock
            entry.external_attr = 0o644 << 16
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, value, allow_pickle=False)
            archive.writestr(
                entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9
            )
    return path


def parse(description):
    """Read the command line of a build script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--wheel", help="read this wheel, not the installed package")
    return parser.parse_args()
