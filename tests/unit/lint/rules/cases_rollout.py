"""Cases of the rules about a Rollout alone (ROL1xx) and about routers (CAP5xx)."""

from __future__ import annotations

from tests.unit.lint.rules.samples import GATEWAY, GONE, ROLLOUT, blue_green, case, container, other, rollout

HEADER = {"headerName": "x-cohort", "headerValue": {"exact": "1"}}
ISTIO = {"istio": {"virtualService": {"name": "model"}}, "managedRoutes": [{"name": "r"}]}
ALB = {
    "alb": {"ingress": "model", "servicePort": 80, "rootService": "root"},
    "managedRoutes": [{"name": "r"}],
}
NGINX = {"nginx": {"stableIngress": "model"}}
TRAEFIK = {"traefik": {"weightedTraefikServiceName": "model"}}
PLUGIN = ROLLOUT["spec"]["strategy"]["canary"]["trafficRouting"]
MANAGED = {**PLUGIN, "managedRoutes": [{"name": "r"}]}
PING = {"pingPong": {"pingService": "a", "pongService": "b"}}
NO_SERVICES = {"spec/strategy/canary/stableService": GONE, "spec/strategy/canary/canaryService": GONE}
REF = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "model"}


def header(*matches, routing=ISTIO):
    return rollout(routing=routing, steps=[{"setHeaderRoute": {"name": "r", "match": list(matches)}}])


def two_routes(first, *headers, between=(), routing=None):
    """A header route `r` that is set after another."""
    match = [{"headerName": name, "headerValue": {"exact": "1"}} for name in headers]
    managed = {"managedRoutes": [{"name": first}, {"name": "r"}]}
    steps = [
        {"setHeaderRoute": {"name": first, "match": match}},
        *between,
        {"setHeaderRoute": {"name": "r", "match": [HEADER]}},
    ]
    return rollout(routing={**({"istio": routing} if routing else PLUGIN), **managed}, steps=steps)


def mirror(*matches, routing=ISTIO):
    return rollout(routing=routing, steps=[{"setMirrorRoute": {"name": "r", "match": list(matches)}}])


def experiment(routing):
    template = {"name": "a", "specRef": "canary", "weight": 5}
    return rollout(routing=routing, steps=[{"experiment": {"templates": [template]}}])


def argument(field):
    arg = {"name": "a", "valueFrom": {"fieldRef": {"fieldPath": field}}}
    return rollout(steps=[{"analysis": {"templates": [{"templateName": "quality"}], "args": [arg]}}])


def traefik_service(group):
    services = [{"name": "model-stable"}, {"name": "model-canary"}]
    return other("TraefikService", group, "model", {"weighted": {"services": services}})


