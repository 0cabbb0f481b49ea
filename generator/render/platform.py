"""The platform's objects for a team in an environment: its namespace and its limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.plan.bento import FEEDBACK_PORT
from generator.plan.build import namespace_of
from generator.plan.egress import gate_egress, mesh_egress, model_egress
from generator.plan.measurements import Clock
from generator.render.admission import admission_files
from generator.render.bundle import render_object
from generator.render.dashboard import dashboard_text, platform_dashboard
from generator.render.environment import Templates
from generator.render.notifications import NOTIFICATIONS_FILE
from generator.render.output import PLATFORM_ORIGIN, Output
from generator.spec.environment import Quota
from generator.spec.platform import PlatformSpec, Team
from generator.spec.pod import GpuKind

_MANAGED = ("namespace", "limitrange")
_ALWAYS = (
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
_RECORDING = ("role-record", "rolebinding-record")
_RECORDER = Output("serviceaccount-record.yaml", "platform/serviceaccount-record.yaml.j2")
_OVERVIEW = Output("configmap-dashboard.yaml", "kubernetes/configmap-dashboard.yaml.j2")


def render_team(platform: PlatformSpec, environment: str, team: str, templates: Templates) -> dict[str, str]:
    """Return the namespace of one team in one environment and the platform's objects in it.

    Returns:
        Text by file name.
    """
    quota, tiers = platform.teams[team].quota, platform.teams[team].tiers
    own = platform.environments[environment]
    router, mesh = own.router, own.mesh
    known = router.proxies or router.proxy_ranges
    context = {
        "namespace": namespace_of(platform, environment, team),
        "labels": {
            "app.kubernetes.io/managed-by": "sluice",
            "sluice.dev/environment": environment,
            "sluice.dev/team": team,
        },
        "adopted": platform.namespaces == "adopt",
        # Others may have policies with the plain names.
        "prefix": "sluice-" if platform.namespaces == "adopt" else "",
        "tiers": ",".join(tiers),
        "own_labels": {**(mesh.labels if mesh else {}), **own.namespace_labels},
        "own_annotations": {**(mesh.annotations if mesh else {}), **own.namespace_annotations},
        "mesh": mesh_egress(platform, environment),
        "pod_security": f"v{'.'.join(platform.controllers.kubernetes.split('.')[:2])}",
        "sources": sorted(router.proxies | {platform.monitoring.namespace}) if known else [],
        "ranges": router.proxy_ranges,
        "feedback_port": FEEDBACK_PORT,
        "feedback_sources": sorted(router.proxies | set(platform.teams[team].feedback_from)),
        "gate_egress": gate_egress(platform, environment),
        "hard": _hard(quota, platform) if quota else {},
        "recorder": _recorder(platform, environment),
    }
    outputs = _team_outputs(platform, environment, team)
    return {output.file: render_object(output, context, templates, PLATFORM_ORIGIN) for output in outputs}


def _team_outputs(platform: PlatformSpec, environment: str, team: str) -> list[Output]:
    managed = platform.namespaces == "managed"
    roles = [
        *(_MANAGED if managed else ()),
        *_ALWAYS,
        *(["networkpolicy-mesh"] if platform.environments[environment].mesh else []),
        *(["resourcequota"] if managed and platform.teams[team].quota else []),
        *(_RECORDING if platform.records else []),
    ]
    found = [Output(f"{_file(role)}.yaml", f"platform/{role}.yaml.j2") for role in roles]
    return [*found, *_egress(platform.teams[team])]


def platform_files(platform: PlatformSpec, environment: str) -> list[str]:
    """Return the names of all files below `platform/` of one environment, without rendering them.

    Names are relative to that folder, such as `shop/namespace-main.yaml`.
    """
    found = [
        f"{team}/{output.file}"
        for team in sorted(platform.teams)
        for output in _team_outputs(platform, environment, team)
    ]
    found += [f"admission/{file}" for file in admission_files(platform)]
    if platform.monitoring.dashboards is not None:
        found.append(f"overview/{_OVERVIEW.file}")
    if platform.records is not None:
        found.append(f"records/{_RECORDER.file}")
    if platform.notifications is not None and _configures_rollouts(platform, environment):
        found.append(f"notifications/{NOTIFICATIONS_FILE}")
    return found


def _configures_rollouts(platform: PlatformSpec, environment: str) -> bool:
    """Check whether this is the first environment of its cluster, whose Rollouts controller has one configuration."""
    server = platform.environments[environment].cluster
    return environment == next(name for name, one in platform.environments.items() if one.cluster == server)


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
    return {_OVERVIEW.file: render_object(_OVERVIEW, context, templates, PLATFORM_ORIGIN)}


def _recorder(platform: PlatformSpec, environment: str) -> dict[str, str]:
    """Return name and namespace of the account that reads releases; empty without one."""
    access = platform.records
    return {"name": f"sluice-record-{environment}", "namespace": access.namespace} if access else {}


def render_recorder(platform: PlatformSpec, environment: str, templates: Templates) -> dict[str, str]:
    """Return the ServiceAccount with which CI reads the releases of one environment; teams' folders have its roles.

    Returns:
        Text by file name; empty when the platform has none configured.
    """
    account = _recorder(platform, environment)
    if not account:
        return {}
    labels = {"app.kubernetes.io/managed-by": "sluice", "sluice.dev/environment": environment}
    return {
        _RECORDER.file: render_object(_RECORDER, {**account, "labels": labels}, templates, PLATFORM_ORIGIN)
    }


def _file(role: str) -> str:
    return role if "-" in role else f"{role}-main"


def _egress(team: Team) -> Iterator[Output]:
    """Yield a policy for all models of a team, and one for each model with separate destinations."""
    for model, destinations in model_egress(team).items():
        name = f"egress-{model}" if model else "egress-all"
        context = {"name": name, "models": [model] if model else [], "destinations": destinations}
        yield Output(f"networkpolicy-{name}.yaml", "platform/networkpolicy-egress.yaml.j2", context)


_COUNTED: Final = (
    "configmaps",
    "count/deployments.apps",
    "count/jobs.batch",
    "count/rollouts.argoproj.io",
    "count/workflows.argoproj.io",
    "persistentvolumeclaims",
    "pods",
    "secrets",
    "services",
)
_EXPOSING: Final = ("services.loadbalancers", "services.nodeports")
"""Services that are reached past the router; a model has none."""


def _hard(quota: Quota, platform: PlatformSpec) -> dict[str, str]:
    computed = {
        "limits.ephemeral-storage": quota.storage,
        "requests.cpu": quota.cpu,
        "requests.ephemeral-storage": quota.storage,
        "requests.memory": quota.memory,
    }
    gpus = {GpuKind.model_fields["resource"].default, *(kind.resource for kind in platform.gpus.values())}
    computed |= {f"requests.{resource}": str(quota.gpu) for resource in gpus}
    counted = dict.fromkeys(_COUNTED, str(quota.objects)) | dict.fromkeys(_EXPOSING, "0")
    return dict(sorted({**computed, **counted}.items()))
