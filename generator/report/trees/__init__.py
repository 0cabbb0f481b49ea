"""The odds of a tree as text, JSON, Markdown, HTML and SARIF.

One module per format, with a function `render`; it is imported when its format is used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from generator.odds.trees.values import TreeOdds
from generator.report.tables import PLAIN, Screen

_MODULES: Final = {
    "text": "text",
    "json": "odds_json",
    "markdown": "comment",
    "html": "page",
    "sarif": "findings",
}
FORMATS: Final = tuple(_MODULES)


def render(found: TreeOdds, fmt: str, screen: Screen = PLAIN) -> str:
    """Write the odds of a tree in a format: a whole document that ends with one line feed.

    Args:
        found: the odds.
        fmt: one of `FORMATS`.
        screen: where `text` is shown.
    """
    writer: Callable[[TreeOdds, Screen], str] = import_module(f"{__name__}.{_MODULES[fmt]}").render
    return writer(found, screen)
