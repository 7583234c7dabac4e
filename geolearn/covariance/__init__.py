"""Classification of multichannel time series by their covariance matrices.

Trials (n_trials, n_channels, n_times) become symmetric positive definite matrices,
plain or augmented by delays, which are classified by their Riemannian geometry.
"""

from geolearn.covariance._aligner import SPDAligner
from geolearn.covariance._augmentation_grid import augmentation_grid
from geolearn.covariance._augmented import AugmentedCovariances
from geolearn.covariance._augmented_classifier import AugmentedCovarianceClassifier
from geolearn.covariance._autocorrelation import autocorrelation
from geolearn.covariance._cao import cao_statistic
from geolearn.covariance._covariances import Covariances
from geolearn.covariance._delay_embedding import DelayEmbedding
from geolearn.covariance._delays import DelayChoice, select_delays
from geolearn.covariance._fgmdm import FgMDM
from geolearn.covariance._functions import (
    is_spd,
    nearest_spd,
    spd_distance,
    spd_exp,
    spd_geodesic,
    spd_inner,
    spd_kernel,
    spd_log,
    spd_mean,
    spd_pairwise_distances,
    spd_tangent,
    spd_transport,
    spd_untangent,
)
from geolearn.covariance._mdm import MDM
from geolearn.covariance._mdop import MDOPDelays, mdop
from geolearn.covariance._mutual_information import mutual_information
from geolearn.covariance._neighbors import SPDKNeighborsClassifier
from geolearn.covariance._normalizer import SPDNormalizer
from geolearn.covariance._potato import Potato
from geolearn.covariance._svc import RiemannianSVC
from geolearn.covariance._tangent_space import TangentSpace

__all__ = [
    "MDM",
    "AugmentedCovarianceClassifier",
    "AugmentedCovariances",
    "Covariances",
    "DelayChoice",
    "DelayEmbedding",
    "FgMDM",
    "MDOPDelays",
    "Potato",
    "RiemannianSVC",
    "SPDAligner",
    "SPDKNeighborsClassifier",
    "SPDNormalizer",
    "TangentSpace",
    "augmentation_grid",
    "autocorrelation",
    "cao_statistic",
    "is_spd",
    "mdop",
    "mutual_information",
    "nearest_spd",
    "select_delays",
    "spd_distance",
    "spd_exp",
    "spd_geodesic",
    "spd_inner",
    "spd_kernel",
    "spd_log",
    "spd_mean",
    "spd_pairwise_distances",
    "spd_tangent",
    "spd_transport",
    "spd_untangent",
]
