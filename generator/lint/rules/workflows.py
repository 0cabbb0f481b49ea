"""Rules on Workflows beyond their schema: templates and tasks exist, tasks have no cycles, failures count.

Sources: workflow/validate/validate.go and workflow/controller/dag.go of Argo Workflows 3.7.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from generator.lint.conditions import depends
from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, as_list, as_map, as_text
from generator.lint.rules.contexts import WorkflowContext
from generator.lint.rules.workflow_parts import (
    called_kind,
    graph_of,
    is_partial,
    needs_of,
    nodes_of,
    other_templates,
    placeholders,
    tasks_by_name,
    tasks_of,
    template_names,
)
from generator.source.document import Path
from generator.source.suggest import misspelt

_VALIDATE: Final = "Argo Workflows 3.7, workflow/validate/validate.go"
_REFUSED: Final = "The workflow controller ends the Workflow with an error before any of it runs."
_OUTPUT: Final = re.compile(r"(?:tasks|steps)\.([^.]+)\.outputs\.parameters\.([^.]+)$")
_INPUT: Final = re.compile(r"inputs\.parameters\.([^.]+)$")
_GLOBAL: Final = re.compile(r"workflow\.parameters\.([^.]+)$")
_WORKFLOW: Final = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: checks, namespace: shop}}
spec:
  entrypoint: {entrypoint}
  templates:
    - {{name: check, {inputs}container: {{image: "registry.example/check:1"}}}}
    - name: run
      dag:
        tasks: [{tasks}]
"""


def _example(tasks: str = "{name: a, template: check}", inputs: str = "", entrypoint: str = "run") -> str:
    return _WORKFLOW.format(tasks=tasks, inputs=inputs, entrypoint=entrypoint)


@rule(
    "VER160",
    "error",
    "a Workflow uses a template that does not exist",
    scope=WorkflowContext,
    why=_REFUSED,
    remedy="Correct the name, or add the template.",
    example=_example(entrypoint="runs"),
    instead=_example(),
    source=_VALIDATE,
)
def missing_template(ctx: WorkflowContext) -> Iterator[Problem]:
    """Check that the templates of entrypoint, hooks, tasks and steps exist, also those of other Workflows."""
    for path, name in template_names(ctx):
        if name and name not in ctx.templates and "{{" not in name:
            yield Problem(path, f"{ctx.document} has no template `{name}`{_guess(name, ctx.templates)}")
    if (
        ctx.document.kind in ("Workflow", "CronWorkflow")
        and not is_partial(ctx)
        and not ctx.spec.get("entrypoint")
    ):
        yield Problem((*ctx.path, "entrypoint"), f"{ctx.document} has no entrypoint, so nothing runs")
    for path, called in other_templates(ctx):
        target = ctx.objects.get(
            "argoproj.io", called_kind(called), ctx.document.namespace, as_text(called.get("name"))
        )
        name = as_text(called.get("template"))
        if target is not None and name not in WorkflowContext.of(target, ctx.objects).templates:
            yield Problem((*path, "template"), f"{target} has no template `{name}`")


def missing_workflow_templates(ctx: WorkflowContext) -> Iterator[tuple[Path, str]]:
    """Yield the WorkflowTemplates that a Workflow calls and that are not in the tree, with the path of the name."""
    for path, called in other_templates(ctx):
        kind, name = called_kind(called), as_text(called.get("name"))
        if ctx.objects.get("argoproj.io", kind, ctx.document.namespace, name) is None:
            yield (*path, "name"), f"{kind} {name}"


@rule(
    "VER161",
    "error",
    "a task refers to a task that does not exist",
    scope=WorkflowContext,
    why=_REFUSED,
    remedy="Correct the name, or add the task.",
    example=_example("{name: a, template: check}, {name: b, template: check, depends: aa}"),
    instead=_example("{name: a, template: check}, {name: b, template: check, depends: a}"),
    source=_VALIDATE,
)
def missing_task(ctx: WorkflowContext) -> Iterator[Problem]:
    """Check that a task waits for tasks that exist, and uses the outputs of tasks that exist."""
    for path, template in ctx.entries:
        yield from _unknown_needs(path, template)
    for path, template in ctx.entries if not is_partial(ctx) else ():
        nodes = list(nodes_of(path, template))
        names = {as_text(node.get("name")) for _, node in nodes}
        for at, node in nodes:
            for where, token in placeholders(node, at):
                found = _OUTPUT.match(token)
                if found and found[1] not in names:
                    message = (
                        f"`{{{{{token}}}}}` names `{found[1]}`, which is not a task or step of this template"
                    )
                    yield Problem(where, message)


