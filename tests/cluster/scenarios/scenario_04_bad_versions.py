"""Versions that fail, are slow, or never become ready: each is taken back."""

from __future__ import annotations

from generator.plan.values import Plan
from tests.cluster import report
from tests.cluster.bentos import SLOW_RATE
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered, GitOps
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_GUARDS = [
    {"metric": "error-rate", "baseline": "1%", "detect": {"rise": "200%"}, "noData": "pass"},
    SLOW_RATE,
]
_SPEC = {
    "rollout": {
        # One pod next to two has their load at 33%: the guard on latency compares nothing at a smaller weight.
        "steps": [{"weight": "33%", "hold": "90s"}, {"weight": "50%", "hold": "20s"}],
        "guards": _GUARDS,
    }
}
_SHORT = {
    "service": {"startup": "30s"},
    "replicas": 1,
    "rollout": {
        "steps": [{"weight": "5%", "hold": "20s"}],
        "guards": [{"metric": "error-rate", "limit": "50%", "noData": "pass"}],
    },
}


def test_errors_slowness_and_pods_that_are_never_ready(delivered: Delivered) -> None:
    silent, silent_plan = delivered("shop/ranker", "s4n", **_SHORT)
    git, plan = delivered("shop/ranker", "s4", **_SPEC)
    never = silent.release.fresh("2", "never-ready", **_SHORT)
    with Watch(git.release.api, never) as watch, Load(silent_plan.routing.hosts[0], 4, ITEM) as load:
        silent.synced(never, silent.commit(never))  # takes its time: the others meanwhile
        _taken_back(git, plan, "errors=0.5", "error-rate")
        _taken_back(git, plan, "slow=0.5", "slow-rate")
        until("an abort", lambda: watch.last.aborted, never.capacity.deadline_s + 60)
    start = next(moment.at for moment in watch.moments if moment.phase == "Progressing")
    end = next(moment for moment in watch.moments if moment.aborted)
    report.figures(
        "4 never ready",
        {**load.told(), "seconds to the abort": f"{end.at - start:.0f} (deadline {never.capacity.deadline_s})"},
    )  # fmt: skip
    print(watch.story())
    assert not load.failed
    assert {weight for weight, _, _ in watch.spans()} == {0}
    assert set(load.versions(0, 9e18)) == {silent.release.stable(never)}


def _taken_back(git: GitOps, plan: Plan, behaviour: str, guard: str) -> None:
    """Release a bad version; it must be taken back by this guard, and only its own answers may have failed."""
    release, host = git.release, plan.routing.hosts[0]
    stable, bad = release.stable(plan), release.fresh("2", behaviour, **_SPEC)
    with Watch(release.api, bad) as watch, Load(host, RPS, ITEM) as load:
        until("traffic", lambda: load.exposed(stable) > 2 * RPS, 60)
        git.synced(bad, git.commit(bad))
        release.until_phase(bad, "Degraded", 240)
        until("weight 0", lambda: watch.last.weight == 0, 60)
        seen = len(load.answers)
        until("traffic behind the rollback", lambda: len(load.answers) > seen + 5 * RPS, 60)
    start = next(moment for moment in watch.moments if moment.weight)
    back = next(moment for moment in watch.moments if moment.at > start.at and not moment.weight)
    canary = release.rollout(bad)["status"]["currentPodHash"]
    errors = sum("500" in answer.error for answer in load.answers)
    report.figures(
        f"4 {behaviour.replace('=', ' ')}",
        {
            **load.told(),
            "seconds from first weight to none": f"{back.at - start.at:.0f}",
            "answers of the bad version": load.exposed(canary) + errors,
        },
    )
    print(watch.story())
    assert guard in back.message
    assert release.stable(bad) == stable
    assert len(load.failed) == errors, refused(release.layout, host)
    assert all(answer.at < back.at + 5 for answer in load.answers if answer.error)
