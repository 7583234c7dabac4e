"""Maintainer scripts that rebuild the data files from their source packages."""
