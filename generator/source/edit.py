"""Edits YAML text with as little change as possible to get the wanted values.

Comments, order, quotes, indentation and line ends stay. Every result is parsed again and compared, value by value and
type by type, so an edit is either exactly right or refused.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import yaml

from generator.dataclass import dataclass
from generator.source.document import Document, Path
from generator.source.reader import parse

Layout = Callable[[str, Any], str]
"""The text of a new key and its value, without indentation; it may have several lines."""

_BREAK: Final = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_BLANKS: Final = " \t\r\n\x85\u2028\u2029"
_PLAIN: Final = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./%@+-]*(?::[A-Za-z0-9_./%@+-]+)*")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_REMOVED: Final = object()


class _NoEditError(Exception):
    """No known edit of the text leads to this value."""


def edited(document: Document, wanted: Any, layout: Layout | None = None) -> Document | None:
    """Return the document with its text changed to have the wanted values.

    Args:
        document: a document without findings.
        wanted: the plain values.
        layout: writes keys that are new in a block mapping; `one_line` by default.

    Returns:
        The new document; None if no lossless edit is known, for example of a block scalar.
    """
    text = document.text
    try:
        for step in _steps(document.data, wanted, ()):
            text = _applied(text, step, layout or one_line)
        after = parse(text.encode(), document.file)
    except (_NoEditError, yaml.YAMLError, UnicodeEncodeError):
        return None
    return after if not after.findings and same(after.data, wanted) else None


def encode(document: Document, original: bytes) -> bytes:
    """Return the bytes of an edited document, with a byte order mark if the original has one."""
    mark = codecs.BOM_UTF8 if original.startswith(codecs.BOM_UTF8) else b""
    return mark + document.text.encode()


def same(one: Any, other: Any) -> bool:
    """Return whether two plain values are equal in value and type: 1, 1.0 and true are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def one_line(key: str, value: Any) -> str:
    """Return a key and its value on one line; a list of collections gets one line for each item."""
    name = _key(key)
    if isinstance(value, list) and value and all(isinstance(item, (dict, list)) for item in value):
        return "\n".join([f"{name}:", *(f"  - {flow(item)}" for item in value)])
    return f"{name}: {flow(value)}"


def flow(value: Any) -> str:
    """Return a value as YAML on one line, with plain strings if they read back as the same text."""
    if isinstance(value, dict):
        pairs = (f"{_key(key)}: {flow(inner)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return _scalar(value, None)


def quoted(text: str) -> str:
    """Return a text as a double-quoted scalar, with escapes for characters that YAML does not print or would fold."""
    return _UNPRINTABLE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _key(name: Any) -> str:
    return str(name) if _PLAIN_KEY.fullmatch(name) else quoted(name)


def _scalar(value: Any, style: str | None) -> str:
    """Return a scalar, text in the given style (`'`, `"`, else plain) if that style can represent it.

    Raises:
        _NoEditError: YAML has no scalar for this value.
    """
    for form in _forms(value, style):
        if same(_read(f"[{form}]"), [value]):
            return form
    raise _NoEditError


def _forms(value: Any, style: str | None) -> Iterator[str]:
    if isinstance(value, str):
        if style == "'":
            yield "'" + value.replace("'", "''") + "'"
        elif not style and _PLAIN.fullmatch(value) and _is_text(value):
            yield value
        yield quoted(value)
    elif value is None or isinstance(value, (bool, int, float)):
        yield json.dumps(value)


def _is_text(plain: str) -> bool:
    """Return whether YAML 1.1 parsers also read a plain scalar as text, not as a date or a large number."""
    node = yaml.compose(plain, Loader=yaml.CSafeLoader)
    return node is not None and node.tag == "tag:yaml.org,2002:str"


def _read(text: str) -> Any:
    try:
        return parse(text.encode(), "").data
    except UnicodeEncodeError:
        return None


# Steps from one value to another


@dataclass(frozen=True, slots=True)
class _Step:
    """One change: set a value, add one at the end of its parent or before an item of a list, or remove one."""

    path: Path
    value: Any = _REMOVED
    inserted: bool = False


def _steps(old: Any, new: Any, path: Path) -> Iterator[_Step]:
    """Yield the smallest values that differ; additions come before removals, so no parent is ever empty."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            if key in new:
                yield from _steps(old[key], new[key], (*path, key))
        yield from (_Step((*path, key), new[key]) for key in new if key not in old)
        yield from (_Step((*path, key)) for key in old if key not in new)
    elif isinstance(old, list) and isinstance(new, list) and old:
        yield from _list_steps(old, new, path)
    else:
        yield _Step(path, new)


def _list_steps(old: Sequence[Any], new: Sequence[Any], path: Path) -> Iterator[_Step]:
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    if len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _steps(before, after, (*path, index))
    elif head == len(old):
        yield from (_Step((*path, index), new[index]) for index in range(head, len(new)))
    elif head + tail == len(new) and new:
        yield from (_Step((*path, index)) for index in reversed(range(head, len(old) - tail)))
    elif head + tail >= len(old):
        added = range(head, head + len(new) - len(old))
        yield from (_Step((*path, index), new[index], inserted=True) for index in added)
    else:
        yield _Step(path, list(new))


def _shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Return how many items two lists share at their start."""
    count = 0
    for before, after in zip(one, other, strict=False):
        if not same(before, after):
            break
        count += 1
    return count


# Steps in the text


@dataclass(frozen=True, slots=True)
class _Value:
    """A value in the text: its key (None in a list), its node, and its neighbours in the parent."""

    key: Any
    node: Any
    before: Any = None
    after: Any = None

    @property
    def start(self) -> int:
        """Offset of its first character, key included."""
        return int((self.key or self.node).start_mark.index)


def _applied(text: str, step: _Step, layout: Layout) -> str:
    if not step.path:
        raise _NoEditError
    parent = _node(yaml.compose(text, Loader=yaml.CSafeLoader), step.path[:-1])
    values = _values(parent)
    name = step.path[-1]
    if step.value is _REMOVED:
        return _without(text, parent, values[name])
    if step.inserted:
        return _inserted(text, parent, values[name], step.value)
    if name in values:
        return _replaced(text, parent, values[name], step.value, layout)
    return _extended(text, parent, values, step, layout)


def _node(root: Any, path: Path) -> Any:
    node = root
    for part in path:
        found = _values(node).get(part)
        if found is None:
            raise _NoEditError
        node = found.node
    return node


def _values(parent: Any) -> dict[str | int, _Value]:
    """Return the values of a collection by key or position, in the order of the text."""
    if isinstance(parent, yaml.MappingNode):
        named: list[tuple[Any, Any, Any]] = [(key.value, key, node) for key, node in parent.value]
    elif isinstance(parent, yaml.SequenceNode):
        named = [(index, None, node) for index, node in enumerate(parent.value)]
    else:
        named = []
    around = [None, *((key or node) for _, key, node in named), None]
    nodes = [None, *(node for _, _, node in named)]
    return {
        name: _Value(key, node, before=nodes[index], after=around[index + 2])
        for index, (name, key, node) in enumerate(named)
    }


def _replaced(text: str, parent: Any, old: _Value, value: Any, layout: Layout) -> str:
    node = old.node
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.ScalarNode):
        if node.style in {"|", ">"} or isinstance(value, (dict, list)):
            raise _NoEditError
        space = " " if start == end else ""  # nothing is written there yet
        return text[:start] + space + _scalar(value, node.style) + text[end:]
    if not node.value and not parent.flow_style and old.key is not None:
        entry = _indented(layout(old.key.value, value), old.key.start_mark.column, _line_end(text, start))
        return text[: old.start] + entry + text[end:]
    if not node.flow_style or _BREAK.search(text, start, end):
        raise _NoEditError
    return text[:start] + flow(value) + text[end:]


