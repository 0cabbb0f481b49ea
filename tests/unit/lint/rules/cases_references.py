"""Cases of the rules about what a Rollout refers to (ROL2xx)."""

from __future__ import annotations

from tests.unit.lint.rules.cases_rollout import ALB, ISTIO, NGINX, REF, TRAEFIK, traefik_service
from tests.unit.lint.rules.samples import (
    GONE,
    METRIC,
    TEMPLATE,
    blue_green,
    case,
    edit,
    http_route,
    other,
    rollout,
    service,
)

SERVICES = [service(), service("model-canary")]
ROUTE = http_route(("model-stable", "model-canary"))
ENDLESS = edit(METRIC, {"count": GONE, "provider/prometheus/query": "sum(x)"})
FREE = edit(METRIC, {"provider/prometheus/query": "sum(x)"})
DRY = [{"metricName": "errors"}]
ARG = {"name": "hash", "value": "a"}


def used(*templates, args=(), steps=None, **step):
    """A Rollout with one analysis step over the templates, and the templates."""
    refs = [{"templateName": t["metadata"]["name"]} for t in templates]
    step = {"analysis": {"templates": refs, "args": list(args), **step}}
    return [rollout(steps=[step, *(steps or [])]), *templates]


def in_experiment(*templates, required=False, **fields):
    """The same with one experiment over the templates."""
    analyses = [
        {"name": "a", "templateName": t["metadata"]["name"], "requiredForCompletion": required}
        for t in templates
    ]
    step = {"experiment": {"templates": [{"name": "a", "specRef": "canary"}], "analyses": analyses, **fields}}
    return [rollout(steps=[step]), *templates]


def background(*templates, args=()):
    refs = [{"templateName": t["metadata"]["name"]} for t in templates]
    return [rollout(steps=[], canary={"analysis": {"templates": refs, "args": list(args)}}), *templates]


def template(name="quality", metrics=(FREE,), **spec):
    return edit(TEMPLATE, {"metadata/name": name, "spec": {"metrics": list(metrics), **spec}})


def ingress(name):
    path = {"backend": {"service": {"name": name, "port": {"number": 80}}}}
    return other("Ingress", "networking.k8s.io", "model", {"rules": [{"http": {"paths": [path]}}]})


def virtual_service(*hosts, **spec):
    route = [{"destination": {"host": host}} for host in hosts]
    return other("VirtualService", "networking.istio.io", "model", spec or {"http": [{"route": route}]})


def mapping(**spec):
    return other("Mapping", "getambassador.io", "model", {"prefix": "/", **spec})


def virtual_router(count):
    action = {"weightedTargets": [{"weight": 1}] * count}
    return other("VirtualRouter", "appmesh.k8s.aws", "model", {"routes": [{"httpRoute": {"action": action}}]})


TWO_HTTP = [{"name": "a", "route": []}, {"name": "b", "route": []}]
PAIR = [{"destination": {"host": "model-stable"}}, {"destination": {"host": "model-canary.shop.svc"}}]
AMBASSADOR = {"ambassador": {"mappings": ["model"]}}
MESH = {"appMesh": {"virtualService": {"name": "model"}}}
DEPLOYED = rollout({"spec/workloadRef": REF, "spec/template": GONE, "spec/selector": GONE})
DEPLOYMENT = other("Deployment", "apps", "model", {"template": {"metadata": {"labels": {"app": "model"}}}})

