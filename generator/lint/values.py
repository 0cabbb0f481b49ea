"""The plain values of a file, as the YAML and JSON readers of Kubernetes see them."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from typing import Any, Final

import ryaml
import yaml

_DEPTH: Final = 128  # the limit of the YAML reader
_MOST_OPEN: Final = 1000  # brackets, those in texts included
_TRICKY: Final = re.compile(
    r"(?:^|[\s,\[{])(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|<<"
    r"|[-+]?0[0-9_boxX][0-9a-fA-F_]*|[-+]?[1-9][0-9]*_[0-9_]*|![^\s=]*)(?=\s*(?:$|[,\]}#:]|\s\S))",
    re.MULTILINE,
)


class _KubernetesLoader(yaml.CSafeLoader):
    """Plain scalars as sigs.k8s.io/yaml reads them: YAML 1.1 without times and base-60 numbers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's protocol


def _resolve(tag: str, pattern: str, first: str) -> None:
    _KubernetesLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first)
    )


_resolve(
    "bool", "y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"
)
_resolve("null", "~|null|Null|NULL|", "~nN")
_resolve("null", "", "")
_resolve("int", r"[-+]?(?:0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789")
_resolve(
    "float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"
)
_resolve("merge", "<<", "<")
_KubernetesLoader.yaml_implicit_resolvers.setdefault("", []).append(
    ("tag:yaml.org,2002:null", re.compile("^$")),
)
_KubernetesLoader.add_constructor(
    "tag:yaml.org,2002:bool",
    lambda _loader, node: node.value.lower() in ("y", "yes", "true", "on"),
)


def values_of(name: str, text: str) -> list[Any]:
    """Return the documents of a YAML file, or the value of a JSON file.

    Raises:
        ValueError, RecursionError, yaml.YAMLError: the text is neither.
    """
    if name.endswith(".json"):
        return [_json(text)]
    end = _too_many_open(text)
    values = ryaml.load_all(io.StringIO(text[:end] if end else text)) or []
    if end:
        raise RecursionError
    if _TRICKY.search(text):
        values = list(yaml.load_all(text, _KubernetesLoader))
    return [_with_text_keys(value) for value in values]


def _too_many_open(text: str) -> int:
    """Return where more brackets are open at once than in any object, 0 for nowhere: parsing takes their square."""
    if text.count("[") + text.count("{") <= _MOST_OPEN:
        return 0
    open_now = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        open_now = open_now + 1 if bracket[0] in "[{" else max(open_now - 1, 0)
        if open_now > _MOST_OPEN:
            return bracket.end()
    return 0


def _with_text_keys(value: Any) -> Any:
    """Return a value whose keys are text, as sigs.k8s.io/yaml makes them; it accepts no null as a key."""
    if isinstance(value, dict):
        if None in value:
            raise ValueError("a key is null")
        return {
            key if isinstance(key, str) else json.dumps(key): _with_text_keys(below)
            for key, below in value.items()
        }
    return [_with_text_keys(entry) for entry in value] if isinstance(value, list) else value


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key, count in Counter(names).items() if count > 1)
            raise ValueError(f'duplicate entry with key "{twice}"')
        return made

    value = json.loads(text, object_pairs_hook=once)
    if _deeper_than(value, _DEPTH):
        raise RecursionError
    return value


def _deeper_than(value: object, most: int) -> bool:
    """Return whether mappings and lists are nested deeper than this many levels."""
    level = [value]
    for _ in range(most + 1):
        holders = [entry for entry in level if isinstance(entry, dict | list)]
        level = [one for entry in holders for one in (entry.values() if isinstance(entry, dict) else entry)]
    return any(isinstance(entry, dict | list) for entry in level)
