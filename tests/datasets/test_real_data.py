"""The data files that ship: content, licences, and the loaders."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils import Bunch

from geolearn.datasets import (
    load_basic_motions,
    load_cities,
    load_emg_gestures,
    load_hand_shapes,
)
from geolearn.datasets._hands import _front_views
from geolearn.manifolds import PlanarShapes
from tests.source import PACKAGE

DATA = PACKAGE / "datasets" / "data"
MAX_BYTES = 2_000_000

# sha256 of the arrays as loaded, C order, little endian: the windows were compared
# with those cut from emg.csv by an independent script, the trials with the .ts files.
DIGESTS = {
    "emg": "63f1c25f36edb9ca286f7dd6593df40ed05df0fc87ff979af604a3918b7015fc",
    "cities": "d6e5e8b43f04b82f81a4507141393d0828ee02828d979f6dd1dfc95bbd3f8a24",
    "hands": "e44e196c7686b9b4391dec984030650726314fcf660388bdb7578579f91c7ea8",
    "motions": "ce657471aaa20b4105170429e2763b72b713726f21d6bcdce31302a22dffcdb1",
}


def digest(*arrays):
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def test_every_data_file_has_a_notice_and_a_description():
    notice = (DATA / "NOTICE").read_text(encoding="utf-8")
    arrays = sorted(DATA.glob("*.npz"))
    assert len(arrays) == 4
    for path in arrays:
        assert path.name in notice
        assert path.with_suffix(".rst").exists()
    assert "Permission is hereby granted" in notice
    assert "BSD 3-Clause License" in notice
    assert sum(path.stat().st_size for path in arrays) < MAX_BYTES


def test_emg_content():
    emg = load_emg_gestures()
    assert isinstance(emg, Bunch)
    assert emg.data.shape == (1140, 8, 300)
    assert emg.data.dtype == np.float64
    assert emg.data.flags.c_contiguous
    assert emg.data.flags.writeable
    assert_array_equal(emg.data, np.round(emg.data))
    assert list(emg.target_names) == ["ok", "paper", "rest", "rock", "scissors"]
    for name in ("mg_s1", "mg_s2"):
        assert_array_equal(np.bincount(emg.target[emg.session == name]), 5 * [114])
    assert_array_equal(np.unique(emg.subject), ["mg"])
    # 30 runs a session, 19 windows a run, one gesture a run.
    runs, counts = np.unique(emg.run, return_counts=True)
    assert_array_equal(runs, np.arange(60))
    assert_array_equal(counts, 19)
    assert all(np.unique(emg.target[emg.run == run]).size == 1 for run in runs)
    # Row 100 of the table: 100 samples into the first run, which is rest.
    assert emg.target_names[emg.target[0]] == "rest"
    assert digest(emg.data.astype("<i2"), emg.target.astype("<i2")) == DIGESTS["emg"]
    assert "MIT" in emg.DESCR


def test_emg_choices():
    emg = load_emg_gestures()
    X, y = load_emg_gestures(session="mg_s2", return_X_y=True)
    assert_array_equal(X, emg.data[emg.session == "mg_s2"])
    assert_array_equal(y, emg.target[570:])
    X[:] = 0.0  # a copy: the next call is not touched
    assert load_emg_gestures(session="mg_s2").data.any()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"subject": "xy"}, "subject='xy'"),
        ({"subject": "rr"}, "table="),
        ({"subject": None}, "table="),
        ({"session": "rr_s1"}, "session='rr_s1'.*mg_s1"),
        ({"session": 1}, "session=1"),
    ],
)
def test_emg_errors(options, match):
    with pytest.raises(ValueError, match=match):
        load_emg_gestures(**options)


def small_table(path):
    """Write a table of two subjects: runs of 801, 800, 450 and 449 samples."""
    rng = np.random.default_rng(0)
    runs = (("rest", "mg_s1", 801), ("ok", "mg_s1", 750), ("ok", "mg_s2", 450))
    runs = (*runs, ("rock", "rr_s1", 449))
    readings, lines = [], ["time,c0,c1,c2,c3,c4,c5,c6,c7,label,exp"]
    for gesture, session, size in runs:
        block = rng.integers(0, 256, (size, 8))
        readings.append(block)
        lines += [f"7,{','.join(map(str, row))},{gesture},{session}" for row in block]
    path.write_text("\n".join(lines) + "\n")
    return readings


def test_windows_are_cut_by_the_protocol(tmp_path):
    # 750 samples = 100 skipped + 2 windows + 50 left; one fewer than 450: none.
    readings = small_table(tmp_path / "emg.csv")
    emg = load_emg_gestures(subject=None, table=tmp_path / "emg.csv")
    expected = [
        readings[run][start : start + 300].T - 128.0
        for run, start in ((0, 100), (0, 400), (1, 100), (1, 400), (2, 100))
    ]
    assert_array_equal(emg.data, expected)
    assert_array_equal(emg.run, [0, 0, 1, 1, 2])
    assert_array_equal(emg.target_names[emg.target], ["rest"] * 2 + ["ok"] * 3)
    assert_array_equal(emg.session, ["mg_s1"] * 4 + ["mg_s2"])
    X, y = load_emg_gestures(
        session="mg_s2", table=tmp_path / "emg.csv", return_X_y=True
    )
    assert_array_equal(X, expected[4:])
    assert_array_equal(y, [0])


def test_wrong_table_is_an_error(tmp_path):
    path = tmp_path / "emg.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"is not emg\.csv"):
        load_emg_gestures(table=path)


def test_basic_motions_content():
    motions = load_basic_motions()
    assert motions.data.shape == (80, 6, 100)
    assert motions.data.dtype == np.float64
    assert motions.data.flags.writeable
    assert_array_equal(
        motions.target_names, ["Badminton", "Running", "Standing", "Walking"]
    )
    assert_array_equal(np.bincount(motions.target[:40]), 4 * [10])
    assert_array_equal(np.bincount(motions.target[40:]), 4 * [10])
    # First numbers of BasicMotions_TRAIN.ts, exact as parsed by float().
    assert motions.target_names[motions.target[0]] == "Standing"
    assert motions.data[0, 0, :4].tolist() == [0.079106, 0.079106, -0.903497, 1.116125]
    found = digest(motions.data.astype("<f8"), motions.target.astype("<i2"))
    assert found == DIGESTS["motions"]
    assert len(motions.feature_names) == 6
    assert "arXiv:1811.00075" in motions.DESCR


def test_basic_motions_subsets():
    motions = load_basic_motions()
    for subset, part in (("train", slice(0, 40)), ("test", slice(40, 80))):
        half = load_basic_motions(subset=subset)
        assert_array_equal(half.data, motions.data[part])
        assert_array_equal(half.target, motions.target[part])
        assert_array_equal(half.subset, [subset] * 40)
    X, y = load_basic_motions(return_X_y=True)
    assert_array_equal(X, motions.data)
    assert_array_equal(y, motions.target)
    with pytest.raises(ValueError, match="subset='valid'"):
        load_basic_motions(subset="valid")


def test_loaders_import_no_pandas(fresh_python):
    code = """
