"""A cohort that sends nothing: the release stops and says so."""

from __future__ import annotations

import time

from tests.cluster import report
from tests.cluster.client import Api
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import pause, until
from tests.cluster.watch import Watch

_STILL_S = 12.0
_COHORT = {"header": "x-cohort", "exact": "staff"}
_STEPS = [{"cohort": _COHORT, "hold": "20s"}, {"weight": "50%", "hold": "10s"}]
_SPEC = {"rollout": {"steps": _STEPS, "guards": [{"metric": "error-rate", "limit": "50%"}]}}


def test_a_cohort_without_requests_stops_the_release(api: Api, delivered: Delivered) -> None:
    git, plan = delivered("shop/ranker", "s15n", **_SPEC)
    release, host = git.release, plan.routing.hosts[0]
    new = release.fresh("2", **_SPEC)
    stable = release.stable(plan)
    with Watch(api, new) as watch, Load(host, RPS, ITEM) as load:
        git.synced(new, git.commit(new))
        until("a pause for a person", lambda: "Inconclusive" in watch.last.message, 240)
        pause(_STILL_S)
    last = watch.moments[-1]
    runs = api.items(f"/apis/argoproj.io/v1alpha1/namespaces/{plan.identity.namespace}/analysisruns")
    said = [
        m["name"]
        for run in runs
        for m in run["status"].get("metricResults", [])
        if m["phase"] == "Inconclusive"
    ]
    report.figures(
        "15 a cohort without requests",
        {
            **load.told(),
            "at the end": f"{last.phase}, weight {last.weight}, {last.message}",
            "metric": ", ".join(said),
        },
    )
    print(watch.story())
    assert (last.phase, last.weight, last.aborted) == ("Paused", 0, False)
    assert said == ["cohort-requests"]
    assert {weight for weight, _, _ in watch.spans()} == {0}
    assert set(load.versions(0, time.time())) == {stable}