CASES = [
    case("ROL201", [rollout(), service(), ROUTE], [rollout(), *SERVICES, ROUTE], complete=True),
    case("ROL201", [DEPLOYED, *SERVICES, ROUTE], [DEPLOYED, *SERVICES, ROUTE, DEPLOYMENT], complete=True),
    case("ROL220", [rollout(), service(), ROUTE], [rollout(), *SERVICES, ROUTE]),
    case("ROL202", [rollout(), service(selector={"app": "other"})], [rollout(), service()]),
    case(
        "ROL202",
        [DEPLOYED, DEPLOYMENT, service(selector={"app": "other"})],
        [DEPLOYED, DEPLOYMENT, service(selector={"app": "model", "rollouts-pod-template-hash": "1"})],
    ),
    case(
        "ROL203",
        [rollout(), service(annotations={"argo-rollouts.argoproj.io/managed-by-rollouts": "other"})],
        [rollout(), service(annotations={"argo-rollouts.argoproj.io/managed-by-rollouts": "model"})],
    ),
    case(
        "ROL203",
        [rollout(), rollout({"metadata/name": "other"})],
        [rollout(), rollout({"metadata/name": "other", "metadata/namespace": "elsewhere"})],
    ),
    case("ROL204", rollout(routing={"nginx": {}}), rollout(routing=NGINX)),
    case(
        "ROL204",
        rollout(routing={"istio": {"virtualService": {"name": "a"}, "virtualServices": [{"name": "b"}]}}),
        rollout(routing=ISTIO),
    ),
    case(
        "ROL205",
        [rollout(routing=NGINX), ingress("model-canary")],
        [rollout(routing=NGINX), ingress("model-stable")],
    ),
    case("ROL205", [rollout(routing=ALB), ingress("model-stable")], [rollout(routing=ALB), ingress("root")]),
    case(
        "ROL206",
        [rollout(routing=ISTIO), virtual_service("model-stable")],
        [rollout(routing=ISTIO), virtual_service("model-stable", "model-canary.shop")],
    ),
    case(
        "ROL206",
        [rollout(routing=ISTIO), virtual_service(http=TWO_HTTP)],
        [rollout(routing=ISTIO), virtual_service(http=[{"route": PAIR}, {"name": "r", "route": []}])],
    ),
    case(
        "ROL206",
        [rollout(routing=ISTIO), virtual_service(tcp=[{"route": PAIR}, {"route": PAIR}])],
        [rollout(routing=ISTIO), virtual_service(tcp=[{"route": PAIR}])],
    ),
    case("ROL206", [rollout(routing=ISTIO), virtual_service(hosts=[])], [rollout(routing=ISTIO)]),
    case(
        "ROL207",
        [rollout(routing=AMBASSADOR), mapping(weight=5)],
        [rollout(routing=AMBASSADOR), mapping()],
    ),
    case("ROL207", rollout(routing={"ambassador": {"mappings": []}}), rollout(routing=AMBASSADOR)),
    case("ROL208", [rollout(routing=MESH), virtual_router(1)], [rollout(routing=MESH), virtual_router(2)]),
    case("ROL209", rollout(), [rollout(), TEMPLATE], complete=True),
    case("ROL221", rollout(), [rollout(), TEMPLATE]),
    case(
        "ROL221",
        [
            rollout(),
            edit(TEMPLATE, {"spec/templates": [{"templateName": "quality"}, {"templateName": "more"}]}),
        ],
        [rollout(), edit(TEMPLATE, {"spec/templates": [{"templateName": "quality"}]})],
    ),
    case("ROL210", used(template(), template("b")), used(template(), template("b", [{**FREE, "name": "b"}]))),
    case(
        "ROL210", used(template(args=[{"name": "hash"}])), used(template(args=[{"name": "hash"}]), args=[ARG])
    ),
    case(
        "ROL210",
        used(template(args=[ARG]), template("b", [{**FREE, "name": "b"}], args=[{**ARG, "value": "b"}])),
        used(template(args=[ARG]), template("b", [{**FREE, "name": "b"}], args=[ARG])),
    ),
    case("ROL211", used(template(dryRun=DRY), dryRun=DRY), used(template(dryRun=DRY))),
    case("ROL212", used(template(metrics=[METRIC])), used(template(metrics=[METRIC], args=[ARG]))),
    case("ROL213", used(template(metrics=[ENDLESS])), background(template(metrics=[ENDLESS]))),
    case(
        "ROL213",
        in_experiment(template(metrics=[ENDLESS])),
        in_experiment(template(metrics=[ENDLESS]), duration="10m"),
    ),
    case(
        "ROL213",
        in_experiment(template(metrics=[ENDLESS]), duration="10m", required=True),
        in_experiment(template(metrics=[ENDLESS]), duration="10m"),
    ),
    case(
        "ROL214",
        used(
            template(metrics=[{**FREE, "count": "{{args.n}}"}], args=[{"name": "n"}]),
            args=[{"name": "n", "value": "3"}],
        ),
        used(template(metrics=[{**FREE, "count": "{{args.n}}"}], args=[{"name": "n", "value": "3"}])),
    ),
    case(
        "ROL215",
        background(template(args=[{"name": "hash"}])),
        background(template(args=[{"name": "hash"}]), args=[ARG]),
    ),
    case("ROL216", [rollout(), http_route(("model-stable",))], [rollout(), ROUTE]),
    case(
        "ROL216",
        [rollout(), http_route(("a", "b"))],
        [rollout(), http_route(("a",), ("model-canary", "model-stable"))],
    ),
    case(
        "ROL218",
        [rollout(routing=TRAEFIK, canary={"canaryService": "else"}), traefik_service("traefik.io")],
        [rollout(routing=TRAEFIK), traefik_service("traefik.io")],
    ),
    case(
        "ROL209",
        blue_green(prePromotionAnalysis={"templates": [{"templateName": "a"}]}),
        blue_green(),
        complete=True,
    ),
]
