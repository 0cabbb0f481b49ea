"""The parameters of a Workflow: each one used is declared, each one needed gets a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.objects import Object, as_list, as_map, as_text, each
from generator.source.document import Path
from generator.source.suggest import misspelt

_TOKEN: Final = re.compile(r"\{\{(?!=)\s*([^{}]+?)\s*\}\}")
_OUTPUT: Final = re.compile(r"(?:tasks|steps)\.([^.]+)\.outputs\.parameters\.([^.]+)$")
_INPUT: Final = re.compile(r"inputs\.parameters\.([^.]+)$")
_GLOBAL: Final = re.compile(r"workflow\.parameters\.([^.]+)$")

Templates = Mapping[str, Mapping[str, Any]]


def tokens(value: object) -> Iterator[str]:
    """Every simple placeholder below a value; expressions (`{{=…}}`) are not looked into."""
    for _, token in _placed(value, ()):
        yield token


def _placed(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    todo: list[tuple[Path, object]] = [(path, value)]
    while todo:
        at, entry = todo.pop()
        if isinstance(entry, str):
            yield from ((at, token) for token in _TOKEN.findall(entry))
        elif isinstance(entry, Mapping):
            todo.extend(((*at, key), below) for key, below in entry.items())
        elif isinstance(entry, list):
            todo.extend(((*at, number), below) for number, below in enumerate(entry))


def check_parameters(
    item: Object, path: Path, spec: Mapping[str, Any], templates: Templates
) -> Iterator[Issue]:
    """Placeholders against declarations, and arguments against inputs.

    Args:
        item: the object.
        path: where its Workflow spec stands.
        spec: that spec.
        templates: its templates by name.
    """
    outputs = _made(templates)
    known = _names(as_map(spec.get("arguments")))
    for at, token in _placed(spec, path):
        found = _GLOBAL.match(token)
        if found and found[1] not in known and found[1] not in outputs:
            yield _undeclared(item, at, f"{{{{{token}}}}}", "the arguments of the Workflow", known)
    for at, template in each(spec.get("templates"), (*path, "templates")):
        yield from _inputs(item, at, template)
        yield from _nodes(item, at, template, templates)


def _names(holder: Mapping[str, Any]) -> set[str]:
    return {as_text(as_map(entry).get("name")) for entry in as_list(holder.get("parameters"))}


def _made(templates: Templates) -> set[str]:
    """Global parameters that templates put out."""
    entries = [p for t in templates.values() for p in as_list(as_map(t.get("outputs")).get("parameters"))]
    return {as_text(as_map(entry).get("globalName")) for entry in entries}


def _undeclared(item: Object, path: Path, used: str, where: str, known: set[str]) -> Issue:
    near = misspelt(used.strip("{}").rpartition(".")[2], known)
    guess = f"; did you mean {near}?" if near else ""
    return issue(item.document, path, "VER163", f"{used} is not declared in {where}{guess}")


def _inputs(item: Object, path: Path, template: Mapping[str, Any]) -> Iterator[Issue]:
    known = _names(as_map(template.get("inputs")))
    for at, token in _placed(template, path):
        found = _INPUT.match(token)
        if found and found[1] not in known and "inline" not in at:
            where = f"the inputs of template {as_text(template.get('name'))}"
            yield _undeclared(item, at, f"{{{{{token}}}}}", where, known)


def _nodes(item: Object, path: Path, template: Mapping[str, Any], templates: Templates) -> Iterator[Issue]:
    nodes = list(each(as_map(template.get("dag")).get("tasks"), (*path, "dag", "tasks")))
    for number, group in enumerate(as_list(template.get("steps"))):
        nodes += each(group, (*path, "steps", number))
    by_name = {as_text(node.get("name")): node for _, node in nodes}
    for at, node in nodes:
        yield from _passed(item, at, node, templates)
        for where, token in _placed(node, at):
            yield from _output(item, where, token, by_name, templates)


def _passed(item: Object, path: Path, node: Mapping[str, Any], templates: Templates) -> Iterator[Issue]:
    """Inputs without value or default that a task does not pass."""
    called = templates.get(as_text(node.get("template")))
    if called is None:
        return
    given = _names(as_map(node.get("arguments")))
    for entry in as_list(as_map(called.get("inputs")).get("parameters")):
        parameter = as_map(entry)
        name = as_text(parameter.get("name"))
        if name not in given and not parameter.keys() & {"value", "default", "valueFrom"}:
            message = f"{as_text(node.get('name'))} calls {node['template']} without its parameter {name}"
            yield issue(item.document, (*path, "arguments"), "VER164", message)


def _output(
    item: Object, path: Path, token: str, nodes: Mapping[str, Mapping[str, Any]], templates: Templates
) -> Iterator[Issue]:
    found = _OUTPUT.match(token)
    if found is None:
        return
    node = nodes.get(found[1])
    if node is None:
        message = f"{{{{{token}}}}} names {found[1]}, which is no task or step beside it"
        yield issue(item.document, path, "VER161", message)
        return
    called = templates.get(as_text(node.get("template")))
    known = _names(as_map(as_map(called).get("outputs"))) if called is not None else {found[2]}
    if found[2] not in known:
        where = f"the outputs of template {as_text(node.get('template'))}"
        yield _undeclared(item, path, f"{{{{{token}}}}}", where, known)
