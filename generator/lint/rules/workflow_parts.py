"""Reads the parts of a Workflow that name each other: templates, tasks, hooks and placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from generator.lint.conditions import depends
from generator.lint.objects import Body, as_list, as_map, as_text, each
from generator.lint.rules.contexts import WorkflowContext
from generator.source.document import Path

_TOKEN: Final = re.compile(r"\{\{(?!=)([^{}]+)\}\}")


def is_partial(ctx: WorkflowContext) -> bool:
    """Return whether it uses the templates of a WorkflowTemplate."""
    return "workflowTemplateRef" in ctx.spec


def template_names(ctx: WorkflowContext) -> Iterator[tuple[Path, str]]:
    """Yield every name of a template of the Workflow itself, with its path."""
    if not is_partial(ctx):
        for key in ("entrypoint", "onExit"):
            yield (*ctx.path, key), as_text(ctx.spec.get(key))
        yield from _hooks(ctx.path, ctx.spec)
    for path, template in ctx.entries:
        for at, node in nodes_of(path, template):
            yield (*at, "template"), as_text(node.get("template"))
            yield from _hooks(at, node)


def _hooks(path: Path, holder: Body) -> Iterator[tuple[Path, str]]:
    for name, hook in as_map(holder.get("hooks")).items():
        yield (*path, "hooks", name, "template"), as_text(as_map(hook).get("template"))


def nodes_of(path: Path, template: Body) -> Iterator[tuple[Path, Body]]:
    """Yield the tasks and steps of a template."""
    yield from tasks_of(path, template)
    for number, group in enumerate(as_list(template.get("steps"))):
        yield from each(group, (*path, "steps", number))


def tasks_of(path: Path, template: Body) -> Iterator[tuple[Path, Body]]:
    """Yield the tasks of a template that is a DAG."""
    yield from each(as_map(template.get("dag")).get("tasks"), (*path, "dag", "tasks"))


def other_templates(ctx: WorkflowContext) -> Iterator[tuple[Path, Body]]:
    """Yield the references to templates of other objects whose name is known."""
    for path, template in ctx.entries:
        for at, node in nodes_of(path, template):
            called = as_map(node.get("templateRef"))
            name = as_text(called.get("name"))
            if name and "{{" not in name:
                yield (*at, "templateRef"), called


def called_kind(called: Body) -> str:
    """Return the kind that a `templateRef` refers to."""
    return "ClusterWorkflowTemplate" if called.get("clusterScope") is True else "WorkflowTemplate"


def tasks_by_name(path: Path, template: Body) -> dict[str, tuple[Path, Body]]:
    """Return the tasks of a DAG with their paths, by name."""
    return {as_text(task.get("name")): (at, task) for at, task in tasks_of(path, template)}


def needs_of(task: Body) -> list[str]:
    """Return the tasks that a task waits for.

    Raises:
        DependsError: its `depends` is not valid.
    """
    expression = as_text(task.get("depends"))
    if not expression:
        return [as_text(name) for name in as_list(task.get("dependencies"))]
    depends.runs(expression, {})
    return depends.tasks_of(expression)


def graph_of(path: Path, template: Body) -> tuple[dict[str, tuple[Path, Body]], dict[str, list[str]]]:
    """Return the tasks of a DAG with their dependencies; None when they cannot be read."""
    tasks = tasks_by_name(path, template)
    try:
        return tasks, {name: needs_of(task) for name, (_, task) in tasks.items()}
    except depends.DependsError:
        return {}, {}


def placeholders(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every simple placeholder below a value with its path; expressions (`{{=…}}`) are left out."""
    todo: list[tuple[Path, object]] = [(path, value)]
    while todo:
        at, entry = todo.pop()
        if isinstance(entry, str):
            yield from ((at, token.strip()) for token in _TOKEN.findall(entry))
        elif isinstance(entry, Mapping):
            todo.extend(((*at, key), below) for key, below in entry.items())
        elif isinstance(entry, list):
            todo.extend(((*at, number), below) for number, below in enumerate(entry))
