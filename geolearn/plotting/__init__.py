"""Displays in the style of scikit-learn; matplotlib loads when one is drawn."""

from geolearn.plotting._embedding_display import EmbeddingDisplay

__all__ = ["EmbeddingDisplay"]
