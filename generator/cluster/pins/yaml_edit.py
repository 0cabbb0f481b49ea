"""Small edits of YAML text that leave every other character alone. Who calls reads the result back and compares."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from generator.source.document import Path

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*")


def replace_scalar(text: str, path: Path, value: str) -> str | None:
    """Put another text in the place of a scalar, in the same style; None when there is no such scalar on one line."""
    found = _find(text, path)
    node = found[1] if found else None
    if not isinstance(node, yaml.ScalarNode) or node.style in {"|", ">"}:
        return None
    return text[: node.start_mark.index] + _styled(value, node.style) + text[node.end_mark.index :]


def remove_key(text: str, path: Path) -> str | None:
    """Remove the lines of a key of a block mapping, with the comments that stand directly above it."""
    found, above = _find(text, path), _find(text, path[:-1])
    if found is None or above is None or above[1].flow_style or found[0] is None:
        return None
    lines = text.splitlines(keepends=True)
    first, last = found[0].start_mark.line, _last_line(found[1])
    while first > 0 and _is_comment(lines[first - 1], found[0].start_mark.column):
        first -= 1
    return "".join(lines[:first] + lines[last + 1 :])


def add_lines(text: str, path: Path, added: list[str]) -> str | None:
    """Add lines, which need no indentation, behind the last key of a block mapping."""
    found = _find(text, path)
    if (
        found is None
        or not isinstance(found[1], yaml.MappingNode)
        or found[1].flow_style
        or not found[1].value
    ):
        return None
    indent = " " * found[1].value[0][0].start_mark.column
    lines = text.splitlines(keepends=True)
    last = _last_line(found[1])
    if not lines[last].endswith("\n"):
        lines[last] += "\n"
    lines[last + 1 : last + 1] = [f"{indent}{line}\n" for line in added]
    return "".join(lines)


def append_item(text: str, path: Path, item: str) -> str | None:
    """Add an item, written on one line, to the end of a list; the list, too, where its mapping lacks it."""
    found = _find(text, path)
    if found is None:
        return add_lines(text, path[:-1], [f"{path[-1]}:", f"  - {item}"])
    key, node = found
    if key is None or not isinstance(node, yaml.SequenceNode):
        return None
    start, end = node.start_mark.index, node.end_mark.index
    if node.flow_style and node.value:
        return text[: end - 1].rstrip().removesuffix(",") + f", {item}]" + text[end:]
    if node.flow_style:
        indent = " " * (key.start_mark.column + 2)
        return text[:start].rstrip(" ") + f"\n{indent}- {item}" + text[end:]
    lines = text.splitlines(keepends=True)
    last = max(_last_line(value) for value in node.value)
    if not lines[last].endswith("\n"):
        lines[last] += "\n"
    lines.insert(last + 1, f"{' ' * node.start_mark.column}- {item}\n")
    return "".join(lines)


def quoted(value: str) -> str:
    """A text as a double-quoted scalar."""
    return json.dumps(value, ensure_ascii=False)


def _styled(value: str, style: str | None) -> str:
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if not style and _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return quoted(value)


def _find(text: str, path: Path) -> tuple[yaml.Node | None, Any] | None:
    """Key and value at a path."""
    key: yaml.Node | None = None
    node: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == part), None)
        else:
            pair = None
        if pair is None:
            return None
        key, node = pair
    return None if node is None else (key, node)


def _last_line(node: yaml.Node) -> int:
    """The line on which a value ends; a block collection's own mark stands only where the next token begins."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return max(_last_line(value) for _, value in node.value)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return max(_last_line(value) for value in node.value)
    line: int = node.end_mark.line
    return line


def _is_comment(line: str, column: int) -> bool:
    return line.startswith(" " * column + "#")
