"""Many Rollouts and metrics, most of them broken in one or a few ways; the same ones for the same seed."""

from __future__ import annotations

import copy
import random

LABELS = {"app": "model"}
POD = {
    "metadata": {"labels": LABELS},
    "spec": {
        "containers": [
            {
                "name": "model",
                "image": "model:7",
                "ports": [{"name": "http", "containerPort": 3000}],
                "env": [{"name": "A", "value": "1"}],
                "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": 3000}},
                "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
            }
        ],
        "volumes": [{"name": "cache", "emptyDir": {}}],
    },
}
HEADER = {"name": "r", "match": [{"headerName": "x", "headerValue": {"exact": "1"}}]}
MIRROR = {"name": "r", "match": [{"method": {"exact": "GET"}, "path": {"prefix": "/"}}]}
ROUTERS = {
    "none": None,
    "gateway": {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "model"}}},
    "plugin": {"plugins": {"example/router": {}}},
    "istio": {"istio": {"virtualService": {"name": "model"}}},
    "subsets": {
        "istio": {
            "virtualService": {"name": "model"},
            "destinationRule": {"name": "m", "canarySubsetName": "c", "stableSubsetName": "s"},
        }
    },
    "alb": {"alb": {"ingress": "model", "servicePort": 80, "rootService": "root"}},
    "nginx": {"nginx": {"stableIngress": "model"}},
    "traefik": {"traefik": {"weightedTraefikServiceName": "model"}},
    "apisix": {"apisix": {"route": {"name": "model"}}},
    "smi": {"smi": {}},
    "ambassador": {"ambassador": {"mappings": ["model"]}},
    "appMesh": {"appMesh": {"virtualService": {"name": "model"}}},
    "empty": {},
    "two": {"istio": {"virtualService": {"name": "a"}}, "nginx": {"stableIngress": "b"}},
}
STEPS = [
    {"setWeight": 5},
    {"setWeight": 0},
    {"setWeight": 100},
    {"setWeight": 101},
    {"setWeight": 1000},
    {"setWeight": -1},
    {"setWeight": "5"},
    {"pause": {}},
    {"pause": None},
    {"pause": {"duration": 60}},
    {"pause": {"duration": "60"}},
    {"pause": {"duration": "1h30m"}},
    {"pause": {"duration": "1d"}},
    {"pause": {"duration": "-5s"}},
    {"pause": {"duration": -5}},
    {"pause": {"duration": "1.5h"}},
    {"pause": {"duration": ""}},
    {"pause": {"duration": "99999999999"}},
    {"pause": {"duration": True}},
    {},
    {"setCanaryScale": {"replicas": 1}},
    {"setCanaryScale": {"matchTrafficWeight": True}},
    {"setHeaderRoute": HEADER},
    {"setHeaderRoute": {"name": "r"}},
    {"setHeaderRoute": {"name": "other"}},
    {"setHeaderRoute": {"name": "r", "match": [{"headerName": "x"}]}},
    {"setHeaderRoute": {"name": "r", "match": [{"headerName": "x", "headerValue": {"regex": ".*"}}]}},
    {
        "setHeaderRoute": {
            "name": "r",
            "match": [{"headerName": "x", "headerValue": {"regex": "a", "exact": "b"}}],
        }
    },
    {"setHeaderRoute": {"name": "r", "match": [{"headerName": "x", "headerValue": {}}]}},
    {"setMirrorRoute": MIRROR},
    {"setMirrorRoute": {"name": "r", "percentage": 20}},
    {"setMirrorRoute": {"name": "r", "match": [{"method": {}}]}},
    {"setMirrorRoute": {"name": "r", "match": [{"path": {"exact": "a", "prefix": "b"}}]}},
    {"setMirrorRoute": {"name": "r", "match": [{"headers": {"x": {"exact": "1", "regex": "2"}}}]}},
    {"plugin": {"name": "a/b"}},
    {"setWeight": 5, "pause": {}},
    {"setWeight": 5, "setCanaryScale": {"weight": 5}},
    {"analysis": {"templates": [{"templateName": "a"}]}, "pause": {}},
    {
        "analysis": {
            "templates": [{"templateName": "a", "clusterScope": True}],
            "args": [{"name": "a", "value": "b"}],
        }
    },
    {"experiment": {"templates": [{"name": "a", "specRef": "canary"}]}},
    {"experiment": {"templates": [{"name": "a", "specRef": "canary", "weight": 5}]}},
]
FIELDS = [
    "metadata.name",
    "metadata.generation",
    "metadata.labels['app']",
    "metadata.labels['a b']",
    "metadata.uid",
]
FIELDS += [
    "metadata.annotations['A/b']",
    "metadata.annotations",
    "metadata.labels[app]",
    "status.phase",
    "metadata",
]
FIELDS += ["metadata.annotations['']", "metadata.name['x']", "spec.replicas"]
for _field in FIELDS:
    _arg = {"name": "a", "valueFrom": {"fieldRef": {"fieldPath": _field}}}
    STEPS.append({"analysis": {"args": [_arg]}})
    STEPS.append(
        {"experiment": {"templates": [], "analyses": [{"name": "a", "templateName": "b", "args": [_arg]}]}}
    )

