"""Rollouts with the objects they refer to, some of them missing or not fitting; the same ones for the same seed."""

from __future__ import annotations

import copy
import random

from tests.oracle.mutations import LABELS, POD, ROUTERS

MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
QUERY = {"prometheus": {"query": "x"}}
METRICS = [
    {"name": "a", "provider": QUERY},
    {"name": "a", "interval": "1m", "count": 3, "provider": QUERY},
    {"name": "a", "interval": "1m", "provider": QUERY},
    {"name": "a", "interval": "1m", "count": "0", "provider": QUERY},
    {"name": "a", "interval": "1m", "count": "{{args.n}}", "provider": QUERY},
    {"name": "a", "interval": "{{args.n}}", "count": 3, "provider": QUERY},
    {"name": "a", "provider": {"prometheus": {"query": "{{args.hash}}"}}},
    {"name": "a", "provider": {"prometheus": {"query": "{{ args.hash }} {{args.n}}"}}},
    {"name": "a", "provider": {"prometheus": {"query": "{{ $labels.x }}"}}},
    {"name": "b", "provider": QUERY},
]
ARGS = [
    {"name": "n"},
    {"name": "n", "value": "3"},
    {"name": "n", "value": "4"},
    {"name": "n", "value": "x"},
    {"name": "hash"},
    {"name": "hash", "value": "h"},
    {"name": "hash", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
]
PASSED = [
    {"name": "n", "value": "3"},
    {"name": "n", "value": ""},
    {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
    {"name": "hash", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "hash", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}},
    {"name": "hash", "valueFrom": {"fieldRef": {"fieldPath": "metadata.generation"}}},
    {"name": "other", "value": "1"},
]
RULES = [{"metricName": "a"}, {"metricName": "b"}, {"metricName": ".*"}]
HOSTS = ["model-stable", "model-canary", "model-canary.shop.svc.cluster.local", "other", ""]
SUBSETS = ["s", "c", ""]


def bundles(seed, count):
    """Pairs of a Rollout and the objects of its tree."""
    rng = random.Random(seed)
    for _ in range(count):
        spec = {"selector": {"matchLabels": dict(LABELS)}, "template": copy.deepcopy(POD)}
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "m"},
            "spec": spec,
        }
        objects = [*_services(rng), *_templates(rng)]
        if rng.random() < 0.2:
            spec["strategy"] = {"blueGreen": _blue_green(rng)}
        else:
            spec["strategy"] = {"canary": _canary(rng)}
            objects += _routes(rng)
        yield body, objects


def _object(kind, group, name, spec, **metadata):
    version = f"{group}/v1" if group else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def _services(rng):
    for name in ("model-stable", "model-canary"):
        selector = rng.choice([{}, LABELS, LABELS, LABELS, LABELS, {"rollouts-pod-template-hash": "x"}])
        if rng.random() < 0.05:
            selector = {"app": "other"}
        owner = rng.choice([{}, {}, {}, {"annotations": {MANAGED_BY: "m"}}, {"annotations": {"a": "b"}}])
        if rng.random() < 0.05:
            owner = {"annotations": {MANAGED_BY: "someone"}}
        if rng.random() > 0.05:
            yield _object("Service", "", name, {"selector": selector}, **owner)


def _templates(rng):
    for kind, name in (
        ("AnalysisTemplate", "t1"),
        ("AnalysisTemplate", "t2"),
        ("ClusterAnalysisTemplate", "t1"),
    ):
        spec = {"metrics": [copy.deepcopy(m) for m in rng.sample(METRICS, k=rng.choice((0, 1, 1, 1)))]}
        if kind == "AnalysisTemplate" and name == "t2" and spec["metrics"]:
            spec["metrics"][0]["name"] = rng.choice("abcc")
        spec["args"] = [copy.deepcopy(arg) for arg in rng.sample(ARGS, k=rng.choice((0, 0, 1, 2)))]
        if len({arg["name"] for arg in spec["args"]}) < len(spec["args"]):
            spec["args"] = spec["args"][:1]
        for field in ("dryRun", "measurementRetention"):
            if rng.random() < 0.2:
                spec[field] = _rules(rng, field)
        if name == "t1" and rng.random() < 0.2:
            spec["templates"] = [{"templateName": rng.choice(["t2", "t2", "t3"])}]
        if rng.random() > 0.04:
            yield _object(kind, "argoproj.io", name, spec)


def _rules(rng, field):
    extra = {"limit": 5} if field == "measurementRetention" else {}
    return [{**rule, **extra} for rule in rng.choices(RULES, k=rng.choice((1, 1, 2)))]


