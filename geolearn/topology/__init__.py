"""Persistent homology of small clouds, and singular points of data."""

__all__: list[str] = []
