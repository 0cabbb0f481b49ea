"""Pods go, controllers restart, an autoscaler scales in while a canary runs: verdict and weights are unharmed."""

from __future__ import annotations

from generator.plan.values import Plan
from tests.cluster import argocd, delivery, measures, report
from tests.cluster.client import ApiError, Object
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.release import Release
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_CLICKS = 0.8
_TOO_MANY_REQUESTS = 429
_STEPS = [{"weight": "5%", "hold": "60s"}, {"weight": "50%", "hold": "45s"}]


def _spec(pods: int) -> Object:
    """Without metrics an autoscaler still keeps its bounds: a smaller one scales in."""
    return {"autoscaling": {"kind": "hpa", "min": pods, "max": pods}, "rollout": {"steps": _STEPS}}


def test_a_good_version_takes_over_and_a_bad_one_does_not(delivered: Delivered) -> None:
    git, plan = delivered("shop/ranker", "s11", **_spec(3))
    release, host = git.release, plan.routing.hosts[0]
    processes, stable, mark = release.layout.processes, release.stable(plan), "good"
    until("three pods", lambda: len(_ready(release, plan, stable)) == 3, 120)
    good = release.plan("2", mark, **_spec(3))
    clicks = {stable: _CLICKS}
    with Load(host, RPS, ITEM, lambda version: clicks.get(version, _CLICKS)) as load:
        until("traffic", lambda: load.exposed(stable) > 5 * RPS, 60)
        with Watch(release.api, good) as watch:
            git.synced(good, git.commit(good))
            until("weight 5", lambda: watch.last.weight == 5, 300)
            fewer = release.plan("2", mark, **_spec(2))
            git.synced(fewer, git.commit(fewer))
            until("two pods of stable", lambda: len(_ready(release, plan, stable)) == 2, 90)
            processes.stop("rollouts")
            delivery.start_rollouts(release.layout)
            until("weight 50", lambda: watch.last.weight == 50, 240)
            until("an eviction", lambda: _evicted(release, _ready(release, plan, stable)[0]), 60)
            processes.stop("argocd-application-controller")
            argocd.start_controller(release.layout)
            release.until_phase(good, "Healthy", 300)
        taken = release.stable(good)
        bad = release.fresh("1", **_spec(2))
        with Watch(release.api, bad) as second:
            git.synced(bad, git.commit(bad))
            until("weight 5", lambda: second.last.weight == 5, 300)
            # Half the clicks were once noticed only at 50 %: here the controller is on trial, not the odds of the guard.
            clicks[release.rollout(bad)["status"]["currentPodHash"]] = _CLICKS * 0.1
            processes.stop("rollouts")
            delivery.start_rollouts(release.layout)
            release.until_phase(bad, "Degraded", 240)
            until("weight 0", lambda: second.last.weight == 0, 60)
    found = measures.splits(watch, load, taken)
    dips = [end - start for weight, start, end in watch.spans()[1:-1] if weight == 0]
    report.figures(
        "11 scale-in, eviction, restarts",
        {
            **load.told(),
            "split": ", ".join(map(str, found)),
            "seconds at weight 0 meanwhile": ", ".join(f"{seconds:.1f}" for seconds in dips) or "none",
            "the bad version": second.moments[-1].message,
        },
    )
    print(watch.story(), second.story(), sep="\n\n")
    assert not load.failed, refused(release.layout, host)
    assert measures.fair(found)
    assert [weight for weight in _in_order(watch) if weight] == [5, 50]
    assert taken != stable
    assert release.stable(bad) == taken
    assert [weight for weight in _in_order(second) if weight] == [5]


def _in_order(watch: Watch) -> list[int]:
    """Weights below 100 in order; one that came back after a dip counts once."""
    found: list[int] = []
    for weight, _, _ in watch.spans():
        if 0 < weight < 100 and (not found or found[-1] != weight):
            found.append(weight)
    return found


def _ready(release: Release, plan: Plan, version: str) -> list[Object]:
    return [
        pod
        for pod in release.pods(plan, version)
        if "deletionTimestamp" not in pod["metadata"]
        and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
    ]


def _evicted(release: Release, pod: Object) -> bool:
    """What a drain does, and a stand-in for a kubelet under pressure: which pod that one takes cannot be chosen.

    False when the disruption budget says not yet.
    """
    name, space = pod["metadata"]["name"], pod["metadata"]["namespace"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": space}}
    try:
        release.api.request("POST", f"/api/v1/namespaces/{space}/pods/{name}/eviction", eviction)
    except ApiError as no:
        if no.code == _TOO_MANY_REQUESTS:
            return False
        raise
    return True
