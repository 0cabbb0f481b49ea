"""A YAML loader that reads one way only what different YAML readers read in different ways.

Plain scalars follow the YAML 1.2 core schema. Those that YAML 1.1 readers (PyYAML, Ruby, older Go tools) take for
something else (`no`, `012`, `1_000`, `1:30`, `1e3`) and keys that stand twice are problems with their position.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from typing import Any

import yaml

Problem = tuple[str, yaml.Mark, str, str]
_TAG = "tag:yaml.org,2002:"
_AMBIGUOUS = "!ambiguous"


class StrictLoader(yaml.CSafeLoader):
    """Libyaml's safe loader with strict scalars and strict keys; `problems` collects what it refused."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's protocol

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.problems: list[Problem] = []

    def construct_mapping_strictly(self, node: yaml.MappingNode) -> dict[Hashable, Any]:
        """A mapping whose keys are strings and stand once."""
        out: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                self._problem("SRC110", key_node, "a key must be text", "quote it")
            elif key in out:
                self._problem("SRC109", key_node, f"the key `{key}` stands twice here", "keep one of the two")
            value = self.construct_object(value_node, deep=True)
            if isinstance(key, str):
                out[key] = value
        return out

    def construct_list(self, node: yaml.SequenceNode) -> list[Any]:
        """A list."""
        return [self.construct_object(child, deep=True) for child in node.value]

    def construct_decimal(self, node: yaml.ScalarNode) -> int | str:
        """A decimal integer; one that no program could hold is text, and its field will refuse it."""
        return int(node.value) if len(node.value) <= _LONGEST_INT else str(node.value)

    def construct_finite(self, node: yaml.ScalarNode) -> float | str:
        """A decimal fraction; one beyond every float is text, and its field will refuse it."""
        value = float(node.value)
        return value if math.isfinite(value) else str(node.value)

    def construct_ambiguous(self, node: yaml.ScalarNode) -> str:
        """A plain scalar that YAML readers disagree on."""
        message = f"`{node.value}` means different things to different YAML readers"
        self._problem("SRC111", node, message, _instead(node.value))
        return str(node.value)

    def _problem(self, code: str, node: yaml.Node, message: str, hint: str) -> None:
        self.problems.append((code, node.start_mark, message, hint))


_LONGEST_INT = 19
_BOOLEANS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def _instead(text: str) -> str:
    if text.lower() in _BOOLEANS:
        return f'write {_BOOLEANS[text.lower()]} for the truth value, or "{text}" for the text'
    if re.fullmatch(r"[-+]?[\d_.]+[eE][-+]?\d+", text):
        return f'write the number out, or "{text}" for the text'
    return f'write a plain decimal number, or "{text}" for the text'


def _resolve(tag: str, pattern: str, first: str) -> None:
    regexp = re.compile(f"^(?:{pattern})$", re.VERBOSE)
    for character in first:
        StrictLoader.yaml_implicit_resolvers.setdefault(character, []).append((tag, regexp))


_resolve(_AMBIGUOUS, r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|True|TRUE|False|FALSE", "yYnNoOtTfF")
_resolve(_AMBIGUOUS, r"Null|NULL", "nN")
_resolve(
    _AMBIGUOUS,
    r"""[-+]?0[0-9_]+ | [-+]?0[xob][0-9a-fA-F_]+ | [-+]?[0-9]+(?:_[0-9_]*)+(?:\.[0-9_]*)?
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