def _extended(text: str, parent: Any, values: dict[str | int, _Value], step: _Step, layout: Layout) -> str:
    """Add a key to a mapping, or an item to the end of a list."""
    name = step.path[-1]
    last = next(reversed(values.values()), None)
    if isinstance(parent, yaml.MappingNode) and isinstance(name, str):
        entry = layout(name, step.value) if not parent.flow_style else f"{_key(name)}: {flow(step.value)}"
    elif isinstance(parent, yaml.SequenceNode) and name == len(values):
        entry = flow(step.value) if parent.flow_style else f"- {flow(step.value)}"
    else:
        raise _NoEditError
    if last is None:
        at = parent.start_mark.index + 1
        return text[:at] + entry + text[parent.end_mark.index - 1 :]
    end = _end(text, last.node)
    if parent.flow_style:
        return f"{text[:end]}, {entry}{text[end:]}"
    line_end = _line_end(text, end)
    at = _end_of_line(text, end)
    column = parent.start_mark.column if last.key is None else last.key.start_mark.column
    return f"{text[:at]}{line_end}{' ' * column}{_indented(entry, column, line_end)}{text[at:]}"


def _inserted(text: str, parent: Any, old: _Value, value: Any) -> str:
    """Add an item to a list before another one and the comments directly above that one."""
    if parent.flow_style:
        return f"{text[: old.start]}{flow(value)}, {text[old.start :]}"
    first, indent = _first_line(text, old)
    return f"{text[:first]}{indent}- {flow(value)}{_line_end(text, first)}{text[first:]}"


def _without(text: str, parent: Any, old: _Value) -> str:
    if parent.flow_style:
        return _without_flow(text, old)
    first, _ = _first_line(text, old)
    behind = _BREAK.search(text, _end(text, old.node))
    return text[:first] + (text[behind.end() :] if behind else "")


def _first_line(text: str, old: _Value) -> tuple[int, str]:
    """Return the offset of the first line of a value in a block, comments directly above included, and its indent."""
    dash = old.start if old.key is not None else text.rfind("-", 0, old.start)
    first = _start_of_line(text, dash)
    indent = text[first:dash]
    if indent.strip(" "):
        raise _NoEditError  # another value begins on the same line
    while first > 0 and text.startswith(f"{indent}#", above := _start_of_line(text, first - 1)):
        first = above
    return first, indent


def _without_flow(text: str, old: _Value) -> str:
    if old.after is not None:
        return text[: old.start] + text[old.after.start_mark.index :]
    start = old.before.end_mark.index if old.before is not None else old.start
    return text[:start] + text[old.node.end_mark.index :]


def _end(text: str, node: Any) -> int:
    """Return the offset after a value; the end mark of a block collection is at the next token."""
    if not isinstance(node, yaml.ScalarNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
        return len(text[:end].rstrip(_BLANKS))
    return end


def _indented(entry: str, column: int, line_end: str) -> str:
    """Return lines with all but the first indented."""
    return f"{line_end}{' ' * column}".join(entry.split("\n"))


def _line_end(text: str, at: int) -> str:
    """Return the line end of the line at an offset, or else of the line before it."""
    found = _BREAK.search(text, at) or next(_BREAK.finditer(text), None)
    return found.group() if found else "\n"


def _end_of_line(text: str, at: int) -> int:
    found = _BREAK.search(text, at)
    return found.start() if found else len(text)


def _start_of_line(text: str, at: int) -> int:
    """Return the offset of the first character of the line that an offset is on."""
    begin = at - 1 if at and text[at - 1 : at + 1] == "\r\n" else at
    starts = [found.end() for found in _BREAK.finditer(text, 0, begin)]
    return starts[-1] if starts else 0
