"""A YAML loader that refuses values on which YAML parsers disagree.

Plain scalars follow the YAML 1.2 core schema. Those that YAML 1.1 parsers (PyYAML, Ruby, older Go tools) read
differently (`no`, `012`, `1_000`, `1:30`, `1e3`) and repeated keys are problems with their position.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

import yaml

from generator.dataclass import dataclass


class Mark(Protocol):
    """A position; both mark classes of PyYAML match it."""

    @property
    def line(self) -> int:
        """0-based line."""

    @property
    def column(self) -> int:
        """0-based column."""


@dataclass(frozen=True, slots=True)
class Position:
    """A position at which no node begins."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """A refused value.

    Args:
        code: code of the finding.
        mark: where it begins.
        message: one sentence on what is wrong.
        hint: one sentence on what to do.
        first: the position of the key that this one repeats.
    """

    code: str
    mark: Mark
    message: str
    hint: str
    first: Mark | None = None


_TAG = "tag:yaml.org,2002:"
_AMBIGUOUS = "!ambiguous"


class StrictLoader(yaml.CSafeLoader):
    """Libyaml's safe loader with strict scalars and strict keys; `problems` collects refused values."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's protocol

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.text = stream
        self.problems: list[YamlProblem] = []

    def construct_mapping_strictly(self, node: yaml.MappingNode) -> dict[Hashable, Any]:
        """Return a mapping whose keys are unique strings."""
        out: dict[Hashable, Any] = {}
        seen: dict[str, yaml.Node] = {}
        glued: list[yaml.Node] = []
        before: yaml.Node | None = None
        for key_node, value_node in node.value:
            if before is not None and self._is_fraction(before, key_node, value_node):
                self._decimal_comma(before, key_node)
                continue
            if before is not None and self._is_item(node, before, key_node, value_node):
                self._no_brackets(node, before)
                return out
            before = value_node
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                self._no_text(key_node)
            elif key in out:
                self._repeated(key, seen[key], key_node)
            elif ":" in key and _glued(key, key_node, value_node):
                glued.append(key_node)
            value = self.construct_object(value_node, deep=True)
            if isinstance(key, str):
                out[key] = value
                seen.setdefault(key, key_node)
        if glued:
            self._no_space(node, glued)
        return out

    def _is_fraction(self, before: yaml.Node, key: yaml.Node, value: yaml.Node) -> bool:
        """Return the number with a decimal comma that this key is part of: `0,5%` in braces."""
        start = key.start_mark.index
        return (
            value.start_mark.index == value.end_mark.index
            and self.text[start - 1] == ","
            and before.end_mark.index == start - 1
            and re.fullmatch(r"\d+\s*(?:%|[A-Za-z]{0,3})", self._raw(key)) is not None
            and re.fullmatch(r"[-+]?\d+(?:\.\d{3})*", self._raw(before)) is not None
        )

    def _decimal_comma(self, before: yaml.Node, key: yaml.Node) -> None:
        number = f"{self._raw(before)},{self._raw(key)}"
        if re.fullmatch(r"[1-9]\d{0,2},\d{3}\s*\D*", number):
            message = f"`{number}` has a comma, which ends the value here"
            self._problem("SRC105", before, message, f"write `{number.replace(',', '')}`")
            return
        right = number.replace(".", "").replace(",", ".")
        time = re.fullmatch(r"(\d+\.\d+)\s*([dhms])", right)
        if time:
            size, smaller = _SMALLER[time[2]]
            right = f"{format(Decimal(time[1]) * size, 'f').rstrip('0').rstrip('.')}{smaller}"
        message = f"`{number}` has a decimal comma, which ends the value here"
        self._problem("SRC105", before, message, f"write `{right}`")

    def _is_item(self, node: yaml.MappingNode, before: yaml.Node, key: yaml.Node, value: yaml.Node) -> bool:
        """Report keys that are further items of the value before them: `{gender: female, male}`."""
        if not node.flow_style or value.start_mark.index != value.end_mark.index:
            return False
        plain = isinstance(before, yaml.ScalarNode) and isinstance(key, yaml.ScalarNode)
        closes = self.text[key.end_mark.index :].lstrip()[:1] in {",", "}"}
        return plain and closes and ":" not in key.value and bool(before.value)

    def _no_brackets(self, node: yaml.MappingNode, before: yaml.Node) -> None:
        at = next(index for index, (_, value) in enumerate(node.value) if value is before)
        nothing = [
            key for key, value in node.value[at + 1 :] if value.start_mark.index == value.end_mark.index
        ]
        items = ", ".join([self._raw(before), *map(self._raw, nothing)])
        name = self._raw(node.value[at][0])
        message = f"`{self._raw(nothing[0])}` has no value; several values of `{name}` need brackets"
        self._problem("SRC105", before, message, f"write `{name}: [{items}]`")

    def _no_text(self, node: yaml.Node) -> None:
        raw = self._raw(node)
        if isinstance(node, yaml.ScalarNode):
            self._problem("SRC110", node, f"the key `{raw}` is not text", f'quote it: `"{raw}"`')
        else:
            self._problem("SRC110", node, "a list or mapping can't be a key", "write a name before the colon")

    def _repeated(self, key: str, first: yaml.Node, node: yaml.Node) -> None:
        line = first.start_mark.line + 1
        where = "earlier on this line" if first.start_mark.line == node.start_mark.line else f"on line {line}"
        message = f"the key `{key}` is repeated; the first one is {where}"
        hint = "keep one of the two"
        self.problems.append(YamlProblem("SRC109", node.start_mark, message, hint, first.start_mark))

    def _no_space(self, node: yaml.MappingNode, glued: list[yaml.Node]) -> None:
        """Report one problem for a mapping without spaces after its colons."""
        begin, end = node.start_mark.index, node.end_mark.index
        if not node.flow_style:
            begin, end = glued[0].start_mark.index, self._line_end(glued[0].start_mark.index)
        fixed = self.text[begin:end].rstrip()
        for key, _ in reversed(node.value):
            start = key.start_mark.index
            if key in glued and start < end:
                at = start + key.value.index(":") + 1 - begin
                fixed = f"{fixed[:at]} {fixed[at:]}"
            if self.text[start - 1] == "," and begin < start < end:
                fixed = f"{fixed[: start - begin]} {fixed[start - begin :]}"
        mark, colon = glued[0].start_mark, glued[0].value.index(":")
        at_colon = Position(mark.line, mark.column + colon)
        what = "the colon" if len(glued) == 1 else "each colon"
        self.problems.append(
            YamlProblem("SRC105", at_colon, f"a space is missing after {what}", f"write `{fixed}`")
        )

    def _line_end(self, index: int) -> int:
        found = re.compile(r"$", re.MULTILINE).search(self.text, index)
        return found.start() if found else len(self.text)

    def _raw(self, node: yaml.Node) -> str:
        """Return the source text of a value."""
        return self.text[node.start_mark.index : node.end_mark.index].strip()

    def construct_list(self, node: yaml.SequenceNode) -> list[Any]:
        """Return a list."""
        return [self.construct_object(child, deep=True) for child in node.value]

    def construct_decimal(self, node: yaml.ScalarNode) -> int | str:
        """Return a decimal integer; one that is too long stays text, which its field refuses."""
        return int(node.value) if len(node.value) <= _LONGEST_INT else str(node.value)

    def construct_finite(self, node: yaml.ScalarNode) -> float | str:
        """Return a decimal fraction; one that no float can hold stays text, which its field refuses."""
        value = float(node.value)
        return value if math.isfinite(value) else str(node.value)

    def construct_ambiguous(self, node: yaml.ScalarNode) -> str:
        """Report a plain scalar that YAML parsers disagree on."""
        message = f"YAML parsers disagree on what `{node.value}` means"
        self._problem("SRC111", node, message, _instead(node.value))
        return str(node.value)

    def _problem(self, code: str, node: yaml.Node, message: str, hint: str) -> None:
        self.problems.append(YamlProblem(code, node.start_mark, message, hint))


