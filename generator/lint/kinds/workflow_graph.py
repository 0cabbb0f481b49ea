"""What no schema says of a Workflow: its templates and tasks exist, its graph has no circle, failures count.

Sources: `workflow/validate/validate.go` and `workflow/controller/dag.go` of Argo Workflows 3.7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from generator.lint.kinds import depends
from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.objects import Object, Objects, as_list, as_map, as_text, each
from generator.lint.kinds.workflow_parameters import check_parameters, tokens
from generator.source.document import Path
from generator.source.suggest import misspelt

_KINDS: Final = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
_ARGO: Final = "argoproj.io"


@dataclass(frozen=True, slots=True)
class Flow:
    """The spec of a Workflow inside whatever object holds it.

    Args:
        item: the object.
        path: where the spec stands.
        spec: its plain values.
        templates: its templates by name.
    """

    item: Object
    path: Path
    spec: Mapping[str, Any]
    templates: Mapping[str, Mapping[str, Any]]


def check(objects: Objects) -> Iterator[Issue]:
    """Everything about the Workflows of a tree that their tables cannot say."""
    for kind in _KINDS:
        for item in objects.of(_ARGO, kind):
            flow = _flow(item)
            yield from _templates(flow)
            for at, template in each(flow.spec.get("templates"), (*flow.path, "templates")):
                yield from _calls(flow, objects, at, template)
                yield from _graph(flow, (*at, "dag"), as_map(template.get("dag")))
            if "workflowTemplateRef" not in flow.spec:
                yield from check_parameters(flow.item, flow.path, flow.spec, flow.templates)


def _flow(item: Object) -> Flow:
    cron = item.kind == "CronWorkflow"
    spec = as_map(item.spec.get("workflowSpec")) if cron else item.spec
    templates = [as_map(template) for template in as_list(spec.get("templates"))]
    path: Path = ("spec", "workflowSpec") if cron else ("spec",)
    return Flow(item, path, spec, {as_text(template.get("name")): template for template in templates})


def _templates(flow: Flow) -> Iterator[Issue]:
    yield from _twice(flow, as_list(flow.spec.get("templates")), (*flow.path, "templates"), "template")
    if "workflowTemplateRef" in flow.spec:
        return
    for key in ("entrypoint", "onExit"):
        if name := as_text(flow.spec.get(key)):
            yield from _template(flow, (*flow.path, key), name)
    if flow.item.kind in ("Workflow", "CronWorkflow") and not flow.spec.get("entrypoint"):
        message = f"{flow.item} has no entrypoint, so nothing runs"
        yield issue(flow.item.document, (*flow.path, "entrypoint"), "VER160", message)
    yield from _hooks(flow, flow.path, flow.spec)


def _template(flow: Flow, path: Path, name: str) -> Iterator[Issue]:
    if name and name not in flow.templates and "{{" not in name:
        near = misspelt(name, flow.templates)
        message = f"{flow.item} has no template {name}" + (f"; did you mean {near}?" if near else "")
        yield issue(flow.item.document, path, "VER160", message)


def _hooks(flow: Flow, path: Path, holder: Mapping[str, Any]) -> Iterator[Issue]:
    for name, hook in as_map(holder.get("hooks")).items():
        yield from _template(flow, (*path, "hooks", name, "template"), as_text(as_map(hook).get("template")))


def _nodes(path: Path, template: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The tasks and steps of a template."""
    yield from each(as_map(template.get("dag")).get("tasks"), (*path, "dag", "tasks"))
    for number, group in enumerate(as_list(template.get("steps"))):
        yield from each(group, (*path, "steps", number))


def _calls(flow: Flow, objects: Objects, path: Path, template: Mapping[str, Any]) -> Iterator[Issue]:
    nodes = list(_nodes(path, template))
    if "steps" in template:
        yield from _twice(flow, [node for _, node in nodes], (*path, "steps"), "step")
    for at, node in nodes:
        yield from _template(flow, (*at, "template"), as_text(node.get("template")))
        yield from _hooks(flow, at, node)
        yield from _elsewhere(flow, objects, (*at, "templateRef"), as_map(node.get("templateRef")))


