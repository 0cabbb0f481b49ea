"""The templates that a use reaches, the arguments that they get, and a metric with its arguments filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from generator.dataclass import dataclass
from generator.lint.objects import Body, Object, as_list, as_map, as_text, has
from generator.lint.placement import Nearby, Objects
from generator.lint.rollout import Moment, Rollout, Use, template_kind
from generator.source.suggest import misspelt

_TAG: Final = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Instantiation:
    """One way in which a template is used.

    Args:
        values: the arguments whose values the tree shows.
        declared: names of all arguments that may be in braces.
        moment: when, None when no Rollout of the tree uses it.
        use: the Rollout, and where in it.
    """

    values: Mapping[str, str]
    declared: frozenset[str]
    moment: Moment | None = None
    use: tuple[Rollout, Use] | None = None


def reach(objects: Nearby, namespace: str, refs: Iterable[Body]) -> tuple[list[Object], list[str]]:
    """Return all templates that some references reach, and the names of those that are not in the tree.

    Nested templates are included, each comes once, and those of the namespace come before those of the cluster.
    """
    found: dict[tuple[str, str], Object] = {}
    missing: list[str] = []
    waiting = list(refs)
    while waiting:
        ref = waiting.pop(0)
        kind, name = template_kind(ref), as_text(ref.get("templateName"))
        template = objects.find(kind, "" if kind.startswith("Cluster") else namespace, name)
        if template is None:
            missing.append(f"{kind} {name}")
        elif (kind, name) not in found:
            found[kind, name] = template
            waiting[:0] = [as_map(nested) for nested in as_list(template.spec.get("templates"))]
    return sorted(found.values(), key=lambda item: item.kind), missing


def declared(templates: Iterable[Object]) -> list[Body]:
    """Return the arguments that templates declare, in order."""
    return [as_map(arg) for template in templates for arg in as_list(template.spec.get("args"))]


def merged(args: Iterable[Body]) -> dict[str, Body]:
    """Return one declaration per argument: the first with a value, otherwise the last (`flattenArgs`)."""
    kept: dict[str, Body] = {}
    for arg in args:
        name = as_text(arg.get("name"))
        if not isinstance(kept.get(name, {}).get("value"), str):
            kept[name] = arg
    return kept


def is_set(arg: Body) -> bool:
    """Return whether a declaration gives its argument a value."""
    return isinstance(arg.get("value"), str) or has(arg, "valueFrom")


def names(args: Iterable[Body]) -> list[str]:
    """Return the names of arguments."""
    return [as_text(arg.get("name")) for arg in args]


def without_value(name: str, templates: Iterable[Object], passed: Iterable[Body]) -> tuple[str, str]:
    """Return what is wrong with an argument that gets no value, and what to do: it may be passed under another name."""
    wrong = misspelt(name, set(names(passed)) - set(names(declared(templates))))
    if wrong:
        return f"the argument `{name}` gets no value, and `{wrong}` is passed", f"Pass it as `{name}`."
    return f"the argument `{name}` gets no value", ""


def known_values(args: Iterable[Body], passed: Iterable[Body]) -> dict[str, str]:
    """Return the values of arguments that the tree shows: defaults, overridden by what the Rollout passes.

    Left out is an argument that only the cluster knows: a secret, a field, a pod hash, a placeholder of an experiment.
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
    """Return the names inside every `{{…}}` of a value and of all that is in it."""
    if isinstance(value, str):
        return [tag.strip() for tag in _TAG.findall(value)]
    if isinstance(value, Mapping):
        return [tag for inner in value.values() for tag in tags(inner)]
    return [tag for inner in as_list(value) for tag in tags(inner)]


def fill(value: Any, values: Mapping[str, str]) -> Any:
    """Return the value with every known `{{args.x}}` replaced; an unknown one stays as it is."""
    if isinstance(value, str):
        return _TAG.sub(lambda match: values.get(match[1].strip().removeprefix("args."), match[0]), value)
    if isinstance(value, Mapping):
        return {key: fill(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, values) for inner in value]
    return value


def instantiations(objects: Objects, rollouts: Iterable[Rollout]) -> dict[Object, list[Instantiation]]:
    """Return the ways in which the Rollouts of a tree use each template."""
    found: dict[Object, list[Instantiation]] = {}
    for rollout in rollouts:
        for use in rollout.uses:
            templates, _ = reach(objects.near(rollout.object), rollout.object.namespace, use.refs)
            args = declared(templates)
            one = Instantiation(
                known_values(args, use.args), frozenset(names(args)), use.moment, (rollout, use)
            )
            for template in templates:
                found.setdefault(template, []).append(one)
    return found
