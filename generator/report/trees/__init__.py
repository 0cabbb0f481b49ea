"""The odds of a tree as text, JSON, Markdown and HTML, and as findings for code hosts.

One module per format, with a function `render`; it is imported when its format is used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

from generator.odds.trees.values import TreeOdds
from generator.report.tables import PLAIN, Screen

if TYPE_CHECKING:
    from pathlib import Path

_MODULES: Final = {"text": "text", "json": "odds_json", "markdown": "comment", "html": "page"}
_FINDINGS: Final = ("sarif", "github", "gitlab")
FORMATS: Final = (*_MODULES, *_FINDINGS)


def render(found: TreeOdds, fmt: str, screen: Screen = PLAIN, root: Path | None = None) -> str:
    """Write the odds of a tree in a format: a whole document that ends with one line feed.

    Args:
        found: the odds.
        fmt: one of `FORMATS`.
        screen: where `text` is shown.
        root: the folder of the tree; formats for code hosts show where it is in git.
    """
    if fmt in _FINDINGS:
        from generator.report import formats
        from generator.report.trees.findings import findings_of

        return formats.render(list(findings_of(found)), fmt, checked=found.files, noun="file", root=root)
    writer: Callable[[TreeOdds, Screen], str] = import_module(f"{__name__}.{_MODULES[fmt]}").render
    return writer(found, screen)
