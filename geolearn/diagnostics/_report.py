"""All diagnostics of a representation at once."""

import textwrap
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

from geolearn.diagnostics._checks import check_count, check_number
from geolearn.diagnostics._report_entries import ENTRIES, Inputs, local_dimensions
from geolearn.diagnostics._spectrum import check_representation

_WIDTH = 88


class Diagnostic(NamedTuple):
    """One number of a report.

    Parameters
    ----------
    name : str
        What was measured.
    value : float
        The number; NaN if it could not be computed.
    reading : str
        How to read it: what is good and what is bad.
    note : str
        Why there is no value, or what was warned about; empty if all went well.
    """

    name: str
    value: float
    reading: str
    note: str


class RepresentationReport:
    """Compute the health report of a representation.

    All diagnostics of this module are computed with their defaults. What cannot be
    computed has the value NaN and says why.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        Representation, one row a sample: an embedding, the features of a network, the
        latent variables of a model.
    y : array-like of shape (n_samples,), default=None
        Classes. None leaves out neural collapse, the centroid nuclear norm and the
        manifold capacity.
    n_neighbors : int, default=50
        Neighbours of the local dimensions; at most all other rows.
    intrinsic_dim : float or None, default=None
        Dimension for curvature and spanning tree; None takes the geometric mean of
        the local dimensions.
    max_samples : int, default=10000
        Rows, drawn at random from more, among which neighbours are searched. Their
        distances, and with them the scale of local dimension and curvature, grow as
        rows are left out. Spectra and classes use all rows.
    random_state : int, RandomState instance or None, default=None
        Draws rows and halves of the features. Pass an int for reproducible results.
    n_jobs : int, default=None
        Number of threads; None means 1, -1 all. The result does not depend on it.

    Attributes
    ----------
    diagnostics : tuple of Diagnostic
        The numbers with name, reading and note, in the order of the report.
    n_samples, n_features : int
        Shape of `Z`.

    Raises
    ------
    ValueError
        If `Z` is not a finite table with at least 2 rows, `y` does not fit, or a
        parameter is invalid.

    See Also
    --------
    local_intrinsic_dimension : Dimension around each point.
    rankme : Effective rank.

    Notes
    -----
    The feature-split stability uses 600 rows at most and the curvature 500; above
    dimension 12 the curvature is left out, since its fit would need more than 200
    neighbours. Peak memory is a few times that of `Z`, besides 16 bytes for each of
    the ``n_neighbors * max_samples`` neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from geolearn.diagnostics import RepresentationReport
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 20))
    >>> report = RepresentationReport(Z, random_state=0)
    >>> round(report["local_dimension"], 1)
    2.9
    >>> report.to_dict()["manifold_capacity"]["note"]
    'needs y, the classes of the rows.'
    >>> frame = report.to_frame()
    >>> bool(frame.loc["rankme", "value"] < 3.1)
    True
    """

    def __init__(
        self,
        Z,
        y=None,
        *,
        n_neighbors=50,
        intrinsic_dim=None,
        max_samples=10_000,
        random_state=None,
        n_jobs=None,
    ):
        Z = check_representation(Z)
        if y is not None:
            y = column_or_1d(y)
            check_consistent_length(Z, y)
        n_neighbors = check_count("n_neighbors", n_neighbors, 3)
        check_count("max_samples", max_samples, 4)
        if intrinsic_dim is not None:
            intrinsic_dim = check_number("intrinsic_dim", intrinsic_dim, 1.0, np.inf)
        self.n_samples, self.n_features = Z.shape
        rng = check_random_state(random_state)
        order = rng.permutation(Z.shape[0])[:max_samples]
        rows = Z[order]
        k = max(3, min(n_neighbors, rows.shape[0] - 1))
        dimensions = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # told again by the entry itself
            try:
                dimensions, mean = local_dimensions(rows, k, n_jobs)
                intrinsic_dim = mean if intrinsic_dim is None else intrinsic_dim
            except ValueError:
                pass  # likewise
        seed = int(rng.randint(np.iinfo(np.int32).max))
        data = Inputs(Z, y, rows, dimensions, intrinsic_dim, k, seed, n_jobs)
        self.diagnostics = tuple(_measure_all(data))

    def __getitem__(self, name) -> float:
        """Return the value of a diagnostic by its name."""
        for entry in self.diagnostics:
            if entry.name == name:
                return entry.value
        names = ", ".join(entry.name for entry in self.diagnostics)
        raise KeyError(f"{name!r} is no diagnostic; there are {names}.")

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return the report as nested dictionaries.

        Returns
        -------
        dict
            Name of each diagnostic -> dictionary of `value`, `reading` and `note`.
        """
        return {
            entry.name: {
                "value": entry.value,
                "reading": entry.reading,
                "note": entry.note,
            }
            for entry in self.diagnostics
        }

    def to_frame(self):
        """Return the report as a table.

        Returns
        -------
        pandas.DataFrame
            One row a diagnostic, named by the index; columns `value`, `reading` and
            `note`.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "to_frame needs pandas: install it, or use to_dict."
            ) from error
        frame = pd.DataFrame(list(self.diagnostics), columns=Diagnostic._fields)
        return frame.set_index("name")

    def __repr__(self):
        lines = [
            f"RepresentationReport of {self.n_samples} rows, {self.n_features} features"
        ]
        width = max(len(entry.name) for entry in self.diagnostics)
        indent = " " * (width + 14)
        for name, value, reading, note in self.diagnostics:
            shown = "-" if np.isnan(value) else f"{value:.4g}"
            text = f"{reading}. [{note}]" if note else f"{reading}."
            first = f"{name:<{width}}  {shown:>10}  "
            lines += textwrap.wrap(
                first + text, _WIDTH, subsequent_indent=indent, drop_whitespace=True
            )
        return "\n".join(lines)


def _measure_all(data) -> Iterator[Diagnostic]:
    for entry in ENTRIES:
        values, note = (np.nan,) * len(entry.readings), ""
        if entry.needs_classes and data.y is None:
            note = "needs y, the classes of the rows."
        else:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    values = entry.measure(data)
                except (ValueError, np.linalg.LinAlgError) as error:
                    note = str(error)
            told = dict.fromkeys(str(warning.message) for warning in caught)
            note = note or " ".join(told)
        for (name, reading), value in zip(entry.readings.items(), values, strict=True):
            yield Diagnostic(name, float(value), reading, note)
