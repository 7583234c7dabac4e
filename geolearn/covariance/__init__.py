"""Classification of multichannel time series by their covariance matrices.

Trials (n_trials, n_channels, n_times) become symmetric positive definite matrices,
plain or augmented by delays, which are classified by their Riemannian geometry.
"""

from geolearn.covariance._aligner import SPDAligner
from geolearn.covariance._augmentation_grid import augmentation_grid
from geolearn.covariance._augmented import AugmentedCovariances
from geolearn.covariance._autocorrelation import autocorrelation
from geolearn.covariance._cao import cao_statistic
from geolearn.covariance._covariances import Covariances
from geolearn.covariance._delay_embedding import DelayEmbedding
from geolearn.covariance._delays import DelayChoice, select_delays
from geolearn.covariance._fgmdm import FgMDM
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
    "mdop",
    "mutual_information",
    "select_delays",
]
