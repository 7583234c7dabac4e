"""Batched linear algebra of many small symmetric matrices.

LAPACK is called once a matrix and spends its time on calls when matrices are
small. The functions here take stacks of matrices and work on several at a time.
"""

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
