"""A good update takes over step by step under load: the weights are real, the times are the plan's, no request fails.

At the end a pod is deleted: it must serve on while the routes forget it. The bed's routes do so within milliseconds,
and no request would fail without that; those of a busy cluster need seconds.
"""

from __future__ import annotations

from generator.plan.timeline import timeline
from tests.cluster import measures, report
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.visitors import CLICKS, RPS, VISITOR
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

# From a step's end to the next weight in the route: the controller's pass, a new pod's start; after the last step all
# pods of the new version are started.
_LATE_S, _ALL_PODS_S = 30.0, 240.0


def test_good_update(delivered: Delivered) -> None:
    git, plan = delivered("shop/recommender", "s2")
    release, host = git.release, plan.routing.hosts[0]
    stable = release.stable(plan)
    with Watch(release.api, plan) as watch, Load(host, RPS, VISITOR, lambda _: CLICKS) as load:
        until("traffic", lambda: load.exposed(stable) > 5 * RPS, 60)
        plan = release.fresh("2")
        git.synced(plan, git.commit(plan))
        release.until_phase(plan, "Healthy", 600)
        until("the old pods' end", lambda: not release.pods(plan, stable), 120)
        one, *_ = release.pods(plan, release.stable(plan))
        served = release.end_pod(plan, one["metadata"]["name"])
    canary = release.stable(plan)
    found = measures.splits(watch, load, canary)
    planned = [event for event in timeline(plan).events if event.kind == "weight"]
    lasted = measures.holds(watch, [event.weight or 0 for event in planned])
    report.figures(
        "2 good canary",
        {
            **load.told(),
            "split": ", ".join(map(str, found)),
            "planned / real seconds at each weight": ", ".join(
                f"{(event.end_s or 0) - (event.start_s or 0):.0f} / {seconds:.0f}"
                for event, seconds in zip(planned, lasted, strict=True)
            ),
            "seconds that a deleted pod served on": f"{served:.0f}",
        },
    )
    print(watch.story())
    assert not load.failed, refused(release.layout, host)
    assert served > plan.pod.termination.pre_stop - 1
    assert measures.fair(found)
    assert canary != stable
    for event, seconds in zip(planned, lasted, strict=True):
        hold = (event.end_s or 0) - (event.start_s or 0)
        late = _ALL_PODS_S if event is planned[-1] else _LATE_S
        assert 0.95 * hold - 1 < seconds < hold + plan.clock.catch_up_s + late
