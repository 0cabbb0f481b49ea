"""Rollout (argoproj.io/v1alpha1): shape and types only.

What the controller demands beyond its CRD (one strategy, one key a step, weights in range …) is a rule of the
bundle, reported by the rules under their own codes; a mistake is not reported twice.
"""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import MARKS, SELECTOR, manifest
from generator.lint.kinds.pods import POD_SPEC
from generator.lint.kinds.scalars import (
    ANNOTATIONS,
    BOOL,
    DNS_1035,
    DNS_NAME,
    FILLED,
    FREE,
    GO_DURATION,
    INT,
    INT_OR_PERCENT,
    PAUSE_DURATION,
    PORT,
    TEXT,
    TEXTS,
    TIME,
)
from generator.lint.kinds.table import Schema, enum, listof, mapof, record

RETENTION: Final[dict[str, Schema]] = {
    "dryRun": listof(record({"metricName!": FILLED})),
    "measurementRetention": listof(record({"metricName!": FILLED, "limit!": INT})),
}
TEMPLATE_REFS: Final = listof(record({"templateName": DNS_NAME, "clusterScope": BOOL}))
# The controller takes any word for podTemplateHashValue and passes an empty value for one it does not know.
_ARGS: Final = listof(
    record(
        {
            "name!": FILLED,
            "value": TEXT,
            "valueFrom": record(
                {
                    "podTemplateHashValue": enum("Latest", "Stable"),
                    "fieldRef": record({"fieldPath!": FILLED}),
                }
            ),
        }
    )
)
_ANALYSIS_ROWS: Final[dict[str, Schema]] = {
    "templates": TEMPLATE_REFS,
    "args": _ARGS,
    "analysisRunMetadata": MARKS,
    **RETENTION,
}
_ANALYSIS: Final = record(_ANALYSIS_ROWS)
_BACKGROUND: Final = record({**_ANALYSIS_ROWS, "startingStep": INT})

_MATCHER: Final = record({"exact prefix regex": TEXT})
_EXPERIMENT: Final = record(
    {
        "templates!": listof(
            record(
                {
                    "name!": FILLED,
                    "specRef!": enum("canary", "stable"),
                    "replicas weight": INT,
                    "metadata": MARKS,
                    "selector": SELECTOR,
                    "service": record({"name": TEXT}),
                }
            )
        ),
        "duration": GO_DURATION,
        "scaleDownDelaySeconds": INT,
        "analyses": listof(
            record(
                {
                    "name!": FILLED,
                    "templateName!": DNS_NAME,
                    "clusterScope requiredForCompletion": BOOL,
                    "args": _ARGS,
                }
            )
        ),
        "analysisRunMetadata": MARKS,
        "dryRun": RETENTION["dryRun"],
    }
)
STEP: Final = record(
    {
        "setWeight": INT,
        "pause": record({"duration": PAUSE_DURATION}),
        "analysis": _ANALYSIS,
        "experiment": _EXPERIMENT,
        "setCanaryScale": record({"weight replicas": INT, "matchTrafficWeight": BOOL}),
        "setHeaderRoute": record(
            {"name": TEXT, "match": listof(record({"headerName!": FILLED, "headerValue!": _MATCHER}))}
        ),
        "setMirrorRoute": record(
            {
                "name!": FILLED,
                "percentage": INT,
                "match": listof(record({"method path": _MATCHER, "headers": mapof(_MATCHER)})),
            }
        ),
        "plugin": record({"name!": FILLED, "config": FREE}),
    }
)

