"""Which templates a Rollout reaches, with which arguments, and what a metric says once they are filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.lint.rollouts.model import Body, Object, Objects, as_list, as_map, as_text
from generator.lint.rollouts.view import Moment, Rollout, Use, has

_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def template_kind(ref: Body) -> str:
    """The kind that a reference to a template means."""
    return "ClusterAnalysisTemplate" if ref.get("clusterScope") is True else "AnalysisTemplate"


def reach(objects: Objects, namespace: str, refs: Iterable[Body]) -> tuple[list[Object], list[str]]:
    """All templates behind some references and the names of those not found.

    Nested ones are included, each comes once, and those of the namespace come before those of the cluster.
    """
    found: dict[tuple[str, str], Object] = {}
    missing: list[str] = []
    waiting = list(refs)
    while waiting:
        ref = waiting.pop(0)
        kind, name = template_kind(ref), as_text(ref.get("templateName"))
        template = objects.get(kind, namespace, name)
        if template is None:
            missing.append(f"{kind} {name}")
        elif (kind, name) not in found:
            found[kind, name] = template
            spec = as_map(template.body.get("spec"))
            waiting[:0] = [as_map(ref) for ref in as_list(spec.get("templates"))]
    return sorted(found.values(), key=lambda item: item.key.kind), missing


def declared(templates: Iterable[Object]) -> list[Body]:
    """The arguments that templates declare, in order."""
    return [as_map(arg) for t in templates for arg in as_list(as_map(t.body.get("spec")).get("args"))]


def merged(args: Iterable[Body]) -> dict[str, Body]:
    """One declaration an argument: the first with a value, else the last (flattenArgs)."""
    kept: dict[str, Body] = {}
    for arg in args:
        name = as_text(arg.get("name"))
        if not isinstance(kept.get(name, {}).get("value"), str):
            kept[name] = arg
    return kept


def is_set(arg: Body) -> bool:
    """Whether a declaration gives its argument a value."""
    return isinstance(arg.get("value"), str) or has(arg, "valueFrom")


def known_values(args: Iterable[Body], passed: Sequence[Body]) -> dict[str, str]:
    """The values of arguments as far as a tree tells: defaults, overridden by what the Rollout passes.

    An argument that only the cluster knows is left out: a secret, a field, a pod hash, a placeholder of an
    experiment.
    """
    values: dict[str, str] = {}
    for arg in args:
        if isinstance(arg.get("value"), str):
            values.setdefault(as_text(arg.get("name")), arg["value"])
    for arg in passed:
        name = as_text(arg.get("name"))
        if has(arg, "valueFrom"):
            values.pop(name, None)
        else:
            values[name] = as_text(arg.get("value"))
    return {name: value for name, value in values.items() if "{{" not in value}


def tags(value: object) -> list[str]:
    """The names inside all `{{…}}` of a value, mappings and lists included."""
    if isinstance(value, str):
        return [tag.strip() for tag in _TAG.findall(value)]
    if isinstance(value, Mapping):
        return [tag for inner in value.values() for tag in tags(inner)]
    if isinstance(value, list | tuple):
        return [tag for inner in value for tag in tags(inner)]
    return []


def fill(value: Any, values: Mapping[str, str]) -> Any:
    """The value with every known `{{args.x}}` replaced; what is not known stays as it is."""
    if isinstance(value, str):
        return _TAG.sub(lambda match: values.get(match[1].strip().removeprefix("args."), match[0]), value)
    if isinstance(value, Mapping):
        return {key: fill(inner, values) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fill(inner, values) for inner in value]
    return value


@dataclass(frozen=True, slots=True)
class Form:
    """One way a template is used.

    Args:
        moment: when, None where no Rollout of the tree uses it.
        values: the arguments known there.
        declared: names of all arguments that may stand in braces there.
        use: the Rollout, and where in it.
    """

    moment: Moment | None
    values: Mapping[str, str]
    declared: frozenset[str]
    use: tuple[Rollout, Use] | None = None


def names(args: Iterable[Body]) -> list[str]:
    """The names of arguments."""
    return [as_text(arg.get("name")) for arg in args]


def forms(objects: Objects, rollouts: Iterable[Rollout]) -> dict[int, list[Form]]:
    """For every template (by identity) the ways it is used."""
    uses: dict[int, list[Form]] = {}
    for rollout in rollouts:
        for use in rollout.uses:
            templates, _ = reach(objects, rollout.object.key.namespace, use.refs)
            args = declared(templates)
            form = Form(use.moment, known_values(args, use.args), frozenset(names(args)), (rollout, use))
            for template in templates:
                uses.setdefault(id(template), []).append(form)
    return uses
