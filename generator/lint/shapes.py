"""The shape of objects: fields, types and values, checked by the tables of kinds and by the official clients.

The clients (`kubernetes` for core kinds, `argo_workflows` for Workflows) are extras, imported for the first object of
theirs. The Kubernetes models are called with `model_validate`, because `from_dict` silently drops unknown fields; the
Argo client converts in place, so it gets a copy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from generator.lint.engine import CODES, Code, Problem, declare
from generator.lint.kinds import check
from generator.lint.kinds.mistake import Sort
from generator.lint.kinds.notation import Schema
from generator.lint.kinds.tables import inner, part
from generator.lint.objects import Object, as_map
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
    ("apps/v1", "StatefulSet"): "V1StatefulSet",
    ("apps/v1", "DaemonSet"): "V1DaemonSet",
    ("apps/v1", "ReplicaSet"): "V1ReplicaSet",
    ("batch/v1", "Job"): "V1Job",
    ("batch/v1", "CronJob"): "V1CronJob",
    ("networking.k8s.io/v1", "IngressClass"): "V1IngressClass",
    ("autoscaling/v1", "HorizontalPodAutoscaler"): "V1HorizontalPodAutoscaler",
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
_SLIP: Final = re.compile(r"did you mean `([^`]+)`\?$")
_PREFIX: Final = "IoArgoprojWorkflowV1alpha1"


_REFUSED: Final = "The API server refuses the object, and the sync stops there."
_SERVICE: Final = "apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\nspec: "
_CODES: Final[Mapping[Sort, str]] = {
    "unknown-kind": "VER110",
    "unknown-field": "VER111",
    "missing": "VER112",
    "type": "VER113",
    "value": "VER114",
    "null": "VER115",
    "choice": "VER116",
}

declare(
    Code(
        "VER110",
        "info",
        "the kind of an object is not known",
        why="Sluice has no schema for this apiVersion and kind, so only the name of the object was checked.",
        remedy="Check the object against its own schema, for example with `sluice verify --cluster`.",
        example="apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: cart, namespace: shop}",
    ),
    Code(
        "VER111",
        "error",
        "a field does not exist",
        why="The API server refuses the object, or drops the field without a message: a misspelt condition has no "
        "effect.",
        remedy="Correct the name of the field, or remove it.",
        example=_SERVICE + "{port: 80}",
        instead=_SERVICE + "{ports: [{port: 80}]}",
    ),
    Code(
        "VER112",
        "error",
        "a required field is missing",
        why=_REFUSED,
        remedy="Add the field.",
        example=_SERVICE + "{ports: [{name: http}]}",
        instead=_SERVICE + "{ports: [{name: http, port: 80}]}",
    ),
    Code(
        "VER113",
        "error",
        "a value has the wrong type",
        why=_REFUSED,
        remedy="Write a value of the right type; text that looks like a number or a boolean needs quotes.",
        example="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cart, namespace: shop}\ndata: {port: 80}",
        instead='apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cart, namespace: shop}\ndata: {port: "80"}',
    ),
    Code(
        "VER114",
        "error",
        "a value is not allowed",
        why=_REFUSED,
        remedy="Write a value in the format that the message describes.",
        example=_SERVICE + "{ports: [{port: 99999}]}",
        instead=_SERVICE + "{ports: [{port: 9999}]}",
    ),
    Code(
        "VER115",
        "warning",
        "a value is null",
        why="Kubernetes reads null as a missing key, other tools as a value that deletes a default: git "
        "and the cluster differ, and Argo CD may never report the Application as in sync.",
        remedy="Remove the key.",
        example=_SERVICE + "{clusterIP: null, ports: [{port: 80}]}",
        instead=_SERVICE + "{ports: [{port: 80}]}",
    ),
    Code(
        "VER116",
        "error",
        "fields exclude or require each other",
        why=_REFUSED,
        remedy="Set the fields as the message describes.",
        example="""\
apiVersion: v1
kind: Pod
metadata: {name: check, namespace: shop}
spec:
  containers: [{name: check, image: "check:1", readinessProbe: {exec: {command: [a]}, tcpSocket: {port: 80}}}]
""",
        instead="""\
apiVersion: v1
kind: Pod
metadata: {name: check, namespace: shop}
spec:
  containers: [{name: check, image: "check:1", readinessProbe: {tcpSocket: {port: 80}}}]
