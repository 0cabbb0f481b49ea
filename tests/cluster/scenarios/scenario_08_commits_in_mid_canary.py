"""Commits while a canary runs: every one arrives, the weights come back within seconds, no request fails."""

from __future__ import annotations

import secrets
import time
from itertools import pairwise

from generator.plan.values import Plan
from tests.cluster import measures, report
from tests.cluster.bentos import LATE
from tests.cluster.client import Api, Object
from tests.cluster.delivery import RESYNC_S
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered, GitOps
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_CLICKS = 0.8
_LONGEST_DIP_S = 5.0
# A sync that changes nothing of the Rollout, and a healed route, are noticed when the controller looks again.
_NOTICED_S = RESYNC_S + _LONGEST_DIP_S
_STEADY_S = 25.0
# Two commits must arrive within the first hold; a sync takes 20 s on a machine that does other things.
_STEPS = [{"weight": "5%", "hold": "120s"}, {"weight": "50%", "hold": "80s"}]
_SHORT_STEPS = [{"weight": "5%", "hold": "20s"}, {"weight": "50%", "hold": "20s"}]


def test_every_commit_arrives(api: Api, delivered: Delivered) -> None:
    first = {"rollout": {"steps": _STEPS}}
    git, plan = delivered("shop/ranker", "s8", **first)
    release, mark = git.release, secrets.token_hex(4)
    stable, host = release.stable(plan), plan.routing.hosts[0]
    hosts = {"hosts": [host, f"new.{host}"]}
    weaker = {"rollout": {**first["rollout"], "guards": [{"outcome": "ctr", "detect": {"drop": "35%"}}]}}
    changes: list[tuple[str, float]] = []

    def commit(what: str, plan: Plan, weight: int) -> None:
        """One commit in mid-canary; the weights must be back soon."""
        changes.append((what, time.time()))
        git.synced(plan, git.commit(plan))
        until(f"weight {weight} after {what}", lambda: watch.last.weight == weight, 60)

    with Watch(api, plan) as watch, Load(host, RPS, ITEM, lambda _: _CLICKS) as load:
        until("traffic", lambda: load.exposed(stable) > 5 * RPS, 60)
        git.synced(plan, git.commit(release.plan("2", mark, **first)))
        until("weight 5", lambda: watch.last.weight == 5, 300)
        commit("host names", release.plan("2", mark, traffic=hosts, **first), 5)
        arrived = _route(api, plan)["spec"]["hostnames"]
        commit("a guard", release.plan("2", mark, traffic=hosts, **weaker), 5)
        guard = _guards(api, plan)
        until("weight 50", lambda: watch.last.weight == 50, 300)
        seen = len(load.answers)
        until("traffic at 50 %", lambda: len(load.answers) > seen + 10 * RPS, 60)
        changes.append(("a manual sync", time.time()))
        git.sync(plan)
        until("weight 50 after a manual sync", lambda: watch.last.weight == 50, 60)
        changes.append(("a route drifted by hand", time.time()))
        api.merge(_route_path(plan), {"spec": {"hostnames": ["drifted.example.com", *hosts["hosts"]]}})
        until("the route is healed", lambda: _route(api, plan)["spec"]["hostnames"] == hosts["hosts"], 60)
        until("weight 50 after the drift", lambda: watch.last.weight == 50, 60)
        changes.append(("a Service drifted by hand", time.time()))
        service = f"/api/v1/namespaces/{plan.identity.namespace}/services/ranker-canary"
        api.merge(service, {"metadata": {"labels": {"sluice.dev/tier": "drifted"}}})
        until("the Service is healed", lambda: _tier(api, service) == "quick", 60)
        until("weight 50 after the Service", lambda: watch.last.weight == 50, 60)
        canary = release.rollout(plan)["status"]["currentPodHash"]
        # Another template, with another time-out in the route's rules: the canary starts again with it.
        late = {"rollout": {**weaker["rollout"], "steps": _SHORT_STEPS}, **LATE}
        last = release.fresh("2", traffic=hosts, **late)
        changes.append(("a new version", time.time()))
        git.synced(last, git.commit(last))
        timeouts = {rule["timeouts"]["request"] for rule in _route(api, plan)["spec"]["rules"]}
        release.until_phase(last, "Healthy", 400)
    until("a healthy Application", lambda: git.status(last) == ("Synced", "Healthy"), 60)
    looped = _operations(git, last)
    dips = _dips(watch, changes)
    replaced = changes[-1][1]
    found = measures.splits(watch, load, canary, before=replaced)
    found += measures.splits(watch, load, release.stable(last), after=replaced)
    report.figures(
        "8 commits in mid-canary",
        {
            **load.told(),
            "seconds without canary traffic after": ", ".join(f"{what} {sec:.1f}" for what, sec in dips),
            "split": ", ".join(map(str, found)),
        },
    )
    print(watch.story())
    assert not load.failed, refused(release.layout, host)
    assert arrived == hosts["hosts"]
    assert "ln(1 + (-0.35)" in guard
    assert timeouts == {"11s"}
    assert all(
        seconds < (_NOTICED_S if "by hand" in what or "manual" in what else _LONGEST_DIP_S)
        for what, seconds in dips
    )
    assert {split.weight for split in found} == {5, 50}
    assert measures.fair(found)
    assert looped == 1, "a steady Application is synced again and again"


def _dips(watch: Watch, changes: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Seconds with weight 0 between each change and the next; the last one starts a canary again and is left out."""
    found = []
    for (what, start), (_, end) in pairwise(changes):
        spans = [(max(a, start), min(b, end)) for weight, a, b in watch.spans() if weight == 0]
        found.append((what, sum(max(0.0, b - a) for a, b in spans)))
    return found


def _operations(git: GitOps, plan: Plan) -> int:
    """Different sync operations that are seen while nothing is committed; the Application ends healthy."""
    seen, end = set(), time.time() + _STEADY_S

    def over() -> bool:
        seen.add(git.application(plan)["status"]["operationState"]["startedAt"])
        sync, health = git.status(plan)
        assert sync == "Synced"
        return time.time() > end and health == "Healthy"

    until("a steady time", over, 3 * _STEADY_S, 0.5)
    return len(seen)


def _route_path(plan: Plan) -> str:
    identity = plan.identity
    return f"/apis/gateway.networking.k8s.io/v1/namespaces/{identity.namespace}/httproutes/{identity.model}"


def _route(api: Api, plan: Plan) -> Object:
    found: Object = api.request("GET", _route_path(plan))
    return found


def _guards(api: Api, plan: Plan) -> str:
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{plan.identity.namespace}/analysistemplates/ranker-guards"
    query: str = api.request("GET", path)["spec"]["metrics"][0]["provider"]["prometheus"]["query"]
    return query


def _tier(api: Api, service: str) -> str:
    tier: str = api.request("GET", service)["metadata"]["labels"]["sluice.dev/tier"]
    return tier
