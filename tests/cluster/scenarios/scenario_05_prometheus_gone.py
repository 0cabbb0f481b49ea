"""Prometheus is gone, starts again, sees nothing for a while: a version that it says nothing of is neither promoted nor aborted."""

from __future__ import annotations

import time

from tests.cluster import delivery, measures, report
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import pause, until
from tests.cluster.watch import Watch

_CLICKS = 0.8
_GONE_S, _GAP_S = 120.0, 20.0


def test_prometheus_is_gone_restarted_and_sees_a_gap(delivered: Delivered) -> None:
    git, plan = delivered("shop/ranker", "s5")
    release, host = git.release, plan.routing.hosts[0]
    layout, stable, first = release.layout, release.stable(plan), release.fresh("2")
    with Load(host, RPS, ITEM, lambda _: _CLICKS) as load:
        until("traffic", lambda: load.exposed(stable) > 5 * RPS, 60)
        with Watch(release.api, first) as gone:
            git.synced(first, git.commit(first))
            until("weight 5", lambda: gone.last.weight == 5, 300)
            layout.processes.stop("prometheus")
            pause(_GONE_S)
            still = gone.last
            delivery.start_prometheus(layout)
            back = time.time()
            release.until_phase(first, "Healthy", 300)
        second = release.fresh("1")
        with Watch(release.api, second) as short:
            git.synced(second, git.commit(second))
            until("weight 5", lambda: short.last.weight == 5, 300)
            layout.processes.stop("prometheus")
            delivery.start_prometheus(layout)
            with delivery.scrape_gap(layout):
                pause(_GAP_S)
            release.until_phase(second, "Healthy", 300)
    held = measures.holds(short, [5, 50])
    report.figures(
        "5 Prometheus gone, restarted, a gap",
        {
            **load.told(),
            "after two minutes without": f"{still.phase}, weight {still.weight}",
            "seconds until Healthy once it was back": f"{gone.moments[-1].at - back:.0f}",
            "seconds at each weight with a restart and a gap": " ".join(f"{seconds:.0f}" for seconds in held),
        },
    )
    print(gone.story(), short.story(), sep="\n\n")
    assert not load.failed, refused(layout, host)
    assert (still.weight, still.aborted) == (5, False)
    assert not any(moment.aborted for moment in [*gone.moments, *short.moments])
    assert held[0] > 39
