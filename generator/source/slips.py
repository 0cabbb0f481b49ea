"""A slip in a text that libyaml refused, and what the search for its cause reads and writes."""

from __future__ import annotations

import json
import re

from generator.dataclass import dataclass
from generator.source.outline import Outline

KEY = r"[A-Za-z_][\w-]*"
SCHEMES = frozenset({"bentoml", "mlflow", "dvc", "hf", "sha256"})
_NEAR = 3
_SHOWN = 90


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip and its repair.

    Args:
        line: 0-based line.
        column: 0-based column.
        message: one sentence on what is wrong.
        hint: one sentence on what to do.
        code: code of the finding.
    """

    line: int
    column: int
    message: str
    hint: str
    code: str = "SRC105"


@dataclass(frozen=True, slots=True)
class Broken:
    """A text that libyaml refused.

    Args:
        source: its lines.
        shape: its outline.
        line: 0-based line where the parser stopped.
        column: 0-based column there.
        problem: the parser's message.
        start: line and column of the construct that it was reading, or None.
        context: the parser's name for that construct.
    """

    source: list[str]
    shape: Outline
    line: int
    column: int
    problem: str
    start: tuple[int, int] | None
    context: str

    def near(self) -> list[int]:
        """Return the line where the parser stopped and the lines above that may have the slip, nearest first."""
        found, line = [self.line] if self.line < len(self.source) else [], self.line
        while len(found) < _NEAR and (line := self.shape.before(line)) >= 0:
            found.append(line)
        return found

    def text(self, line: int) -> str:
        """Return a line of the source without its comment; empty after the end of the source."""
        if not 0 <= line < len(self.source):
            return ""
        text = self.source[line]
        if any(quote.line == line and quote.rest < 0 for quote in self.shape.quotes):
            return re.sub(r"(?<!\s)\s+#.*$", "", text)
        return text[: len(self.shape.code(line))] if "#" in text else text


def value_at(broken: Broken, line: int, column: int) -> str:
    """Return the value that starts at a column: to the end of the line, or of its entry in brackets."""
    shape = broken.shape.code(line)
    flow = broken.shape.inside[line] or re.search(r"[\[{]", shape[:column]) is not None
    end = re.search(r"(?<!\s)\s*(?:,\s|[\]}]|$)", shape[column:]) if flow else None
    return broken.text(line)[column : column + end.start() if end else len(shape)].strip()


def in_quotes(value: str) -> str:
    """Return a value in the quotes that need no escaping."""
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return json.dumps(value, ensure_ascii=False) if "'" in value else f"'{value}'"


def quoted(text: str) -> str:
    """Return a text in backticks, shortened."""
    return f"`{short(text)}`"


def short(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
