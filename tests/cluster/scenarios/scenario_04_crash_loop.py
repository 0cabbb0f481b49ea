"""A version that crashes again and again once all requests are its own is aborted, and a revert takes it back at once."""

from __future__ import annotations

import time

from generator.spec.rollout import BlueGreen
from tests.cluster import report
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_BLUE_GREEN = {
    "rollout": {
        "strategy": "blue-green",
        "watch": "90s",
        "guards": [{"metric": "error-rate", "limit": "5%", "noData": "fail"}],
    }
}


def test_a_crash_loop_after_the_switch(delivered: Delivered) -> None:
    git, plan = delivered("shop/ranker", "s4c", **_BLUE_GREEN)
    release, host = git.release, plan.routing.hosts[0]
    blue, bad = release.stable(plan), release.fresh("2", "crash=150", **_BLUE_GREEN)
    assert isinstance(bad.rollout, BlueGreen)
    first = bad.measured_guards[0].first_s(bad.clock)
    measured = first + 10 * bad.clock.watch_measurements(bad.rollout.watch)
    with Watch(release.api, bad) as watch, Load(host, RPS, ITEM) as load:
        until("traffic", lambda: load.exposed(blue) > 2 * RPS, 60)
        git.synced(bad, git.commit(bad))
        until("the switch", lambda: _active(release.rollout(bad)) not in ("", blue), 300)
        until("an abort", lambda: watch.last.aborted, measured + 120)
        # Argo Rollouts 1.10.2 (rollout/service.go, reconcileActiveService) moves the active Service only while all new pods
        # are available, also after an abort. A version that keeps crashing may never be; what always works is the revert.
        git.synced(plan, git.revert())
        until("the way back", lambda: _active(release.rollout(plan)) == blue, 60)
        # By the clock: users that the crashes held up come all at once.
        back = time.time()
        until("traffic behind the rollback", lambda: load.answers[-1].at > back + 10, 60)
    print(watch.story())
    switched = next(m.at for m in watch.moments if dict(m.selectors).get("active") not in ("", blue, None))
    home = next(m.at for m in watch.moments if m.at > switched and dict(m.selectors).get("active") == blue)
    report.figures(
        "4 crash loop after promotion",
        {**load.told(), "seconds from switch to way back": f"{home - switched:.0f}"},
    )  # fmt: skip
    assert load.exposed(blue) > 0
    late = [answer for answer in load.answers if answer.at > home + 5]
    assert late
    assert not [answer for answer in late if answer.error], refused(release.layout, host)
    assert all(answer.version == blue for answer in late)


def _active(rollout: dict[str, object]) -> str:
    status = rollout["status"]
    assert isinstance(status, dict)
    active: str = status.get("blueGreen", {}).get("activeSelector", "")
    return active
