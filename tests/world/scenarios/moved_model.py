"""A hand-written Rollout with users becomes Sluice's, in its namespace, as docs/move-a-model.md describes: no request is lost.

Its pods even have the label by which Sluice finds its own model elsewhere.
"""

from __future__ import annotations

import copy
import secrets
from typing import Any

from generator.plan.values import Plan
from tests.cluster import report, repository
from tests.cluster.client import Api, Object, documents
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.layout import GATEWAY, GATEWAY_NAMESPACE, Layout
from tests.cluster.load import Load
from tests.cluster.release import Release
from tests.cluster.visitors import ITEM
from tests.cluster.waiting import pause, until
from tests.world.scenario import Scenario, in_cluster

_RPS, _STEP_S = 20.0, 8.0
_OLD, _MODEL = "recs", "shop/ranker"
_ROLLOUTS, _ROUTES = "argoproj.io/v1alpha1", "gateway.networking.k8s.io/v1"


def _hand_written(plan: Plan, host: str) -> list[Object]:
    """What a team has in its namespace: a Rollout behind a route, with Services, configuration and keys."""
    space = plan.identity.namespace
    (rendered,) = documents(repository.bundle(plan)["rollout-main.yaml"])
    pod = copy.deepcopy(rendered["spec"]["template"]["spec"])
    del pod["serviceAccountName"], pod["topologySpreadConstraints"]
    (container,) = pod["containers"]
    container["envFrom"] = [{"configMapRef": {"name": _OLD}}]
    pod["volumes"][1]["secret"]["secretName"] = _OLD
    (config,) = documents(repository.bundle(plan)["configmap-config.yaml"])
    labels = {"app": _OLD, "app.kubernetes.io/name": plan.identity.model}

    def made(version: str, kind: str, name: str = _OLD, **body: Any) -> Object:
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": space}, **body}

    stable, canary = f"{_OLD}-stable", f"{_OLD}-canary"
    ports = [{"name": "http", "port": 80, "targetPort": 3000}]
    plugin = {"argoproj-labs/gatewayAPI": {"namespace": space, "httpRoutes": [{"name": _OLD}]}}
    strategy = {
        "stableService": stable,
        "canaryService": canary,
        "trafficRouting": {"plugins": plugin},
        "steps": [{"setWeight": 20}, {"pause": {}}],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}},
        made("v1", "ConfigMap", data=config["data"]),
        made("v1", "Secret", stringData={"current": secrets.token_hex(32)}),
        *(made("v1", "Service", name, spec={"selector": {"app": _OLD}, "ports": ports}) for name in (stable, canary)),
        _route(plan, host, {stable: 100, canary: 0}),
        made(
            _ROLLOUTS,
            "Rollout",
            spec={
                "replicas": 2,
                "selector": {"matchLabels": {"app": _OLD}},
                "strategy": {"canary": strategy},
                "template": template,
            },
        ),
    ]  # fmt: skip


def _route(plan: Plan, host: str, weights: dict[str, int]) -> Object:
    rule = {
        "matches": [{"path": {"type": "Exact", "value": "/predict"}}],
        "backendRefs": [{"name": name, "port": 80, "weight": weight} for name, weight in weights.items()],
    }
    parent = {"name": GATEWAY, "namespace": GATEWAY_NAMESPACE}
    return {
        "apiVersion": _ROUTES,
        "kind": "HTTPRoute",
        "metadata": {"name": _OLD, "namespace": plan.identity.namespace},
        "spec": {"parentRefs": [parent], "hostnames": [host], "rules": [rule]},
    }


def _pods(api: Api, plan: Plan) -> set[str]:
    """The hand-written pods, by their identity."""
    path = f"/api/v1/namespaces/{plan.identity.namespace}/pods?labelSelector=app%3D{_OLD}"
    return {pod["metadata"]["uid"] for pod in api.items(path)}


def test_no_request_is_lost(layout: Layout, api: Api, delivered: Delivered) -> None:
    mark = secrets.token_hex(4)
    draft = Release(layout, api, _MODEL, repository.ADOPTED).plan("1", mark)
    space, host = draft.identity.namespace, f"{_OLD}.shop.{repository.ADOPTED}.sluice.test"
    old = _hand_written(draft, host)
    for item in old:
        api.apply(item)
    rollout, route = api.address(old[-1]), api.address(old[-2])
    until(
        "the hand-written model",
        lambda: (api.find(rollout) or {}).get("status", {}).get("phase") == "Healthy",
        180,
    )
    before = _pods(api, draft)
    with Load(host, _RPS, ITEM) as load:
        until("traffic", lambda: sum(not answer.error for answer in load.answers) > 5 * _RPS, 60)
        # 1. Sluice's model starts next to it, at a host without users.
        git, plan = delivered(_MODEL, repository.ADOPTED, mark)
        assert _pods(api, draft) == before, "the first sync touched a pod of others"
        new = git.release.stable(plan)
        assert not load.exposed(new)
        # 2. The controller of the old Rollout lets go of its route; people move the weight.
        api.request(
            "PATCH",
            rollout,
            [{"op": "remove", "path": "/spec/strategy/canary/trafficRouting"}],
            "application/json-patch+json",
        )
        shares = []
        for weight in (10, 50, 100):
            api.merge(
                route,
                {
                    "spec": _route(plan, host, {f"{_OLD}-stable": 100 - weight, "ranker-stable": weight})[
                        "spec"
                    ]
                },
            )
            pause(_STEP_S)
            seen = load.versions(load.answers[-1].at - _STEP_S / 2, load.answers[-1].at)
            shares.append(f"{100 * seen[new] / max(1, seen.total()):.0f}%")
        # 3. The host goes to the spec: both routes have it and the older one counts, so that the sync waits for its end.
        moved = git.release.plan("1", mark, traffic={"hosts": [host]})
        commit = git.commit(moved)
        own = route.replace(f"/{_OLD}", "/ranker")

        def applied() -> bool:
            git.refresh(moved, commit)
            return bool(api.request("GET", own)["spec"]["hostnames"] == [host])

        until("the host in the route of the model", applied, 240, 1.0)
        pause(_STEP_S)
        api.request("DELETE", route)
        git.synced(moved, commit)
        pause(_STEP_S)
        # 4. Nothing uses the old model.
        for item in (old[-1], *old[3:5]):
            api.request("DELETE", api.address(item))
        until("the end of the old pods", lambda: not _pods(api, draft), 120)
        pause(_STEP_S)
        last = load.answers[-1].at
    report.figures(
        "a hand-written Rollout becomes Sluice's",
        {**load.told(), "new model at weights 10, 50, 100": ", ".join(shares), "namespace": space},
    )  # fmt: skip
    assert not load.failed, refused(layout, host)
    assert load.versions(last - _STEP_S, last).keys() == {new}


SCENARIO = Scenario(
    title="A hand-written Rollout with users becomes Sluice's, in its namespace, without losing a request",
    covers=("docs/move-a-model.md", "generator/plan", "generator/render", "templates", "tests/cluster"),
    programs=("kubernetes", "rollouts", "argocd", "contour", "envoy"),
    run=in_cluster(__file__),
)
