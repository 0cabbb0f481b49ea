"""The pod template (core/v1 PodTemplateSpec), which Rollouts, Deployments, Jobs and Workflows share."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.containers import CONTAINER, RESOURCES, SECURITY
from generator.lint.kinds.metadata import LOOSE_MARKS, POD_METADATA, SELECTOR
from generator.lint.kinds.scalars import (
    BOOL,
    COUNT,
    DNS_LABEL,
    DNS_NAME,
    FILLED,
    FREE,
    INT,
    POSITIVE,
    QUALIFIED_NAME,
    QUANTITIES,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, enum, listof, record, whole
from generator.lint.kinds.volumes import LOCAL_REF, VOLUME

_WEIGHT: Final = whole("a weight (1 to 100)", 1, 100)
_NODE_EXPRESSION: Final = record(
    {
        "key!": FILLED,
        "operator!": enum("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
        "values": TEXTS,
    }
)
_NODE_TERM: Final = record({"matchExpressions matchFields": listof(_NODE_EXPRESSION)})
_POD_TERM: Final = record(
    {
        "topologyKey!": QUALIFIED_NAME,
        "labelSelector namespaceSelector": SELECTOR,
        "namespaces matchLabelKeys mismatchLabelKeys": TEXTS,
    }
)
_POD_AFFINITY: Final = record(
    {
        "requiredDuringSchedulingIgnoredDuringExecution": listof(_POD_TERM),
        "preferredDuringSchedulingIgnoredDuringExecution": listof(
            record({"weight!": _WEIGHT, "podAffinityTerm!": _POD_TERM})
        ),
    }
)
_NODE_AFFINITY: Final = record(
    {
        "requiredDuringSchedulingIgnoredDuringExecution": record(
            {"nodeSelectorTerms!": listof(_NODE_TERM, 1)}
        ),
        "preferredDuringSchedulingIgnoredDuringExecution": listof(
            record({"weight!": _WEIGHT, "preference!": _NODE_TERM})
        ),
    }
)
AFFINITY: Final = record({"nodeAffinity": _NODE_AFFINITY, "podAffinity podAntiAffinity": _POD_AFFINITY})
TOLERATION: Final = record(
    {
        "key value": TEXT,
        "operator": enum("Exists", "Equal", "Lt", "Gt"),
        "effect": enum("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "tolerationSeconds": INT,
    }
)
_SPREAD: Final = record(
    {
        "maxSkew!": POSITIVE,
        "topologyKey!": QUALIFIED_NAME,
        "whenUnsatisfiable!": enum("DoNotSchedule", "ScheduleAnyway"),
        "labelSelector": SELECTOR,
        "matchLabelKeys": TEXTS,
        "minDomains": POSITIVE,
        "nodeAffinityPolicy nodeTaintsPolicy": enum("Honor", "Ignore"),
    }
)
POD_SECURITY: Final = record(
    {
        **SECURITY,
        "fsGroup": COUNT,
        "fsGroupChangePolicy": enum("OnRootMismatch", "Always"),
        "seLinuxChangePolicy": enum("MountOption", "Recursive"),
        "supplementalGroups": listof(COUNT),
        "supplementalGroupsPolicy": enum("Merge", "Strict"),
        "sysctls": listof(record({"name!": FILLED, "value!": TEXT})),
    }
)
DNS_CONFIG: Final = record(
    {"nameservers searches": TEXTS, "options": listof(record({"name": FILLED, "value": TEXT}))}
)
HOST_ALIASES: Final = listof(record({"ip!": FILLED, "hostnames": TEXTS}))
PULL_SECRETS: Final = listof(LOCAL_REF)

POD_SPEC: Final = record(
    {
        "containers!": listof(CONTAINER, 1),
        "initContainers": listof(CONTAINER),
        "ephemeralContainers": listof(FREE),
        "volumes": listof(VOLUME),
        "serviceAccountName serviceAccount": DNS_NAME,
        "automountServiceAccountToken enableServiceLinks shareProcessNamespace": BOOL,
        "hostNetwork hostPID hostIPC hostUsers setHostnameAsFQDN": BOOL,
        "securityContext": POD_SECURITY,
        "terminationGracePeriodSeconds": COUNT,
        "activeDeadlineSeconds": POSITIVE,
        "restartPolicy": enum("Always", "OnFailure", "Never"),
        "dnsPolicy": enum("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        "dnsConfig": DNS_CONFIG,
        "hostname subdomain": DNS_LABEL,
        "hostnameOverride": DNS_NAME,
        "hostAliases": HOST_ALIASES,
        "imagePullSecrets": PULL_SECRETS,
        "nodeName schedulerName priorityClassName runtimeClassName": DNS_NAME,
        "nodeSelector": TEXT_MAP,
        "affinity": AFFINITY,
        "tolerations": listof(TOLERATION),
        "topologySpreadConstraints": listof(_SPREAD),
        "priority": INT,
        "preemptionPolicy": enum("PreemptLowerPriority", "Never"),
        "readinessGates": listof(record({"conditionType!": QUALIFIED_NAME})),
        "schedulingGates": listof(record({"name!": FILLED})),
        "os": record({"name!": enum("linux", "windows")}),
        "overhead": QUANTITIES,
        "resources": RESOURCES,
        "resourceClaims": listof(
            record({"name!": DNS_LABEL, "resourceClaimName resourceClaimTemplateName": DNS_NAME})
        ),
    }
)
POD_TEMPLATE: Final = record({"metadata": POD_METADATA, "spec!": POD_SPEC})
_LOOSE_POD_TEMPLATE: Final = record({"metadata": LOOSE_MARKS, "spec": POD_SPEC})

_EXIT_CODES: Final = record(
    {"operator!": enum("In", "NotIn"), "values!": listof(INT, 1), "containerName": TEXT}
)
_CONDITION: Final = record({"type!": QUALIFIED_NAME, "status!": enum("True", "False", "Unknown")})
JOB_ROWS: Final[dict[str, Schema]] = {
    "activeDeadlineSeconds": POSITIVE,
    "backoffLimit backoffLimitPerIndex completions maxFailedIndexes": COUNT,
    "parallelism ttlSecondsAfterFinished": COUNT,
    "completionMode": enum("NonIndexed", "Indexed"),
    "managedBy": TEXT,
    "manualSelector suspend": BOOL,
    "podReplacementPolicy": enum("TerminatingOrFailed", "Failed"),
    "podFailurePolicy": record(
        {
            "rules!": listof(
                record(
                    {
                        "action!": enum("FailJob", "FailIndex", "Ignore", "Count"),
                        "onExitCodes": _EXIT_CODES,
                        "onPodConditions": listof(_CONDITION),
                    }
                )
            )
        }
    ),
    "successPolicy": record(
        {"rules!": listof(record({"succeededCount": COUNT, "succeededIndexes": TEXT}), 1)}
    ),
    "selector": SELECTOR,
}
JOB_SPEC: Final = record({**JOB_ROWS, "template!": POD_TEMPLATE})
LOOSE_JOB_SPEC: Final = record({**JOB_ROWS, "template!": _LOOSE_POD_TEMPLATE})
"""A Job inside an AnalysisTemplate, whose labels may hold `{{args.…}}`."""
