"""Classification of multichannel time series by their covariance matrices.

Trials (n_trials, n_channels, n_times) become symmetric positive definite matrices,
plain or augmented by delays, which are classified by their Riemannian geometry.
"""

from geolearn.covariance._augmented import AugmentedCovariances
from geolearn.covariance._autocorrelation import autocorrelation
from geolearn.covariance._cao import cao_statistic
from geolearn.covariance._covariances import Covariances
from geolearn.covariance._delay_embedding import DelayEmbedding
from geolearn.covariance._delays import DelayChoice, select_delays
from geolearn.covariance._mdop import MDOPDelays, mdop
from geolearn.covariance._mutual_information import mutual_information

__all__ = [
    "AugmentedCovariances",
    "Covariances",
    "DelayChoice",
    "DelayEmbedding",
    "MDOPDelays",
    "autocorrelation",
    "cao_statistic",
    "mdop",
    "mutual_information",
    "select_delays",
]
