"""Alerts with their runbook, and the dashboard, if the platform configures them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from generator.plan.names import labels
from generator.plan.values import Plan
from generator.render.alerts import Alert, Group, groups
from generator.render.dashboard import dashboard_text, model_dashboard
from generator.render.filters import go_duration
from generator.render.output import Output

RUNBOOK = "RUNBOOK.md"


def monitoring(plan: Plan) -> Iterator[Output]:
    """Yield alerts, runbook and dashboard."""
    if plan.monitoring.alerts:
        found = groups(plan)
        yield Output(
            "prometheusrule-main.yaml",
            "kubernetes/prometheusrule.yaml.j2",
            {
                "monitor_labels": {**labels(plan.identity), **dict(sorted(plan.monitoring.labels.items()))},
                "groups": [_group(plan, group) for group in found],
            },
        )
        yield Output(RUNBOOK, "kubernetes/runbook.md.j2", _runbook(plan, found))
    dashboards = plan.monitoring.dashboards
    if dashboards is not None:
        yield Output(
            "configmap-dashboard.yaml",
            "kubernetes/configmap-dashboard.yaml.j2",
            {
                "name": f"{plan.identity.model}-dashboard",
                "namespace": plan.identity.namespace,
                "labels": {**labels(plan.identity), **dict(sorted(dashboards.labels.items()))},
                "annotations": dashboards.annotations,
                "file": f"{plan.identity.namespace}-{plan.identity.model}.json",
                "dashboard": dashboard_text(model_dashboard(plan)),
            },
        )


def _group(plan: Plan, group: Group) -> dict[str, object]:
    """Return what the template of a group of rules prints."""
    return {
        "name": group.name,
        "interval_s": group.interval_s,
        "recordings": group.recordings,
        "alerts": [
            {
                "name": item.name,
                "expression": item.expression,
                "for_s": item.for_s,
                "labels": alert_labels(plan, item),
                "annotations": alert_annotations(plan, item),
            }
            for item in group.alerts
        ],
    }


def alert_labels(plan: Plan, item: Alert) -> dict[str, str]:
    """Return the labels that Alertmanager routes by."""
    identity = plan.identity
    own = {
        "environment": identity.environment,
        "model": identity.model,
        "namespace": identity.namespace,
        "severity": item.severity,
        "team": identity.team,
    }
    return dict(sorted({**own, **item.labels}.items()))


def alert_annotations(plan: Plan, item: Alert) -> dict[str, str]:
    """Return the annotations of an alert, without anything that Prometheus would read as a template."""
    identity = plan.identity
    page = f"{identity.path}/{RUNBOOK}#{item.name.lower()}"
    annotations = {
        "action": item.action,
        "owner": identity.owner,
        "runbook": f"{plan.delivery.path}/{page}",
        "summary": f"{identity.team}/{identity.model} in {identity.environment}: {item.summary}",
        "version": f"{plan.version.resolved} ({plan.version.digest})",
    }
    if plan.monitoring.alerts and plan.monitoring.alerts.runbooks:
        annotations["runbook_url"] = f"{plan.monitoring.alerts.runbooks.rstrip('/')}/{page}"
    annotations |= item.annotations
    return {key: text.replace("{{", "{ {") for key, text in sorted(annotations.items())}


def _runbook(plan: Plan, rules: Sequence[Group]) -> dict[str, object]:
    sections: dict[str, dict[str, Any]] = {}
    for item in (alert for group in rules for alert in group.alerts):
        if item.name in sections:
            sections[item.name]["summary"] += f"; {item.summary}"
            continue
        sections[item.name] = {
            "name": item.name,
            "severity": item.severity,
            "wait": f", after {go_duration(item.for_s)}" if item.for_s else "",
            "summary": item.summary,
            "meaning": item.meaning,
            "action": item.action,
            "commands": [*_commands(plan, item.name)],
        }
    identity = plan.identity
    return {
        "title": f"Runbook of {identity.team}/{identity.model} in {identity.environment}",
        "alerts": list(sections.values()),
    }


def _commands(plan: Plan, alert: str) -> Iterator[str]:
    """Yield the commands of a section, to be pasted; $CONTEXT is set at the top of the page."""
    identity = plan.identity
    name, here = f"{identity.team}/{identity.model}", f'--namespace {identity.namespace} --context "$CONTEXT"'
    argo = f"kubectl argo rollouts {{}} {identity.model} {here}"
    if alert.startswith("ModelWatch"):
        yield f"kubectl get cronworkflow,workflow {here}"
        return
    yield argo.format("get rollout")
    match alert:
        case "ModelAbsent":
            yield f"kubectl get pods {here} --selector app.kubernetes.io/name={identity.model}"
        case "RolloutAborted" | "RolloutDegraded" | "RolloutStuck":
            yield f"kubectl get analysisruns {here} --sort-by .metadata.creationTimestamp"
        case "RolloutWaits":
            yield argo.format("promote")
            yield argo.format("abort")
    if alert == "RolloutAborted":
        yield f'sluice record {name} --env {identity.environment} --cluster --context "$CONTEXT"'
        alone = f" --env {identity.environment}" if plan.delivery.requires else ""
        yield f'sluice revert {name}{alone} --reason "what is wrong with {plan.version.label}"'
    if alert == "RolloutDegraded":
        yield argo.format("abort")
