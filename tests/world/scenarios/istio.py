"""The real istiod with a gateway proxy as the router of a canary: weights, a cohort, a commit, an abort, and a mirror."""

from __future__ import annotations

from tests.cluster.gitops import Delivered
from tests.cluster.layout import Layout
from tests.world import routed
from tests.world.routers.istio import istio
from tests.world.scenario import Scenario, in_cluster


def test_requests_go_where_the_weights_say(layout: Layout, delivered: Delivered) -> None:
    routed.weights_cohort_commit_and_abort(delivered, "istio", istio(layout))


def test_the_shadow_gets_its_share(layout: Layout, delivered: Delivered) -> None:
    routed.mirror(delivered, "istio", istio(layout))


SCENARIO = Scenario(
    title="The real istiod with a gateway proxy as the router of a canary: weights, a cohort, a commit, an abort, and a mirror",
    covers=routed.covers("istio"),
    programs=("kubernetes", "rollouts", "argocd", "envoy", "istio"),
    run=in_cluster(__file__),
)
