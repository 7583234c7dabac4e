"""Validation and the few helpers that every layer shares."""

__all__: list[str] = []
