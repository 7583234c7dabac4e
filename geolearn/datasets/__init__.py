"""Generators with known truth, and small real data sets that ship with geolearn."""

from geolearn.datasets._autoregressive import make_autoregressive_trials
from geolearn.datasets._basic_motions import load_basic_motions
from geolearn.datasets._cities import load_cities
from geolearn.datasets._emg import load_emg_gestures
from geolearn.datasets._hands import load_hand_shapes
from geolearn.datasets._hyperbolic_mixture import make_wrapped_normal_mixture
from geolearn.datasets._hyperbolic_product import make_product_mixture
from geolearn.datasets._rolls import make_clustered_roll, make_swiss_roll
from geolearn.datasets._tree import make_branching_tree

__all__ = [
    "load_basic_motions",
    "load_cities",
    "load_emg_gestures",
    "load_hand_shapes",
    "make_autoregressive_trials",
    "make_branching_tree",
    "make_clustered_roll",
    "make_product_mixture",
    "make_swiss_roll",
    "make_wrapped_normal_mixture",
]
