"""Batched linear algebra of many small symmetric matrices.

LAPACK is called once a matrix and spends its time on calls when matrices are
small. The functions here take stacks of matrices and work on several at a time.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geolearn.linalg._stacks import (
        cholesky,
        congruence,
        eigh,
        eigvalsh,
        recompose,
        triangular_inverse,
    )

__all__ = [
    "cholesky",
    "congruence",
    "eigh",
    "eigvalsh",
    "recompose",
    "triangular_inverse",
]


def __getattr__(name):
    # Late: manifolds refer to this module, and importing them loads no compiler.
    if name in __all__:
        return getattr(import_module("geolearn.linalg._stacks"), name)
    raise AttributeError(f"module 'geolearn.linalg' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
