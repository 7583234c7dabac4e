"""Displays in the style of scikit-learn; matplotlib loads when one is drawn."""

from geolearn.plotting._embedding_display import EmbeddingDisplay
from geolearn.plotting._hyperbolic_display import HyperbolicDecisionDisplay
from geolearn.plotting._poincare_display import PoincareDisplay
from geolearn.plotting._profile_display import EuclidicityProfileDisplay
from geolearn.plotting._singularity_display import SingularityDisplay
from geolearn.plotting._sphere_display import SphereDisplay
from geolearn.plotting._subbundle_display import SubbundleDisplay

__all__ = [
    "EmbeddingDisplay",
    "EuclidicityProfileDisplay",
    "HyperbolicDecisionDisplay",
    "PoincareDisplay",
    "SingularityDisplay",
    "SphereDisplay",
    "SubbundleDisplay",
]
