"""Generators with known truth, and small real data sets that ship with geolearn."""

from geolearn.datasets._autoregressive import make_autoregressive_trials
from geolearn.datasets._basic_motions import load_basic_motions
from geolearn.datasets._cities import load_cities
from geolearn.datasets._emg import load_emg_gestures
from geolearn.datasets._hands import load_hand_shapes
from geolearn.datasets._hyperbolic_mixture import make_wrapped_normal_mixture
from geolearn.datasets._hyperbolic_product import make_product_mixture
from geolearn.datasets._noisy_sphere import make_noisy_sphere
from geolearn.datasets._pinched import make_crossing_planes, make_pinched_torus
from geolearn.datasets._rolls import make_clustered_roll, make_swiss_roll
from geolearn.datasets._rotated_digit import make_rotated_digit
from geolearn.datasets._s_surface import make_s_surface
from geolearn.datasets._scan import make_scan
from geolearn.datasets._tree import make_branching_tree
from geolearn.datasets._wedges import make_circle_and_sphere, make_wedged_spheres

__all__ = [
    "load_basic_motions",
    "load_cities",
    "load_emg_gestures",
    "load_hand_shapes",
    "make_autoregressive_trials",
    "make_branching_tree",
    "make_circle_and_sphere",
    "make_clustered_roll",
    "make_crossing_planes",
    "make_noisy_sphere",
    "make_pinched_torus",
    "make_product_mixture",
    "make_rotated_digit",
    "make_s_surface",
    "make_scan",
    "make_swiss_roll",
    "make_wedged_spheres",
    "make_wrapped_normal_mixture",
]
