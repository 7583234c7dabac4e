"""Time and memory of geolearn as its data grow."""
