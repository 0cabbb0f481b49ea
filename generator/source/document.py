"""One YAML document: its plain values, and the position of each of them on demand."""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import Any

import yaml

from generator.dataclass import dataclass
from generator.source.finding import Finding, Fix, Place, Severity

Path = tuple[str | int, ...]
_Span = tuple[yaml.Mark, yaml.Mark]


def dotted(path: Path) -> str:
    """Return a key path as text: `rollout.steps[0].weight`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out


@dataclass
class Document:
    """The content of one input file.

    Args:
        file: path for messages, with forward slashes.
        text: the whole file.
        data: the plain values (dict, list, str, int, float, bool, None); None when the file was refused.
        findings: why it was refused.
    """

    file: str
    text: str = ""
    data: Any = None
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def lines(self) -> list[str]:
        """The source lines, without line ends."""
        return self.text.splitlines()

    @cached_property
    def _spans(self) -> dict[Path, tuple[_Span | None, _Span]]:
        spans: dict[Path, tuple[_Span | None, _Span]] = {}
        try:
            root = yaml.compose(self.text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            return spans
        stack: list[tuple[Path, _Span | None, yaml.Node | None]] = [((), None, root)]
        while stack:
            path, key, node = stack.pop()
            if node is None:
                continue
            spans[path] = (key, (node.start_mark, node.end_mark))
            if isinstance(node, yaml.MappingNode):
                stack += [((*path, k.value), (k.start_mark, k.end_mark), v) for k, v in node.value]
            elif isinstance(node, yaml.SequenceNode):
                stack += [((*path, i), None, v) for i, v in enumerate(node.value)]
        return spans

    def raw(self, path: Path) -> str:
        """Return the source text of a value; empty if this document has no value at the path."""
        found = self._spans.get(path)
        return self.text[found[1][0].index : found[1][1].index].rstrip() if found else ""

    def path_at(self, place: Place) -> Path:
        """Return the path of the value that starts at a place; empty if there is none."""
        at = (place.line - 1, place.column - 1)
        found = (path for path, (_, (start, _)) in self._spans.items() if (start.line, start.column) == at)
        return max(found, key=len, default=())

    def has(self, path: Path) -> bool:
        """Return whether the document has a value at this path."""
        value = self.data
        for part in path:
            if isinstance(part, str):
                found = isinstance(value, dict) and part in value
            else:
                found = isinstance(value, list) and part < len(value)
            if not found:
                return False
            value = value[part]
        return True

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return the place of a value (with `key`, of its key), or of the nearest parent if the value is missing."""
        while path and path not in self._spans:
            path, key = path[:-1], True
        found = self._spans.get(path)
        if found is None:
            return Place(self.file)
        start, end = found[0] if key and found[0] else found[1]
        end_column = end.column + 1 if end.line == start.line else 0
        return Place(self.file, start.line + 1, start.column + 1, end_column)

    def excerpt(self, line: int) -> str:
        """Return the source line with this number; empty when there is none."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""

    def finding(
        self,
        code: str,
        path: Path,
        message: str,
        hint: str,
        *,
        severity: Severity = "error",
        key: bool = False,
        related: tuple[tuple[str, Place], ...] = (),
        fix: Fix | None = None,
    ) -> Finding:
        """Return a finding about the value at a path of this document."""
        place = self.place(path, key=key)
        return Finding(
            code, severity, message, hint, place, dotted(path), self.excerpt(place.line), related, fix
        )
