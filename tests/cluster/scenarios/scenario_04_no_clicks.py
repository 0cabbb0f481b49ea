"""A version without any clicks is rolled back: it has no counter of clicks at all, and the worst model must not go unnoticed."""

from __future__ import annotations

from tests.cluster import report
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_CLICKS = 0.8
_SPEC = {
    "rollout": {
        "steps": [{"weight": "5%", "hold": "150s"}, {"weight": "50%", "hold": "20s"}],
        "guards": [{"outcome": "ctr", "detect": {"drop": "20%"}}],
    }
}


def test_a_version_without_clicks(delivered: Delivered) -> None:
    git, plan = delivered("shop/ranker", "s4k", **_SPEC)
    release, host = git.release, plan.routing.hosts[0]
    stable, bad = release.stable(plan), release.fresh("2", **_SPEC)
    with (
        Watch(release.api, bad) as watch,
        Load(host, RPS, ITEM, lambda version: _CLICKS if version == stable else 0.0) as load,
    ):
        until("traffic", lambda: load.exposed(stable) > 5 * RPS, 60)
        git.synced(bad, git.commit(bad))
        release.until_phase(bad, "Degraded", 300)
        until("weight 0", lambda: watch.last.weight == 0, 60)
    spent = [(end - start, weight) for weight, start, end in watch.spans() if weight]
    report.figures(
        "4 no clicks",
        {
            **load.told(),
            "seconds at each weight": ", ".join(f"{lasted:.0f} at {at} %" for lasted, at in spent),
        },
    )
    print(watch.story())
    assert not load.failed, refused(release.layout, host)
    assert [weight for _, weight in spent] == [5]
    assert "ctr" in watch.last.message
    assert release.stable(bad) == stable