NUMBERS = [0, 1, -1, 5, 10, 11, 600, 601, None, "5", 2**31, 1.5]
SIZES = [0, 1, "0%", "1%", "25%", "0", "x", "%", None, -1, "-5%", True]
NAMES = ["model", "model-2", "Model", "", "a" * 63, "a" * 64, "-a", "a.b", "a_b", None, 5]
AFFINITY = [{}, {"requiredDuringSchedulingIgnoredDuringExecution": {}}]
AFFINITY += [{"preferredDuringSchedulingIgnoredDuringExecution": {"weight": w}} for w in (0, 1, 100, 101)]
AFFINITY += [{**AFFINITY[1], **AFFINITY[2]}]
C0 = "spec/template/spec/containers/0"
CHANGES = {
    "spec/replicas": NUMBERS,
    "spec/minReadySeconds": NUMBERS,
    "spec/revisionHistoryLimit": NUMBERS,
    "spec/progressDeadlineSeconds": NUMBERS,
    "spec/selector": [
        None,
        {},
        {"matchLabels": {}},
        {"matchLabels": {"app": "other"}},
        {"matchLabels": {"a b": "c"}},
    ],
    "spec/selector/matchLabels": [
        {"app": "a b"},
        {"app": "model", "b": "c"},
        {"app": ""},
        {"app": 5},
        {"a/b/c": "d"},
    ],
    "spec/selector/matchExpressions": [
        [{"key": "app", "operator": operator, "values": values}]
        for operator in ("In", "NotIn", "Exists", "DoesNotExist", "Equals")
        for values in ([], ["model"], ["other", "model"], ["a b"])
    ],
    "spec/template": [None, {}, {"metadata": {"labels": LABELS}}],
    "spec/template/metadata/labels": [
        {},
        {"app": "other"},
        {**LABELS, "b": "c d"},
        {**LABELS, "-": "a"},
        {**LABELS, "x/y": "z"},
    ],
    "spec/template/metadata/annotations": [{"a": "b c"}, {"A/b": "c"}, {"a b": "c"}, {"x": 5}],
    "spec/template/spec/restartPolicy": ["Always", "Never", "OnFailure", "", "x", None],
    "spec/template/spec/activeDeadlineSeconds": [5, None],
    "spec/template/spec/containers": [[], None],
    "spec/template/spec/volumes": [[], None, [{"name": "cache"}], [{"name": "Cache", "emptyDir": {}}]],
    "spec/template/spec/initContainers": [
        [{"name": "model", "image": "a:1"}],
        [{"name": "init", "image": "a:1"}],
        [{"name": "i"}],
    ],
    f"{C0}/name": NAMES,
    f"{C0}/image": ["", None, " a", "a:1", "a@sha256:b"],
    f"{C0}/ports": [
        [{"containerPort": 0}],
        [{"containerPort": 65536}],
        [{"containerPort": 80, "name": "HTTP"}],
        [{"containerPort": 80, "name": "a-name-too-long-by-1"}],
        [{"containerPort": 80, "name": "80"}],
        [{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}],
        [{"containerPort": 80, "protocol": "udp"}],
        [{"containerPort": 80, "protocol": "SCTP"}],
        [{}],
    ],
    f"{C0}/env": [[{}], [{"name": ""}], [{"name": "A=B"}], [{"name": "a-b.c"}], [{"name": "A", "value": 5}]],
    f"{C0}/resources": [
        {"requests": {"memory": "3Gi"}, "limits": {"memory": "2Gi"}},
        {"requests": {"memory": "2048Mi"}, "limits": {"memory": "2Gi"}},
        {"requests": {"cpu": "-1"}},
        {"requests": {"cpu": "1.5.0"}},
        {"limits": {"cpu": 2}},
        {"limits": {"memory": "1e3"}},
        {"limits": {"memory": "12 Gi"}},
    ],
    f"{C0}/readinessProbe": [
        {},
        {"exec": {"command": ["a"]}},
        {"httpGet": {"port": 80, "path": "/"}, "exec": {"command": ["a"]}},
    ],
    f"{C0}/volumeMounts": [
        [],
        [{"name": "other", "mountPath": "/a"}],
        [{"name": "cache"}],
        [{"name": "cache", "mountPath": "/a"}, {"name": "cache", "mountPath": "/a"}],
    ],
    "spec/workloadRef": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}],
    "spec/strategy": [
        {},
        None,
        {"canary": {}},
        {"blueGreen": {"activeService": "a"}},
        {"canary": None},
        {"blueGreen": {}},
    ],
    "spec/strategy/blueGreen": [{"activeService": "a", "previewService": "b"}],
    "spec/paused": [True, "true", None],
}
CANARY_CHANGES = {
    "canaryService": ["", "model-stable", "other", None, 5],
    "stableService": ["", "model-canary", None],
    "maxSurge": SIZES,
    "maxUnavailable": SIZES,
    "antiAffinity": AFFINITY,
    "scaleDownDelaySeconds": [None, 0, 30],
    "dynamicStableScale": [True, False, "yes"],
    "abortScaleDownDelaySeconds": [0, 30],
    "pingPong": [
        {},
        {"pingService": "a", "pongService": "b"},
        {"pingService": "a", "pongService": "a"},
        {"pingService": "a"},
    ],
    "analysis": [{"templates": [{"templateName": "a"}], "startingStep": 1}, {"startingStep": "1"}],
}
BLUE_GREEN_CHANGES = {
    "activeService": ["", "a", "b", None],
    "previewService": ["", "a", "b", None],
    "scaleDownDelayRevisionLimit": [0, 5, 10, 11, None],
    "antiAffinity": AFFINITY,
    "autoPromotionEnabled": [True, False, "no"],
}
ROUTING_CHANGES = {
    "maxTrafficWeight": [None, 100, 1000, 0, -5],
    "managedRoutes": [None, [], [{"name": "r"}], [{"name": "other"}], [{}]],
    "alb": [{"ingress": "a", "servicePort": 80}, None],
    "istio": [{}, {"virtualService": {"name": "a"}}],
    "plugins": [{}, {"a/b": {}}, None],
}


