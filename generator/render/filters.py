"""The filters of our templates: values to text that is more than one scalar."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from generator.render.scalars import Verbatim, prose, yaml_text, yaml_value
from generator.source.quantity import canonical_cpu

_INDENTED = re.compile(r"\n(?!\n)")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def identifier(name: str) -> Verbatim:
    """A free Python identifier.

    Raises:
        ValueError: it is none.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is no identifier")
    return Verbatim(name)


def raw_text(text: object) -> Verbatim:
    """Text for a comment or a README: one line."""
    return Verbatim(prose(text))


def lines(mapping: Mapping[str, object], indent: int) -> Verbatim:
    """A mapping as block YAML, one key a line, behind the first one indented by this many blanks."""
    joint = "\n" + " " * indent
    return Verbatim(joint.join(f"{yaml_value(key)}: {yaml_value(value)}" for key, value in mapping.items()))


def items(values: list[object], indent: int) -> Verbatim:
    """A list as block YAML, one item a line, behind the first one indented by this many blanks."""
    joint = "\n" + " " * indent
    return Verbatim(joint.join(f"- {yaml_value(value)}" for value in values))


def text(value: str, indent: int) -> Verbatim:
    """Text of several lines as a literal block indented by this many blanks; in quotes where a block can't hold it."""
    plain = value.isascii() and value.replace("\n", "").isprintable()
    trailing = value.endswith((" ", "\n")) or " \n" in value
    if "\n" not in value or not plain or trailing or value[0] in " \n":
        return Verbatim(yaml_text(value))
    margin = "\n" + " " * indent
    return Verbatim(f"|-{margin}{_INDENTED.sub(margin, value)}")


def go_duration(seconds: float) -> str:
    """A duration that Go and the Gateway API parse alike: whole hours, minutes, seconds or milliseconds."""
    milliseconds = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def quantity(value: str) -> str:
    """Return a quantity with a decimal point as Kubernetes writes it back (`100m` for 0.1), so that no diff remains."""
    return canonical_cpu(value) if "." in value else value


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "identifier": identifier,
    "raw_text": raw_text,
    "lines": lines,
    "items": items,
    "text": text,
    "go_duration": go_duration,
    "quantity": quantity,
}
"""By the name that templates use."""