import sys
sys.modules["pandas"] = None  # any import of it fails
from geolearn.datasets._files import read_arrays
print(read_arrays("emg_gestures")["data"].shape)
"""
    assert fresh_python(code) == "(8, 1140, 300)"


@pytest.mark.parametrize(
    ("package", "script"),
    [
        ("geomstats", "emg_gestures"),
        ("aeon", "basic_motions"),
        ("geomstats", "cities"),
        ("geomstats", "hand_shapes"),
    ],
)
def test_build_scripts_make_the_shipped_files(package, script):
    try:
        distribution(package)
    except PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    build = pytest.importorskip(f"geolearn.datasets._build.{script}").build
    with np.load(DATA / f"{script}.npz") as shipped:
        for key, value in build().items():
            assert_array_equal(value, shipped[key])


def test_cities():
    cities = load_cities()
    assert cities.data.shape == (50, 3)
    np.testing.assert_allclose(np.linalg.norm(cities.data, axis=1), 1.0, rtol=1e-15)
    assert (np.diff(cities.population) <= 0).all()
    london = list(cities.names).index("London")
    assert cities.countries[london] == "United Kingdom"
    assert (cities.longitude[london], cities.latitude[london]) == (-0.1167, 51.5)
    angles = np.radians([cities.longitude, cities.latitude])
    x, y, z = cities.data.T
    np.testing.assert_allclose(np.arctan2(y, x), angles[0], rtol=1e-12)
    np.testing.assert_allclose(np.arcsin(z), angles[1], rtol=1e-12)
    found = hashlib.sha256()
    found.update("|".join(cities.names).encode())
    found.update(cities.longitude.astype("<f8").tobytes())
    found.update(cities.latitude.astype("<f8").tobytes())
    assert found.hexdigest() == DIGESTS["cities"]
    assert "MIT" in cities.DESCR


def test_hand_shapes():
    hands = load_hand_shapes()
    assert hands.data.shape == (52, 22, 3)
    assert hands.data.dtype == np.float64
    assert_array_equal(np.bincount(hands.target), [25, 27])
    assert list(hands.target_names) == ["grab", "expand"]
    # First numbers of the second line of hands.txt, as parsed by float().
    assert hands.data[0, 0].tolist() == [0.231919738, -0.246179562, 0.367907]
    found = digest(hands.data.astype("<f8"), hands.target.astype("<i2"))
    assert found == DIGESTS["hands"]
    assert hands.landmark_names[[0, 1, 5, 13]].tolist() == [
        "wrist",
        "palm",
        "thumb tip",
        "middle tip",
    ]
    assert hands.bones.shape == (21, 2)
    # The thumb starts at the wrist, the other fingers at the palm.
    starts = {int(b): int(a) for a, b in hands.bones}
    assert [starts[k] for k in (1, 2, 3, 6, 10, 14, 18)] == [0, 0, 2, 1, 1, 1, 1]
    assert_array_equal(np.unique(hands.bones), np.arange(22))  # a tree
    assert_array_equal(np.sort(hands.bones[:, 1]), np.arange(1, 22))
    ends = hands.data[:, hands.bones]
    lengths = np.linalg.norm(ends[:, :, 0] - ends[:, :, 1], axis=-1)
    assert lengths.max() < 0.12
    for text in ("MIT", "SHREC", "arXiv:2004.04667"):
        assert text in hands.DESCR


def test_hands_in_the_plane_are_seen_from_the_front():
    hands = load_hand_shapes()
    shapes = PlanarShapes(22)
    assert_array_equal(shapes.belongs(hands.planar, atol=1e-14), True)
    # The thumb is to one side, the little finger to the other, fingers point ahead.
    mean = hands.planar.mean(axis=0)
    names = list(hands.landmark_names)
    wrist, thumb, middle, little = (
        mean[names.index(name)]
        for name in ("wrist", "thumb tip", "middle tip", "little tip")
    )
    assert wrist[0] < 0.0 < middle[0]
    assert little[1] < 0.0 < thumb[1]
    # Turning every hand in space by itself, moving and scaling it changes nothing.
    rng = np.random.default_rng(0)
    turns, _ = np.linalg.qr(rng.normal(size=(52, 3, 3)))
    turns *= np.sign(np.linalg.det(turns))[:, None, None]
    moved = 3.0 * hands.data @ turns + rng.normal(size=(52, 1, 3))
    np.testing.assert_allclose(_front_views(moved), hands.planar, atol=1e-12)
    # The signs of the axes follow the landmarks, so that left hands look alike ...
    np.testing.assert_allclose(_front_views(-hands.data), hands.planar, atol=1e-12)
    # ... but one left hand among the others is turned, not mirrored.
    mixed = hands.data.copy()
    mixed[0, :, 0] *= -1.0
    assert np.abs(_front_views(mixed)[0] - hands.planar[0]).max() > 1e-3
    # Own computation, as a record.
    grab, expand = (
        shapes.frechet_mean(hands.planar[hands.target == k]) for k in (0, 1)
    )
    np.testing.assert_allclose(shapes.dist(grab, expand), 0.286492086, rtol=1e-7)
