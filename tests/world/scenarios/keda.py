"""KEDA in the middle of a canary: a canary's pod does not become a stable one.

The real KEDA makes the HPA, which reads users' requests. Fourteen stable pods and one of the canary have work for 13.8:
within 10% of the target, where Kubernetes takes all fifteen for right. First as rendered, then without the tolerance.
"""

from __future__ import annotations

import secrets
import time

from generator.plan.values import Plan
from tests.cluster import report, repository
from tests.cluster.autoscaling import Counts, keda, quick_autoscalers
from tests.cluster.gitops import Delivered
from tests.cluster.layout import Layout
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM
from tests.cluster.waiting import until
from tests.cluster.watch import Watch
from tests.world.scenario import Scenario, in_cluster

_PODS, _RPS_OF_POD, _CLICKS = 14, 2.0, 0.8
_SPEC: dict[str, object] = {
    "autoscaling": {"kind": "keda", "min": 2, "max": 20, "rpsPerPod": _RPS_OF_POD},
    "traffic": {"minRps": 20},
    "rollout": {
        "steps": [{"weight": "5%", "hold": "15m"}, {"weight": "50%", "hold": "30s"}],
        "guards": [{"outcome": "ctr", "detect": {"drop": "30%"}}],
    },
}


def test_the_canary_stays_a_canary(layout: Layout, delivered: Delivered) -> None:
    quick_autoscalers(layout)
    keda(layout)
    git, plan = delivered("shop/ranker", "s18", secrets.token_hex(4), **_SPEC)
    release, host = git.release, plan.routing.hosts[0]
    next_plan = release.fresh("2", **_SPEC)
    with (
        Counts(release, plan, f"keda-hpa-{plan.identity.model}") as counts,
        Watch(release.api, next_plan) as watch,
        Load(host, _RPS_OF_POD * (_PODS - 0.2), ITEM, clicks=lambda _: _CLICKS),
    ):
        until("as many pods as there is work", lambda: counts.found and counts.found[-1].stable == _PODS, 240)
        until("ready pods", lambda: release.rollout(plan)["status"].get("availableReplicas") == _PODS, 180)
        git.synced(next_plan, git.commit(next_plan))
        until("the first weight", lambda: watch.last.weight == 5, 180)
        began = time.time()
        time.sleep(45)
        rendered = counts.asked(began)
        changed = time.time()
        git.synced(next_plan, git.commit(next_plan, edited=_tolerant(next_plan)))
        until("a stable pod more", lambda: counts.found[-1].stable > _PODS, 90)
        tolerant = counts.asked(changed)
    report.figures(
        "KEDA in mid-canary",
        {
            "stable pods next to one canary pod": _PODS,
            "for 30 s as rendered": " ".join(map(str, rendered)),
            "with the usual tolerance": " ".join(map(str, tolerant)),
        },
    )
    assert rendered == [_PODS]


def _tolerant(plan: Plan) -> dict[str, str]:
    """The ScaledObject as it was rendered for Kubernetes 1.34."""
    name = "scaledobject-main.yaml"
    head, _, rest = repository.bundle(plan)[name].partition("  advanced:")
    return {name: head + "  triggers:" + rest.partition("  triggers:")[2]}


SCENARIO = Scenario(
    title="KEDA in the middle of a canary: a canary's pod does not become a stable one",
    covers=("generator/plan", "generator/promql", "generator/render", "templates", "tests/cluster"),
    programs=("kubernetes", "rollouts", "argocd", "contour", "envoy", "keda", "kedadefinitions"),
    run=in_cluster(__file__),
)
