"""Displays in the style of scikit-learn; matplotlib loads when one is drawn."""

from geolearn.plotting._embedding_display import EmbeddingDisplay
from geolearn.plotting._hyperbolic_display import HyperbolicDecisionDisplay

__all__ = ["EmbeddingDisplay", "HyperbolicDecisionDisplay"]
