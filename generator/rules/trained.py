"""What the files of a model show, which the lock records, and what the spec says instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.lint.engine import Problem, Related, rule
from generator.plan.packages import package_name
from generator.rules.context import Context
from generator.source.document import Path
from generator.source.finding import Fix
from generator.spec.lock import Trained, TrainedColumn
from generator.spec.quantities import plural
from generator.spec.service import Value

_FRAMEWORK: Final[Path] = ("spec", "model", "framework")
_SERVICE: Final[Path] = ("spec", "service")
_INPUTS: Final[Path] = (*_SERVICE, "inputs")
_MOST_VALUES: Final = 200
_ALIKE: Final = {("integer", "number"), ("date", "string"), ("datetime", "string"), ("bytes", "string")}


def _trained(context: Context) -> Trained | None:
    lock = context.planned.source.lock
    return lock.trained if lock else None


def _related(context: Context, key: str) -> Related:
    return (("the lock", context.planned.source.lock_document.place(("trained", key))),)


@rule(
    "PLAN541",
    "error",
    "the framework can't load the model's files",
    scope=Context,
    why="The service would never become ready: its loader looks for another kind of file.",
    remedy="Name a framework that can load them; the lock lists these as `trained.frameworks`.",
    example="""
# specs/shop/ranker.lock.yaml
trained: {frameworks: [xgboost]}
""",
    instead="""
# specs/shop/ranker.lock.yaml
trained: {frameworks: [xgboost]}
# specs/shop/ranker.yaml
spec: {model: {framework: xgboost}}
""",
    repair="safe",
)
def fitting_framework(context: Context) -> Iterator[Problem]:
    """Check that the framework is one that loads the files; a class of the team may load anything."""
    trained, model = _trained(context), context.spec.model
    if trained is None or model is None or not trained.frameworks:
        return
    named = model.framework
    if named in {"custom", *trained.frameworks}:
        return
    fitting = trained.frameworks
    message = f"the files of {model.ref} are not those of a model of the framework `{named}`"
    if fitting == ["custom"]:
        message = f"the pickle of {model.ref} has code of the program that trained it, which is in no service"
        hint = (
            "move that code into a module, and write `framework: custom` with a class that loads the model: "
        )
        hint += f"`sluice new {context.plan.identity.team}/NAME --custom` writes one"
        yield Problem(_FRAMEWORK, message, hint, _related(context, "frameworks"))
        return
    hint = f"write `framework: {fitting[0]}`"
    if len(fitting) > 1:
        hint += f", or one of: {', '.join(fitting[1:])}"
    yield Problem(_FRAMEWORK, message, hint, _related(context, "frameworks"), Fix(_FRAMEWORK, fitting[0]))


@rule(
    "PLAN542",
    "warning",
    "the model was trained with another Python",
    scope=Context,
    why="Pickles hold code of functions, and packages that exist for one Python may not exist for another.",
    remedy="Set `service.python` to the Python of the training, or train with that of the service.",
    example="""
# specs/shop/ranker.lock.yaml
trained: {python: "3.12"}
""",
    instead="""
# specs/shop/ranker.lock.yaml
trained: {python: "3.12"}
# specs/shop/ranker.yaml
spec: {service: {python: "3.12"}}
""",
)
def python_of_training(context: Context) -> Iterator[Problem]:
    """Check that the image has the Python of the training."""
    trained, used = _trained(context), context.spec.service.python
    if trained is not None and trained.python and trained.python != used:
        message = f"the model was trained with Python {trained.python}, and its service has Python {used}"
        hint = f'write `python: "{trained.python}"`, with a base image that has it'
        yield Problem((*_SERVICE, "python"), message, hint, _related(context, "python"))


@rule(
    "PLAN543",
    "warning",
    "the service installs another version than the lock has",
    scope=Context,
    why="A model can answer differently, or not load, with another version than it was trained with.",
    remedy="Remove the requirement: the lock has the version of the training. Keep it if you have tested it.",
    example="""
# specs/shop/ranker.lock.yaml
packages: ["scikit-learn==1.5.2"]
# specs/shop/ranker.yaml
spec: {service: {requirements: ["scikit-learn==1.9.1"]}}
""",
    instead="""
