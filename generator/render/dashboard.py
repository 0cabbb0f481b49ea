"""Grafana dashboards as JSON: one for a model, one for a platform.

The format is that of Grafana 10 (schema version 36), which newer versions migrate on loading. The data
source is a variable, so the same file works in every Grafana.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from generator.plan.values import Plan
from generator.promql.burn import PERIOD_S
from generator.promql.fairness import ParityTest, parity_difference
from generator.promql.series import Matcher, Series
from generator.promql.served import BY_VERSION, PREDICTIONS, Served
from generator.promql.text import duration, number
from generator.render.controllers import rollout_info, scraped
from generator.render.scalars import indented_json
from generator.render.watched import RATIO, fair, users, watched
from generator.spec.monitoring import RolloutsMetrics

Json = dict[str, Any]
_SOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
_WINDOW_S: Final = 300.0
_COLUMNS, _HEIGHT = 2, 8
_WHOLE_ROW: Final = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: a title, a description, legends with their PromQL, a unit of Grafana, and a bound shown as a line."""

    title: str
    description: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    bound: float | None = None
    kind: str = "timeseries"


def model_dashboard(plan: Plan) -> Json:
    """Return the dashboard of one model in one environment."""
    identity = plan.identity
    panels = [_traffic(plan), _phase(plan), *_ratios(plan), *_budgets(plan), *_fairness(plan), _pods(plan)]
    title = f"{identity.team} / {identity.model} / {identity.environment}"
    return _dashboard(title, [identity.team, identity.environment, identity.tier], panels)


def platform_dashboard(environment: str, namespaces: Sequence[str], rollouts: RolloutsMetrics) -> Json:
    """Return the dashboard of all models of one environment."""
    chosen = "|".join(namespaces)
    here = f'namespace=~"{chosen}"'
    phases = Series("rollout_info", (*scraped(rollouts), Matcher("exported_namespace", chosen, "=~")))
    alerts = f'ALERTS{{{here},alertstate="firing",severity=~"page|ticket"}}'
    requests = f"sum by (namespace) (rate({PREDICTIONS}{{{here}}}[5m]))"
    models = f"sort_desc(count by (model, namespace, alertname) ({alerts}))"
    shares = f"topk(10, {RATIO}{duration(PERIOD_S)}{{{here}}})"
    panels = [
        Panel("Requests", "Per second, by team.", (("{{namespace}}", requests),), "reqps"),
        Panel("Alerts", "Firing now, by severity.", (("{{severity}}", f"count by (severity) ({alerts})"),)),
        Panel("Releases", "Rollouts by phase.", (("{{phase}}", f"count by (phase) ({phases})"),)),
        Panel("Models with alerts", "The alerts of each model.", (("", models),), kind="table"),
        Panel(
            "Bad events",
            "Shares over 30 days, the ten highest.",
            (("{{namespace}}/{{model}} {{guard}}", shares),),
            "percentunit",
        ),
        Panel("Pods", "Scraped, by team.", (("{{namespace}}", f"sum by (namespace) (up{{{here}}})"),)),
    ]
    return _dashboard(f"Models / {environment}", [environment], panels)


def dashboard_text(dashboard: Json) -> str:
    """Return a dashboard as the JSON that Grafana loads."""
    return indented_json(dashboard)


def _served(plan: Plan) -> Served:
    return Served(plan.bento.name, plan.identity.namespace)


def _traffic(plan: Plan) -> Panel:
    requests = _served(plan).own(PREDICTIONS, PREDICTIONS).requests
    query = f"sum by (served_by) (rate({requests}[5m]))"
    return Panel(
        "Requests", "Per second, by the version that answered.", (("{{served_by}}", query),), "reqps"
    )


def _phase(plan: Plan) -> Panel:
    query = f"max by (phase) ({rollout_info(plan)})"
    return Panel("Release", "Phase of the Rollout.", (("{{phase}}", query),))


