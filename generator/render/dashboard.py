"""Grafana dashboards as JSON: one for a model, one for a platform.

The format is that of Grafana 10 (schema version 36), which newer versions migrate on loading. The data
source is a variable, so the same file works in every Grafana.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from generator.dataclass import dataclass
from generator.plan.measurements import Clock
from generator.plan.values import Plan
from generator.promql.burn import PERIOD_S
from generator.promql.fairness import ParityTest, parity_difference
from generator.promql.series import Matcher, Series
from generator.promql.served import BY_POD, BY_VERSION, PREDICTIONS, Served
from generator.promql.text import duration, number
from generator.render.scalars import indented_json
from generator.render.series import rollout_info, scraped, series_of, users
from generator.render.watched import RATIO, fair, watched
from generator.spec.monitoring import RolloutsMetrics

Json = dict[str, Any]
_SOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
_WINDOW_S: Final = 300.0
_HASH, _ROLE = BY_POD.label, "sluice_dev_role"
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
    panels = [
        _traffic(plan),
        _weight(plan),
        _phase(plan),
        *_ratios(plan),
        *_budgets(plan),
        *_fairness(plan),
        _pods(plan),
    ]
    title = f"{identity.team} / {identity.model} / {identity.environment}"
    found = _dashboard(title, [identity.team, identity.environment, identity.tier], panels)
    return {**found, "annotations": {"list": _events(plan)}, "links": _links(plan)}


def platform_dashboard(
    environment: str, namespaces: Sequence[str], rollouts: RolloutsMetrics, clock: Clock
) -> Json:
    """Return the dashboard of all models of one environment."""
    chosen = "|".join(namespaces)
    here = f'namespace=~"{chosen}"'
    served, window = users(BY_VERSION.label), duration(clock.span(_WINDOW_S))
    phases = Series("rollout_info", (*scraped(rollouts), Matcher("exported_namespace", chosen, "=~")))
    alerts = f'ALERTS{{{here},alertstate="firing",severity=~"page|ticket"}}'
    requests = f"sum by (namespace) (rate({PREDICTIONS}{{{here},{served}}}[{window}]))"
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
    return series_of(plan)


def _traffic(plan: Plan) -> Panel:
    query = _named(plan, f"sum by (served_by) ({_rate(plan)})", BY_VERSION.label)
    return Panel(
        "Requests",
        "Per second, by the version that answered users.",
        ((_legend(BY_VERSION.label), query),),
        "reqps",
    )


def _weight(plan: Plan) -> Panel:
    query = f"sum by ({_ROLE}) ({_rate(plan)})\n/ on() group_left() sum({_rate(plan)})"
    weights = ", ".join(f"{weight}%" for weight in plan.rollout.weights)
    steps = f" The plan: {weights}." if weights else ""
    text = f"Share of the users' requests that each version answers: the real weight.{steps}"
    return Panel("Weight", text, ((f"{{{{{_ROLE}}}}}", query),), "percentunit")


def _rate(plan: Plan) -> str:
    requests = _served(plan).own(PREDICTIONS, PREDICTIONS).requests.where(users(BY_VERSION.label))
    return f"rate({requests}[{_window(plan)}])"


def _window(plan: Plan) -> str:
    return duration(plan.clock.span(_WINDOW_S))


def _legend(label: str) -> str:
    return f"{{{{{_ROLE}}}}} {{{{{label}}}}}"


def _named(plan: Plan, query: str, label: str) -> str:
    """Write the role of each version (stable, canary) next to its hash; versions without pods have none."""
    up = f"up{{{_job(plan)}}}"
    roles = f"topk by ({_HASH}) (1, count by ({_HASH}, {_ROLE}) ({up}))"
    if label != _HASH:
        roles = f'label_replace({roles}, "{label}", "$1", "{_HASH}", "(.*)")'
    named = f"({query})\n* on ({label}) group_left ({_ROLE}) ({roles}) ^ 0"
    return f"({named})\nor on ({label}) ({query})"


def _job(plan: Plan) -> str:
    own = f'namespace="{plan.identity.namespace}",job="{plan.identity.namespace}/{plan.identity.model}"'
    return f'{own},{_HASH}!=""'


def _events(plan: Plan) -> list[Json]:
    """Return the annotations: releases while they are under way, and alerts."""
    release = rollout_info(plan, Matcher("phase", "Progressing|Paused|Degraded|Abort|Error|Timeout", "=~"))
    alerts = (
        f'ALERTS{{namespace="{plan.identity.namespace}",model="{plan.identity.model}",alertstate="firing"}}'
    )
    queries = {
        "Releases": ("blue", f"max by (phase) ({release}) == 1"),
        "Alerts": ("red", f"count by (alertname) ({alerts})"),
    }
    return [
        {"name": name, "datasource": _SOURCE, "enable": True, "iconColor": color, "expr": query}
        for name, (color, query) in queries.items()
    ]


def _links(plan: Plan) -> list[Json]:
    """Return the links: other dashboards of the environment, and the runbook if its address is known."""
    identity, alerts = plan.identity, plan.monitoring.alerts
    others = {
        "type": "dashboards",
        "title": f"Models in {identity.environment}",
        "tags": ["sluice", identity.environment],
        "asDropdown": True,
    }
    if not alerts or not alerts.runbooks:
        return [others]
    page = f"{alerts.runbooks.rstrip('/')}/{identity.path}/RUNBOOK.md"
    return [others, {"type": "link", "title": "Runbook", "url": page, "targetBlank": True}]


def _phase(plan: Plan) -> Panel:
    query = f"max by (phase) ({rollout_info(plan)})"
    return Panel("Release", "Phase of the Rollout.", (("{{phase}}", query),))


def _ratios(plan: Plan) -> list[Panel]:
    """Return a panel for the ratio of each guard, by version."""
    panels = []
    for item in watched(plan):
        label = item.everyone.label
        requests, events = (
            _by(plan, series.where(item.everyone), label)
            for series in (item.proportion.requests, item.proportion.events)
        )
        # No event yet is a share of zero, not a gap.
        share = (
            f"1 - {events} / {requests}"
            if item.proportion.complement
            else f"({events} or {requests} * 0) / {requests}"
        )
        side = "above" if item.guard.more_is_worse else "below"
        text = f"By version; alerts fire on values {side} the line."
        query = _named(plan, share, label)
        panels.append(Panel(item.guard.name, text, ((_legend(label), query),), "percentunit", item.bound))
    return panels


def _by(plan: Plan, series: Series, label: str) -> str:
    return f"sum by ({label}) ({series.increase(plan.clock.span(_WINDOW_S))})"


def _budgets(plan: Plan) -> list[Panel]:
    """Return the panel of the remaining budgets of bad events."""
    queries = tuple(
        (item.guard.name, f"1 - {item.recorded(PERIOD_S)} / {number(item.bound)}")
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
                _served(plan).group_rows(attribute), users(BY_VERSION.label), ParityTest(groups, 7 * 86_400.0)
            ),
        )
        for _, attribute, groups in fair(plan)
    )
    text = "Largest difference of selection rates between groups, over seven days."
    limit = next((guard.limit for guard, _, _ in fair(plan)), None)
    return [Panel("Parity difference", text, queries, "percentunit", limit)] if queries else []


def _pods(plan: Plan) -> Panel:
    query = f"sum by ({_HASH}, {_ROLE}) (up{{{_job(plan)}}})"
    return Panel("Pods", "Answering Prometheus, by version.", ((_legend(_HASH), query),))


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
