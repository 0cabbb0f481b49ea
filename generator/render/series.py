"""The series of users, without shadows, and of the controllers, by the scrape that the platform names.

Prometheus sets `job` and `namespace` from the target and renames a label `namespace` of the series itself to
`exported_namespace`, unless the scrape has `honor_labels` (Prometheus, configuration, "scrape_config").
"""

from __future__ import annotations

from typing import Final

from generator.plan.bento import Bento
from generator.plan.values import Plan
from generator.promql.series import Matcher, Series
from generator.promql.served import BY_POD, Served
from generator.spec.monitoring import RolloutsMetrics, WorkflowsMetrics

SHADOW: Final = "shadow-"
"""How the arms of shadow pods start; no pod-template hash has a dash."""


def series_of(plan: Plan) -> Served:
    """Return the series of a plan's model."""
    server = plan.server
    namespace = plan.identity.namespace
    if isinstance(server, Bento):
        return Served(server.name, namespace, server.paths)
    return Served(server.name, namespace, counts_answers=False)


def users(label: str) -> Matcher:
    """Return the matcher of all versions that answer users; shadow pods have no pod-template hash of the controller."""
    return Matcher(label, "", "!=") if label == BY_POD.label else Matcher(label, f"{SHADOW}.*", "!~")


def rollout_info(plan: Plan, *matchers: Matcher) -> str:
    """Write the selector of the Rollout's phase (Argo Rollouts, controller/metrics/rollouts.go)."""
    own = (Matcher("exported_namespace", plan.identity.namespace), Matcher("name", plan.identity.model))
    return str(Series("rollout_info", (*scraped(plan.monitoring.rollouts), *own, *matchers)))


def watch_gauge(plan: Plan, name: str) -> str:
    """Write the selector of a gauge of the daily watch (Argo Workflows, docs/metrics.md, custom metrics)."""
    identity = plan.identity
    labels = {"environment": identity.environment, "model": identity.model, "team": identity.team}
    own = (Matcher(label, value) for label, value in labels.items())
    return str(Series(f"argo_workflows_{name}", (*scraped(plan.monitoring.workflows), *own)))


def scraped(controller: RolloutsMetrics | WorkflowsMetrics) -> tuple[Matcher, Matcher]:
    """Return the matchers of the labels that only the scrape sets."""
    return Matcher("job", controller.job), Matcher("namespace", controller.namespace)
