"""The report of all diagnostics."""

import math
import pickle

import numpy as np
import pytest

from geolearn import diagnostics
from geolearn.diagnostics import RepresentationReport

RNG = np.random.default_rng(0)
Y = np.repeat([0, 1, 2], 60)
Z = RNG.normal(size=(180, 4)) @ RNG.normal(size=(4, 30)) + 3.0 * np.eye(3, 30)[Y]


@pytest.fixture(scope="module")
def report():
    return RepresentationReport(Z, Y, n_neighbors=20, random_state=0)


def test_values_are_those_of_the_functions(report):
    shuffled = Z[np.random.RandomState(0).permutation(180)]
    dimensions = diagnostics.local_intrinsic_dimension(shuffled, n_neighbors=20)
    mean = diagnostics.aggregate_dimension(dimensions)
    collapse = diagnostics.neural_collapse(Z, Y)
    curvature = diagnostics.second_order_curvature(shuffled, intrinsic_dim=round(mean))
    expected = {
        "repeated_share": 0.0,
        "local_dimension": mean,
        "local_dimension_spread": np.exp(np.std(np.log(dimensions))),
        "two_nn_dimension": diagnostics.two_nn_dimension(Z),
        "local_pca_dimension": diagnostics.local_pca_dimension(
            Z, n_neighbors=20
        ).mean(),
        "rankme": diagnostics.rankme(Z),
        "rankme_eigenvalues": diagnostics.rankme(
            Z, centered=True, spectrum_of="eigenvalues"
        ),
        "participation_ratio": diagnostics.participation_ratio(Z),
        "mst_uniformity": diagnostics.mst_uniformity(Z, intrinsic_dim=mean),
        "curvature_mean": np.median(curvature.mean_absolute),
        "curvature_max_normal": np.median(curvature.max_normal),
        "curvature_norm": np.median(curvature.norm),
        "collapse_within_class": collapse.within_class,
        "collapse_unequal_norms": collapse.unequal_norms,
        "collapse_unequal_angles": collapse.unequal_angles,
        "centroid_nuclear_norm": diagnostics.centroid_nuclear_norm(
            Z, Y, normalize=True
        ),
        "manifold_capacity": diagnostics.manifold_capacity(Z, Y).capacity,
    }
    for name, value in expected.items():
        assert report[name] == pytest.approx(value, rel=1e-9), name
    names = {entry.name for entry in report.diagnostics}
    assert names - set(expected) == {"alpha_req", "feature_split_stability"}


def test_warnings_become_notes(report):
    notes = {entry.name: entry.note for entry in report.diagnostics}
    assert "fewer than 2 of the 6 eigenvalues" in notes["alpha_req"]
    assert notes["rankme"] == ""


def test_every_missing_value_has_a_reason():
    small = RepresentationReport([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], random_state=0)
    assert small["repeated_share"] == pytest.approx(1 / 3)
    assert "needs y" in small.to_dict()["collapse_within_class"]["note"]
    for tables in (small, RepresentationReport(np.ones((5, 3)), [0, 0, 1, 1, 1])):
        for entry in tables.diagnostics:
            assert np.isfinite(entry.value) or entry.note, entry.name
            assert entry.reading
    wide = RepresentationReport(RNG.normal(size=(150, 40)), random_state=0)
    assert "call second_order_curvature" in wide.to_dict()["curvature_norm"]["note"]


def test_few_rows_and_missing_classes():
    few = RepresentationReport(Z[:20, :3], [None, *"ab" * 9, "a"], random_state=0)
    assert np.isfinite(few["curvature_norm"])
    assert "y[0]=None is no class" in few.to_dict()["manifold_capacity"]["note"]
    tiny = RepresentationReport(1e-300 * Z[:20, :3], intrinsic_dim=2, random_state=0)
    notes = " ".join(entry.note for entry in tiny.diagnostics)
    assert "underflow" in notes
    assert "slice" not in notes  # of arrays without a number


def test_frames_dictionaries_and_text(report):
    frame = report.to_frame()
    assert frame.columns.tolist() == ["value", "reading", "note"]
    assert frame.index.tolist() == [entry.name for entry in report.diagnostics]
    assert frame.loc["rankme", "value"] == report["rankme"]
    table = report.to_dict()
    assert table["rankme"]["value"] == report["rankme"]
    text = repr(report)
    assert text.startswith("RepresentationReport of 180 rows, 30 features")
    assert max(map(len, text.splitlines())) <= 88
    for entry in report.diagnostics:
        assert f"\n{entry.name} " in text
        assert math.isnan(entry.value) or f"{entry.value:.4g}" in text
    assert repr(pickle.loads(pickle.dumps(report))) == text
    with pytest.raises(KeyError, match="'rank' is no diagnostic"):
        report["rank"]


def test_rows_are_sampled_and_seeds_repeat():
    options = {"n_neighbors": 10, "max_samples": 60, "random_state": 1}
    one = RepresentationReport(Z, **options)
    two = RepresentationReport(Z, n_jobs=2, **options)
    np.testing.assert_array_equal(one.to_frame()["value"], two.to_frame()["value"])
    full = RepresentationReport(Z, n_neighbors=10, random_state=1)
    assert one["rankme"] == full["rankme"]
    assert one["two_nn_dimension"] != full["two_nn_dimension"]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        RepresentationReport([[np.nan, 1.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="inconsistent"):
        RepresentationReport(Z, Y[1:])
    with pytest.raises(ValueError, match="n_neighbors must be"):
        RepresentationReport(Z, n_neighbors=1)
    with pytest.raises(ValueError, match="intrinsic_dim must be"):
        RepresentationReport(Z, intrinsic_dim=0)