def _unknown_needs(path: Path, template: Body) -> Iterator[Problem]:
    tasks = tasks_by_name(path, template)
    for name, (at, task) in tasks.items():
        where = (*at, "depends" if "depends" in task else "dependencies")
        try:
            needs = needs_of(task)
        except depends.DependsError as error:
            yield Problem(where, f"the `depends` of the task `{name}` is invalid: {error}")
            return
        for wanted in needs:
            if wanted not in tasks:
                message = f"the task `{name}` waits for `{wanted}`, which is not a task of this DAG"
                yield Problem(where, message + _guess(wanted, tasks))


@rule(
    "VER162",
    "error",
    "tasks wait for each other in a cycle",
    scope=WorkflowContext,
    why=_REFUSED,
    remedy="Remove one of the dependencies.",
    example=_example("{name: a, template: check, depends: b}, {name: b, template: check, depends: a}"),
    instead=_example("{name: a, template: check}, {name: b, template: check, depends: a}"),
    source=_VALIDATE,
)
def circle(ctx: WorkflowContext) -> Iterator[Problem]:
    """Check that the tasks of a DAG have no cycle."""
    for path, template in ctx.entries:
        tasks, needs = graph_of(path, template)
        if found := _circle(needs):
            message = f"{ctx.document} has a cycle: {' needs '.join(found)}"
            yield Problem((*tasks[found[0]][0], "name"), message)


def _circle(needs: Mapping[str, list[str]]) -> list[str]:
    """Return one cycle of tasks, with the first task again at the end; empty if there is none."""
    done: set[str] = set()
    for start in needs:
        stack = [(start, iter(needs[start]))]
        while stack:
            trail = [entry for entry, _ in stack]
            following = next((other for other in stack[-1][1] if other in needs and other not in done), None)
            if following is None:
                done.add(stack.pop()[0])
            elif following in trail:
                return [*trail[trail.index(following) :], following]
            else:
                stack.append((following, iter(needs[following])))
    return []


@rule(
    "VER163",
    "error",
    "a parameter is used that is not declared",
    scope=WorkflowContext,
    why=_REFUSED,
    remedy="Declare it in the place that the message names, or correct the name.",
    example=_example(
        "{name: a, template: check, arguments: {parameters: [{name: x, value: '{{workflow.parameters.y}}'}]}}",
        "inputs: {parameters: [{name: x}]}, ",
    ),
    instead=_example(
        "{name: a, template: check, arguments: {parameters: [{name: x, value: '1'}]}}",
        "inputs: {parameters: [{name: x}]}, ",
    ),
    source=_VALIDATE,
)
def undeclared_parameter(ctx: WorkflowContext) -> Iterator[Problem]:
    """Check that every placeholder names a declared argument, input or output."""
    if is_partial(ctx):
        return
    made = {
        as_text(output.get("globalName"))
        for t in ctx.templates.values()
        for output in _parameters(t, "outputs")
    }
    known = _parameter_names(as_map(ctx.spec.get("arguments")))
    for at, token in placeholders(ctx.spec, ctx.path):
        found = _GLOBAL.match(token)
        if found and found[1] not in known | made:
            yield _undeclared(at, token, "the arguments of the Workflow", known)
    for path, template in ctx.entries:
        yield from _undeclared_inputs(path, template)
        yield from _undeclared_outputs(ctx, path, template)


def _undeclared_inputs(path: Path, template: Body) -> Iterator[Problem]:
    known = _parameter_names(as_map(template.get("inputs")))
    for at, token in placeholders(template, path):
        found = _INPUT.match(token)
        if found and found[1] not in known and "inline" not in at:
            yield _undeclared(
                at, token, f"the inputs of the template `{as_text(template.get('name'))}`", known
            )


def _undeclared_outputs(ctx: WorkflowContext, path: Path, template: Body) -> Iterator[Problem]:
    nodes = list(nodes_of(path, template))
    by_name = {as_text(node.get("name")): node for _, node in nodes}
    for at, node in nodes:
        for where, token in placeholders(node, at):
            found = _OUTPUT.match(token)
            called = as_text(by_name.get(found[1], {}).get("template")) if found else ""
            if found is None or called not in ctx.templates:
                continue
            known = _parameter_names(as_map(ctx.templates[called].get("outputs")))
            if found[2] not in known:
                yield _undeclared(where, token, f"the outputs of the template `{called}`", known)


def _undeclared(path: Path, token: str, where: str, known: set[str]) -> Problem:
    guess = _guess(token.rpartition(".")[2], known)
    return Problem(path, f"`{{{{{token}}}}}` is not declared in {where}{guess}")


