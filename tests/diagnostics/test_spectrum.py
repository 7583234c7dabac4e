"""Effective ranks and the decay of the spectrum."""

import numpy as np
import pytest
from scipy.linalg import svdvals

from geolearn.diagnostics import _spectrum, alpha_req, participation_ratio, rankme

STEP = np.diag([4.0, 3.0, 2.0, 1.0])


def with_eigenvalues(values):
    """Return a table whose uncentred covariance has eigenvalues in these ratios."""
    n = len(values)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
    return np.diag(np.sqrt(values)) @ rotation


def test_worked_numbers():
    assert rankme(np.diag([3.0, 1.0])) == pytest.approx(1.75477, abs=1e-5)
    assert rankme(STEP) == pytest.approx(3.5961, abs=5e-5)
    eigenvalues = rankme(STEP, spectrum_of="eigenvalues")
    assert eigenvalues == pytest.approx(2.9402, abs=5e-5)
    participation = participation_ratio(np.diag([3.0, 1.0]), centered=False)
    assert participation == pytest.approx(100 / 82, rel=1e-14)
    isotropic = np.linalg.qr(np.random.default_rng(0).normal(size=(200, 32)))[0]
    assert rankme(isotropic) == pytest.approx(32.0003, abs=5e-5)
    assert rankme(isotropic, epsilon=0.0) == pytest.approx(32.0, rel=1e-12)


def test_decay_of_a_power_law_is_exact():
    Z = with_eigenvalues(np.arange(1.0, 151.0) ** -1.3)
    for options in ({}, {"weights": "uniform"}, {"ranks": (11, 50)}):
        assert alpha_req(Z, centered=False, **options) == pytest.approx(1.3, rel=1e-11)


def test_decay_of_a_broken_power_law():
    j = np.arange(1.0, 151.0)
    Z = with_eigenvalues(np.where(j <= 20, 1 / j, 20 / j**2))
    assert alpha_req(Z, centered=False) == pytest.approx(1.584, abs=5e-4)
    uniform = alpha_req(Z, centered=False, weights="uniform")
    assert uniform == pytest.approx(1.751, abs=5e-4)


@pytest.mark.parametrize("shape", [(300, 7), (7, 300), (2500, 20), (20, 2500)])
@pytest.mark.parametrize("centered", [False, True])
def test_singular_values_of_any_shape(shape, centered):
    Z = np.random.default_rng(0).normal(size=shape) @ np.diag(
        0.9 ** np.arange(float(shape[1]))
    )
    Z += 3.0
    expected = svdvals(Z - Z.mean(axis=0) if centered else Z)
    found = _spectrum.spectrum(Z, centered=centered)
    np.testing.assert_allclose(
        found.values, expected / expected[0], rtol=1e-9, atol=1e-13
    )


def test_small_eigenvalues_survive_the_blocks():
    values = 10.0 ** -np.arange(0.0, 24.0, 2.0)
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.normal(size=(5000, 12)))[0]
    V = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    alpha = alpha_req(U * np.sqrt(values) @ V.T, centered=False, ranks=(1, 12))
    expected = alpha_req(np.diag(np.sqrt(values)), centered=False, ranks=(1, 12))
    assert alpha == pytest.approx(expected, rel=1e-6)


def test_large_tables_use_the_leading_values(monkeypatch):
    rng = np.random.default_rng(0)
    # 30 strong directions over a flat floor.
    strengths = np.where(np.arange(100) < 30, 0.9 ** np.arange(100), 0.01)
    U = np.linalg.qr(rng.normal(size=(150, 100)))[0]
    V = np.linalg.qr(rng.normal(size=(100, 100)))[0]
    Z = U * strengths @ V.T
    exact = [f(Z, centered=False) for f in (rankme, participation_ratio)]
    monkeypatch.setattr(_spectrum, "MAX_EXACT", 50)
    monkeypatch.setattr(_spectrum, "N_LEADING", 40)
    for function, expected in zip((rankme, participation_ratio), exact, strict=True):
        found = function(Z, centered=False, random_state=0)
        assert found == pytest.approx(expected, rel=2e-3)
        assert found == function(Z, centered=False, random_state=0)
    with pytest.warns(UserWarning, match="40 eigenvalues"):
        alpha_req(Z, centered=False, random_state=0)


@pytest.mark.parametrize("unit", [1e-160, 1e-15, 1e15, 1e160])
def test_units_and_rotations_do_not_matter(unit):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(60, 25)) * 0.8 ** np.arange(25.0)
    rotated = unit * Z @ np.linalg.qr(rng.normal(size=(25, 25)))[0]
    for function in (rankme, participation_ratio):
        assert function(rotated) == pytest.approx(function(Z), rel=1e-9)
    options = {"ranks": (2, 20)}
    assert alpha_req(rotated, **options) == pytest.approx(
        alpha_req(Z, **options), rel=1e-9
    )


def test_centering_removes_the_mean():
    Z = np.random.default_rng(0).normal(size=(100, 6))
    for function in (rankme, participation_ratio):
        there, here = function(Z + 50.0, centered=True), function(Z, centered=True)
        assert there == pytest.approx(here, rel=1e-9)
        assert function(Z + 50.0, centered=False) < 1.5


def test_short_spectra_warn():
    Z = np.random.default_rng(0).normal(size=(40, 30))
    with pytest.warns(UserWarning, match=r"30 eigenvalues .* shortened to \(6, 30\)"):
        alpha_req(Z)
    with pytest.warns(UserWarning, match="alpha rests on 5 eigenvalues only") as caught:
        alpha_req(Z, ranks=(6, 10))
    assert len(caught) == 1


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="all entries are 0"):
        rankme(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="all rows are equal"):
        participation_ratio(np.full((5, 2), 1 / 3))
    with pytest.raises(ValueError, match="fewer than 2 of the 2 eigenvalues"):
        alpha_req(np.diag([2.0, 1.0]), centered=False)
    with pytest.raises(ValueError, match="ranks must be two ints"):
        alpha_req(STEP, ranks=(5, 5))
    with pytest.raises(ValueError, match="ranks must be two ints"):
        alpha_req(STEP, ranks=(True, 5))
    for function in (rankme, participation_ratio, alpha_req):
        with pytest.raises(ValueError, match="centered must be True or False"):
            function(STEP, centered="no")
    with pytest.raises(ValueError, match="weights='flat' is unknown"):
        alpha_req(STEP, weights="flat")
    with pytest.raises(ValueError, match="spectrum_of='values' is unknown"):
        rankme(STEP, spectrum_of="values")
    with pytest.raises(ValueError, match="epsilon must be a number"):
        rankme(STEP, epsilon=-1.0)
    with pytest.raises(ValueError, match="NaN"):
        rankme([[1.0, np.nan], [0.0, 1.0]])
