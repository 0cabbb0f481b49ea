"""The filters of our templates, which turn values into text of more than one scalar."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from generator.render.scalars import Verbatim, prose, yaml_text, yaml_value
from generator.source.quantity import canonical_cpu

_INDENTED = re.compile(r"\n(?!\n)")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def identifier(name: str) -> Verbatim:
    """Return a name that is a valid Python identifier and not a keyword.

    Raises:
        ValueError: it is not.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is not an identifier")
    return Verbatim(name)


def raw_text(text: object) -> Verbatim:
    """Return text on one line, for a comment or a README."""
    return Verbatim(prose(text))


def lines(mapping: Mapping[str, object], indent: int) -> Verbatim:
    """Return a mapping as block YAML, one key per line; lines after the first are indented by this many spaces."""
    joint = "\n" + " " * indent
    return Verbatim(joint.join([f"{yaml_value(key)}: {yaml_value(value)}" for key, value in mapping.items()]))


def items(values: list[object], indent: int) -> Verbatim:
    """Return a list as block YAML, one item per line; lines after the first are indented by this many spaces."""
    joint = "\n" + " " * indent
    return Verbatim(joint.join(f"- {yaml_value(value)}" for value in values))


def block(value: object, indent: int) -> Verbatim:
    """Return any plain value as block YAML; lines after the first are indented by this many spaces."""
    return Verbatim(("\n" + " " * indent).join(_rows(value)))


def _rows(value: object) -> list[str]:
    if isinstance(value, dict) and value:
        found = [(f"{yaml_value(key)}:", item) for key, item in value.items()]
        return [row for start, item in found for row in _entry(start, item)]
    if isinstance(value, (list, tuple)) and value:
        items = [_rows(item) for item in value]
        return [f"{'  ' if index else '- '}{row}" for item in items for index, row in enumerate(item)]
    return [yaml_value(value)]


def _entry(start: str, value: object) -> list[str]:
    rows = _rows(value)
    if isinstance(value, (dict, list, tuple)) and value:
        return [start, *(f"  {row}" for row in rows)]
    return [f"{start} {rows[0]}"]


def text(value: str, indent: int) -> Verbatim:
    """Return lines as a literal block indented by this many spaces, or quoted if a block can't hold them."""
    plain = value.isascii() and value.replace("\n", "").isprintable()
    trailing = value.endswith((" ", "\n")) or " \n" in value
    if "\n" not in value or not plain or trailing or value[0] in " \n":
        return Verbatim(yaml_text(value))
    margin = "\n" + " " * indent
    # Blank lines are not indented.
    indented = _INDENTED.sub(margin, value) if "\n\n" in value else value.replace("\n", margin)
    return Verbatim(f"|-{margin}{indented}")


def go_duration(seconds: float) -> str:
    """Return a duration that Go and the Gateway API parse alike: whole hours, minutes, seconds or milliseconds."""
    milliseconds = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def quantity(value: str) -> str:
    """Return a decimal quantity as Kubernetes normalizes it (`100m` for 0.1), so that no diff remains."""
    return canonical_cpu(value) if "." in value else value


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "identifier": identifier,
    "raw_text": raw_text,
    "lines": lines,
    "items": items,
    "block": block,
    "text": text,
    "go_duration": go_duration,
    "quantity": quantity,
}
"""The filters by the name that templates use."""
