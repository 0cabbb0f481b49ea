"""Containers of a pod (core/v1 Container): environment, probes, resources, security."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.scalars import (
    BOOL,
    CONFIG_KEY,
    COUNT,
    DNS_LABEL,
    DNS_NAME,
    ENV_NAME,
    FILLED,
    INT,
    PORT,
    PORT_NAME,
    PORT_OR_NAME,
    POSITIVE,
    QUANTITIES,
    TEXT,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, extend, listof, one_of, record
from generator.lint.kinds.volumes import FIELD_REF, RESOURCE_REF, VOLUME_DEVICE, VOLUME_MOUNT

KEY_REF: Final = record({"name!": DNS_NAME, "key!": CONFIG_KEY, "optional": BOOL})
_VALUE_SOURCES: Final[dict[str, Schema]] = {
    "configMapKeyRef secretKeyRef": KEY_REF,
    "fieldRef": FIELD_REF,
    "resourceFieldRef": RESOURCE_REF,
}
_FILE_KEY: Final = record({"key! path! volumeName!": FILLED, "optional": BOOL})


def _env(sources: dict[str, Schema]) -> Schema:
    source = checked(record(sources), one_of(" ".join(sources)))
    entry = record({"name!": ENV_NAME, "value": TEXT, "valueFrom": source})
    return listof(checked(entry, one_of("value valueFrom", least=0)))


_ENV_SOURCE: Final = record({"name!": DNS_NAME, "optional": BOOL})
ENV_FROM: Final = checked(
    record({"prefix": TEXT, "configMapRef secretRef": _ENV_SOURCE}), one_of("configMapRef secretRef")
)

HEADER: Final = record({"name!": FILLED, "value!": TEXT})
_EXEC: Final = record({"command": TEXTS})
_HTTP_GET: Final = record(
    {"port!": PORT_OR_NAME, "path host": TEXT, "scheme": enum("HTTP", "HTTPS"), "httpHeaders": listof(HEADER)}
)
_TCP: Final = record({"port!": PORT_OR_NAME, "host": TEXT})
_ACTIONS: Final[dict[str, Schema]] = {"exec": _EXEC, "httpGet": _HTTP_GET, "tcpSocket": _TCP}

PROBE: Final = checked(
    record(
        {
            **_ACTIONS,
            "grpc": record({"port!": PORT, "service": TEXT}),
            "initialDelaySeconds": COUNT,
            "periodSeconds timeoutSeconds successThreshold failureThreshold": POSITIVE,
            "terminationGracePeriodSeconds": POSITIVE,
        }
    ),
    one_of("exec httpGet tcpSocket grpc"),
)
_HANDLER: Final = checked(
    record({**_ACTIONS, "sleep": record({"seconds!": COUNT})}), one_of("exec httpGet tcpSocket sleep")
)
LIFECYCLE: Final = record({"preStop postStart": _HANDLER, "stopSignal": FILLED})

RESOURCES: Final = record(
    {"requests limits": QUANTITIES, "claims": listof(record({"name!": FILLED, "request": TEXT}))}
)

_PROFILE: Final = record(
    {"type!": enum("RuntimeDefault", "Unconfined", "Localhost"), "localhostProfile": FILLED}
)
SECURITY: Final[dict[str, Schema]] = {
    "runAsUser runAsGroup": COUNT,
    "runAsNonRoot": BOOL,
    "seccompProfile appArmorProfile": _PROFILE,
    "seLinuxOptions": record({"level role type user": TEXT}),
    "windowsOptions": record(
        {"gmsaCredentialSpec gmsaCredentialSpecName runAsUserName": TEXT, "hostProcess": BOOL}
    ),
}
_SECURITY_CONTEXT: Final = record(
    {
        **SECURITY,
        "allowPrivilegeEscalation privileged readOnlyRootFilesystem": BOOL,
        "capabilities": record({"add drop": TEXTS}),
        "procMount": enum("Default", "Unmasked"),
    }
)

_PORT_ENTRY: Final = record(
    {
        "containerPort!": PORT,
        "hostPort": PORT,
        "name": PORT_NAME,
        "hostIP": TEXT,
        "protocol": enum("TCP", "UDP", "SCTP"),
    }
)
_RESTART_RULE: Final = record(
    {
        "action!": enum("Restart", "RestartAllContainers"),
        "exitCodes": record({"operator!": enum("In", "NotIn"), "values": listof(INT)}),
    }
)
UNNAMED_CONTAINER: Final = record(
    {
        "image workingDir terminationMessagePath": FILLED,
        "command args": TEXTS,
        "env": _env(_VALUE_SOURCES),
        "envFrom": listof(ENV_FROM),
        "ports": listof(_PORT_ENTRY),
        "resources": RESOURCES,
        "securityContext": _SECURITY_CONTEXT,
        "startupProbe readinessProbe livenessProbe": PROBE,
        "lifecycle": LIFECYCLE,
        "volumeMounts": listof(VOLUME_MOUNT),
        "volumeDevices": listof(VOLUME_DEVICE),
        "imagePullPolicy": enum("Always", "IfNotPresent", "Never"),
        "terminationMessagePolicy": enum("File", "FallbackToLogsOnError"),
        "restartPolicy": enum("Always", "OnFailure", "Never"),
        "resizePolicy": listof(
            record(
                {
                    "resourceName!": enum("cpu", "memory"),
                    "restartPolicy!": enum("NotRequired", "RestartContainer"),
                }
            )
        ),
        "stdin stdinOnce tty": BOOL,
    }
)
"""A container as Argo Workflows 3.7 knows it, built with an older Kubernetes."""

CONTAINER: Final = extend(
    UNNAMED_CONTAINER,
    {
        "name!": DNS_LABEL,
        "env": _env({**_VALUE_SOURCES, "fileKeyRef": _FILE_KEY}),
        "restartPolicyRules": listof(_RESTART_RULE),
    },
)