def _parameters(holder: Body, key: str) -> list[Body]:
    return [as_map(entry) for entry in as_list(as_map(holder.get(key)).get("parameters"))]


def _parameter_names(holder: Body) -> set[str]:
    return {as_text(as_map(entry).get("name")) for entry in as_list(holder.get("parameters"))}


@rule(
    "VER164",
    "error",
    "a template is called without a parameter that it needs",
    scope=WorkflowContext,
    why=_REFUSED,
    remedy="Pass the parameter, or give it a value or a default.",
    example=_example(inputs="inputs: {parameters: [{name: x}]}, "),
    instead=_example(inputs="inputs: {parameters: [{name: x, default: '1'}]}, "),
    source=_VALIDATE,
)
def missing_argument(ctx: WorkflowContext) -> Iterator[Problem]:
    """Check that every input without a value is passed."""
    for path, template in ctx.entries if not is_partial(ctx) else ():
        for at, node in nodes_of(path, template):
            given = _parameter_names(as_map(node.get("arguments")))
            for parameter in _parameters(ctx.templates.get(as_text(node.get("template")), {}), "inputs"):
                name = as_text(parameter.get("name"))
                if name not in given and not parameter.keys() & {"value", "default", "valueFrom"}:
                    message = f"`{as_text(node.get('name'))}` calls `{node['template']}` without its parameter `{name}`"
                    yield Problem((*at, "arguments"), message)


@rule(
    "VER165",
    "error",
    "two templates, tasks or steps have the same name",
    scope=WorkflowContext,
    why=_REFUSED,
    remedy="Rename one of them.",
    example=_example("{name: a, template: check}, {name: a, template: check}"),
    instead=_example("{name: a, template: check}, {name: b, template: check}"),
    source=_VALIDATE,
)
def repeated_name(ctx: WorkflowContext) -> Iterator[Problem]:
    """Check that templates, and the tasks and steps of each template, have different names."""
    yield from _twice(ctx, (template for _, template in ctx.entries), (*ctx.path, "templates"), "template")
    for path, template in ctx.entries:
        steps = (as_map(step) for group in as_list(template.get("steps")) for step in as_list(group))
        yield from _twice(ctx, steps, (*path, "steps"), "step")
        yield from _twice(
            ctx, (task for _, task in tasks_of(path, template)), (*path, "dag", "tasks"), "task"
        )


def _twice(ctx: WorkflowContext, entries: Iterable[Body], path: Path, noun: str) -> Iterator[Problem]:
    counts = Counter(as_text(entry.get("name")) for entry in entries)
    for name in sorted(name for name, count in counts.items() if name and count > 1):
        yield Problem(path, f"{ctx.document} has two {noun}s named `{name}`", on_key=True)


@rule(
    "VER166",
    "warning",
    "a failed task does not fail the Workflow",
    scope=WorkflowContext,
    why="The phase of a DAG is that of its last tasks. If all tasks that wait for a gate run although it "
    "failed, and do not look at its result, the Workflow succeeds although a gate failed.",
    remedy="Let the last task exit non-zero when a gate failed.",
    example=_example(
        "{name: a, template: check}, {name: b, template: check, depends: a.Succeeded || a.Failed}"
    ),
    instead=_example("{name: a, template: check}, {name: b, template: check, depends: a.Succeeded}"),
    source="Argo Workflows 3.7, workflow/controller/dag.go (executed on 3.7.18)",
)
def swallowed_failure(ctx: WorkflowContext) -> Iterator[Problem]:
    """Check that the failure of a task has an effect on a task that waits for it."""
    for path, template in ctx.entries:
        tasks, needs = graph_of(path, template)
        for name, (at, _) in tasks.items() if not _circle(needs) else ():
            waiting = [other for other in tasks if name in needs[other]]
            if waiting and all(_ignores(tasks[other][1], name) for other in waiting):
                others = " and ".join(f"`{other}`" for other in waiting)
                message = (
                    f"the Workflow can succeed although the task `{name}` failed: {others} ignores its result"
                )
                yield Problem((*at, "name"), message)


def _ignores(task: Body, other: str) -> bool:
    """Return whether a task runs although another one failed, and does not use any of its outputs."""
    expression = as_text(task.get("depends"))
    if not expression or not depends.runs(expression, {other: "Failed"}):
        return False
    return not any(token.startswith(f"tasks.{other}.") for _, token in placeholders(task, ()))


def _guess(word: str, known: Iterable[str]) -> str:
    near = misspelt(word, known)
    return f"; did you mean `{near}`?" if near else ""