_VIRTUAL_SERVICE: Final = record(
    {
        "name!": FILLED,
        "routes": TEXTS,
        "tlsRoutes": listof(record({"port": PORT, "sniHosts": TEXTS})),
        "tcpRoutes": listof(record({"port": PORT})),
    }
)
_NAME_ONLY: Final = record({"name!": FILLED})
_ROUTING: Final = record(
    {
        "managedRoutes": listof(_NAME_ONLY),
        "maxTrafficWeight": INT,
        "plugins": FREE,
        "istio": record(
            {
                "virtualService": _VIRTUAL_SERVICE,
                "virtualServices": listof(_VIRTUAL_SERVICE),
                "destinationRule": record(
                    {"name! canarySubsetName! stableSubsetName!": FILLED, "additionalSubsetNames": TEXTS}
                ),
            }
        ),
        "traefik": record({"weightedTraefikServiceName!": FILLED}),
        "nginx": record(
            {
                "stableIngress annotationPrefix": TEXT,
                "stableIngresses": TEXTS,
                "additionalIngressAnnotations canaryIngressAnnotations": ANNOTATIONS,
            }
        ),
        "alb": record(
            {
                "servicePort!": PORT,
                "ingress rootService annotationPrefix": TEXT,
                "ingresses": TEXTS,
                "stickinessConfig": record({"enabled!": BOOL, "durationSeconds!": INT}),
            }
        ),
        "apisix": record({"route": record({"name!": FILLED, "rules": TEXTS})}),
        "ambassador": record({"mappings!": TEXTS}),
        "smi": record({"rootService trafficSplitName": TEXT}),
        "appMesh": record(
            {
                "virtualService": record({"name!": FILLED, "routes": TEXTS}),
                "virtualNodeGroup": record({"canaryVirtualNodeRef! stableVirtualNodeRef!": _NAME_ONLY}),
            }
        ),
    }
)
_ANTI_AFFINITY: Final = record(
    {
        "requiredDuringSchedulingIgnoredDuringExecution": FREE,
        "preferredDuringSchedulingIgnoredDuringExecution": record({"weight!": INT}),
    }
)
_SHARED: Final[dict[str, Schema]] = {
    "abortScaleDownDelaySeconds scaleDownDelaySeconds scaleDownDelayRevisionLimit": INT,
    "antiAffinity": _ANTI_AFFINITY,
    "maxUnavailable": INT_OR_PERCENT,
}
_CANARY: Final = record(
    {
        **_SHARED,
        "canaryService stableService": DNS_1035,
        "steps": listof(STEP),
        "trafficRouting": _ROUTING,
        "analysis": _BACKGROUND,
        "canaryMetadata stableMetadata": MARKS,
        "maxSurge": INT_OR_PERCENT,
        "minPodsPerReplicaSet": INT,
        "dynamicStableScale": BOOL,
        "pingPong": record({"pingService! pongService!": DNS_1035}),
        "replicaProgressThreshold": record({"type!": enum("Percent", "Pods"), "value!": INT}),
    }
)
_BLUE_GREEN: Final = record(
    {
        **_SHARED,
        "activeService!": DNS_1035,
        "previewService": DNS_1035,
        "autoPromotionEnabled": BOOL,
        "autoPromotionSeconds previewReplicaCount": INT,
        "prePromotionAnalysis postPromotionAnalysis": _ANALYSIS,
        "activeMetadata previewMetadata": MARKS,
    }
)

ROLLOUT: Final = manifest(
    "argoproj.io/v1alpha1",
    "Rollout",
    {
        "spec!": record(
            {
                "replicas minReadySeconds progressDeadlineSeconds revisionHistoryLimit": INT,
                "paused progressDeadlineAbort": BOOL,
                "restartAt": TIME,
                "selector": SELECTOR,
                "template": record({"metadata": MARKS, "spec": POD_SPEC}),
                "workloadRef": record(
                    {
                        "apiVersion kind name": FILLED,
                        "scaleDown": enum("never", "onsuccess", "progressively"),
                    }
                ),
                "strategy": record({"canary": _CANARY, "blueGreen": _BLUE_GREEN}),
                "analysis": record({"successfulRunHistoryLimit unsuccessfulRunHistoryLimit": INT}),
                "rollbackWindow": record({"revisions": INT}),
            }
        )
    },
)
