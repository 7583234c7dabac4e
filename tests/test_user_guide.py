"""The snippets of the user guide run and print what the page says."""

import doctest

import pytest

from tests.source import ROOT

PAGES = sorted((ROOT / "docs" / "user_guide").glob("*.rst"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.filterwarnings("default")
def test_snippets(page):
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    results = doctest.testfile(str(page), module_relative=False, optionflags=options)
    assert results.failed == 0
