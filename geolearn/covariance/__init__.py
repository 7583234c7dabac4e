"""Classification of multichannel time series by their covariance matrices.

Trials (n_trials, n_channels, n_times) become symmetric positive definite matrices,
plain or augmented by delays, which are classified by their Riemannian geometry.
"""

__all__: list[str] = []