def _ratios(plan: Plan) -> list[Panel]:
    """Return a panel for the ratio of each guard, by version."""
    panels = []
    for item in watched(plan):
        label = item.everyone.label
        requests, events = (
            _by(series, label) for series in (item.proportion.requests, item.proportion.events)
        )
        share = f"1 - {events} / {requests}" if item.proportion.complement else f"{events} / {requests}"
        side = "above" if item.guard.more_is_worse else "below"
        text = f"By version; alerts fire on values {side} the line."
        panels.append(Panel(item.guard.name, text, ((f"{{{{{label}}}}}", share),), "percentunit", item.bound))
    return panels


def _by(series: Series, label: str) -> str:
    return f"sum by ({label}) ({series.increase(_WINDOW_S)})"


def _budgets(plan: Plan) -> list[Panel]:
    """Return the panel of the remaining budgets of bad events."""
    queries = tuple(
        (item.guard.name, f"1 - {item.recorded(plan, PERIOD_S)} / {number(item.bound)}")
        for item in watched(plan)
        if item.guard.more_is_worse
    )
    text = "Remaining share of the 30-day budget; below 0 it is spent."
    return [Panel("Budget left", text, queries, "percentunit", 0.0)] if queries else []


def _fairness(plan: Plan) -> list[Panel]:
    queries = tuple(
        (
            attribute,
            parity_difference(
                _served(plan).group_rows(attribute), _everyone(plan), ParityTest(groups, 7 * 86_400.0)
            ),
        )
        for _, attribute, groups in fair(plan)
    )
    text = "Largest difference of selection rates between groups, over seven days."
    limit = next((guard.limit for guard, _, _ in fair(plan)), None)
    return [Panel("Parity difference", text, queries, "percentunit", limit)] if queries else []


def _everyone(plan: Plan) -> Matcher:
    return users(plan, BY_VERSION.label)


def _pods(plan: Plan) -> Panel:
    job = f'namespace="{plan.identity.namespace}",job="{plan.identity.namespace}/{plan.identity.model}"'
    query = f"sum by (rollouts_pod_template_hash) (up{{{job}}})"
    return Panel("Pods", "Answering Prometheus, by version.", (("{{rollouts_pod_template_hash}}", query),))


def _dashboard(title: str, tags: list[str], panels: list[Panel]) -> Json:
    return {
        "uid": hashlib.sha256(title.encode()).hexdigest()[:16],
        "title": title,
        "tags": ["sluice", *tags],
        "timezone": "browser",
        "editable": False,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "schemaVersion": 36,
        "version": 1,
        "templating": {"list": [_variable()]},
        "annotations": {"list": []},
        "panels": [_panel(index, panel) for index, panel in enumerate(panels)],
    }


def _variable() -> Json:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "skipUrlSync": False,
    }


def _panel(index: int, panel: Panel) -> Json:
    width = _WHOLE_ROW // _COLUMNS
    row, column = divmod(index, _COLUMNS)
    table = panel.kind == "table"
    targets = [_target(number, *query, table=table) for number, query in enumerate(panel.queries)]
    return {
        "id": index + 1,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "gridPos": {"x": column * width, "y": row * _HEIGHT, "w": width, "h": _HEIGHT},
        "targets": targets,
        "fieldConfig": {"defaults": _field_defaults(panel), "overrides": []},
        "options": {} if table else _LEGEND,
    }


_LEGEND: Final[Json] = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
    "tooltip": {"mode": "multi", "sort": "desc"},
}


def _target(index: int, legend: str, query: str, *, table: bool) -> Json:
    return {
        "refId": chr(ord("A") + index),
        "datasource": _SOURCE,
        "expr": query,
        "legendFormat": legend,
        "instant": table,
        "range": not table,
    }


def _field_defaults(panel: Panel) -> Json:
    """Return the unit, and the bound as a dashed line."""
    defaults: Json = {"unit": panel.unit}
    if panel.bound is not None:
        steps = [{"value": None, "color": "green"}, {"value": panel.bound, "color": "red"}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["custom"] = {"thresholdsStyle": {"mode": "dashed"}}
    return defaults
