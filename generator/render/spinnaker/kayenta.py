"""Guards as a canary configuration of Kayenta (its docs/canary-config.md)."""

from __future__ import annotations

from typing import Any, Final

from generator.plan.guards import Comparison
from generator.plan.values import Plan
from generator.promql.series import Matcher
from generator.promql.served import BY_VERSION
from generator.render.metrics import counted

JUDGE: Final = "NetflixACAJudge-v1.0"
SCOPE: Final = "${scope}"
"""Kayenta inserts the name of the arm here, `stable` or `canary`, which is a label of pods and counters."""
ROLE_LABEL: Final = "sluice_dev_role"
_GROUP: Final = "guards"


def config_name(plan: Plan) -> str:
    """Return name and id of the configuration."""
    return f"{plan.identity.namespace}-{plan.identity.model}"


def application(plan: Plan) -> str:
    """Return Spinnaker's application: letters and digits only (its naming rules)."""
    return f"{plan.identity.team}{plan.identity.model}".replace("-", "")


def canary_config(plan: Plan) -> dict[str, Any]:
    """Return the configuration; each guard is a metric that alone can fail the canary, as in the plan."""
    guards = [guard for guard in plan.measured_guards if isinstance(guard, Comparison)]
    return {
        "id": config_name(plan),
        "name": config_name(plan),
        "description": f"Guards of {plan.identity.team}/{plan.identity.model} in {plan.identity.environment}",
        "configVersion": "1",
        "applications": [application(plan)],
        "judge": {"name": JUDGE, "judgeConfigurations": {}},
        "metrics": [_metric(plan, guard) for guard in guards],
        "templates": {},
        "classifier": {"groupWeights": {_GROUP: 100}},
    }


def sample_s(plan: Plan) -> int:
    """Return the seconds per sample; samples are disjoint, so the ones that Kayenta compares share no requests."""
    return round(max(60.0, 4 * plan.clock.scrape_s))


def _metric(plan: Plan, guard: Comparison) -> dict[str, Any]:
    effect = "allowedIncrease" if guard.more_is_worse else "allowedDecrease"
    return {
        "name": guard.name,
        "query": {
            "type": "prometheus",
            "metricName": guard.name,
            "customInlineTemplate": f"PromQL:{_query(plan, guard)}",
            "serviceType": "prometheus",
        },
        "groups": [_GROUP],
        "analysisConfigurations": {
            "canary": {
                "direction": "increase" if guard.more_is_worse else "decrease",
                "nanStrategy": "remove",
                "critical": True,
                "mustHaveData": guard.no_data != "pass",
                "effectSize": {effect: guard.ratio},
            }
        },
        "scopeName": "default",
    }


def _query(plan: Plan, guard: Comparison) -> str:
    """Return the share of events in one sample of one arm; NaN without requests."""
    proportion, arms = counted(plan, guard.counts)
    label = BY_VERSION.label if arms.label == BY_VERSION.label else ROLE_LABEL
    arm = Matcher(label, SCOPE)
    window = float(sample_s(plan))
    events = proportion.count_events(arm, window)
    return f"{events} / {proportion.count_requests(arm, window)}".replace("\n", " ")
