"""Markdown that no value can break out of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from generator.report.formats.characters import visible

_ACTIVE = re.compile(r"[\\`*_\[\]#|~@]")


def cell(value: object) -> str:
    """A value inside a line: neither markup, nor HTML, nor a mention, nor a second line."""
    text = escape(visible(str(value)), quote=False)
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};" if found[0] in "|@`#" else f"\\{found[0]}", text)


def row(cells: Iterable[object], *, raw: bool = False) -> str:
    """A line of a table; `raw` for the line that separates its head."""
    return f"| {' | '.join(str(item) if raw else cell(item) for item in cells)} |"


def fenced(text: str) -> str:
    """A code block that no text can end early."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}\n"


def fold(title: str, text: str) -> str:
    """A code block that opens with a click."""
    return f"<details><summary>{escape(visible(title))}</summary>\n\n{fenced(text)}\n</details>\n"