""",
    ),
    Code(
        "VER120",
        "error",
        "The Kubernetes client refuses an object",
        why="The models of the official Python client refuse the object, although our own schema accepts it. One "
        "of the two is wrong, and the API server may refuse the object as well.",
        remedy="Compare the object with the API reference of Kubernetes.",
        example="",
    ),
    Code(
        "VER121",
        "error",
        "The Argo Workflows client refuses an object",
        why="The models of the official Python client refuse the object, although our own schema accepts it. One "
        "of the two is wrong, and the API server may refuse the object as well.",
        remedy="Compare the object with the field reference of Argo Workflows.",
        example="",
    ),
)

Found = tuple[Object, Code, Problem]


def shape_problems(objects: Iterable[Object], versions: Mapping[str, str]) -> Iterator[Found]:
    """Check every object against the table of its kind, in some versions of the projects (see `kinds.check`)."""
    for item in objects:
        for mistake in check(item.body, versions):
            text = mistake.message if mistake.sort == "unknown-kind" else str(mistake)
            on_key = mistake.sort in ("unknown-field", "null", "choice")
            slip = _SLIP.search(text) if mistake.sort == "unknown-field" else None
            right = slip[1] if slip else ""
            yield (
                item,
                CODES[_CODES[mistake.sort]],
                Problem(mistake.path, text, on_key=on_key, replacement=right),
            )


def client_problems(objects: Sequence[Object], unchecked: list[str]) -> Iterator[Found]:
    """Check every object with the client that knows its kind.

    Args:
        objects: the objects of a tree.
        unchecked: receives a sentence for each required client that is not installed.
    """
    core = [item for item in objects if _core_parts(item)]
    flows = [item for item in objects if item.body.get("apiVersion") == _ARGO and item.kind in _FLOWS]
    if core and _installed("kubernetes", "kubernetes", len(core), unchecked):
        for item in core:
            for path, message in kubernetes_refusals(item):
                yield item, CODES["VER120"], Problem(path, f"the Kubernetes client refuses it: {message}")
    if flows and _installed("argo_workflows", "workflows", len(flows), unchecked):
        for item in flows:
            for path, message in workflow_refusals(item):
                yield item, CODES["VER121"], Problem(path, f"the Argo Workflows client refuses it: {message}")


def _installed(module: str, extra: str, count: int, unchecked: list[str]) -> bool:
    if find_spec(module) is not None:
        return True
    objects = "1 object was" if count == 1 else f"{count:,} objects were"
    unchecked.append(f"{objects} not checked with the models of {module}: install sluicegate[{extra}]")
    return False


def _core_parts(item: Object) -> list[tuple[str, Path, Any]]:
    """Return the parts of an object that the Kubernetes models know: model name, path, values."""
    model = _CORE.get((str(item.body.get("apiVersion")), item.kind))
    if model:
        return [(model, (), dict(item.body))]
    if item.body.get("apiVersion") == _ARGO and item.kind == "Rollout" and item.spec.get("template"):
        return [(_POD_TEMPLATE, ("spec", "template"), item.spec["template"])]
    return []


def kubernetes_refusals(item: Object) -> Iterator[tuple[Path, str]]:
    """Yield the errors of the `kubernetes` package's models in an object.

    A number as a quantity is left out: the API server accepts it, the models do not.
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
                number = detail["type"] == "string_type" and type(detail["input"]) in (int, float)
                if not number or not _holds_quantities(path):
                    found.setdefault((*top, *path), detail["msg"])
            yield from found.items()


def _holds_quantities(path: Path) -> bool:
    return not _QUANTITY_MAPS.isdisjoint(path[-2:-1]) or not _QUANTITY_FIELDS.isdisjoint(path[-1:])


def _existing(values: Any, location: tuple[str | int, ...], *, missing: bool) -> Path:
    """Return a pydantic location without the names of union branches, which are not keys of the object."""
    path: Path = ()
    for step in location:
        inside = isinstance(step, int) if isinstance(values, list) else step in as_map(values)
        if not inside:
            return (*path, step) if missing and step == location[-1] else path
        path = (*path, step)
        values = values[step]
    return path


def workflow_refusals(item: Object) -> Iterator[tuple[Path, str]]:
    """Yield the errors of the `argo_workflows` models in a Workflow, and its unknown fields."""
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
    """Return a copy with whole numbers as strings where the API accepts both and the client needs a string."""
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
    """Translate the client's path, whose names are in snake_case, into the names of the object."""
    found: Path = ()
    for step in path:
        if isinstance(values, list):
            if isinstance(step, str):
                continue  # a list with its own model keeps its items in `value`
            name: str | int = step
        else:
            name = next((key for key in as_map(values) if _snake(key) == step), step)
        found = (*found, name)
        inside = isinstance(values, list) or name in as_map(values)
        values = values[name] if inside else None
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _unknown(made: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the unknown fields that the client kept."""
    if isinstance(made, list):
        for number, entry in enumerate(made):
            yield from _unknown(entry, (*path, number))
    elif hasattr(made, "attribute_map"):
        names: Mapping[str, str] = made.attribute_map
        stored: Mapping[str, Any] = vars(made)["_data_store"]
        if not names:  # a list with its own model
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
