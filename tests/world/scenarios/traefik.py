"""The real Traefik as the router of a canary: weights, a commit, an abort, and a mirror."""

from __future__ import annotations

from tests.cluster.gitops import Delivered
from tests.cluster.layout import Layout
from tests.world import routed
from tests.world.routers.traefik import traefik
from tests.world.scenario import Scenario, in_cluster


def test_requests_go_where_the_weights_say(layout: Layout, delivered: Delivered) -> None:
    routed.weights_cohort_commit_and_abort(delivered, "traefik", traefik(layout), cohort=False)


def test_the_shadow_gets_its_share(layout: Layout, delivered: Delivered) -> None:
    routed.mirror(delivered, "traefik", traefik(layout))


SCENARIO = Scenario(
    title="The real Traefik as the router of a canary: weights, a commit, an abort, and a mirror",
    covers=routed.covers("traefik"),
    programs=("kubernetes", "rollouts", "argocd", "traefik"),
    run=in_cluster(__file__),
)
