"""An HPA in the middle of a canary: more users come, stable pods join, and the release goes on.

The real HPA of Kubernetes reads the use that the real metrics-server measured of the pods' real processes.
"""

from __future__ import annotations

import secrets
import time

from tests.cluster import report
from tests.cluster.autoscaling import Counts, metrics_server, quick_autoscalers
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.layout import Layout
from tests.cluster.load import Load
from tests.cluster.measures import fair, splits
from tests.cluster.visitors import ITEM
from tests.cluster.waiting import until
from tests.cluster.watch import Watch
from tests.world.scenario import Scenario, in_cluster

_QUIET, _BUSY, _CLICKS = 10.0, 60.0, 0.8
_SPEC: dict[str, object] = {
    "resources": {"cpu": "200m", "memory": "640Mi"},
    "autoscaling": {"min": 2, "max": 4, "cpu": "60%"},
    "traffic": {"minRps": 10},
    "rollout": {
        "steps": [{"weight": "25%", "hold": "120s"}, {"weight": "50%", "hold": "30s"}],
        "guards": [{"outcome": "ctr", "detect": {"drop": "30%"}}],
    },
}


def test_pods_join_while_a_canary_runs(layout: Layout, delivered: Delivered) -> None:
    quick_autoscalers(layout)
    metrics_server(layout)  # without measurements the autoscaler is Degraded, and with it the Application
    git, plan = delivered("shop/ranker", "s16", secrets.token_hex(4), **_SPEC)
    release, host = git.release, plan.routing.hosts[0]
    next_plan = release.fresh("2", **_SPEC)
    with (
        Counts(release, plan, plan.identity.model) as counts,
        Watch(release.api, next_plan) as watch,
        Load(host, _QUIET, ITEM, clicks=lambda _: _CLICKS) as load,
    ):
        until("a first measurement of the use", lambda: counts.found and counts.found[-1].use != "[]", 120)
        until("traffic", lambda: load.exposed(release.stable(plan)) > 10 * _QUIET, 60)
        git.synced(next_plan, git.commit(next_plan))
        until("the first weight", lambda: watch.last.weight == 25, 180)
        before = counts.found[-1].stable
        more = time.time()
        load.rps = _BUSY
        until("more stable pods", lambda: counts.found[-1].stable > before, 100)
        assert watch.last.weight == 25
        release.until_phase(next_plan, "Healthy", 300)
        canary = release.stable(next_plan)
    shares = splits(watch, load, canary)
    pods = [one for one in counts.found if 0 < one.weight < 100]
    report.figures(
        "an HPA in mid-canary",
        {
            **load.told(),
            "stable pods that it asked for": " ".join(map(str, counts.asked(more))),
            "stable and all pods, canary at 25 and 50%": " ".join(
                dict.fromkeys(f"{one.stable}/{one.both}" for one in pods)
            ),
            "canary": ", ".join(map(str, shares)),
        },
    )
    assert not load.failed, refused(release.layout, host)
    assert fair(shares)


SCENARIO = Scenario(
    title="An HPA in the middle of a canary: more users come, stable pods join, and the release goes on",
    covers=("generator/plan", "generator/promql", "generator/render", "templates", "tests/cluster"),
    programs=("kubernetes", "rollouts", "argocd", "contour", "envoy", "metricsserver"),
    run=in_cluster(__file__),
)
