"""Manifolds: exponential, logarithm, transport, means, sampling, volume density.

All are vectorised over points, and keep their precision near coincident points,
near the cut locus and far out in hyperbolic space.
"""

from geolearn.manifolds import special
from geolearn.manifolds._check import (
    ManifoldCheckError,
    ManifoldReport,
    PropertyResult,
    check_manifold,
)
from geolearn.manifolds._mean import FrechetMean
from geolearn.manifolds._registry import get_manifold
from geolearn.manifolds.axial import axial_coordinates, from_axial_coordinates
from geolearn.manifolds.base import Manifold
from geolearn.manifolds.block_toeplitz import BlockToeplitz
from geolearn.manifolds.euclidean import Euclidean
from geolearn.manifolds.grassmann import Grassmann
from geolearn.manifolds.hyperboloid import Hyperboloid
from geolearn.manifolds.klein import KleinBall, convert_hyperbolic
from geolearn.manifolds.planar_shapes import PlanarShapes
from geolearn.manifolds.poincare import (
    PoincareBall,
    hyperboloid_to_poincare,
    poincare_to_hyperboloid,
)
from geolearn.manifolds.product import ProductManifold
from geolearn.manifolds.siegel import SiegelBall
from geolearn.manifolds.spd import SPD
from geolearn.manifolds.special_orthogonal import SpecialOrthogonal
from geolearn.manifolds.sphere import Sphere
from geolearn.manifolds.stiefel import Stiefel
from geolearn.manifolds.torus import Torus
from geolearn.manifolds.wrapped_normal import WrappedNormal

__all__ = [
    "SPD",
    "BlockToeplitz",
    "Euclidean",
    "FrechetMean",
    "Grassmann",
    "Hyperboloid",
    "KleinBall",
    "Manifold",
    "ManifoldCheckError",
    "ManifoldReport",
    "PlanarShapes",
    "PoincareBall",
    "ProductManifold",
    "PropertyResult",
    "SiegelBall",
    "SpecialOrthogonal",
    "Sphere",
    "Stiefel",
    "Torus",
    "WrappedNormal",
    "axial_coordinates",
    "check_manifold",
    "convert_hyperbolic",
    "from_axial_coordinates",
    "get_manifold",
    "hyperboloid_to_poincare",
    "poincare_to_hyperboloid",
    "special",
]
