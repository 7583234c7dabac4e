"""Local dimension, effective rank and other health measures of a representation."""

__all__: list[str] = []
