"""A version whose users click less is taken back at the first weight; how long that took, and how many met it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generator.rules.odds import LATENCY_S, odds_of
from tests.cluster import report
from tests.cluster.load import Load
from tests.cluster.measures import SETTLED_S
from tests.cluster.release import First
from tests.cluster.visitors import CLICKS, RPS, VISITOR
from tests.cluster.waiting import until
from tests.cluster.watch import Moment, Watch


@pytest.mark.parametrize("drop", [0.5])
def test_bad_update(drop: float, released: First) -> None:
    release, plan = released("shop/recommender")
    stable = release.stable(plan)

    def clicks(version: str) -> float:
        return CLICKS if version == stable else CLICKS * (1 - drop)

    with Watch(release.api, plan) as watch, Load(plan.routing.hosts[0], RPS, VISITOR, clicks) as load:
        until("traffic", lambda: load.exposed(stable) > 10 * RPS, 60)
        release.apply(release.fresh("2"))
        release.until_phase(plan, "Degraded", 600)
        until("weight 0", lambda: watch.look().weight == 0, 30)
        canary = release.rollout(plan)["status"]["currentPodHash"]
        seen = len(load.answers)
        until("traffic behind the rollback", lambda: len(load.answers) > seen + 5 * RPS, 60)
    exposed = first(watch, lambda moment: moment.weight == 5)
    back = first(watch, lambda moment: moment.aborted and moment.weight == 0)
    odds = odds_of(plan)
    assert odds is not None
    predicted = odds.guards[0][1]
    failed = [run for run, phase in back.analyses if phase == "Failed"]
    report.figures(
        f"3 clicks down by {drop:.0%}",
        {
            "requests": len(load.answers),
            "failed": len(load.failed),
            "met the bad version": load.exposed(canary),
            "of its planned": f"{predicted.exposed_if_missed:.0f}",
            "seconds from first weight to none": f"{back.at - exposed.at:.1f}",
            "predicted for nine of ten (a smaller drop)": f"{predicted.detect_p90_s:.0f}",
        },
    )
    print(watch.story())
    assert not load.failed
    assert [weight for weight, _, _ in watch.spans()] == [0, 5, 0]
    assert len(failed) == 1
    assert release.stable(plan) == stable
    assert load.versions(back.at + SETTLED_S, load.answers[-1].at).keys() == {stable}
    assert back.at - exposed.at < (predicted.detect_p90_s or 0) + LATENCY_S


def first(watch: Watch, holds: Callable[[Moment], bool]) -> Moment:
    """The first moment at which something holds."""
    return next(moment for moment in watch.moments if holds(moment))