CASES = [
    case("ROL101", rollout({"spec/replicas": -1}), rollout({"spec/replicas": 0})),
    case("ROL102", rollout({"spec/selector": GONE}), rollout()),
    case("ROL102", rollout({"spec/selector": {"matchLabels": {}}}), rollout()),
    case(
        "ROL102",
        rollout({"spec/selector/matchExpressions": [{"key": "app", "operator": "In"}]}),
        rollout({"spec/selector/matchExpressions": [{"key": "app", "operator": "Exists"}]}),
    ),
    case(
        "ROL103",
        rollout({"spec/workloadRef": REF}),
        rollout({"spec/workloadRef": REF, "spec/template": GONE, "spec/selector": GONE}),
    ),
    case(
        "ROL104",
        rollout({"spec/workloadRef": {**REF, "kind": "StatefulSet"}, "spec/template": GONE}),
        rollout({"spec/workloadRef": REF, "spec/template": GONE}),
    ),
    case("ROL105", rollout({"spec/selector/matchLabels/app": "other"}), rollout()),
    case(
        "ROL105",
        rollout(
            {"spec/selector/matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["model"]}]}
        ),
        rollout(
            {"spec/selector/matchExpressions": [{"key": "app", "operator": "In", "values": ["model", "b"]}]}
        ),
    ),
    case(  # a pod without the label matches NotIn
        "ROL105",
        rollout({"spec/selector/matchExpressions": [{"key": "tier", "operator": "In", "values": ["web"]}]}),
        rollout(
            {"spec/selector/matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}
        ),
    ),
    case(
        "ROL105",
        rollout({"spec/selector/matchExpressions": [{"key": "tier", "operator": "Exists"}]}),
        rollout({"spec/selector/matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}),
    ),
    case("ROL106", rollout(pod={"containers": []}), rollout()),
    case("ROL106", container(name="Model"), container(name="model-7")),
    case("ROL106", container(image=""), container(image="a:1")),
    case("ROL107", rollout(pod={"restartPolicy": "Never"}), rollout(pod={"restartPolicy": "Always"})),
    case(
        "ROL108",
        container(volumeMounts=[{"name": "cache", "mountPath": "/c"}]),
        rollout(
            pod={
                "volumes": [{"name": "cache", "emptyDir": {}}],
                "containers": [
                    {"name": "m", "image": "a:1", "volumeMounts": [{"name": "cache", "mountPath": "/c"}]}
                ],
            }
        ),
    ),
    case("ROL109", rollout({"spec/revisionHistoryLimit": -1}), rollout({"spec/revisionHistoryLimit": 0})),
    case("ROL110", rollout({"spec/minReadySeconds": 600}), rollout({"spec/minReadySeconds": 599})),
    case("ROL111", rollout({"spec/strategy": {}}), rollout()),
    case("ROL111", rollout({"spec/strategy/blueGreen": {"activeService": "a"}}), blue_green()),
    case(
        "ROL114",
        container(ports=[{"containerPort": 0}]),
        container(ports=[{"containerPort": 3000, "name": "http"}]),
    ),
    case(
        "VER130",
        container(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "1024Mi"}}),
        container(resources={"requests": {"memory": "1Gi"}, "limits": {"memory": "1024Mi"}}),
    ),
    case(
        "ROL114",
        container(readinessProbe={"httpGet": {"port": 1}, "exec": {"command": ["a"]}}),
        container(readinessProbe={"httpGet": {"port": 1, "path": "/"}}),
    ),
    case("ROL114", container(env=[{"value": "1"}]), container(env=[{"name": "A", "value": "1"}])),
    case("ROL121", blue_green(previewService="model-stable"), blue_green()),
    case("ROL122", blue_green(scaleDownDelayRevisionLimit=11), blue_green(scaleDownDelayRevisionLimit=10)),
    case(
        "ROL123",
        rollout(canary={"antiAffinity": {}}),
        rollout(canary={"antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}),
    ),
    case(
        "ROL123",
        blue_green(antiAffinity={"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 101}}),
        blue_green(antiAffinity={"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 100}}),
    ),
    case("ROL131", rollout(canary={"maxSurge": "0%", "maxUnavailable": 0}), rollout(canary={"maxSurge": 0})),
    case("ROL132", rollout(canary={"canaryService": "model-stable"}), rollout()),
    case("ROL133", rollout(routing=NGINX, canary=PING), rollout(NO_SERVICES, routing=ALB, canary=PING)),
    case("ROL133", rollout(routing=PLUGIN, canary=PING, changes=NO_SERVICES), rollout(), controller="1.9"),
    case(
        "ROL133",
        rollout(routing=ISTIO, canary={"pingPong": {"pingService": "a", "pongService": "a"}}),
        rollout(routing=PLUGIN, canary=PING),
        controller="1.10",
    ),
    case("ROL134", rollout(NO_SERVICES, routing=NGINX), rollout(NO_SERVICES, routing=PLUGIN)),
    case(
        "ROL134",
        rollout(NO_SERVICES, routing=ISTIO),
        rollout(
            NO_SERVICES,
            routing={
                "istio": {
                    "virtualService": {"name": "a"},
                    "destinationRule": {"name": "a", "canarySubsetName": "c", "stableSubsetName": "s"},
                }
            },
        ),
    ),
    case(
        "ROL135",
        rollout(routing=GONE, canary={"scaleDownDelaySeconds": 5}),
        rollout(canary={"scaleDownDelaySeconds": 5}),
    ),
    case(
        "ROL136",
        rollout(routing=GONE, canary={"dynamicStableScale": True}),
        rollout(routing=GONE, canary={"dynamicStableScale": False}),
    ),
    case(
        "ROL137",
        rollout(canary={"dynamicStableScale": True, "scaleDownDelaySeconds": 5}),
        rollout(canary={"dynamicStableScale": True}),
    ),
    case(
        "ROL138",
        rollout(routing={**ISTIO, "maxTrafficWeight": 1000}),
        rollout(routing={**NGINX, "maxTrafficWeight": 1000}),
    ),
    case("ROL139", rollout(steps=[{"pause": None}]), rollout(steps=[{"pause": {}}])),
    case(
        "ROL140",
        rollout(steps=[{"setWeight": 5, "pause": {}}]),
        rollout(steps=[{"setWeight": 5}, {"pause": {}}]),
    ),
    case("ROL141", rollout(steps=[{"setWeight": 101}]), rollout(steps=[{"setWeight": 100}])),
    case(
        "ROL142",
        rollout(steps=[{"pause": {"duration": "1d"}}]),
        rollout(steps=[{"pause": {"duration": "24h"}}, {"pause": {"duration": "90"}}]),
    ),
    case(
        "ROL143",
        rollout(routing=GONE, steps=[{"setCanaryScale": {"replicas": 1}}]),
        rollout(steps=[{"setCanaryScale": {"replicas": 1}}]),
    ),
    case("ROL144", header(HEADER, routing=TRAEFIK), header(HEADER, routing=MANAGED)),
    case("ROL145", header({"headerName": "a", "headerValue": {"exact": "1", "regex": ".*"}}), header(HEADER)),
    case(
        "ROL145",
        header({"headerName": "a", "headerValue": {"regex": "1"}}, routing=ALB),
        header(HEADER, routing=ALB),
    ),
    case("ROL146", mirror({}, routing=MANAGED), mirror({}), controller="1.9"),
    case("ROL146", mirror({}, routing=ALB), mirror({})),
    case("ROL147", mirror({"method": {}}), mirror({"method": {"exact": "POST"}, "headers": {"a": {}}})),
    case("ROL148", rollout(routing=PLUGIN, steps=[{"setHeaderRoute": {"name": "r"}}]), header(HEADER)),
    case("ROL149", experiment(TRAEFIK), experiment(PLUGIN)),
    case("ROL151", argument("metadata.generation"), argument("metadata.labels['app']")),
    case("CAP506", two_routes("r-2", "a"), two_routes("r-b", "a")),
    case("CAP506", two_routes("q", "x-cohort", "b"), two_routes("q", "b")),
    case(
        "CAP506",
        two_routes("q", "x-cohort"),
        two_routes("q", "x-cohort", between=[{"setHeaderRoute": {"name": "q"}}]),
    ),
    case("CAP506", two_routes("q", "x-cohort"), two_routes("q", "x-cohort", routing=ISTIO["istio"])),
    case("CAP501", mirror({}, routing=MANAGED), mirror({}), controller="1.10"),
    case(
        "CAP502",
        rollout(routing={**PLUGIN, "maxTrafficWeight": 1000}),
        rollout(routing={"plugins": {"example/other": {}}, "maxTrafficWeight": 1000}),
    ),
    case("CAP503", header(HEADER, HEADER, routing=MANAGED), header(HEADER, HEADER)),
    case(
        "CAP504",
        [rollout(routing=TRAEFIK), traefik_service("traefik.io")],
        [rollout(routing=TRAEFIK), traefik_service("traefik.containo.us")],
        controller="1.9",
    ),
    case("CAP505", rollout(routing=NGINX), rollout(routing=TRAEFIK)),
]
assert GATEWAY in PLUGIN["plugins"]
