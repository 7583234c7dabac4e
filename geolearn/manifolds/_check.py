"""The public checker of manifolds, and its report."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from geolearn.manifolds._check_properties import PROPERTIES, Samples
from geolearn.manifolds.base import Manifold
from geolearn.utils.validation import check_integer, check_positive

__all__ = [
    "ManifoldCheckError",
    "ManifoldReport",
    "PropertyResult",
    "check_manifold",
]


@dataclass(frozen=True)
class PropertyResult:
    """Hold the outcome of one property of a manifold.

    Parameters
    ----------
    name : str
        What was checked.
    passed : bool
        Whether the property holds.
    value : float
        Largest error found, relative to the size of the numbers compared; for
        convergence properties, the order reached.
    bound : float
        Largest error allowed, or the order wanted.
    kind : {"error", "order", "exception"}
        How to read `value`; with "exception" the check could not be carried out.
    detail : str
        What is compared, or the exception that was raised.
    """

    name: str
    passed: bool
    value: float
    bound: float
    kind: str
    detail: str

    def __str__(self) -> str:
        head = f"{'ok  ' if self.passed else 'FAIL'}  {self.name}: "
        if self.kind == "exception":
            return f"{head}raised {self.detail}"
        if self.kind == "order":
            reached = "exact" if np.isinf(self.value) else f"order {self.value:.2f}"
            return f"{head}{reached}, wanted {self.bound:.2f} ({self.detail})"
        return f"{head}error {self.value:.1e}, allowed {self.bound:.1e} ({self.detail})"


@dataclass(frozen=True)
class ManifoldReport:
    """Hold the outcome of `check_manifold`; its text is a table.

    Parameters
    ----------
    manifold : Manifold
        Manifold that was checked.
    results : tuple of PropertyResult
        One result for each property.
    """

    manifold: Manifold
    results: tuple[PropertyResult, ...]

    @property
    def failures(self) -> tuple[PropertyResult, ...]:
        """Properties that do not hold."""
        return tuple(result for result in self.results if not result.passed)

    @property
    def passed(self) -> bool:
        """Whether all properties hold."""
        return not self.failures

    def __iter__(self) -> Iterator[PropertyResult]:
        return iter(self.results)

    def __str__(self) -> str:
        n_failed = len(self.failures)
        verdict = f"{n_failed} fail" if n_failed else "all hold"
        lines = [f"{self.manifold!r}: {len(self.results)} properties, {verdict}"]
        lines += [str(result) for result in (*self.failures, *self.results)]
        return "\n  ".join(dict.fromkeys(lines))


class ManifoldCheckError(AssertionError):
    """Report that a manifold breaks a law of geometry.

    Parameters
    ----------
    report : ManifoldReport
        Outcome of the check; its text is the message.

    Attributes
    ----------
    report : ManifoldReport
        Outcome of the check.
    """

    def __init__(self, report: ManifoldReport):
        super().__init__(str(report))
        self.report = report

    def __reduce__(self):
        return type(self), (self.report,)


def check_manifold(
    manifold: Manifold,
    *,
    n_points: int = 10,
    radius: float | None = None,
    tol: float = 1e-7,
    random_state: Any = None,
    raise_on_failure: bool = True,
) -> ManifoldReport:
    """Verify numerically that a manifold obeys the laws of Riemannian geometry.

    Identities are compared up to `tol`: `exp` and `log` are inverse inside the
    injectivity radius, `norm` of `log` is `dist`, `dist` is a metric, `transport`
    is isometric and maps the velocity of a geodesic to its velocity, coordinates
    are isometric, the volume density agrees with differences of `exp` and with
    the declared curvature, distance tables agree with `dist`, and more. Statements
    about derivatives are verified by the slope of the log-log curve of the error
    against the step, which tells a wrong derivative (order 1) from rounding: `exp`
    starts in the direction of its tangent vector, the Gauss lemma (which
    makes its curves geodesics of the inner product), the gradient of half the
    squared distance is minus `log`, its second derivative is `hess_half_sqdist` where
    the manifold has one, and `transport` is parallel.

    Parameters
    ----------
    manifold : Manifold
        Manifold to check.
    n_points : int, default=10
        Number of random base points; `random_point` draws them.
    radius : float, default=None
        Length of the longest tangent vectors tried. None takes 0.4 of the
        injectivity radius or the radius of curvature, whichever is smaller, and 1
        where neither is known.
    tol : float, default=1e-7
        Relative error allowed in identities.
    random_state : int, RandomState instance or None, default=None
        Draws points and vectors. Pass an int for reproducible results.
    raise_on_failure : bool, default=True
        Whether to raise when a property fails, or only to report it.

    Returns
    -------
    ManifoldReport
        One result for each property; ``print`` shows a table.

    Raises
    ------
    ManifoldCheckError
        If a property fails. It is an AssertionError whose message says which, by
        how much; its attribute `report` holds the details.
    TypeError
        If `manifold` is not a Manifold instance.

    Examples
    --------
    >>> from geolearn.manifolds import Sphere, check_manifold
    >>> check_manifold(Sphere(2, radius=3.0), random_state=0).passed
    True
    """
    if not isinstance(manifold, Manifold):
        raise TypeError(f"manifold must be a Manifold instance, got {manifold!r}.")
    n_points = check_integer(n_points, "n_points")
    check_positive(tol, "tol")
    if radius is not None:
        radius = check_positive(radius, "radius")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Wrong formulas overflow and divide by zero; the report says so better.
        warnings.simplefilter("ignore", RuntimeWarning)
        report = ManifoldReport(
            manifold, _run(manifold, n_points, radius, tol, random_state)
        )
    if raise_on_failure and not report.passed:
        raise ManifoldCheckError(report)
    return report


def _run(manifold, n_points, radius, tol, random_state):
    try:
        samples = Samples.draw(manifold, n_points, radius, tol, random_state)
    except Exception as error:  # a user's code may raise anything
        return (_exception("sampling of points and tangent vectors", error),)
    results = []
    for name, check in PROPERTIES.items():
        try:
            value, bound, kind, detail = check(samples)
        except Exception as error:  # a user's code may raise anything
            results.append(_exception(name, error))
            continue
        passed = value >= bound if kind == "order" else value <= bound
        results.append(
            PropertyResult(name, bool(passed), float(value), float(bound), kind, detail)
        )
    return tuple(results)


def _exception(name, error):
    detail = f"{type(error).__name__}: {error}"
    return PropertyResult(name, False, np.nan, np.nan, "exception", detail)
