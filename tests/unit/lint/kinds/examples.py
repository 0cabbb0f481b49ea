"""One good object of each kind, of which tests spoil a word."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import yaml

from generator.lint.kinds.notation import Schema
from generator.lint.kinds.tables import inner

TEXT = Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8")
EXAMPLES = {(doc["apiVersion"], doc["kind"]): doc for doc in yaml.load_all(TEXT, yaml.CSafeLoader)}

Spot = tuple[tuple[str | int, ...], Schema, object]


def spots(schema: Schema, value: object, path: tuple[str | int, ...] = ()) -> Iterator[Spot]:
    """Every value of an object with its path and its type."""
    node = inner(schema)
    yield path, node, value
    if node["type"] == "typed-dict":
        for key, below in value.items():
            yield from spots(node["fields"][key]["schema"], below, (*path, key))
    elif node["type"] == "list":
        for number, below in enumerate(value):
            yield from spots(node["items_schema"], below, (*path, number))
    elif node["type"] == "dict":
        for key, below in value.items():
            yield from spots(node["values_schema"], below, (*path, key))


def changed(example: dict, path: tuple[str | int, ...], value: object) -> dict:
    """A copy with another value at a path; a key is removed where the value is `...`."""
    made = copy.deepcopy(example)
    holder = made
    for step in path[:-1]:
        holder = holder[step]
    if value is ...:
        del holder[path[-1]]
    elif isinstance(holder, list) and path[-1] == len(holder):
        holder.append(value)
    else:
        holder[path[-1]] = value
    return made
