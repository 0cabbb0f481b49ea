"""Alerts as files for promtool: the rules, and unit tests in which each alert fires and does not fire."""

from __future__ import annotations

from typing import Any

from generator.plan.values import Plan
from generator.promql.text import duration
from generator.render.alerts import Alert, Group, groups
from generator.render.examples import EVERY, Example
from generator.render.outputs.monitoring import alert_annotations, alert_labels

Document = dict[str, Any]


def rule_file(plan: Plan) -> Document:
    """Return the groups of the rendered PrometheusRule as a rule file for Prometheus."""
    return {"groups": [_group(plan, group) for group in groups(plan)]}


def unit_tests(plan: Plan, rules: str) -> Document:
    """Return the unit tests; each checks one alert at one minute of one example.

    Args:
        plan: the plan with the alerts.
        rules: name of the file with the rules.
    """
    tests = []
    for group in groups(plan):
        for item in group.alerts:
            tests += [_test(plan, item, item.fires, True), _test(plan, item, item.quiet, False)]
    return {"rule_files": [rules], "evaluation_interval": f"{EVERY}m", "tests": tests}


def _group(plan: Plan, group: Group) -> Document:
    rules: list[Document] = [
        {"record": item.name, "expr": item.expression, "labels": item.labels} for item in group.recordings
    ]
    for item in group.alerts:
        rule = {"alert": item.name, "expr": item.expression}
        if item.for_s:
            rule["for"] = duration(item.for_s)
        marks = {"labels": alert_labels(plan, item), "annotations": alert_annotations(plan, item)}
        rules.append({**rule, **marks})
    interval = {"interval": duration(group.interval_s)} if group.interval_s else {}
    return {"name": group.name, **interval, "rules": rules}


def _test(plan: Plan, item: Alert, example: Example, fires: bool) -> Document:  # noqa: FBT001 - a plain value
    """Return the check that an alert fires; others on the same series may fire too, so it is matched by its labels."""
    identity = plan.identity
    marks = {"namespace": identity.namespace, "model": identity.model, **item.labels}
    matchers = "".join(f',{key}="{value}"' for key, value in marks.items())
    expected = [{"labels": "{}", "value": 1}] if fires else []
    return {
        "name": f"{item.name} {' '.join(item.labels.values())} {'fires' if fires else 'does not fire'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in example.series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{item.name}",alertstate="firing"{matchers}}})',
                "eval_time": f"{example.minute}m",
                "exp_samples": expected,
            }
        ],
    }
