"""Local dimension, effective rank and other health measures of a representation."""

from geolearn.diagnostics._local_dimension import (
    aggregate_dimension,
    local_intrinsic_dimension,
)

__all__ = ["aggregate_dimension", "local_intrinsic_dimension"]
