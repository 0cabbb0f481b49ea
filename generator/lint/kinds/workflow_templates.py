"""The templates of a Workflow: what one node of it runs."""

from __future__ import annotations

from typing import Any, Final

from generator.lint.kinds.artifacts import ARCHIVE_LOCATION, ARTIFACT
from generator.lint.kinds.containers import KEY_REF, UNNAMED_CONTAINER
from generator.lint.kinds.metadata import LOOSE_MARKS
from generator.lint.kinds.pods import AFFINITY, HOST_ALIASES, POD_SECURITY, TOLERATION
from generator.lint.kinds.scalars import (
    ANY,
    ARGO_DURATION,
    BOOL,
    FILLED,
    FREE,
    INT,
    INT_OR_TEMPLATED,
    INT_OR_TEXT,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, extend, listof, one_of, record
from generator.lint.kinds.volumes import VOLUME, VOLUME_MOUNT
from generator.lint.kinds.workflow_parts import (
    ARGUMENTS,
    HOOKS,
    METRICS,
    PARAMETERS,
    RETRY,
    SYNCHRONIZATION,
    TEMPLATE_REF,
)

RUNNERS: Final = "container script containerSet resource dag steps suspend http data plugin"
"""The fields of a template that say what it runs: exactly one of them."""

_CONTAINER: Final = extend(UNNAMED_CONTAINER, {"name": TEXT})
_SIDE: Final = extend(UNNAMED_CONTAINER, {"name!": FILLED, "mirrorVolumeMounts": BOOL})
_SET_MEMBER: Final = extend(UNNAMED_CONTAINER, {"name!": FILLED, "dependencies": TEXTS})
_CONTAINER_SET: Final = record(
    {
        "containers!": listof(_SET_MEMBER, 1),
        "retryStrategy": record({"retries!": INT_OR_TEXT, "duration": ARGO_DURATION}),
        "volumeMounts": listof(VOLUME_MOUNT),
    }
)
_RESOURCE: Final = record(
    {
        "action!": enum("get", "create", "apply", "delete", "replace", "patch"),
        "manifest successCondition failureCondition": TEXT,
        "manifestFrom": record({"artifact!": ARTIFACT}),
        "mergeStrategy": enum("strategic", "merge", "json"),
        "setOwnerReference": BOOL,
        "flags": TEXTS,
    }
)
_HTTP: Final = record(
    {
        "url!": FILLED,
        "method body successCondition": TEXT,
        "bodyFrom": record({"bytes": TEXT}),
        "headers": listof(
            record({"name!": FILLED, "value": TEXT, "valueFrom": record({"secretKeyRef": KEY_REF})})
        ),
        "timeoutSeconds": INT,
        "insecureSkipVerify": BOOL,
    }
)
_DATA: Final = record(
    {
        "source!": record({"artifactPaths": ARTIFACT}),
        "transformation!": listof(record({"expression!": FILLED})),
    }
)
_NODE: Final[dict[str, Schema]] = {
    "template": FILLED,
    "templateRef": TEMPLATE_REF,
    "arguments": ARGUMENTS,
    "when withParam onExit": TEXT,
    "withItems": listof(ANY),
    "withSequence": record({"count start end": INT_OR_TEXT, "format": TEXT}),
    "continueOn": record({"error failed": BOOL}),
    "hooks": HOOKS,
}
_CALL: Final = one_of("template templateRef inline")


def _task(value: dict[str, Any]) -> str:
    if "depends" in value and (stray := [key for key in ("dependencies", "continueOn") if key in value]):
        return f"has depends, which excludes {' and '.join(stray)}"
    return _CALL(value)


def _template_rows() -> dict[str, Schema]:
    return {
        "name timeout podSpecPatch schedulerName serviceAccountName priorityClassName": FILLED,
        "inputs": ARGUMENTS,
        "outputs": record({"parameters": PARAMETERS, "artifacts": listof(ARTIFACT), "exitCode result": TEXT}),
        "container": _CONTAINER,
        "script": extend(_CONTAINER, {"source": TEXT}),
        "containerSet": _CONTAINER_SET,
        "resource": _RESOURCE,
        "suspend": record({"duration": ARGO_DURATION}),
        "http": _HTTP,
        "data": _DATA,
        "plugin": FREE,
        "sidecars initContainers": listof(_SIDE),
        "volumes": listof(VOLUME),
        "securityContext": POD_SECURITY,
        "automountServiceAccountToken daemon failFast": BOOL,
        "activeDeadlineSeconds": INT_OR_TEMPLATED,
        "parallelism": INT,
        "retryStrategy": RETRY,
        "synchronization": SYNCHRONIZATION,
        "metrics": METRICS,
        "memoize": record(
            {
                "key! maxAge!": FILLED,
                "cache!": record({"configMap!": record({"name! key!": FILLED, "optional": BOOL})}),
            }
        ),
        "metadata": LOOSE_MARKS,
        "annotations nodeSelector": TEXT_MAP,
        "affinity": AFFINITY,
        "tolerations": listof(TOLERATION),
        "hostAliases": HOST_ALIASES,
        "executor": record({"serviceAccountName": TEXT}),
        "archiveLocation": ARCHIVE_LOCATION,
    }


def _template_tables() -> tuple[Schema, Schema]:
    """The template as an item of `templates` and as `templateDefaults`.

    A task may hold a whole template in `inline`: the table refers to itself, so its calls are added last.
    """
    body = record(_template_rows())
    node = {**_NODE, "inline": checked(body, one_of(RUNNERS))}
    task = checked(record({"name!": FILLED, **node, "depends": TEXT, "dependencies": TEXTS}), _task)
    step = checked(record({"name": FILLED, **node}), _CALL)
    calls = record(
        {
            "dag": record({"tasks!": listof(task, 1), "failFast": BOOL, "target": TEXT}),
            "steps": listof(listof(step)),
        }
    )
    body["fields"] |= calls["fields"]
    named = extend(body, {"name!": FILLED})
    return checked(named, one_of(RUNNERS)), body


TEMPLATE, TEMPLATE_DEFAULTS = _template_tables()