def put(body, dotted, value):
    """Set a value at a path, where its parents exist."""
    *parents, last = dotted.split("/")
    at = body
    for part in parents:
        if isinstance(at, list) and len(at) > int(part):
            at = at[int(part)]
        elif isinstance(at, dict) and isinstance(at.get(part), dict | list):
            at = at[part]
        else:
            return
    if isinstance(at, dict):
        at[last] = copy.deepcopy(value)


def rollouts(seed, count):
    """Mutated Rollouts."""
    rng = random.Random(seed)
    for _ in range(count):
        spec = {"selector": {"matchLabels": dict(LABELS)}, "template": copy.deepcopy(POD)}
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "m"},
            "spec": spec,
        }
        if rng.random() < 0.12:
            strategy = {"activeService": "a", "previewService": "b"}
            spec["strategy"] = {"blueGreen": strategy}
            local = [(f"spec/strategy/blueGreen/{key}", values) for key, values in BLUE_GREEN_CHANGES.items()]
        else:
            spec["strategy"] = {"canary": _canary(rng)}
            local = [(f"spec/strategy/canary/{key}", values) for key, values in CANARY_CHANGES.items()]
            local += [(f"spec/strategy/canary/trafficRouting/{k}", v) for k, v in ROUTING_CHANGES.items()]
        everywhere = list(CHANGES.items())
        for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
            dotted, values = rng.choice(rng.choice((local, everywhere)))
            put(body, dotted, rng.choice(values))
        yield body


