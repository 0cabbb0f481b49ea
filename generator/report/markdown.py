"""Markdown that escapes every value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from generator.source.line import visible

_ACTIVE = re.compile(r"[\\`*_\[\]#|~@]")


def cell(value: object) -> str:
    """Escape a value inside a line: no markup, HTML, mention or line break is left."""
    text = escape(visible(str(value)), quote=False)
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};" if found[0] in "|@`#" else f"\\{found[0]}", text)


def row(cells: Iterable[object], *, raw: bool = False) -> str:
    """Return a row of a table; `raw` for the line below the header."""
    return f"| {' | '.join(str(item) if raw else cell(item) for item in cells)} |"


def fenced(text: str) -> str:
    """Return a code block that the text can't end early."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}\n"


def fold(title: str, text: str) -> str:
    """Return a folded code block."""
    return f"<details><summary>{escape(visible(title))}</summary>\n\n{fenced(text)}\n</details>\n"
