import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geolearn.datasets import make_autoregressive_trials

# First samples of the benchmark, by a separate script that filters in float64.
GOLDEN = [-0.25693223, -1.8546529, 0.6216819, -1.6812669]


def reference(seed, n_trials, n_channels, n_times, angles, radius, burn_in):
    """Make the same trials, sample by sample."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((n_channels, n_channels)) + 2.0 * np.eye(n_channels)
    X = []
    for angle in angles:
        phi_1, phi_2 = 2.0 * radius * np.cos(angle), -(radius**2)
        # Yule-Walker: variance of the process for innovations of variance 1.
        rho_1 = phi_1 / (1.0 - phi_2)
        rho_2 = phi_1 * rho_1 + phi_2
        variance = 1.0 / (1.0 - phi_1 * rho_1 - phi_2 * rho_2)
        noise = rng.standard_normal((n_trials, n_channels, burn_in + n_times))
        noise /= np.sqrt(variance)
        s = np.zeros_like(noise)
        for t in range(burn_in + n_times):
            s[..., t] = noise[..., t]
            if t >= 1:
                s[..., t] += phi_1 * s[..., t - 1]
            if t >= 2:
                s[..., t] += phi_2 * s[..., t - 2]
        X.append(np.einsum("ij,njt->nit", mixing, s[..., burn_in:]))
    return np.concatenate(X)


def test_golden_numbers():
    X, y = make_autoregressive_trials(random_state=0)
    assert X.shape == (200, 4, 120)
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    assert_allclose(X[0, :, 0], GOLDEN, rtol=1e-6)  # float32
    assert_array_equal(y, np.repeat([0, 1], 100))


@pytest.mark.parametrize("burn_in", [0, 1, 17])
def test_reference(burn_in):
    options = {"angles": (0.3, 1.0, 2.5), "radius": 0.6, "burn_in": burn_in}
    X, y = make_autoregressive_trials(5, 3, 20, random_state=7, **options)
    expected = reference(7, 5, 3, 20, **options)
    # float32 keeps 24 bits of the largest term of the mixture.
    assert_allclose(X, expected, rtol=1e-6, atol=1e-6)
    assert_array_equal(np.bincount(y), [5, 5, 5])


def test_classes_have_one_covariance_and_their_own_delays():
    trials = make_autoregressive_trials(400, 3, 200, random_state=1, return_X_y=False)
    unmixed = np.linalg.inv(trials.mixing) @ trials.X
    for c, (phi_1, phi_2) in enumerate(trials.coefficients):
        sources = unmixed[trials.y == c]
        lagged = np.mean(sources[..., 1:] * sources[..., :-1], axis=(0, 2))
        # 80 000 correlated samples: five standard errors are below 0.05.
        covariance = np.einsum("nit,njt->ij", sources, sources) / (400 * 200)
        assert_allclose(covariance, np.eye(3), atol=0.05)
        assert_allclose(lagged, phi_1 / (1.0 - phi_2), atol=0.05)
    assert set(trials) == {"X", "y", "mixing", "coefficients", "noise_scale"}
    assert_allclose(trials.coefficients[:, 1], -0.64)


def test_radius_zero_is_white_noise():
    trials = make_autoregressive_trials(2, radius=0.0, random_state=0, return_X_y=False)
    assert_allclose(trials.coefficients, 0.0)
    assert_allclose(trials.noise_scale, 1.0)


def test_random_state_kinds():
    X, _ = make_autoregressive_trials(3, random_state=5)
    again, _ = make_autoregressive_trials(3, random_state=np.random.default_rng(5))
    numpy_int, _ = make_autoregressive_trials(3, random_state=np.int64(5))
    assert_array_equal(X, again)
    assert_array_equal(X, numpy_int)
    legacy = [
        make_autoregressive_trials(3, random_state=np.random.RandomState(5))[0]
        for _ in range(2)
    ]
    assert_array_equal(*legacy)
    free = [make_autoregressive_trials(3)[0] for _ in range(2)]
    assert not np.allclose(*free)


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"n_trials_per_class": 0}, ValueError),
        ({"n_trials_per_class": 2.0}, TypeError),
        ({"n_channels": 0}, ValueError),
        ({"n_times": 0}, ValueError),
        ({"burn_in": -1}, ValueError),
        ({"radius": 1.0}, ValueError),
        ({"radius": -0.1}, ValueError),
        ({"radius": np.nan}, ValueError),
        ({"angles": ()}, ValueError),
        ({"angles": (0.0, 1.0)}, ValueError),
        ({"angles": (1.0, np.pi)}, ValueError),
        ({"angles": (1.0, np.nan)}, ValueError),
        ({"angles": 1.0}, ValueError),
        ({"angles": "low"}, TypeError),
        ({"random_state": "seed"}, ValueError),
    ],
)
def test_errors(kwargs, error):
    with pytest.raises(error, match=next(iter(kwargs))):
        make_autoregressive_trials(**kwargs)
