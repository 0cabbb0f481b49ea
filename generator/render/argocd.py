"""The Argo CD objects for the bundles: one project per team, one Application per model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from generator.plan.build import namespace_of
from generator.plan.freezes import windows
from generator.plan.people import ARGOCD_TRIGGERS, subscriptions
from generator.plan.values import Plan
from generator.render.bundle import render_object, render_outputs
from generator.render.environment import Templates
from generator.render.output import PLATFORM_ORIGIN, Output
from generator.render.platform import platform_files
from generator.routers import ROUTERS
from generator.spec.platform import PlatformSpec

_DESCRIPTION_LIMIT: Final = 255

# The kinds that a model's bundle may contain; quotas, policies and roles belong to the platform.
_KINDS = (
    ("", "ConfigMap"), ("", "Service"), ("", "ServiceAccount"), ("apps", "Deployment"),
    ("argoproj.io", "AnalysisTemplate"), ("argoproj.io", "CronWorkflow"),
    ("argoproj.io", "Rollout"), ("argoproj.io", "Workflow"), ("autoscaling", "HorizontalPodAutoscaler"),
    ("external-secrets.io", "ExternalSecret"),
    ("keda.sh", "ScaledObject"), ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "PrometheusRule"),
    ("policy", "PodDisruptionBudget"),
)  # fmt: skip
MODEL_KINDS = tuple(sorted({*_KINDS, *(kind for router in ROUTERS.values() for kind in router.kinds)}))
PLATFORM_KINDS = (
    ("", "Secret"), ("", "ServiceAccount"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "RoleBinding"),
)  # fmt: skip
_LIMITS = (("", "LimitRange"), ("", "ResourceQuota"))
_ADMISSION = (
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
)  # fmt: skip


def render_application(plan: Plan, templates: Templates) -> dict[str, str]:
    """Return the Application that syncs one bundle."""
    context = {
        "application": plan.delivery.application,
        "project": plan.delivery.project,
        "ignored": ignored(plan),
    }
    output = Output("application.yaml", "argocd/application.yaml.j2", context)
    return render_outputs([output], plan, templates)


def ignored(plan: Plan) -> list[dict[str, object]]:
    """Return the fields that Argo CD must ignore: the weights of a canary and the rule of its cohort."""
    weights = plan.routing.router.weights
    if weights is None or plan.rollout.strategy != "canary":
        return []
    expressions = [weights.expression]
    if weights.cohort and plan.rollout.cohort_steps:
        expressions.append(weights.cohort)
    return [{"group": weights.group, "kind": weights.kind, "expressions": expressions}]


def render_project(
    platform: PlatformSpec, environment: str, team: str, templates: Templates
) -> dict[str, str]:
    """Return the AppProject of one team in one environment."""
    context = {
        **_shared(platform, environment),
        "project": platform.environments[environment].argocd.project(environment, team),
        "team": team,
        "namespace": namespace_of(platform, environment, team),
        "description": _project_description(team, environment, platform.teams[team].owners),
        "notices": subscriptions(platform, team, ARGOCD_TRIGGERS),
        "kinds": MODEL_KINDS,
        "windows": windows(platform, environment),
    }
    output = Output("appproject.yaml", "argocd/appproject.yaml.j2")
    return {output.file: render_object(output, context, templates, PLATFORM_ORIGIN)}


def _project_description(team: str, environment: str, owners: Sequence[str]) -> str:
    """Return the description of a team's project, with as many owners as fit.

    Argo CD 3.6, pkg/apis/application/v1alpha1/types.go: at most 255 characters.
    """
    text = f"Models of {team} in {environment} ({', '.join(owners)})"
    for shown in range(len(owners) - 1, -1, -1):
        if len(text) <= _DESCRIPTION_LIMIT:
            break
        hidden = len(owners) - shown
        rest = f"{hidden} more" if shown else f"{hidden} owner{'s' if hidden > 1 else ''}"
        text = f"Models of {team} in {environment} ({', '.join([*owners[:shown], rest])})"
    return text


def render_platform_application(
    platform: PlatformSpec, environment: str, templates: Templates
) -> dict[str, str]:
    """Return the project and the Application of the platform's own objects in one environment."""
    dashboards, managed = platform.monitoring.dashboards is not None, platform.namespaces == "managed"
    context = {
        **_shared(platform, environment),
        "project": f"{environment}-platform",
        "path": platform.git.from_top(f"{platform.git.path}/{environment}/platform"),
        "include": file_list(platform_files(platform, environment)),
        "revision": platform.git.revision,
        "namespaces": [
            *(namespace_of(platform, environment, team) for team in sorted(platform.teams)),
            *([platform.monitoring.namespace] if dashboards else []),
            *sorted(
                {extra.namespace for extra in (platform.notifications, platform.records) if extra is not None}
            ),
        ],
        "kinds": (
            *([("", "ConfigMap")] if dashboards or platform.notifications else []),
            *(_LIMITS if managed else ()),
            *PLATFORM_KINDS,
        ),
        "cluster_kinds": (
            *([("", "Namespace")] if managed else []),
            *(_ADMISSION if platform.admission != "none" else ()),
        ),
    }
    outputs = [
        Output("application.yaml", "argocd/application-platform.yaml.j2"),
        Output("appproject.yaml", "argocd/appproject-platform.yaml.j2"),
    ]
    return {output.file: render_object(output, context, templates, PLATFORM_ORIGIN) for output in outputs}


def file_list(paths: Sequence[str]) -> str:
    """Return a pattern of Argo CD that matches these paths below the Application's folder, and no other.

    Argo CD 3.6, reposerver/repository/repository.go: `directory.include` is matched with the path below the folder.
    """
    return paths[0] if len(paths) == 1 else f"{{{','.join(paths)}}}"


def _shared(platform: PlatformSpec, environment: str) -> Mapping[str, object]:
    return {
        "environment": environment,
        "argocd_namespace": platform.argocd_namespace,
        "repo": platform.git.repo,
        "server": platform.environments[environment].address,
        "cluster": platform.environments[environment].argocd.cluster or "",
        "own_labels": sorted(platform.environments[environment].argocd.labels.items()),
    }
