"""The platform's objects for a team in an environment: its namespace and its limits."""

from __future__ import annotations

from generator.plan.bento import FEEDBACK_PORT
from generator.plan.build import namespace_of
from generator.plan.measurements import Clock
from generator.render.argocd import PLATFORM_ORIGIN
from generator.render.bundle import render_object
from generator.render.dashboard import dashboard_text, platform_dashboard
from generator.render.environment import Templates
from generator.render.output import Output
from generator.spec.platform import PlatformSpec

_ALWAYS = (
    "namespace",
    "limitrange",
    "networkpolicy-default-deny",
    "networkpolicy-dns",
    "networkpolicy-gates",
    "networkpolicy-models",
    "networkpolicy-smoke",
    "role-gates",
    "rolebinding-gates",
    "serviceaccount-gates",
    "secret-gates",
)


def render_team(platform: PlatformSpec, environment: str, team: str, templates: Templates) -> dict[str, str]:
    """Return the namespace of one team in one environment and the platform's objects in it.

    Returns:
        Text by file name.
    """
    quota, tiers = platform.teams[team].quota, platform.teams[team].tiers
    router = platform.environments[environment].router
    context = {
        "namespace": namespace_of(platform, environment, team),
        "labels": {
            "app.kubernetes.io/managed-by": "sluice",
            "sluice.dev/environment": environment,
            "sluice.dev/team": team,
        },
        "tiers": ",".join(tiers),
        "pod_security": f"v{'.'.join(platform.controllers.kubernetes.split('.')[:2])}",
        "sources": sorted(router.proxies | {platform.monitoring.namespace}) if router.proxies else [],
        "feedback_port": FEEDBACK_PORT,
        "feedback_sources": sorted(router.proxies | set(platform.teams[team].feedback_from)),
        "hard": _hard(quota.cpu, quota.memory, quota.gpu) if quota else {},
    }
    roles = (*_ALWAYS, "resourcequota") if quota else _ALWAYS
    outputs = [Output(f"{_file(role)}.yaml", f"platform/{role}.yaml.j2") for role in roles]
    return {output.file: render_object(output, context, templates, PLATFORM_ORIGIN) for output in outputs}


def render_overview(platform: PlatformSpec, environment: str, templates: Templates) -> dict[str, str]:
    """Return the dashboard of all models of one environment.

    Returns:
        Text by file name; empty when the platform has none configured.
    """
    dashboards = platform.monitoring.dashboards
    if dashboards is None:
        return {}
    namespaces = [namespace_of(platform, environment, team) for team in sorted(platform.teams)]
    clock = Clock(platform.prometheus.scrape_interval, platform.prometheus.look_interval)
    own = {"app.kubernetes.io/managed-by": "sluice", "sluice.dev/environment": environment}
    context = {
        "name": f"models-{environment}-dashboard",
        "namespace": platform.monitoring.namespace,
        "labels": {**own, **dict(sorted(dashboards.labels.items()))},
        "annotations": dashboards.annotations,
        "file": f"models-{environment}.json",
        "dashboard": dashboard_text(
            platform_dashboard(environment, namespaces, platform.monitoring.rollouts, clock)
        ),
    }
    output = Output("configmap-dashboard.yaml", "kubernetes/configmap-dashboard.yaml.j2")
    return {output.file: render_object(output, context, templates, PLATFORM_ORIGIN)}


def _file(role: str) -> str:
    return role if "-" in role else f"{role}-main"


def _hard(cpu: str, memory: str, gpu: int) -> dict[str, str]:
    return {"requests.cpu": cpu, "requests.memory": memory, "requests.nvidia.com/gpu": str(gpu)}