def _canary(rng):
    canary = {"stableService": "model-stable", "canaryService": "model-canary"}
    routing = ROUTERS[rng.choice(list(ROUTERS))]
    if routing is not None:
        canary["trafficRouting"] = copy.deepcopy(routing)
        if rng.random() < 0.7:
            canary["trafficRouting"]["managedRoutes"] = [{"name": "r"}]
    canary["steps"] = copy.deepcopy(rng.choices(STEPS, k=rng.choice((0, 1, 1, 2))))
    return canary


PROVIDERS = [
    {"prometheus": {"query": "x"}},
    {"web": {"url": "x"}},
    {"job": {"spec": {"template": {"spec": {"containers": []}}}}},
    {"plugin": {"a/b": {}}},
    {"plugin": {"a/b": {}, "c/d": {}}},
    {"plugin": {}},
    {},
    {"prometheus": None, "web": {"url": "x"}},
    {"prometheus": {}, "web": {"url": "x"}},
    {"datadog": {"query": "x"}, "plugin": {"a/b": {}}},
    {"prometheus": {"query": "{{args.known}}"}},
    {"prometheus": {"query": "{{ args.known }}"}},
    {"prometheus": {"query": "{{args.unknown}}"}},
    {"prometheus": {"query": "{{ $labels.x }}"}},
    {"prometheus": {"query": "{{inputs.parameters.x}}"}},
    {"prometheus": {"query": "x", "timeout": "5"}},
    {"skywalking": {"query": "x"}},
    {"kayenta": {}},
]
LIMITS = [None, 0, 1, 2, 3, 5, -1, -2, "3", "x", "-1", "{{args.three}}", True]
TIMES = [None, "", "30s", "1m30s", "1d", "5", "0", "-5s", "{{args.time}}", "1h5", ".5s", "1.s", 30]
PATTERNS = [".*", "*", "a", "^a$", "b", "", "a|b", "(", "[a-b]", "(?=a)", "(?i)A", "\\w"]
ARGS = [{"name": "known", "value": 'a"b'}, {"name": "three", "value": "3"}, {"name": "time", "value": "5m"}]


def metric_sets(seed, count):
    """Mutated lists of metrics, with rules over their names."""
    rng = random.Random(seed)
    for _ in range(count):
        metrics = [_metric(rng) for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 2)))]
        question = {"metrics": metrics}
        for field in ("dryRun", "measurementRetention"):
            if rng.random() < 0.15:
                limit = {"limit": 5} if field == "measurementRetention" else {}
                question[field] = [{"metricName": rng.choice(PATTERNS), **limit}]
        yield question


def _metric(rng):
    metric = {"name": rng.choice(("a", "a", "b", "c")), "provider": copy.deepcopy(PROVIDERS[0])}
    if rng.random() < 0.4:
        metric["provider"] = copy.deepcopy(rng.choice(PROVIDERS))
    limits = (
        "failureLimit",
        "inconclusiveLimit",
        "consecutiveErrorLimit",
        "consecutiveSuccessLimit",
        "count",
    )
    for key in rng.sample(limits, k=rng.choice((0, 1, 2, 3))):
        metric[key] = rng.choice(LIMITS)
    for key in ("interval", "initialDelay"):
        if rng.random() < 0.5:
            metric[key] = rng.choice(TIMES)
    return {key: value for key, value in metric.items() if value is not None}
