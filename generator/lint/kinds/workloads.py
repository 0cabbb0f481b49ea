"""Pods: the templates that make them, what they refer to, what they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.objects import Object, Objects, Reference, as_list, as_map, as_text, each
from generator.source.document import Path
from generator.source.quantity import parse_quantity

_JOB: Final = ("provider", "job", "spec", "template")


def templates_of(item: Object) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The pod templates of an object, each with its path."""
    if (item.group, item.kind) == ("", "Pod"):
        yield (), item.body
    elif (item.group, item.kind) in (("argoproj.io", "Rollout"), ("apps", "Deployment"), ("batch", "Job")):
        if template := as_map(item.spec.get("template")):
            yield ("spec", "template"), template
    elif item.group == "argoproj.io" and item.kind.endswith("AnalysisTemplate"):
        for at, metric in each(item.spec.get("metrics"), ("spec", "metrics")):
            job = as_map(as_map(as_map(metric.get("provider")).get("job")).get("spec"))
            if template := as_map(job.get("template")):
                yield (*at, *_JOB), template


def labels_of(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """The labels of a pod template."""
    return as_map(as_map(template.get("metadata")).get("labels"))


def port_names(template: Mapping[str, Any]) -> set[str]:
    """The names of all container ports of a pod template."""
    spec = as_map(template.get("spec"))
    containers = [*as_list(spec.get("containers")), *as_list(spec.get("initContainers"))]
    ports = (port for container in containers for port in as_list(as_map(container).get("ports")))
    return {as_text(as_map(port).get("name")) for port in ports} - {""}


def pod_references(item: Object) -> Iterator[Reference]:
    """The ConfigMaps, Secrets and ServiceAccounts that the pods of an object need."""
    for path, template in templates_of(item):
        yield from _pod(item.namespace, path, template)
    for at, template in each(item.spec.get("templates"), ("spec", "templates")):  # of a Workflow
        for key in ("container", "script"):
            yield from _environment(item.namespace, (*at, key), as_map(template.get(key)))


def check_resources(objects: Objects) -> Iterator[Issue]:
    """Requests above their limits, which the API server refuses."""
    for item in objects.all:
        for path, template in templates_of(item):
            spec = as_map(template.get("spec"))
            for key in ("containers", "initContainers"):
                for at, container in each(spec.get(key), (*path, "spec", key)):
                    yield from _over(item, (*at, "resources"), as_map(container.get("resources")))


def _over(item: Object, path: Path, resources: Mapping[str, Any]) -> Iterator[Issue]:
    limits = as_map(resources.get("limits"))
    for name, asked in as_map(resources.get("requests")).items():
        request, limit = parse_quantity(asked), parse_quantity(limits.get(name))
        if request is not None and limit is not None and request > limit:
            message = f"{item} requests {asked} of {name} but is limited to {limits[name]}"
            yield issue(item.document, (*path, "requests", name), "VER130", message)


def _pod(namespace: str, path: Path, template: Any) -> Iterator[Reference]:
    spec = as_map(template.get("spec"))
    top = (*path, "spec")
    account = as_text(spec.get("serviceAccountName"))
    yield Reference((*top, "serviceAccountName"), "", "ServiceAccount", namespace, account)
    for at, secret in each(spec.get("imagePullSecrets"), (*top, "imagePullSecrets")):
        yield Reference((*at, "name"), "", "Secret", namespace, as_text(secret.get("name")))
    for key in ("containers", "initContainers"):
        for at, container in each(spec.get(key), (*top, key)):
            yield from _environment(namespace, at, container)
    for at, volume in each(spec.get("volumes"), (*top, "volumes")):
        yield from _config(namespace, at, volume, {"configMap": "name", "secret": "secretName"})
        projected = as_map(volume.get("projected")).get("sources")
        for where, source in each(projected, (*at, "projected", "sources")):
            yield from _config(namespace, where, source, {"configMap": "name", "secret": "name"})


def _environment(namespace: str, path: Path, container: Any) -> Iterator[Reference]:
    for at, entry in each(container.get("env"), (*path, "env")):
        source = as_map(entry.get("valueFrom"))
        yield from _config(
            namespace, (*at, "valueFrom"), source, {"configMapKeyRef": "name", "secretKeyRef": "name"}
        )
    for at, entry in each(container.get("envFrom"), (*path, "envFrom")):
        yield from _config(namespace, at, entry, {"configMapRef": "name", "secretRef": "name"})


def _config(namespace: str, path: Path, holder: Any, keys: dict[str, str]) -> Iterator[Reference]:
    for key, name in keys.items():
        target = as_map(holder.get(key))
        if target.get("optional") is not True:
            kind = "Secret" if key.startswith("secret") else "ConfigMap"
            yield Reference((*path, key, name), "", kind, namespace, as_text(target.get(name)))
