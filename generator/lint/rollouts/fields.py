"""The fields that the controller knows, with their types (v1alpha1/types.go and analysis_types.go of 1.10).

A field that is not here is dropped by the API server or refused by a strict client: `succesCondition` is a
gate without a condition. Pod templates and Job specs are Kubernetes' own and end in OPEN.
"""

from __future__ import annotations

from generator.lint.rollouts.schema import BOOL, INT, INT_OR_TEXT, OPEN, TEXT, TEXTS, Shape

_META: dict[str, Shape] = {"labels": TEXTS, "annotations": TEXTS}
_REFS: Shape = [{"templateName": TEXT, "clusterScope": BOOL}]
_DRY_RUN: Shape = [{"metricName": TEXT}]
_RETENTION: Shape = [{"metricName": TEXT, "limit": INT}]
_RUN_ARGS: Shape = [
    {
        "name": TEXT,
        "value": TEXT,
        "valueFrom": {"podTemplateHashValue": TEXT, "fieldRef": {"fieldPath": TEXT}},
    }
]
_ANALYSIS: dict[str, Shape] = {
    "templates": _REFS,
    "args": _RUN_ARGS,
    "dryRun": _DRY_RUN,
    "measurementRetention": _RETENTION,
    "analysisRunMetadata": _META,
}
_MATCH: dict[str, Shape] = {"exact": TEXT, "prefix": TEXT, "regex": TEXT}
_ANTI_AFFINITY: Shape = {
    "preferredDuringSchedulingIgnoredDuringExecution": {"weight": INT},
    "requiredDuringSchedulingIgnoredDuringExecution": {},
}
_VIRTUAL_SERVICE: dict[str, Shape] = {
    "name": TEXT,
    "routes": [TEXT],
    "tlsRoutes": [{"port": INT, "sniHosts": [TEXT]}],
    "tcpRoutes": [{"port": INT}],
}
_ROUTING: dict[str, Shape] = {
    "istio": {
        "virtualService": _VIRTUAL_SERVICE,
        "virtualServices": [_VIRTUAL_SERVICE],
        "destinationRule": {
            "name": TEXT,
            "canarySubsetName": TEXT,
            "stableSubsetName": TEXT,
            "additionalSubsetNames": [TEXT],
        },
    },
    "nginx": {
        "annotationPrefix": TEXT,
        "stableIngress": TEXT,
        "stableIngresses": [TEXT],
        "additionalIngressAnnotations": TEXTS,
        "canaryIngressAnnotations": TEXTS,
    },
    "alb": {
        "ingress": TEXT,
        "ingresses": [TEXT],
        "servicePort": INT,
        "rootService": TEXT,
        "annotationPrefix": TEXT,
        "stickinessConfig": {"enabled": BOOL, "durationSeconds": INT},
    },
    "smi": {"rootService": TEXT, "trafficSplitName": TEXT},
    "ambassador": {"mappings": [TEXT]},
    "appMesh": {
        "virtualService": {"name": TEXT, "routes": [TEXT]},
        "virtualNodeGroup": {"canaryVirtualNodeRef": {"name": TEXT}, "stableVirtualNodeRef": {"name": TEXT}},
    },
    "traefik": {"weightedTraefikServiceName": TEXT},
    "apisix": {"route": {"name": TEXT, "rules": [TEXT]}},
    "plugins": OPEN,
    "managedRoutes": [{"name": TEXT}],
    "maxTrafficWeight": INT,
}
_EXPERIMENT: Shape = {
    "templates": [
        {
            "name": TEXT,
            "specRef": TEXT,
            "replicas": INT,
            "metadata": _META,
            "selector": OPEN,
            "weight": INT,
            "service": {"name": TEXT},
        }
    ],
    "duration": TEXT,
    "analyses": [
        {
            "name": TEXT,
            "templateName": TEXT,
            "clusterScope": BOOL,
            "args": _RUN_ARGS,
            "requiredForCompletion": BOOL,
        }
    ],
    "dryRun": _DRY_RUN,
    "analysisRunMetadata": _META,
    "scaleDownDelaySeconds": INT,
}
_STEP: dict[str, Shape] = {
    "setWeight": INT,
    "pause": {"duration": INT_OR_TEXT},
    "experiment": _EXPERIMENT,
    "analysis": _ANALYSIS,
    "setCanaryScale": {"weight": INT, "replicas": INT, "matchTrafficWeight": BOOL},
    "setHeaderRoute": {"name": TEXT, "match": [{"headerName": TEXT, "headerValue": _MATCH}]},
    "setMirrorRoute": {
        "name": TEXT,
        "match": [{"method": _MATCH, "path": _MATCH, "headers": OPEN}],
        "percentage": INT,
    },
    "plugin": {"name": TEXT, "config": OPEN},
}
_CANARY: dict[str, Shape] = {
    "canaryService": TEXT,
    "stableService": TEXT,
    "steps": [_STEP],
    "trafficRouting": _ROUTING,
    "maxUnavailable": INT_OR_TEXT,
    "maxSurge": INT_OR_TEXT,
    "analysis": {**_ANALYSIS, "startingStep": INT},
    "antiAffinity": _ANTI_AFFINITY,
    "canaryMetadata": _META,
    "stableMetadata": _META,
    "scaleDownDelaySeconds": INT,
    "scaleDownDelayRevisionLimit": INT,
    "abortScaleDownDelaySeconds": INT,
    "dynamicStableScale": BOOL,
    "pingPong": {"pingService": TEXT, "pongService": TEXT},
    "minPodsPerReplicaSet": INT,
    "replicaProgressThreshold": {"type": TEXT, "value": INT},
}
_BLUE_GREEN: dict[str, Shape] = {
    "activeService": TEXT,
    "previewService": TEXT,
    "previewReplicaCount": INT,
    "autoPromotionEnabled": BOOL,
    "autoPromotionSeconds": INT,
    "maxUnavailable": INT_OR_TEXT,
    "scaleDownDelaySeconds": INT,
    "scaleDownDelayRevisionLimit": INT,
    "abortScaleDownDelaySeconds": INT,
    "prePromotionAnalysis": _ANALYSIS,
    "postPromotionAnalysis": _ANALYSIS,
    "antiAffinity": _ANTI_AFFINITY,
    "previewMetadata": _META,
    "activeMetadata": _META,
}
ROLLOUT: dict[str, Shape] = {
    "replicas": INT,
    "selector": {"matchLabels": TEXTS, "matchExpressions": OPEN},
    "template": OPEN,
    "workloadRef": {"apiVersion": TEXT, "kind": TEXT, "name": TEXT, "scaleDown": TEXT},
    "minReadySeconds": INT,
    "rollbackWindow": {"revisions": INT},
    "strategy": {"canary": _CANARY, "blueGreen": _BLUE_GREEN},
    "revisionHistoryLimit": INT,
    "paused": BOOL,
    "progressDeadlineSeconds": INT,
    "progressDeadlineAbort": BOOL,
    "restartAt": TEXT,
    "analysis": {"successfulRunHistoryLimit": INT, "unsuccessfulRunHistoryLimit": INT},
}
_CONTAINERS: Shape = [
    {
        "name": TEXT,
        "image": TEXT,
        "command": [TEXT],
        "args": [TEXT],
        "env": [{"name": TEXT, "value": TEXT}],
        "ports": [{"containerPort": INT, "name": TEXT, "protocol": TEXT}],
        "volumeMounts": [{"name": TEXT, "mountPath": TEXT}],
    }
]
# Fields of a pod template that are often given in the wrong type; it has many more.
POD_TEMPLATE: dict[str, Shape] = {
    "metadata": _META,
    "spec": {
        "containers": _CONTAINERS,
        "initContainers": _CONTAINERS,
        "volumes": [{"name": TEXT}],
        "restartPolicy": TEXT,
        "activeDeadlineSeconds": INT,
    },
}