def _elsewhere(flow: Flow, objects: Objects, path: Path, called: Mapping[str, Any]) -> Iterator[Issue]:
    """A template of another object."""
    name, template = as_text(called.get("name")), as_text(called.get("template"))
    if not name or "{{" in name:
        return
    kind = "ClusterWorkflowTemplate" if called.get("clusterScope") is True else "WorkflowTemplate"
    target = objects.get(_ARGO, kind, flow.item.namespace, name)
    if target is None:
        message = f"{flow.item} calls {kind} {name}, which is not in the tree"
        yield issue(flow.item.document, (*path, "name"), "VER151", message)
    elif template not in _flow(target).templates:
        message = f"{target} has no template {template}"
        yield issue(flow.item.document, (*path, "template"), "VER160", message)


def _twice(flow: Flow, entries: list[Any], path: Path, what: str) -> Iterator[Issue]:
    counts = Counter(as_text(as_map(entry).get("name")) for entry in entries)
    for name in sorted(name for name, count in counts.items() if name and count > 1):
        yield issue(
            flow.item.document, path, "VER165", f"{flow.item} has two {what}s named {name}", on_key=True
        )


def _graph(flow: Flow, path: Path, dag: Mapping[str, Any]) -> Iterator[Issue]:
    tasks = {as_text(task.get("name")): (at, task) for at, task in each(dag.get("tasks"), (*path, "tasks"))}
    yield from _twice(flow, as_list(dag.get("tasks")), (*path, "tasks"), "task")
    needs: dict[str, list[str]] = {}
    for name, (at, task) in tasks.items():
        key = "depends" if "depends" in task else "dependencies"
        try:
            needs[name] = _needs(task)
        except depends.DependsError as error:
            yield issue(
                flow.item.document, (*at, key), "VER161", f"the depends of task {name} is wrong: {error}"
            )
            return
        for wanted in [wanted for wanted in needs[name] if wanted not in tasks]:
            near = misspelt(wanted, tasks)
            guess = f"; did you mean {near}?" if near else ""
            message = f"task {name} waits for {wanted}, which is no task of this DAG{guess}"
            yield issue(flow.item.document, (*at, key), "VER161", message)
    if circle := _circle(needs):
        message = f"{flow.item} waits in a circle: {' needs '.join(circle)}"
        yield issue(flow.item.document, (*tasks[circle[0]][0], "name"), "VER162", message)
    else:
        yield from _swallowed(flow, tasks, needs)


def _needs(task: Mapping[str, Any]) -> list[str]:
    expression = as_text(task.get("depends"))
    if not expression:
        return [as_text(name) for name in as_list(task.get("dependencies"))]
    depends.runs(expression, {})
    return depends.tasks_of(expression)


def _circle(needs: Mapping[str, list[str]]) -> list[str]:
    """One circle of tasks, its first task again at the end; empty when there is none."""
    done: set[str] = set()
    for start in needs:
        trail: list[str] = []
        stack = [(start, iter(needs[start]))]
        while stack:
            rest = stack[-1][1]
            trail = [entry for entry, _ in stack]
            following = next((other for other in rest if other in needs and other not in done), None)
            if following is None:
                done.add(stack.pop()[0])
            elif following in trail:
                return [*trail[trail.index(following) :], following]
            else:
                stack.append((following, iter(needs[following])))
    return []


def _swallowed(
    flow: Flow, tasks: Mapping[str, tuple[Path, Mapping[str, Any]]], needs: Mapping[str, list[str]]
) -> Iterator[Issue]:
    """Tasks whose failure nobody notices: all that wait for one run all the same and take nothing from it.

    A DAG's phase is that of its leaf tasks: a Workflow whose last task succeeds is Succeeded although a gate
    failed, unless that last task looks at the gate's result and fails itself (executed on 3.7.18).
    """
    for name, (at, _) in tasks.items():
        waiting = [other for other in tasks if name in needs[other]]
        if waiting and all(_ignores(tasks[other][1], name) for other in waiting):
            others = " and ".join(waiting)
            message = f"when task {name} fails the Workflow can still succeed: {others} takes nothing from it"
            yield issue(flow.item.document, (*at, "name"), "VER166", message)


def _ignores(task: Mapping[str, Any], other: str) -> bool:
    """Whether a task runs although another one failed, and does not look at what came of it."""
    expression = as_text(task.get("depends"))
    if not expression or not depends.runs(expression, {other: "Failed"}):
        return False
    return not any(token.startswith(f"tasks.{other}.") for token in tokens(task))
