"""Pods that are 60% busy: a good version is not rolled back for its load, and a slow one is where loads are alike.

Four stable pods. Argo Rollouts gives a canary one pod at 5 and 25% and two at 50%: its pods then have 0.21, 1.33 and
twice the load of a stable pod. Without equal loads the guard would compare queues; the figures show what it would have
decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from generator.plan.values import Plan
from generator.stats.sequential import boundary, event_llr
from tests.cluster import report
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered, GitOps
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM
from tests.cluster.waiting import until
from tests.cluster.watch import Watch
from tests.world.scenario import Scenario, in_cluster

_WORK_S, _PODS, _BUSY, _BOUND_S, _RATIO = 0.04, 4, 0.6, 0.25, 1.5
_RPS = _PODS * _BUSY / _WORK_S
_SETTLED_S = 10.0
_GUARD = {"metric": "slow-rate", "slowerThan": "250ms", "baseline": "2%", "detect": {"rise": "50%"}}


def _spec(*steps: tuple[int, int]) -> dict[str, object]:
    return {
        "replicas": _PODS,
        "traffic": {"minRps": 0.8 * _RPS},
        "rollout": {
            "steps": [{"weight": f"{weight}%", "hold": f"{hold}s"} for weight, hold in steps],
            "guards": [_GUARD],
        },
    }


@dataclass(frozen=True)
class Slow:
    """Slow requests of both versions at one weight."""

    weight: int
    canary: tuple[int, int]
    stable: tuple[int, int]

    @property
    def evidence(self) -> float:
        """The evidence of the test without regard to loads; `boundary` rolls back."""
        return event_llr(*map(float, (*self.canary, *self.stable)), _RATIO)

    def __str__(self) -> str:
        shares = (f"{slow}/{requests}" for slow, requests in (self.canary, self.stable))
        verdict = "rolls back" if self.evidence >= boundary(0.05) else "goes on"
        return f"{self.weight}%: {' and '.join(shares)}, {self.evidence:+.1f} ({verdict})"


def test_the_same_version_at_other_loads_and_a_slower_one(delivered: Delivered) -> None:
    good = _spec((25, 90), (50, 120))
    git, plan = delivered("shop/ranker", "s14", behaviour=f"work={_WORK_S}", **good)
    assert [load.text for load in plan.step_loads] == ["1.33", "1.00"]
    release, host = git.release, plan.routing.hosts[0]
    twin = release.fresh("2", f"work={_WORK_S}", **good)
    slower = release.fresh("3", f"work={_RATIO * _WORK_S}", **_spec((5, 60), (50, 180)))
    with Load(host, _RPS, ITEM) as load:
        until("traffic", lambda: load.exposed(release.stable(plan)) > 10 * _RPS, 60)
        seen = _released(git, twin, load, "Healthy")
        assert _weights_of_pods(release.rollout(twin)) == [100]
        missed = _released(git, slower, load, "Degraded")
    for name, found in (("the same version", seen), ("1.5 times slower", missed)):
        columns = {f"slow, canary and stable, {one.weight}%": str(one) for one in found}
        report.figures(name, {**load.told(), **columns})
    assert not load.failed, refused(release.layout, host)
    assert {one.weight for one in missed} == {5, 50}  # nothing is compared at 5%


def _weights_of_pods(rollout: dict[str, object]) -> list[int]:
    """The scales of the canary that its steps set, in percent of the stable pods."""
    spec = rollout["spec"]
    assert isinstance(spec, dict)
    steps = spec["strategy"]["canary"]["steps"]
    return [step["setCanaryScale"]["weight"] for step in steps if "weight" in step.get("setCanaryScale", {})]


def _released(git: GitOps, plan: Plan, load: Load, phase: str) -> list[Slow]:
    """Release a version to its end; slow requests at each of its weights."""
    release = git.release
    stable = release.stable(plan)
    with Watch(release.api, plan) as watch:
        git.synced(plan, git.commit(plan))
        until("the first weight", lambda: watch.last.weight, 180)
        release.until_phase(plan, phase, 600)
        canary = release.rollout(plan)["status"]["currentPodHash"]
    print(watch.story())
    found = []
    for weight, start, end in watch.spans():
        if 0 < weight < 100:
            sent = [answer for answer in load.answers if start + _SETTLED_S <= answer.at < end]
            found.append(Slow(weight, _slow(sent, canary), _slow(sent, stable)))
    return found


def _slow(answers: list, version: str) -> tuple[int, int]:
    own = [answer for answer in answers if answer.version == version]
    return sum(answer.took > _BOUND_S for answer in own), len(own)


SCENARIO = Scenario(
    title="Busy pods: a good version is not rolled back for its load, and a slow one is where loads are alike",
    covers=("generator/plan", "generator/promql", "generator/render", "templates", "tests/cluster"),
    programs=("kubernetes", "rollouts", "workflows", "argocd", "contour", "envoy"),
    run=in_cluster(__file__),
)
