"""The autoscaler during a canary: Kubernetes' arithmetic on the objects as rendered, next to the pods of Argo Rollouts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import ryaml

from generator.plan.scaling import adopted, counts_both, largest_idle_use
from generator.plan.values import Plan
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from tests.unit.rules.repository import Sample
from tests.unit.rules.samples import BLUE_GREEN, KEDA, NONE_ROUTER, ROUTER

REQUESTS = {"spec.autoscaling": {**KEDA, "max": 40}}
CPU = {"spec.autoscaling": {"min": 4, "max": 40, "cpu": "70%"}}
OLD = {"platform.controllers": {"kubernetes": "1.34"}}


@pytest.fixture
def planned(tmp_path) -> Callable[..., Plan]:
    """Plans the sample model with edits."""
    return lambda edits: Sample(tmp_path, edits).resolved()[0].plans[0].plan


def tolerated(plan: Plan) -> float:
    """What the HPA that is rendered, or that KEDA makes, tolerates below its target."""
    bundle = render_bundle(plan, Templates(), {})
    (text,) = [text for name, text in bundle.items() if name.startswith(("horizontal", "scaledobject"))]
    spec = ryaml.loads(text)["spec"]
    own = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", spec)
    return float(own.get("behavior", {}).get("scaleDown", {}).get("tolerance", "0.1"))


def desired(plan: Plan, below: float, work: float, stable: int, canary: int) -> int:
    """The number of stable pods that Kubernetes 1.36 asks for.

    `GetExternalPerPodMetricReplicas` and `GetResourceReplicas` in pkg/controller/podautoscaler/replica_calculator.go; `work`
    is in units of what one pod may have.
    """
    pods = stable + canary
    if 1 - below <= work / pods <= 1.1:
        return pods if plan.capacity.autoscaler == "keda" else stable
    return min(max(math.ceil(work - 1e-9), plan.capacity.minimum), plan.capacity.maximum)


def replicas(plan: Plan, work: float, stable: int, scale: int, rounds: int = 8) -> list[int]:
    """Stable pods over time, while the canary has this share of them in percent."""
    found, below = [stable], tolerated(plan)
    for _ in range(rounds):
        found.append(desired(plan, below, work, found[-1], math.ceil(found[-1] * scale / 100)))
    return found


def test_kubernetes_before_1_35_makes_stable_pods_of_the_canary(planned):
    """argoproj/argo-rollouts#4847: 11, 13 and 11 pods of both versions, and so on for as long as the step lasts."""
    old = planned(REQUESTS | OLD)
    assert replicas(old, 10, 10, 10, rounds=4) == [10, 11, 10, 11, 10]
    assert adopted(old) == (9, 1)


@pytest.mark.parametrize("scaling", [REQUESTS, CPU])
def test_the_canary_does_not_change_the_number_of_stable_pods(scaling, planned):
    plan = planned(scaling)
    for stable, scale in itertools.product((9, 10, 20, 40), (2, 10, 25, 100)):
        assert set(replicas(plan, stable, stable, scale)) == {stable}


@pytest.mark.parametrize(("version", "expected"), [(OLD, 12), ({}, 22)])
def test_the_average_use_does_not_hide_that_there_is_more_work(version, expected, planned):
    """argoproj/argo-rollouts#4607: 12 stable pods at 32%, 10 canary pods at 109%, 67% on average of a target of 70%."""
    work = (12 * 0.323 + 10 * 1.09) / 0.7
    plan = planned(CPU | version)
    assert desired(plan, tolerated(plan), work, 12, 10) == expected


def test_use_that_does_not_follow_the_traffic_climbs_above_half_of_the_target(planned):
    """argoproj/argo-rollouts#2857: as many canary pods as stable ones, at the end of every canary."""
    plan = planned(CPU)
    idle = largest_idle_use(plan)
    assert idle == 0.35

    def end(use: float) -> int:
        stable = 10
        for _ in range(40):
            stable = desired(plan, tolerated(plan), 2 * stable * use / 0.7, stable, stable)
        return stable

    assert end(idle - 0.01) <= 10
    assert end(idle + 0.01) == 40


@pytest.mark.parametrize(
    "edits", [{}, REQUESTS | {"spec.rollout": BLUE_GREEN}, REQUESTS | {ROUTER: NONE_ROUTER}]
)
def test_only_a_canary_behind_a_router_is_counted_twice(edits, planned):
    assert not counts_both(planned(edits))
    assert counts_both(planned(REQUESTS))