_LONGEST_INT = 19
_SMALLER = {"d": (24, "h"), "h": (60, "m"), "m": (60, "s"), "s": (1000, "ms")}
"""How many of the next smaller unit a unit of time has."""
_WORDS = {
    "yes": "true",
    "on": "true",
    "no": "false",
    "off": "false",
    "true": "true",
    "false": "false",
    "null": "null",
}


def _glued(key: str, node: yaml.Node, value: yaml.Node) -> bool:
    """Return whether a key is `key:value` without the space: a word, a colon and text, without a value."""
    if getattr(node, "style", None) or not re.match(r"[A-Za-z_][\w-]*:[^\s:/]", key):
        return False
    nothing: bool = value.start_mark.index == value.end_mark.index
    return nothing or re.match(r"[A-Za-z_][\w-]*:[{\[\"']", key) is not None


def _instead(text: str) -> str:
    """Return the hint for a scalar that parsers disagree on: its probable meaning, and the quoted text."""
    quoted = f'`"{text}"` for the text'
    if text.lower() in _WORDS:
        what = "null" if text.lower() == "null" else "boolean"
        return f"write `{_WORDS[text.lower()]}` for the {what}, or {quoted}"
    number = _decimal(text)
    if number:
        return f"write `{number}` for the number, or {quoted}"
    if ":" in text and len(text) <= _LONGEST_INT:
        parts = [int(part.partition(".")[0] or 0) for part in text.lstrip("+-").replace("_", "").split(":")]
        if len(parts) > _CLOCK:
            return f"write `{_span(parts)}` for a time, or {quoted}"
        if text.startswith("0"):
            return f'write `"{text}"` for a time of day, or `{_span(parts)}` for a duration'
        return f"write `{_span(parts)}` for a time (or `{_span([0, *parts])}`), or {quoted}"
    return f"write a number, or {quoted}"


