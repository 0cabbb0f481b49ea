"""Pod templates: which objects have one, and their containers, labels and ports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.objects import (
    Body,
    Object,
    as_list,
    as_map,
    as_text,
    each,
    may_share_namespace,
    selects,
)
from generator.lint.placement import Objects
from generator.source.document import Path

_APPLICATIONS: Final = re.compile(r"Application(Set)?$|Kustomization$|HelmRelease$|HelmChart$")
_JOB: Final[Path] = ("provider", "job", "spec", "template")
_WITH_METRICS: Final = ("AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")
_WITH_TEMPLATE: Final = frozenset(
    {
        ("argoproj.io", "Rollout"),
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("apps", "ReplicaSet"),
        ("batch", "Job"),
    }
)
_OWNERS: Final = ("Rollout", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")
# API groups whose kinds start no pods, or only some that no Service selects.
_WITHOUT_PODS: Final = frozenset(
    [
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "autoscaling",
        "bitnami.com",
        "cert-manager.io",
        "external-secrets.io",
        "gateway.networking.k8s.io",
        "isindir.github.com",
        "keda.sh",
        "kyverno.io",
        "networking.istio.io",
        "networking.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "security.istio.io",
        "storage.k8s.io",
        "telemetry.istio.io",
        "traefik.io",
        "traefik.containo.us",
        "trust.cert-manager.io",
        "apisix.apache.org",
        "getambassador.io",
        "x.getambassador.io",
        "discovery.k8s.io",
        "coordination.k8s.io",
        "scheduling.k8s.io",
    ]
)
_ALSO_WITHOUT: Final = frozenset({"ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe", "AppProject"})
_ALSO_WITHOUT_IN_CORE: Final = frozenset({"", "apps", "batch"})
_INJECTORS: Final = (
    "sidecar.istio.io/",
    "istio.io/rev",
    "istio-injection",
    "linkerd.io/inject",
    "dapr.io/",
    "consul.hashicorp.com/",
    "vault.hashicorp.com/",
    "sidecar.opentelemetry.io/",
    "instrumentation.opentelemetry.io/",
    "config.linkerd.io/",
    "kuma.io/",
    "inject",
)


def templates_of(item: Object) -> Iterator[tuple[Path, Body]]:
    """Yield the pod templates of an object with their paths; a Pod is its own template."""
    if (item.group, item.kind) == ("", "Pod"):
        yield (), item.body
    elif (item.group, item.kind) in _WITH_TEMPLATE:
        if template := as_map(item.spec.get("template")):
            yield ("spec", "template"), template
    elif (item.group, item.kind) == ("batch", "CronJob"):
        job = as_map(as_map(item.spec.get("jobTemplate")).get("spec"))
        if template := as_map(job.get("template")):
            yield ("spec", "jobTemplate", "spec", "template"), template
    elif item.group == "argoproj.io" and item.kind in _WITH_METRICS:
        for at, metric in each(item.spec.get("metrics"), ("spec", "metrics")):
            job = as_map(as_map(as_map(metric.get("provider")).get("job")).get("spec"))
            if template := as_map(job.get("template")):
                yield (*at, *_JOB), template


def containers(template: Body, path: Path = ()) -> Iterator[tuple[Path, Body]]:
    """Yield the containers of a pod template with their paths, init containers first."""
    spec = as_map(template.get("spec"))
    for group in ("initContainers", "containers"):
        yield from each(spec.get(group), (*path, "spec", group))


def labels_of(template: Body) -> Body:
    """Return the labels of a pod template."""
    return as_map(as_map(template.get("metadata")).get("labels"))


def port_names(template: Body) -> set[str]:
    """Return the names of all container ports of a pod template."""
    ports = (port for _, container in containers(template) for port in as_list(container.get("ports")))
    return {as_text(as_map(port).get("name")) for port in ports} - {""}


class PodIndex:
    """The pod templates of a tree, found by their labels."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._all = [
            (item, template) for item in objects.of_kind(*_OWNERS) for _, template in templates_of(item)
        ]
        self._by_label: dict[tuple[str, str], list[tuple[Object, Body]]] = {}
        for item, template in self._all:
            for key, value in labels_of(template).items():
                self._by_label.setdefault((key, str(value)), []).append((item, template))
        self.folders = {item.folder for item, _ in self._all}
        self._makers = [item for item in objects.all if _may_make_pods(item)]

    def may_be_made(self, asking: Object) -> bool:
        """Return whether another object, such as one of an operator, may start pods in the same namespace."""
        return any(
            may_share_namespace(item.namespace, asking.namespace) or _APPLICATIONS.match(item.kind)
            for item in self._makers
            if not self._objects.apart(item, asking)
        )

    def injected(self, template: Body, namespace: str) -> bool:
        """Return whether a pod or its namespace asks for containers that another program adds."""
        metadata = as_map(template.get("metadata"))
        asked = [*as_map(metadata.get("labels")).items(), *as_map(metadata.get("annotations")).items()]
        for home in self._objects.of("", "Namespace"):
            if not namespace or home.name == namespace:
                asked += [*home.labels.items(), *home.annotations.items()]
        return any(
            value not in ("false", "disabled") and any(word in str(key) for word in _INJECTORS)
            for key, value in asked
        )

    def matching(self, selector: Body, asking: Object) -> list[Body]:
        """Return the templates that the selector of an object matches."""
        label = next(iter(as_map(selector.get("matchLabels")).items()), None)
        likely = self._by_label.get((label[0], str(label[1])), []) if label else self._all
        return [
            template
            for owner, template in likely
            if may_share_namespace(owner.namespace, asking.namespace)
            and selects(selector, labels_of(template))
            and not self._objects.apart(owner, asking)
        ]


def _may_make_pods(item: Object) -> bool:
    """Return whether an object may start pods whose labels are in no file of the tree."""
    if item.cluster_wide or item.group in _WITHOUT_PODS or item.kind in _ALSO_WITHOUT:
        return False
    if item.group in _ALSO_WITHOUT_IN_CORE:
        return item.kind == "ReplicationController"
    return (item.group, item.kind) not in _WITH_TEMPLATE and item.kind not in _WITH_METRICS
