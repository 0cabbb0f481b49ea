"""HorizontalPodAutoscaler (autoscaling/v2), PodDisruptionBudget (policy/v1) and KEDA's ScaledObject."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import SELECTOR, manifest
from generator.lint.kinds.scalars import (
    AMOUNT,
    BOOL,
    COUNT,
    DNS_NAME,
    FILLED,
    INT_OR_PERCENT,
    POSITIVE,
    TEXT,
    TEXT_MAP,
)
from generator.lint.kinds.table import Schema, by_type, checked, enum, listof, one_of, record, whole

_TARGET_TYPES: Final = {
    "Utilization": "averageUtilization",
    "AverageValue": "averageValue",
    "Value": "value",
}
_TARGET: Final = checked(
    record({"type!": enum(*_TARGET_TYPES), "averageUtilization": POSITIVE, "averageValue value": AMOUNT}),
    by_type(_TARGET_TYPES),
)
SCALE_TARGET: Final = record({"kind! name!": FILLED, "apiVersion": TEXT})
_METRIC: Final = record({"name!": FILLED, "selector": SELECTOR})
_SOURCES: Final[dict[str, Schema]] = {
    "resource": record({"name!": FILLED, "target!": _TARGET}),
    "containerResource": record({"name! container!": FILLED, "target!": _TARGET}),
    "pods external": record({"metric!": _METRIC, "target!": _TARGET}),
    "object": record({"metric!": _METRIC, "target!": _TARGET, "describedObject!": SCALE_TARGET}),
}
_SOURCE_TYPES: Final = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "External": "external",
    "Object": "object",
}
_SCALING: Final = record(
    {
        "stabilizationWindowSeconds": whole("0 to 3600 seconds", 0, 3600),
        "selectPolicy": enum("Max", "Min", "Disabled"),
        "policies": listof(
            record(
                {
                    "type!": enum("Pods", "Percent"),
                    "value!": POSITIVE,
                    "periodSeconds!": whole("1 to 1800 seconds", 1, 1800),
                }
            )
        ),
        "tolerance": AMOUNT,
    }
)
BEHAVIOR: Final = record({"scaleUp scaleDown": _SCALING})
_AUTOSCALER: Final = record(
    {
        "scaleTargetRef!": SCALE_TARGET,
        "maxReplicas!": POSITIVE,
        "minReplicas": COUNT,
        "metrics": listof(
            checked(record({"type!": enum(*_SOURCE_TYPES), **_SOURCES}), by_type(_SOURCE_TYPES))
        ),
        "behavior": BEHAVIOR,
    }
)
_BUDGET: Final = checked(
    record(
        {
            "selector": SELECTOR,
            "minAvailable maxUnavailable": INT_OR_PERCENT,
            "unhealthyPodEvictionPolicy": enum("IfHealthyBudget", "AlwaysAllow"),
        }
    ),
    one_of("minAvailable maxUnavailable", least=0),
)

_TRIGGER: Final = record(
    {
        "type!": FILLED,
        "metadata!": TEXT_MAP,
        "name": TEXT,
        "metricType": enum("AverageValue", "Value", "Utilization"),
        "useCachedMetrics": BOOL,
        "authenticationRef": record(
            {"name!": DNS_NAME, "kind": enum("TriggerAuthentication", "ClusterTriggerAuthentication")}
        ),
    }
)
_ADVANCED: Final = record(
    {
        "restoreToOriginalReplicaCount": BOOL,
        "horizontalPodAutoscalerConfig": record({"name": TEXT, "behavior": BEHAVIOR}),
        "scalingModifiers": record(
            {"formula target activationTarget": TEXT, "metricType": enum("AverageValue", "Value")}
        ),
    }
)
_FALLBACK: Final = record(
    {
        "failureThreshold! replicas!": COUNT,
        "behavior": enum(
            "static",
            "currentReplicas",
            "currentReplicasIfHigher",
            "currentReplicasIfLower",
            "scalingModifiers",
        ),
    }
)
_SCALED: Final = record(
    {
        "scaleTargetRef!": record({"name!": FILLED, "apiVersion kind envSourceContainerName": TEXT}),
        "triggers!": listof(_TRIGGER, 1),
        "minReplicaCount idleReplicaCount cooldownPeriod initialCooldownPeriod": COUNT,
        "maxReplicaCount pollingInterval": POSITIVE,
        "fallback": _FALLBACK,
        "advanced": _ADVANCED,
    }
)

AUTOSCALER: Final = manifest("autoscaling/v2", "HorizontalPodAutoscaler", {"spec!": _AUTOSCALER})
DISRUPTION_BUDGET: Final = manifest("policy/v1", "PodDisruptionBudget", {"spec!": _BUDGET})
SCALED_OBJECT: Final = manifest("keda.sh/v1alpha1", "ScaledObject", {"spec!": _SCALED})
