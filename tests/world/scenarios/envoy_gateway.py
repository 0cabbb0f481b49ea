"""The real Envoy Gateway as the router of a canary: weights, a cohort, a commit, an abort, and a mirror."""

from __future__ import annotations

from tests.cluster.gitops import Delivered
from tests.cluster.layout import Layout
from tests.world import routed
from tests.world.routers.envoy_gateway import envoy_gateway
from tests.world.scenario import Scenario, in_cluster


def test_requests_go_where_the_weights_say(layout: Layout, delivered: Delivered) -> None:
    routed.weights_cohort_commit_and_abort(delivered, "envoygateway", envoy_gateway(layout))


def test_the_shadow_gets_its_share(layout: Layout, delivered: Delivered) -> None:
    routed.mirror(delivered, "envoygateway", envoy_gateway(layout))


SCENARIO = Scenario(
    title="The real Envoy Gateway as the router of a canary: weights, a cohort, a commit, an abort, and a mirror",
    covers=routed.covers("envoy_gateway"),
    programs=(
        "kubernetes",
        "rollouts",
        "argocd",
        "gatewayplugin",
        "envoy",
        "envoygateway",
        "envoygatewaydefinitions",
    ),
    run=in_cluster(__file__),
)
