"""What the official clients say of an object: `kubernetes` for core kinds, `argo_workflows` for Workflows.

Both are extras, imported when their first object comes. The Kubernetes models are asked with `model_validate`
(`from_dict` drops unknown fields in silence); the Argo client converts in place, so it is given a copy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.notation import Schema
from generator.lint.kinds.objects import Object, Objects, as_map
from generator.lint.kinds.tables import inner, part
from generator.source.document import Path

_ADMISSION: Final = "admissionregistration.k8s.io/v1"
_CORE: Final = {
    ("v1", "Pod"): "V1Pod",
    ("v1", "Service"): "V1Service",
    ("v1", "ConfigMap"): "V1ConfigMap",
    ("v1", "Secret"): "V1Secret",
    ("v1", "ServiceAccount"): "V1ServiceAccount",
    ("v1", "Namespace"): "V1Namespace",
    ("v1", "ResourceQuota"): "V1ResourceQuota",
    ("v1", "LimitRange"): "V1LimitRange",
    ("apps/v1", "Deployment"): "V1Deployment",
    ("batch/v1", "Job"): "V1Job",
    ("networking.k8s.io/v1", "Ingress"): "V1Ingress",
    ("networking.k8s.io/v1", "NetworkPolicy"): "V1NetworkPolicy",
    ("rbac.authorization.k8s.io/v1", "Role"): "V1Role",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): "V1RoleBinding",
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): "V1ClusterRole",
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): "V1ClusterRoleBinding",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "V2HorizontalPodAutoscaler",
    ("policy/v1", "PodDisruptionBudget"): "V1PodDisruptionBudget",
    (_ADMISSION, "ValidatingAdmissionPolicy"): "V1ValidatingAdmissionPolicy",
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): "V1ValidatingAdmissionPolicyBinding",
}
_ARGO: Final = "argoproj.io/v1alpha1"
_FLOWS: Final = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
_POD_TEMPLATE: Final = "V1PodTemplateSpec"
_QUANTITY_MAPS: Final = frozenset(
    "requests limits hard max min default defaultRequest maxLimitRequestRatio overhead".split()  # noqa: SIM905
)
_QUANTITY_FIELDS: Final = frozenset({"sizeLimit", "divisor", "averageValue", "tolerance"})
_PREFIX: Final = "IoArgoprojWorkflowV1alpha1"

Flaw = tuple[Path, str]


def check(objects: Objects, unchecked: list[str]) -> Iterator[Issue]:
    """Ask the clients about every object they know.

    Args:
        objects: the objects of a tree.
        unchecked: takes a sentence for each client that is needed but not installed.
    """
    core = [item for item in objects.all if _core_parts(item)]
    flows = [item for item in objects.all if item.body.get("apiVersion") == _ARGO and item.kind in _FLOWS]
    if core and _installed("kubernetes", "kubernetes", len(core), unchecked):
        for item in core:
            for path, message in kubernetes_flaws(item):
                yield issue(item.document, path, "VER120", f"the Kubernetes client says: {message}")
    if flows and _installed("argo_workflows", "workflows", len(flows), unchecked):
        for item in flows:
            for path, message in workflow_flaws(item):
                yield issue(item.document, path, "VER121", f"the Argo Workflows client says: {message}")


def _installed(module: str, extra: str, count: int, unchecked: list[str]) -> bool:
    if find_spec(module) is not None:
        return True
    objects = "1 object was" if count == 1 else f"{count} objects were"
    unchecked.append(
        f"{objects} not checked with the models of the {module} package: install sluicegate[{extra}]"
    )
    return False


def _core_parts(item: Object) -> list[tuple[str, Path, Any]]:
    """The parts of an object that the Kubernetes models know: model name, path, values."""
    model = _CORE.get((str(item.body.get("apiVersion")), item.kind))
    if model:
        return [(model, (), dict(item.body))]
    if item.body.get("apiVersion") == _ARGO and item.kind == "Rollout" and item.spec.get("template"):
        return [(_POD_TEMPLATE, ("spec", "template"), item.spec["template"])]
    return []


def kubernetes_flaws(item: Object) -> Iterator[Flaw]:
    """What the models of the `kubernetes` package refuse of an object.

    A whole number in the place of a quantity is left out: the API server takes it, the models do not.
    """
    from pydantic import ValidationError

    client = import_module("kubernetes.client")
    for model, top, values in _core_parts(item):
        try:
            getattr(client, model).model_validate(values)
        except ValidationError as error:
            found: dict[Path, str] = {}
            for detail in error.errors(include_url=False, include_context=False):
                path = _existing(values, detail["loc"], missing=detail["type"] == "missing")
                number = detail["type"] == "string_type" and type(detail["input"]) is int
                if not number or not _holds_quantities(path):
                    found.setdefault((*top, *path), detail["msg"])
            yield from found.items()


def _holds_quantities(path: Path) -> bool:
    return not _QUANTITY_MAPS.isdisjoint(path[-2:-1]) or not _QUANTITY_FIELDS.isdisjoint(path[-1:])


def _existing(values: Any, location: tuple[str | int, ...], *, missing: bool) -> Path:
    """A pydantic location without the names of union branches, which are no keys of the object."""
    path: Path = ()
    for step in location:
        inside = isinstance(step, int) if isinstance(values, list) else step in as_map(values)
        if not inside:
            return (*path, step) if missing and step == location[-1] else path
        path = (*path, step)
        values = values[step]
    return path


def workflow_flaws(item: Object) -> Iterator[Flaw]:
    """What the models of `argo_workflows` refuse of a Workflow, and the fields that they do not know."""
    utils = import_module("argo_workflows.model_utils")
    configuration = import_module("argo_workflows.configuration").Configuration()
    model = getattr(import_module("argo_workflows.models"), _PREFIX + item.kind)
    errors = import_module("argo_workflows.exceptions")
    copy = _texts(part(_ARGO, item.kind).schema, json.loads(json.dumps(item.body, default=str)))
    try:
        made = utils.validate_and_convert_types(copy, (model,), [], True, True, configuration=configuration)
    except errors.OpenApiException as error:
        yield _spelled(item.body, getattr(error, "path_to_item", None) or ()), _first_sentence(error)
    except TypeError as error:  # a required argument of a model's constructor is missing
        yield (), _missing(error)
    else:
        yield from _unknown(made, ())


def _texts(schema: Schema, value: Any) -> Any:
    """Whole numbers as strings where the API takes both and the client wants a string."""
    node = inner(schema)
    if node["type"] == "union":
        return str(value) if type(value) is int else value
    if node["type"] == "typed-dict" and isinstance(value, dict):
        fields = node["fields"]
        return {
            key: _texts(fields[key]["schema"], below) if key in fields else below
            for key, below in value.items()
        }
    if node["type"] == "dict" and isinstance(value, dict):
        return {key: _texts(node["values_schema"], below) for key, below in value.items()}
    if node["type"] == "list" and isinstance(value, list):
        return [_texts(node["items_schema"], below) for below in value]
    return value


def _spelled(values: Any, path: Iterable[str | int]) -> Path:
    """The client's path, whose names are in its own snake_case, in the words of the object."""
    found: Path = ()
    for step in path:
        if isinstance(values, list):
            if isinstance(step, str):
                continue  # a list that is a model of its own keeps its items in `value`
            name: str | int = step
        else:
            name = next((key for key in as_map(values) if _snake(key) == step), step)
        found = (*found, name)
        inside = isinstance(values, list) or name in as_map(values)
        values = values[name] if inside else None
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _unknown(made: Any, path: Path) -> Iterator[Flaw]:
    """Fields that the client kept without knowing them."""
    if isinstance(made, list):
        for number, entry in enumerate(made):
            yield from _unknown(entry, (*path, number))
    elif hasattr(made, "attribute_map"):
        names: Mapping[str, str] = made.attribute_map
        stored: Mapping[str, Any] = vars(made)["_data_store"]
        if not names:  # a list with a name of its own
            yield from _unknown(stored.get("value"), path)
            return
        for name, below in stored.items():
            if name in names:
                yield from _unknown(below, (*path, names[name]))
            else:
                yield (*path, name), f"{_short(type(made).__name__)} has no field {name}"


def _short(name: str) -> str:
    return name.removeprefix(_PREFIX)


def _missing(error: TypeError) -> str:
    found = re.match(r"(\w+)\..*: (.*)$", str(error))
    return f"{_short(found[1])} needs {found[2]}" if found else str(error)


def _first_sentence(error: Exception) -> str:
    return " ".join(str(error).split()).partition(" at [")[0]