# specs/shop/ranker.lock.yaml
packages: ["scikit-learn==1.5.2"]
""",
)
def versions_of_training(context: Context) -> Iterator[Problem]:
    """Check that no requirement of the team replaces a version of the lock."""
    lock = context.planned.source.lock
    locked = {package_name(line): line for line in (lock.packages if lock else ())}
    for index, line in enumerate(context.spec.service.requirements):
        known = locked.get(package_name(line), line)
        if known.partition("==")[2] != line.partition("==")[2]:
            message = f"the service installs {line}, and the lock has {known}"
            related = (("the lock", context.planned.source.lock_document.place(("packages",))),)
            yield Problem((*_SERVICE, "requirements", index), message, f"remove `{line}`", related)


@rule(
    "PLAN544",
    "error",
    "the inputs are not the columns that the model was trained with",
    scope=Context,
    why="A service with other columns than its model never becomes ready; a column of another type gets answers that "
    "training never produced.",
    remedy="Declare the columns that the lock lists as `trained.inputs`.",
    example="""
# specs/shop/ranker.lock.yaml
trained: {inputs: {age: {type: integer}, city: {type: string}}}
# specs/shop/ranker.yaml
spec: {service: {inputs: {age: {type: integer}, town: {type: string}}}}
""",
    instead="""
# specs/shop/ranker.lock.yaml
trained: {inputs: {age: {type: integer}, city: {type: string}}}
# specs/shop/ranker.yaml
spec: {service: {inputs: {age: {type: integer}, city: {type: string}}}}
""",
    repair="safe",
)
def columns_of_training(context: Context) -> Iterator[Problem]:
    """Check that inputs and columns have the same names and types, and that texts are declared."""
    trained, declared, model = _trained(context), context.spec.service.inputs, context.spec.model
    if trained is None or model is None or not trained.inputs or model.framework == "custom":
        return
    related = _related(context, "inputs")
    if not declared:
        if trained.texts:
            message = f"the model has {plural(len(trained.inputs), 'column')}, some with texts, and none is declared"
            fix = _declares(context, proposed(trained.inputs)) if _typed(trained.inputs) else None
            yield Problem(_SERVICE, message, f"declare them: `{_shown(trained.inputs)}`", related, fix)
        return
    missing = [name for name in trained.inputs if name not in declared]
    if missing:
        message = f"the model was trained with the column `{missing[0]}`, which is not declared"
        yield Problem(
            _INPUTS, message, f"declare it: `{_shown({missing[0]: trained.inputs[missing[0]]})}`", related
        )
    for name, column in declared.items():
        path = (*_INPUTS, name)
        if name not in trained.inputs:
            hint = f"remove it; the columns are {', '.join(list(trained.inputs)[:20])}"
            yield Problem(path, f"the model was not trained with the column `{name}`", hint, related)
        else:
            yield from _differences(path, name, column, trained.inputs[name], related)


def _declares(context: Context, inputs: dict[str, dict[str, Any]]) -> Fix:
    """Return the fix that writes the inputs, into a `service` that the spec may not have yet."""
    written = context.planned.source.layers.spec.data["spec"]
    return Fix(_INPUTS, inputs) if "service" in written else Fix(_SERVICE, {"inputs": inputs})


def _differences(
    path: Path, name: str, column: Value, trained: TrainedColumn, related: Related
) -> Iterator[Problem]:
    """Yield where a declared column differs from the trained one; an integer is a number, and a date a text as well."""
    same = column.type == trained.type or (column.type, trained.type) in _ALIKE
    if trained.type and not same and not column.shape and column.max_items is None:
        message = f"`{name}` is declared as {column.type}, and the model was trained with {trained.type}"
        fix = Fix((*path, "type"), trained.type)
        yield Problem((*path, "type"), message, f"write `type: {trained.type}`", related, fix)
    if column.nullable and trained.nullable is False:
        message = f"`{name}` may be null, and the model's signature requires a value"
        hint = "remove `nullable`"
        yield Problem((*path, "nullable"), message, hint, related, Fix((*path, "nullable"), value=False))


def _typed(columns: Mapping[str, TrainedColumn]) -> bool:
    return all(column.type for column in columns.values())


def proposed(columns: Mapping[str, TrainedColumn]) -> dict[str, dict[str, Any]]:
    """Return `inputs` for the columns of a training."""
    out: dict[str, dict[str, Any]] = {}
    for name, column in columns.items():
        out[name] = {"type": column.type or "number"}
        if column.nullable:
            out[name]["nullable"] = True
        if column.values and len(column.values) <= _MOST_VALUES:
            out[name]["values"] = list(column.values)
        elif column.example is not None:
            out[name]["example"] = column.example
    return out


def _shown(columns: Mapping[str, TrainedColumn]) -> str:
    """Return the first columns as `inputs` has them."""
    parts = [
        f"{name}: {{type: {column.type or 'TYPE'}{', nullable: true' if column.nullable else ''}}}"
        for name, column in list(columns.items())[:5]
    ]
    return f"inputs: {{{', '.join([*parts, *(['…'] if len(columns) > len(parts) else [])])}}}"
