"""Data analysis and manifold learning on curved spaces, with the scikit-learn API.

Submodules load when first used, so that ``import geolearn`` costs milliseconds.
"""

from importlib import import_module

from geolearn._version import __version__

_SUBMODULES = (
    "covariance",
    "datasets",
    "decomposition",
    "diagnostics",
    "embedding",
    "ensemble",
    "graph",
    "linalg",
    "linear_model",
    "manifolds",
    "metrics",
    "optimize",
    "plotting",
    "preprocessing",
    "topology",
    "tree",
    "utils",
)

__all__ = ["__version__", *_SUBMODULES]


def __getattr__(name):
    if name in _SUBMODULES:
        return import_module(f"geolearn.{name}")
    raise AttributeError(f"module 'geolearn' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
