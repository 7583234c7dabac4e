"""Names of the metrics of SPD matrices."""

__all__ = ["ALIASES", "EXPONENTIAL", "HESSIAN", "MEAN", "METRICS", "canonical_name"]

METRICS = (
    "affine_invariant",
    "bogoliubov_kubo_mori",
    "bures_wasserstein",
    "cholesky",
    "euclidean",
    "harmonic",
    "jeffreys",
    "kullback_leibler",
    "kullback_leibler_reversed",
    "log_cholesky",
    "log_euclidean",
    "polar_affine",
    "power_euclidean",
    "stein",
    "thompson",
)
ALIASES = {
    "airm": "affine_invariant",
    "bkm": "bogoliubov_kubo_mori",
    "bures": "bures_wasserstein",
    "chol": "cholesky",
    "euclid": "euclidean",
    "kullback": "kullback_leibler",
    "kullback_right": "kullback_leibler_reversed",
    "kullback_sym": "jeffreys",
    "logchol": "log_cholesky",
    "logdet": "stein",
    "logeuclid": "log_euclidean",
    "poweuclid": "power_euclidean",
    "riemann": "affine_invariant",
    "wasserstein": "bures_wasserstein",
}
# What the error messages recommend.
EXPONENTIAL = "affine_invariant, log_euclidean, log_cholesky, bures_wasserstein"
HESSIAN = "affine_invariant, log_euclidean, log_cholesky, euclidean"
MEAN = "affine_invariant, log_euclidean, log_cholesky, bures_wasserstein, stein"


def canonical_name(metric):
    """Return the name that a name or alias stands for."""
    if not isinstance(metric, str):
        raise TypeError(f"metric must be the name of an SPD metric, got {metric!r}.")
    name = metric.replace("-", "_")
    name = ALIASES.get(name, name)
    if name not in METRICS:
        raise ValueError(
            f"metric={metric!r} is not a metric of SPD matrices; known names are "
            f"{', '.join(METRICS)}, and the aliases {', '.join(sorted(ALIASES))}."
        )
    return name