_CLOCK = 2


def _span(parts: list[int]) -> str:
    """Return hours, minutes and seconds as a time without the parts that are 0."""
    shown = [f"{part}{unit}" for part, unit in zip(parts, "hms", strict=False) if part]
    return "".join(shown) or "0s"


def _decimal(text: str) -> str:
    """Return a number in a form that all parsers read alike; empty if it is not a number."""
    plain = text.replace("_", "")
    sign, digits = ("-" if plain.startswith("-") else ""), plain.lstrip("+-")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2].lower())
    try:
        if base:
            return f"{sign}{int(digits[2:], base)}"
        value = Decimal(digits)
    except (ValueError, InvalidOperation):
        return ""
    return sign + format(value, "f") if value.is_finite() and abs(value.adjusted()) < _LONGEST_INT else ""


def _resolve(tag: str, pattern: str, first: str) -> None:
    regexp = re.compile(f"^(?:{pattern})$", re.VERBOSE)
    for character in first:
        StrictLoader.yaml_implicit_resolvers.setdefault(character, []).append((tag, regexp))


_resolve(_AMBIGUOUS, r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|True|TRUE|False|FALSE", "yYnNoOtTfF")
_resolve(_AMBIGUOUS, r"Null|NULL", "nN")
_resolve(
    _AMBIGUOUS,
    r"""[-+]?0[0-9_]+ | [-+]?0[xob][0-9a-fA-F_]+ | [-+]?[0-9]+_[0-9_]*(?:\.[0-9_]*)?
      | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)? | [-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+
      | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)""",
    "-+.0123456789",
)
_resolve(_TAG + "bool", r"true|false", "tf")
_resolve(_TAG + "null", r"~|null|", "~n\0")
_resolve(_TAG + "null", r"", "")
StrictLoader.yaml_implicit_resolvers.setdefault("", []).append((_TAG + "null", re.compile("^$")))
_resolve(_TAG + "int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789")
_resolve(_TAG + "float", r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)\.[0-9]*)", "-+.0123456789")

StrictLoader.add_constructor(_TAG + "map", StrictLoader.construct_mapping_strictly)
StrictLoader.add_constructor(_TAG + "seq", StrictLoader.construct_list)
StrictLoader.add_constructor(_TAG + "int", StrictLoader.construct_decimal)
StrictLoader.add_constructor(_TAG + "float", StrictLoader.construct_finite)
StrictLoader.add_constructor(_AMBIGUOUS, StrictLoader.construct_ambiguous)
