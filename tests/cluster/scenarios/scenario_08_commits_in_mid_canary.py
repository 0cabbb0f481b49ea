"""Commits while a canary runs: every one arrives, the weights come back within seconds, no request fails.

The first release is scenario 1's as well: project, Application and bundle, as rendered, from a git repository.
"""

from __future__ import annotations

import secrets

from generator.plan.values import Plan
from tests.cluster import measures, report
from tests.cluster.client import Api, Object
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.visitors import CLICKS, RPS, VISITOR
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_LONGEST_DIP_S = 5.0


def test_every_commit_arrives(api: Api, delivered: Delivered) -> None:
    mark = secrets.token_hex(4)
    git, plan = delivered("shop/recommender", mark)
    release = git.release
    stable, host = release.stable(plan), plan.routing.hosts[0]
    hosts = {"hosts": [host, f"new.{host}"]}
    with Watch(api, plan) as watch, Load(host, RPS, VISITOR, lambda _: CLICKS) as load:
        until("traffic", lambda: load.exposed(stable) > 10 * RPS, 60)
        git.synced(plan, git.commit(release.plan("2", mark)))
        until("weight 5", lambda: watch.look().weight == 5, 120)
        until("some traffic at 5 %", lambda: len(load.versions(load.answers[-1].at - 20, 9e18)) == 2, 60)
        same_route = git.commit(plan := release.plan("2", mark, traffic=hosts))
        git.synced(plan, same_route)
        arrived = _route(api, plan)["spec"]["hostnames"]
        until("weight 5 again", lambda: watch.look().weight == 5, 30)
        until("weight 25", lambda: watch.look().weight == 25, 300)
        elsewhere = git.commit(plan := release.plan("2", mark, traffic=hosts, replicas=3))
        git.synced(plan, elsewhere)
        until("weight 25 again", lambda: watch.look().weight == 25, 30)
        release.until_phase(plan, "Healthy", 600)
    until("a healthy Application", lambda: git.status(plan) == ("Synced", "Healthy"), 60)
    dips = [end - start for weight, start, end in watch.spans()[1:-1] if weight == 0]
    found = measures.splits(watch, load, release.stable(plan))
    report.figures(
        "8 commits in mid-canary",
        {
            "requests": len(load.answers),
            "failed": len(load.failed),
            "dips": ", ".join(f"{seconds:.1f} s" for seconds in dips),
            "split": ", ".join(map(str, found)),
        },
    )
    print(watch.story())
    assert not load.failed
    assert arrived == hosts["hosts"]
    assert all(seconds < _LONGEST_DIP_S for seconds in dips)
    assert {split.weight for split in found} == {5, 25, 50}
    assert all(split.errors < 3 for split in found)


def _route(api: Api, plan: Plan) -> Object:
    identity = plan.identity
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{identity.namespace}/httproutes/{identity.model}"
    return api.request("GET", path)  # type: ignore[no-any-return]
