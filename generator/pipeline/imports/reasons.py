"""Why a value of a tree has no word in a spec, and where it could go."""

from __future__ import annotations

from typing import Final, NamedTuple

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
_TEMPLATE: Final = "a template of yours, a copy of kubernetes/{}"
_HOST: Final = "clients use the host, not the name"
_NAMES: Final = "`traffic.names` keeps a name"
_NAMED: Final = "Service HTTPRoute VirtualService Ingress TraefikService"
_IMAGE: Final = "put it into the image"
_CONTAINERS: Final = "spec.template.spec.containers["
_PREDICTOR: Final = "spec.predictor.containers["
_PODS: Final = "Rollout Deployment"
_TEMPLATES: Final = "AnalysisTemplate ClusterAnalysisTemplate MetricTemplate"


class _Row(NamedTuple):
    """A reason: of these kinds (all, if empty), of paths that start with one text and have another in them."""

    kinds: str
    start: str
    part: str
    why: str
    where: str


# The first row that fits counts.
_ROWS: Final = (
    _Row("", "metadata.labels", "", "objects have the labels of Sluice", "`pod.labels` for those of pods"),
    _Row("", "metadata.annotations", "", "objects have the annotations of Sluice", "`pod.annotations`"),
    _Row(_NAMED, "metadata.name", "", "Services and routes are named after the model", _NAMES),
    _Row("", "metadata.name", "", "Sluice names objects after the model", _HOST),
    _Row(
        _PODS,
        "spec.selector",
        "",
        "pods are selected by `app.kubernetes.io/name`",
        "replace the object: a selector can't be changed",
    ),
    _Row(_PODS, _CONTAINERS, "].command", "a container is released as its image starts it", _IMAGE),
    _Row(_PODS, _CONTAINERS, "].args", "a container is released as its image starts it", _IMAGE),
    _Row(_PODS, _CONTAINERS, "].workingDir", "a container is released as its image starts it", _IMAGE),
    _Row(
        _PODS,
        _CONTAINERS,
        "].env",
        "`service.env` has plain values and keys of Secrets",
        "write each variable into `service.env`",
    ),
    _Row(
        _PODS,
        _CONTAINERS,
        "Probe",
        "probes are HTTP requests to the port of the container",
        "`serve.probes`, `pod.probes`",
    ),
    _Row(_PODS, _CONTAINERS, "].lifecycle", "pods wait before they stop", "`pod.termination`"),
    _Row(_PODS, _CONTAINERS, "].ports", "a container has one port", "`serve.port`, `serve.probes.port`"),
    _Row(
        _PODS,
        "",
        "ecurityContext",
        "pods run as Pod Security `restricted` demands",
        "`serve.user` has the number of the user",
    ),
    _Row(_PODS, _CONTAINERS, "].name", "the container of the model is called `model`", ""),
    _Row(
        _PODS,
        "",
        "serviceAccount",
        "the ServiceAccount has the name of the model",
        "grant its rights to that one",
    ),
    _Row(_PODS, "spec.template.spec", "", "`pod` has no word for it", _TEMPLATE.format("_pod.yaml.j2")),
    _Row(
        _PODS,
        "spec.strategy",
        "setMirrorRoute",
        "steps have no word for it",
        "`rollout.shadow` copies requests",
    ),
    _Row(
        _PODS, "spec.strategy", "experiment", "steps have no word for it", "`rollout.shadow` copies requests"
    ),
    _Row(_PODS, "spec.strategy", "].args", "guards find the versions themselves", ""),
    _Row(_PODS, "spec.strategy", "Service", "Services are named after the model", _NAMES),
    _Row(
        _PODS, "spec.strategy", "", "`rollout` has no word for it", _TEMPLATE.format("rollout-canary.yaml.j2")
    ),
    _Row(_PODS, "", "", "specs have no word for it", _TEMPLATE.format("_rollout-head.yaml.j2")),
    _Row("Canary", "", "webhooks", "webhooks are not called", "a gate, or a check before the steps"),
    _Row(
        "Canary",
        "spec.analysis",
        "",
        "Sluice computes when and how often a guard measures",
        "`sluice plan` shows it",
    ),
    _Row("Canary", "", "", "Argo Rollouts runs the release", "remove it when the Rollout serves"),
    _Row(
        _TEMPLATES,
        "",
        "interval",
        "Sluice computes when and how often a guard measures",
        "`sluice plan` shows it",
    ),
    _Row(
        _TEMPLATES,
        "",
        "].count",
        "Sluice computes when and how often a guard measures",
        "`sluice plan` shows it",
    ),
    _Row(
        _TEMPLATES,
        "",
        "Limit",
        "Sluice computes when and how often a guard measures",
        "`sluice plan` shows it",
    ),
    _Row(
        _TEMPLATES,
        "",
        "initialDelay",
        "Sluice computes when and how often a guard measures",
        "`sluice plan` shows it",
    ),
    _Row(
        _TEMPLATES,
        "",
        "",
        "its verdict is not that of a guard",
        "a guard of your own (docs/adding.md), or leave it out",
    ),
    _Row("InferenceService", _PREDICTOR, "].name", "the container of the model is called `model`", ""),
    _Row("InferenceService", _PREDICTOR, "", "a container is released as its image starts it", _IMAGE),
    _Row(
        "InferenceService",
        "spec.predictor.serviceAccount",
        "",
        "the ServiceAccount has the name of the model",
        "grant its rights to that one",
    ),
    _Row(
        "InferenceService",
        "spec.predictor.model",
        "",
        "the service is built from the framework",
        "`model`, `service`",
    ),
    _Row(
        "InferenceService", "spec.predictor", "", "`pod` has no word for it", "`pod`, `service` of the spec"
    ),
    _Row("InferenceService", "", "", "Argo Rollouts runs the release", "remove it when the Rollout serves"),
    _Row("Service", "spec.", "", "Services listen on port 80 and select the pods of the model", _HOST),
    _Row(
        "HorizontalPodAutoscaler ScaledObject",
        "",
        "",
        "`autoscaling` has no word for it",
        _TEMPLATE.format("horizontalpodautoscaler.yaml.j2"),
    ),
    _Row(
        "HTTPRoute GRPCRoute VirtualService Ingress TraefikService",
        "",
        "",
        "routes follow from host, path and router",
        "`traffic.hosts`, `serve.path`, `router` of the environment",
    ),
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
    for row in _ROWS:
        if (
            (not row.kinds or item.kind in row.kinds.split())
            and path.startswith(row.start)
            and row.part in path
        ):
            return row.why, row.where
    return "specs have no word for it", "keep it where it is"
