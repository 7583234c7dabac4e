"""Displays in the style of scikit-learn; matplotlib loads when one is drawn."""

from geolearn.plotting._embedding_display import EmbeddingDisplay
from geolearn.plotting._hyperbolic_display import HyperbolicDecisionDisplay
from geolearn.plotting._poincare_display import PoincareDisplay
from geolearn.plotting._sphere_display import SphereDisplay

__all__ = [
    "EmbeddingDisplay",
    "HyperbolicDecisionDisplay",
    "PoincareDisplay",
    "SphereDisplay",
]
