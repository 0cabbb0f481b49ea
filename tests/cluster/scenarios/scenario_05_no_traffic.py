"""The new version gets no requests: it is not promoted, and not aborted either."""

from __future__ import annotations

from tests.cluster import report
from tests.cluster.gitops import Delivered
from tests.cluster.waiting import pause, until
from tests.cluster.watch import Watch

_STILL_S = 20.0


def test_no_traffic(delivered: Delivered) -> None:
    git, plan = delivered("shop/ranker", "s5n")
    release, new = git.release, git.release.fresh("2")
    stable = release.stable(plan)
    with Watch(release.api, new) as watch:
        git.synced(new, git.commit(new))
        until("a pause for a person", lambda: "Inconclusive" in watch.last.message, 240)
        pause(_STILL_S)
    last = watch.moments[-1]
    report.figures("5 no traffic", {"at the end": f"{last.phase}, weight {last.weight}, {last.message}"})
    print(watch.story())
    assert (last.phase, last.weight, last.aborted) == ("Paused", 5, False)
    assert not any(moment.aborted for moment in watch.moments)
    assert {weight for weight, _, _ in watch.spans()} == {0, 5}
    assert release.stable(new) == stable
