"""Cases of the rules about how Argo CD syncs a Rollout (SYN6xx)."""

from __future__ import annotations

import functools

from tests.unit.lint.rules.samples import case as plain_case
from tests.unit.lint.rules.samples import edit, http_route, other, rollout, service

case = functools.partial(plain_case, file="shop/model/all.yaml")
ARGO = "argoproj.io"
HASH = "rollouts-pod-template-hash"
RESPECT, SERVER_SIDE = "RespectIgnoreDifferences=true", "ServerSideApply=true"
OUT_OF_SYNC_ONLY = "ApplyOutOfSyncOnly=true"
WEIGHTS = {"kind": "HTTPRoute", "jqPathExpressions": [".spec.rules[].backendRefs[].weight"]}
HOSTS = {"kind": "HTTPRoute", "jqPathExpressions": [".spec.hostnames"]}
POINTER = {"kind": "Service", "jsonPointers": [f"/spec/selector/{HASH}"]}
QUERY = {"kind": "Service", "jqPathExpressions": [f'.spec.selector["{HASH}"]']}


def application(*options, ignored=(), path="rendered/shop/model"):
    spec = {"source": {"path": path}, "syncPolicy": {"syncOptions": list(options)}}
    return other("Application", ARGO, "model", {**spec, "ignoreDifferences": list(ignored)})


def application_set(*options):
    template = {"spec": application(*options, path="{{path}}")["spec"]}
    return other("ApplicationSet", ARGO, "models", {"template": template})


def marks(wave=None, **hook):
    found = {f"argocd.argoproj.io/{key}": value for key, value in hook.items()}
    return {**found, **({} if wave is None else {"argocd.argoproj.io/sync-wave": wave})}


def workflow(wave=None, name="model-gates", kind="Workflow", group=ARGO, annotations=None, **hook):
    return other(kind, group, name, {}, annotations={**marks(wave, **hook), **(annotations or {})})


def waved(wave):
    return rollout({"metadata/annotations": marks(wave)})


KEYED = {"sluice.dev/gate-key": "b4"}
SERVICES = [service(), service("model-canary")]
CLIENT_SIDE = {"argocd.argoproj.io/sync-options": "Prune=confirm, ServerSideApply=false"}
CASES = [
    case(
        "SYN601",
        [application(SERVER_SIDE), rollout(), *SERVICES],
        [application(SERVER_SIDE, RESPECT, ignored=[POINTER]), rollout(), *SERVICES],
        at=("syncOptions", 0),
    ),
    case(
        "SYN601",
        [application(SERVER_SIDE, ignored=[POINTER]), rollout(), service()],
        [application(SERVER_SIDE, RESPECT, ignored=[QUERY]), rollout(), service()],
    ),
    case(
        "SYN601",
        [application(SERVER_SIDE, RESPECT, ignored=[{**POINTER, "name": "other"}]), rollout(), service()],
        [application(SERVER_SIDE), rollout(), service(annotations=CLIENT_SIDE), service("other")],
    ),
    case(
        "SYN602",
        [application(OUT_OF_SYNC_ONLY), workflow("-1"), rollout()],
        [application(OUT_OF_SYNC_ONLY), workflow("-1", hook="PreSync"), rollout()],
        at=("syncOptions", 0),
    ),
    case(
        "SYN602",
        [application(OUT_OF_SYNC_ONLY), workflow(None, "a", "Job", "batch"), waved("1")],
        [application(OUT_OF_SYNC_ONLY), workflow(None, "a", "Job", "batch"), waved("0")],
    ),
    case(
        "SYN602",
        [application(OUT_OF_SYNC_ONLY), workflow("-1"), rollout()],
        [application("PruneLast=true"), workflow("-1"), rollout()],
    ),
    case(
        "SYN602",
        [application(OUT_OF_SYNC_ONLY), workflow("-1"), rollout()],
        [application(OUT_OF_SYNC_ONLY, path="rendered/shop/other"), workflow("-1"), rollout()],
    ),
    case(
        "SYN603",
        [application(RESPECT, ignored=[HOSTS, WEIGHTS]), http_route()],
        [application(ignored=[HOSTS, WEIGHTS]), http_route()],
        at=("ignoreDifferences", 1, "jqPathExpressions", 0),
    ),
    case(
        "SYN603",
        application(
            RESPECT, ignored=[{**WEIGHTS, "jsonPointers": ["/spec/rules/0/backendRefs/1/weight"]}], path="x"
        ),
        [application(RESPECT, ignored=[HOSTS, QUERY]), http_route()],
    ),
    case(
        "SYN603",
        [application(RESPECT, ignored=[WEIGHTS]), http_route()],
        [application(RESPECT, ignored=[WEIGHTS]), service()],
    ),
    case(
        "SYN604",
        [workflow("2"), waved("1")],
        [workflow("-1"), waved("0")],
        at=("argocd.argoproj.io/sync-wave",),
    ),
    case("SYN604", [workflow("0"), waved("0")], [workflow("0", hook="PreSync"), waved("0")]),
    case("SYN604", [workflow(hook="PostSync"), waved("1")], [workflow(hook="SyncFail"), waved("1")]),
    case(
        "SYN604",
        [
            application(),
            workflow(),
            rollout(),
        ],  # without an Application they need not be synced by Argo CD at all
        [workflow(), rollout()],
    ),
    case(
        "SYN604",
        [workflow("2", "checks", annotations=KEYED), waved("1")],
        [workflow("2", "investigate"), waved("1")],
    ),
    case(
        "SYN604",
        [workflow("3"), waved("1"), edit(waved("3"), {"metadata/name": "b"})],
        [workflow("2"), waved("1"), edit(waved("3"), {"metadata/name": "b"})],
    ),
    case("SYN610", application(SERVER_SIDE, path="x"), [application(SERVER_SIDE), service()]),
    case("SYN610", application_set(OUT_OF_SYNC_ONLY), application_set(RESPECT)),
]
FINE = {
    "no Rollout": [application(SERVER_SIDE, OUT_OF_SYNC_ONLY), service(), workflow("-1", "migrate")],
    "no gates": [application(OUT_OF_SYNC_ONLY), rollout(), *SERVICES, http_route(), service("other")],
    "gates as hooks": [application(OUT_OF_SYNC_ONLY), rollout(), workflow(hook="PreSync")],
    "client-side, in waves": [application(ignored=[WEIGHTS]), waved("1"), *SERVICES, workflow("-1")],
    "the hash respected": [application(SERVER_SIDE, RESPECT, ignored=[POINTER]), rollout(), *SERVICES],
    "not of Argo CD": [rollout(), *SERVICES, workflow()],
}