_WEB_AUTH: Shape = {
    "sigv4": {"region": TEXT, "profile": TEXT, "roleArn": TEXT},
    "oauth2": {"tokenUrl": TEXT, "clientId": TEXT, "clientSecret": TEXT, "scopes": [TEXT]},
}
_HEADERS: Shape = [{"key": TEXT, "value": TEXT}]
_PROVIDERS: dict[str, Shape] = {
    "prometheus": {
        "address": TEXT,
        "query": TEXT,
        "authentication": _WEB_AUTH,
        "timeout": INT,
        "insecure": BOOL,
        "headers": _HEADERS,
        "rangeQuery": {"start": TEXT, "end": TEXT, "step": TEXT},
    },
    "web": {
        "method": TEXT,
        "url": TEXT,
        "headers": _HEADERS,
        "body": TEXT,
        "timeoutSeconds": INT,
        "jsonPath": TEXT,
        "insecure": BOOL,
        "jsonBody": OPEN,
        "authentication": _WEB_AUTH,
    },
    "job": {"metadata": OPEN, "spec": OPEN},
    "datadog": {
        "interval": TEXT,
        "query": TEXT,
        "queries": TEXTS,
        "formula": TEXT,
        "apiVersion": TEXT,
        "aggregator": TEXT,
        "secretRef": {"name": TEXT, "namespaced": BOOL},
        "requestTimeout": TEXT,
    },
    "newRelic": {"profile": TEXT, "query": TEXT, "timeout": INT},
    "wavefront": {"address": TEXT, "query": TEXT},
    "graphite": {"address": TEXT, "query": TEXT},
    "influxdb": {"profile": TEXT, "query": TEXT},
    "skywalking": {"address": TEXT, "query": TEXT, "interval": TEXT},
    "kayenta": OPEN,
    "cloudWatch": {"interval": TEXT, "metricDataQueries": OPEN},
    "plugin": OPEN,
}
_METRIC: dict[str, Shape] = {
    "name": TEXT,
    "interval": TEXT,
    "initialDelay": TEXT,
    "count": INT_OR_TEXT,
    "successCondition": TEXT,
    "failureCondition": TEXT,
    "failureLimit": INT_OR_TEXT,
    "inconclusiveLimit": INT_OR_TEXT,
    "consecutiveErrorLimit": INT_OR_TEXT,
    "consecutiveSuccessLimit": INT_OR_TEXT,
    "provider": _PROVIDERS,
}
TEMPLATE: dict[str, Shape] = {
    "metrics": [_METRIC],
    "args": [
        {
            "name": TEXT,
            "value": TEXT,
            "valueFrom": {"secretKeyRef": {"name": TEXT, "key": TEXT}, "fieldRef": {"fieldPath": TEXT}},
        }
    ],
    "dryRun": _DRY_RUN,
    "measurementRetention": _RETENTION,
    "templates": _REFS,
}
RUN: dict[str, Shape] = {
    **{name: shape for name, shape in TEMPLATE.items() if name != "templates"},
    "terminate": BOOL,
    "ttlStrategy": {"secondsAfterCompletion": INT, "secondsAfterFailure": INT, "secondsAfterSuccess": INT},
}
