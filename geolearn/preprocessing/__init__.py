"""Transformers that move data between geometries."""

from geolearn.preprocessing._axial_coordinates import AxialCoordinates

__all__ = ["AxialCoordinates"]
