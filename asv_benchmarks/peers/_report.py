"""Print tables as Markdown or reStructuredText, and keep results as JSON."""

import json
import os
from pathlib import Path


def table(header, rows, style="markdown"):
    """Return a table as text.

    Parameters
    ----------
    header : list of str
        Column titles.
    rows : list of list of str
        Cells.
    style : {"markdown", "rst"}, default="markdown"
        Markup; "rst" is a list-table, which stands any width.

    Returns
    -------
    text : str
        The table, ending with a newline.
    """
    lines = [list(header), *[list(row) for row in rows]]
    if style == "rst":
        out = [".. list-table::", "   :header-rows: 1", ""]
        for line in lines:
            first, *others = (f"- {cell}".rstrip() for cell in line)
            out.append(f"   * {first}")
            out.extend(f"     {cell}" for cell in others)
        return "\n".join(out) + "\n"
    widths = [max(len(line[j]) for line in lines) for j in range(len(header))]

    def bar(line):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([bar(lines[0]), rule, *map(bar, lines[1:])]) + "\n"


def score_text(value):
    """Write a score of modulus at most 1 with three digits and no leading 0."""
    if value is None or value != value:
        return "-"
    return f"{value:.3f}".replace("0.", ".", 1)


def save_json(result, path):
    """Write `result` to `path` in one step, so that no reader sees half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(result, indent=1) + "\n")
    os.replace(part, path)


def head(machine, versions):
    """Return a line that says where the figures come from."""
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, Python "
        f"{machine['python']}, load {machine['load']:.2f} at the start; {packages}"
    )
