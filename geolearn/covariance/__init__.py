"""Classification of multichannel time series by their covariance matrices.

Trials (n_trials, n_channels, n_times) become symmetric positive definite matrices,
plain or augmented by delays, which are classified by their Riemannian geometry.
"""

from geolearn.covariance._augmented import AugmentedCovariances
from geolearn.covariance._covariances import Covariances

__all__ = ["AugmentedCovariances", "Covariances"]
