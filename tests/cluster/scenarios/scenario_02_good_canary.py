"""A good update takes over step by step under load: the weights are real, and no request fails."""

from __future__ import annotations

from tests.cluster import measures, report
from tests.cluster.load import Load
from tests.cluster.release import First
from tests.cluster.visitors import CLICKS, RPS, VISITOR
from tests.cluster.waiting import until
from tests.cluster.watch import Watch


def test_good_update(released: First) -> None:
    release, plan = released("shop/recommender")
    stable = release.stable(plan)
    host = plan.routing.hosts[0]
    with Watch(release.api, plan) as watch, Load(host, RPS, VISITOR, lambda _: CLICKS) as load:
        until("traffic", lambda: load.exposed(stable) > 10 * RPS, 60)
        release.apply(release.fresh("2"))
        release.until_phase(plan, "Healthy", 600)
        until(
            "the old pods' end",
            lambda: not release.api.items(_old_pods(plan.identity.namespace, stable)),
            120,
        )
    found = measures.splits(watch, load, release.stable(plan))
    weights = [weight for weight, _, _ in watch.spans()]
    report.figures(
        "2 good canary",
        {
            "requests": len(load.answers),
            "failed": len(load.failed),
            "split": ", ".join(map(str, found)),
            "weights": weights,
        },
    )
    print(watch.story())
    assert not load.failed
    assert [split.weight for split in found] == [5, 25, 50]
    assert all(split.errors < 3 for split in found)


def _old_pods(namespace: str, stable: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods?labelSelector=rollouts-pod-template-hash%3D{stable}"
