"""The example of the README runs and prints what the README says."""

import re

from tests.source import ROOT


def test_example_prints_what_is_shown(fresh_python):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code, shown = re.search(
        r"```python\n(.+?)```\s+```text\n(.+?)```", text, re.DOTALL
    ).groups()
    assert fresh_python(code) == shown.strip()


def test_links_lead_somewhere():
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), f"{page}: {target}"
