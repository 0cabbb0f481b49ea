"""Pod templates: which objects have one, and their containers, labels and ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.objects import (
    Body,
    Object,
    Objects,
    as_list,
    as_map,
    as_text,
    each,
    may_share_namespace,
    selects,
)
from generator.source.document import Path

_JOB: Final[Path] = ("provider", "job", "spec", "template")
_WITH_METRICS: Final = ("AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")
_WITH_TEMPLATE: Final = (("argoproj.io", "Rollout"), ("apps", "Deployment"), ("batch", "Job"))


def templates_of(item: Object) -> Iterator[tuple[Path, Body]]:
    """Yield the pod templates of an object with their paths; a Pod is its own template."""
    if (item.group, item.kind) == ("", "Pod"):
        yield (), item.body
    elif (item.group, item.kind) in _WITH_TEMPLATE:
        if template := as_map(item.spec.get("template")):
            yield ("spec", "template"), template
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
    """The pod templates of the Rollouts and Deployments of a tree, found by their labels."""

    def __init__(self, objects: Objects) -> None:
        self._all = [
            (item, template)
            for item in objects.of_kind("Rollout", "Deployment")
            for _, template in templates_of(item)
        ]
        self._by_label: dict[tuple[str, str], list[tuple[Object, Body]]] = {}
        for item, template in self._all:
            for key, value in labels_of(template).items():
                self._by_label.setdefault((key, str(value)), []).append((item, template))
        self.folders = {item.folder for item, _ in self._all}

    def matching(self, selector: Body, namespace: str) -> list[Body]:
        """Return the templates that a selector in a namespace matches."""
        label = next(iter(as_map(selector.get("matchLabels")).items()), None)
        likely = self._by_label.get((label[0], str(label[1])), []) if label else self._all
        return [
            template
            for owner, template in likely
            if may_share_namespace(owner.namespace, namespace) and selects(selector, labels_of(template))
        ]
