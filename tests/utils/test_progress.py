"""Progress goes through logging, and only when asked for."""

import logging

import pytest

from geolearn.utils import _progress
from geolearn.utils._progress import Progress

NAME = "geolearn.graph._knn"


@pytest.fixture
def no_logging(monkeypatch):
    """Return a function that takes away pytest's handlers: a user's fresh session.

    pytest adds its own when the test begins, after the fixtures.
    """
    level = _progress._ROOT.level

    def clear():
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        monkeypatch.setattr(_progress._ROOT, "handlers", [])

    yield clear
    _progress._ROOT.setLevel(level)


@pytest.mark.parametrize("verbose", [0, False])
def test_silent_by_default(verbose, no_logging, capfd):
    no_logging()
    Progress(verbose, NAME)("built the graph of %d nodes", 3)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
    assert _progress._ROOT.handlers == []


def test_verbose_is_seen_without_any_configuration(no_logging, capsys):
    no_logging()
    Progress(1, NAME)("built the graph of %d nodes", 3)
    Progress(1, NAME)("done")
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"[{NAME}]")
    assert first.endswith("s  built the graph of 3 nodes")
    assert second.endswith("done"), "one handler, however many computations"


def test_the_fallback_steps_aside_for_the_application(no_logging, capsys):
    no_logging()
    Progress(1, NAME)("seen on stderr")
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger().addHandler(handler)
    Progress(1, NAME)("seen by the application")
    assert "application" not in capsys.readouterr().err
    assert [r.getMessage().split("s  ")[1] for r in records] == [
        "seen by the application"
    ]


def test_levels(caplog):
    caplog.set_level(logging.INFO, logger="geolearn")
    for verbose in (0, 1, 2):
        report = Progress(verbose, NAME)
        report("outer %d", verbose)
        report("inner %d", verbose, level=2)
    messages = [record.getMessage().split("s  ")[1] for record in caplog.records]
    assert messages == ["outer 1", "outer 2", "inner 2"]
    assert {record.name for record in caplog.records} == {NAME}


def test_the_users_level_is_respected(caplog):
    caplog.set_level(logging.WARNING, logger="geolearn")
    Progress(2, NAME)("hidden")
    assert not caplog.records
