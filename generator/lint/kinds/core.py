"""Core kinds, and the workloads that stand beside Rollouts: Pod, Deployment and Job."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import SELECTOR, manifest, named
from generator.lint.kinds.pods import JOB_SPEC, POD_SPEC, POD_TEMPLATE, PULL_SECRETS
from generator.lint.kinds.scalars import (
    BOOL,
    CONFIG_KEY,
    COUNT,
    DNS_1035,
    DNS_LABEL,
    FILLED,
    INT_OR_PERCENT,
    LABELS,
    PORT,
    PORT_OR_NAME,
    QUANTITIES,
    TEXT,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, listof, mapof, record, whole

_SERVICE_PORT: Final = record(
    {
        "port!": PORT,
        "name": DNS_LABEL,
        "targetPort": PORT_OR_NAME,
        "protocol": enum("TCP", "UDP", "SCTP"),
        "appProtocol": FILLED,
        "nodePort": PORT,
    }
)


def _service(value: dict[str, object]) -> str:
    ports = value.get("ports", ())
    if isinstance(ports, list) and len(ports) > 1 and not all("name" in port for port in ports):
        return "has several ports, so each of them needs a name"
    if value.get("type") == "ExternalName":
        return "" if "externalName" in value else "has type ExternalName but no externalName"
    return "" if ports or value.get("clusterIP") == "None" else "needs at least one port"


_LOCALITY: Final = enum("Cluster", "Local")
_SERVICE: Final = checked(
    record(
        {
            "selector": LABELS,
            "ports": listof(_SERVICE_PORT),
            "type": enum("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
            "clusterIP externalName loadBalancerIP loadBalancerClass trafficDistribution": TEXT,
            "clusterIPs externalIPs loadBalancerSourceRanges": TEXTS,
            "ipFamilies": listof(enum("IPv4", "IPv6")),
            "ipFamilyPolicy": enum("SingleStack", "PreferDualStack", "RequireDualStack"),
            "internalTrafficPolicy externalTrafficPolicy": _LOCALITY,
            "sessionAffinity": enum("ClientIP", "None"),
            "sessionAffinityConfig": record(
                {"clientIP": record({"timeoutSeconds": whole("1 to 86400 seconds", 1, 86400)})}
            ),
            "publishNotReadyAddresses allocateLoadBalancerNodePorts": BOOL,
            "healthCheckNodePort": PORT,
        }
    ),
    _service,
)
_QUOTA_SCOPES: Final = enum(
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
)
_QUOTA: Final = record(
    {
        "hard": QUANTITIES,
        "scopes": listof(_QUOTA_SCOPES),
        "scopeSelector": record(
            {
                "matchExpressions": listof(
                    record(
                        {
                            "scopeName!": _QUOTA_SCOPES,
                            "operator!": enum("In", "NotIn", "Exists", "DoesNotExist"),
                            "values": TEXTS,
                        }
                    )
                )
            }
        ),
    }
)
_LIMIT: Final = record(
    {
        "type!": enum("Container", "Pod", "PersistentVolumeClaim"),
        "default defaultRequest max min maxLimitRequestRatio": QUANTITIES,
    }
)
_CONFIG_DATA: Final = mapof(TEXT, CONFIG_KEY)
_OBJECT_REF: Final = record({"apiVersion fieldPath kind name namespace resourceVersion uid": TEXT})
_STRATEGY: Final = checked(
    record(
        {
            "type": enum("RollingUpdate", "Recreate"),
            "rollingUpdate": record({"maxSurge maxUnavailable": INT_OR_PERCENT}),
        }
    ),
    lambda value: (
        "has type Recreate, which excludes rollingUpdate"
        if value.get("type") == "Recreate" and "rollingUpdate" in value
        else ""
    ),
)
_DEPLOYMENT: Final = record(
    {
        "selector!": SELECTOR,
        "template!": POD_TEMPLATE,
        "replicas minReadySeconds progressDeadlineSeconds revisionHistoryLimit": COUNT,
        "strategy": _STRATEGY,
        "paused": BOOL,
    }
)
_FINALIZERS: Final = record({"finalizers": TEXTS})
_DATA: Final[dict[str, Schema]] = {"data": _CONFIG_DATA, "immutable": BOOL}

SERVICE: Final = manifest("v1", "Service", {"spec!": _SERVICE}, named(DNS_1035))
CONFIG_MAP: Final = manifest("v1", "ConfigMap", {**_DATA, "binaryData": _CONFIG_DATA}, status=False)
SECRET: Final = manifest("v1", "Secret", {**_DATA, "stringData": _CONFIG_DATA, "type": FILLED}, status=False)
SERVICE_ACCOUNT: Final = manifest(
    "v1",
    "ServiceAccount",
    {"automountServiceAccountToken": BOOL, "imagePullSecrets": PULL_SECRETS, "secrets": listof(_OBJECT_REF)},
    status=False,
)
NAMESPACE: Final = manifest("v1", "Namespace", {"spec": _FINALIZERS}, named(DNS_LABEL))
RESOURCE_QUOTA: Final = manifest("v1", "ResourceQuota", {"spec!": _QUOTA})
LIMIT_RANGE: Final = manifest(
    "v1", "LimitRange", {"spec!": record({"limits!": listof(_LIMIT)})}, status=False
)
POD: Final = manifest("v1", "Pod", {"spec!": POD_SPEC})
DEPLOYMENT: Final = manifest("apps/v1", "Deployment", {"spec!": _DEPLOYMENT})
JOB: Final = manifest("batch/v1", "Job", {"spec!": JOB_SPEC})