def _analysis(rng):
    refs = [{"templateName": "t1"}, {"templateName": "t2"}, {"templateName": "t1", "clusterScope": True}]
    analysis = {"templates": rng.sample(refs, k=rng.choice((1, 1, 2)))}
    analysis["args"] = copy.deepcopy(rng.sample(PASSED, k=rng.choice((0, 1, 2, 3))))
    for field in ("dryRun", "measurementRetention"):
        if rng.random() < 0.15:
            analysis[field] = _rules(rng, field)
    return analysis


def _blue_green(rng):
    strategy = {"activeService": "model-stable", "previewService": "model-canary"}
    for field in ("prePromotionAnalysis", "postPromotionAnalysis"):
        if rng.random() < 0.6:
            strategy[field] = _analysis(rng)
    return strategy


def _canary(rng):
    canary = {"stableService": "model-stable", "canaryService": "model-canary", "steps": []}
    router = rng.choice(["none", "plugin", "istio", "istio", "subsets", "alb", "nginx", "ambassador", "two"])
    routing = copy.deepcopy(ROUTERS[router])
    if routing is not None:
        canary["trafficRouting"] = routing
        _vary(rng, routing)
    canary["steps"] = [{"analysis": _analysis(rng)} for _ in range(rng.choice((0, 1, 1, 2)))]
    if rng.random() < 0.5:
        canary["analysis"] = _analysis(rng)
    return canary


def _vary(rng, routing):
    if "nginx" in routing:
        routing["nginx"] = rng.choice([{}, {"stableIngress": "model"}, {"stableIngresses": ["model"]}])
        if rng.random() < 0.1:
            routing["nginx"] = {"stableIngress": "model", "stableIngresses": ["model"]}
    if "alb" in routing:
        routing["alb"] = rng.choice(
            [routing["alb"], {"ingress": "model", "servicePort": 80}, {"servicePort": 80}]
        )
    if "istio" in routing:
        _vary_istio(rng, routing["istio"])
    if rng.random() < 0.3:
        routing["managedRoutes"] = [{"name": rng.choice(["a", "r"])}]


def _vary_istio(rng, istio):
    one = {"name": "model"}
    if rng.random() < 0.5:
        one["routes"] = rng.choice([[], ["a"], ["a", "b"], ["c"]])
    if rng.random() < 0.2:
        one["tlsRoutes"] = [{"port": 443, "sniHosts": ["x"]}]
    if rng.random() < 0.2:
        one["tcpRoutes"] = [{"port": 9000}]
    istio["virtualService"] = one
    if rng.random() < 0.1:
        istio["virtualServices"] = [one]
        if rng.random() < 0.5:
            del istio["virtualService"]


def _routes(rng):
    backend = {
        "service": {
            "name": rng.choice(["model-stable", "model-stable", "root", "other"]),
            "port": {"number": 80},
        }
    }
    rule = rng.choice(
        [{"http": {"paths": [{"backend": backend}]}}, {"http": {"paths": [{"backend": backend}]}}, {}]
    )
    yield _object("Ingress", "networking.k8s.io", "model", {"rules": [rule]})
    if rng.random() > 0.05:
        yield _object(
            "Mapping", "getambassador.io", "model", rng.choice([{}, {}, {"weight": 0}, {"weight": 5}])
        )
    if rng.random() > 0.05:
        yield _object("VirtualService", "networking.istio.io", "model", _virtual_service(rng))


def _virtual_service(rng):
    spec = {}
    if rng.random() < 0.9:
        spec["http"] = [
            _route(rng, name=name) for name in rng.choice([["a"], [""], ["a", "b"], ["", "a"], ["r", ""]])
        ]
    for kind in ("tls", "tcp"):
        if rng.random() < 0.15:
            port = {"port": rng.choice([443, 9000])}
            match = {**port, "sniHosts": [rng.choice("xy")]} if kind == "tls" else port
            spec[kind] = [_route(rng, match=[match]) for _ in range(rng.choice((1, 1, 2)))]
    return spec


def _route(rng, **fields):
    hosts = ["model-stable", "model-canary"] if rng.random() < 0.7 else rng.choices(HOSTS, k=2)
    subsets = ["s", "c"] if rng.random() < 0.8 else rng.choices(SUBSETS, k=2)
    pairs = zip(hosts, subsets, strict=True)
    route = [{"destination": {"host": host, **({"subset": s} if s else {})}} for host, s in pairs]
    return {**{key: value for key, value in fields.items() if value}, "route": route}
