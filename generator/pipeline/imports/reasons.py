"""Why a value of a tree has no word in a spec, and where it could go."""

from __future__ import annotations

import re
from typing import Final

from generator.lint import Object

_OTHERS: Final = {
    "Application": ("Sluice renders its own Applications", "remove it when the rendered one syncs"),
    "ApplicationSet": ("Sluice renders its own Applications", "remove it when the rendered ones sync"),
    "AppProject": ("Sluice renders a project for each team", "`teams` in specs/platform.yaml"),
    "Namespace": ("Sluice renders the namespaces of teams", "`namespaceLabels` of the environment"),
    "ResourceQuota": ("Sluice renders the quota of each team", "`teams.<team>.quota` in specs/platform.yaml"),
    "NetworkPolicy": ("Sluice renders network policies", "`teams.<team>.egress` in specs/platform.yaml"),
    "PrometheusRule": ("Sluice renders alerts from the guards", "keep it next to the rendered files"),
    "Gateway": ("routes attach to it, and the platform team owns it", "keep it where it is"),
    "Secret": (
        "secrets are never in specs",
        "`service.env` refers to it, and `secrets` of the platform brings it",
    ),
    "ConfigMap": (
        "specs have no files of configuration",
        "`pod.volumes` mounts it, and it stays where it is",
    ),
}
_ELSEWHERE: Final = ("it is not part of a release that is imported", "keep it where it is")
_NEXT_TO: Final = "a template of yours: `sluice templates --show kubernetes/{}` is the one to copy"

# Kind, path, why, where; the first row that matches counts.
_ROWS: Final = tuple(
    (re.compile(kind), re.compile(path), why, where)
    for kind, path, why, where in (
        (".*", r"metadata\.labels.*", "objects have the labels of Sluice", "`pod.labels` for those of pods"),
        (
            ".*",
            r"metadata\.annotations.*",
            "objects have the annotations of Sluice",
            "`pod.annotations`, `pod.service.annotations`",
        ),
        (
            ".*",
            r"metadata\.(name|namespace)$",
            "Sluice names objects after the model",
            "clients use the host, not the name",
        ),
        (
            "Rollout|Deployment",
            r"spec\.selector.*",
            "pods are selected by `app.kubernetes.io/name`",
            "a selector can't be changed: the object is replaced",
        ),
        (
            "Rollout|Deployment",
            r"spec\.template\.spec\.containers\[\d+\]\.name",
            "the container of the model is called `model`",
            "",
        ),
        (
            "Rollout|Deployment",
            r".*\.containers\[\d+\]\.(command|args|workingDir).*",
            "a container is released as its image starts it",
            "put it into the image",
        ),
        (
            "Rollout|Deployment",
            r".*\.containers\[\d+\]\.(envFrom|env).*",
            "`service.env` has plain values and keys of Secrets",
            "write each variable into `service.env`",
        ),
        (
            "Rollout|Deployment",
            r".*\.containers\[\d+\]\.(\w+Probe).*",
            "probes are HTTP requests to the port of the container",
            "`serve.probes`, `pod.probes`",
        ),
        (
            "Rollout|Deployment",
            r".*\.containers\[\d+\]\.lifecycle.*",
            "pods wait before they stop",
            "`pod.termination`",
        ),
        (
            "Rollout|Deployment",
            r".*\.containers\[\d+\]\.ports.*",
            "a container has one port",
            "`serve.port`, `serve.probes.port`",
        ),
        (
            "Rollout|Deployment",
            r".*securityContext.*",
            "pods run as Pod Security `restricted` demands",
            "`serve.user` has the number of the user",
        ),
        (
            "Rollout|Deployment",
            r".*serviceAccount(Name)?",
            "the ServiceAccount has the name of the model",
            "grant its rights to that one, or `pod.serviceAccount.annotations`",
        ),
        (
            "Rollout|Deployment",
            r"spec\.template\.spec\..*",
            "`pod` has no word for it",
            _NEXT_TO.format("_pod.yaml.j2"),
        ),
        (
            "Rollout",
            r"spec\.strategy\..*(setMirrorRoute|experiment).*",
            "steps have no word for it",
            "`rollout.shadow` copies requests",
        ),
        ("Rollout", r"spec\.strategy\..*\.(args|templates).*", "guards find the versions themselves", ""),
        (
            "Rollout",
            r"spec\.strategy\..*",
            "`rollout` has no word for it",
            _NEXT_TO.format("rollout-canary.yaml.j2"),
        ),
        (
            "Rollout|Deployment",
            r"spec\..*",
            "specs have no word for it",
            _NEXT_TO.format("_rollout-head.yaml.j2"),
        ),
        (
            ".*AnalysisTemplate|MetricTemplate",
            r".*(interval|count|Limit|initialDelay)$",
            "Sluice computes when and how often a guard measures",
            "`sluice plan` shows it",
        ),
        (
            ".*AnalysisTemplate|MetricTemplate",
            r".*",
            "its verdict is not that of a guard",
            "a guard of your own (docs/adding.md), or leave it out",
        ),
        (
            "Service",
            r"spec\.(ports|selector).*",
            "Services listen on port 80 and select the pods of the model",
            "clients use the host, not the Service",
        ),
        ("Service", r".*", "Services of a model have no settings", _NEXT_TO.format("service.yaml.j2")),
        (
            "HorizontalPodAutoscaler|ScaledObject",
            r".*",
            "`autoscaling` has no word for it",
            _NEXT_TO.format("horizontalpodautoscaler.yaml.j2"),
        ),
        (
            "HTTPRoute|GRPCRoute|VirtualService|Ingress|IngressRoute|TraefikService",
            r".*",
            "routes follow from host, path and router",
            "`traffic.hosts`, `serve.path`, `router` of the environment",
        ),
    )
)


def reason(item: Object, path: str, *, part: bool) -> tuple[str, str]:
    """Return why a value is left over, and where it could go.

    Args:
        item: the object that has it.
        path: its path, such as `spec.replicas`.
        part: whether the object is part of a release that is imported.
    """
    if not part:
        return _OTHERS.get(item.kind, _ELSEWHERE)
    for kind, pattern, why, where in _ROWS:
        if kind.fullmatch(item.kind) and pattern.fullmatch(path):
            return why, where
    return "specs have no word for it", "keep it where it is"
