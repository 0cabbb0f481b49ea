"""Who selects whom: Services, budgets, monitors and pods; and the ports that lead from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.links import route_backends
from generator.lint.kinds.objects import Object, Objects, as_list, as_map, as_text, each, together
from generator.lint.kinds.workloads import labels_of, port_names, templates_of
from generator.source.document import Path

_HASH: Final = "rollouts-pod-template-hash"
_RUNS_PODS: Final = (("argoproj.io", "Rollout"), ("apps", "Deployment"))

Template = Mapping[str, Any]


class Pods:
    """The pod templates of a tree, found by their labels."""

    def __init__(self, objects: Objects) -> None:
        self._all = [
            (item, template)
            for kind in _RUNS_PODS
            for item in objects.of(*kind)
            for _, template in templates_of(item)
        ]
        self._by_label: dict[tuple[str, str], list[tuple[Object, Template]]] = {}
        for item, template in self._all:
            for key, value in labels_of(template).items():
                self._by_label.setdefault((key, str(value)), []).append((item, template))
        self.folders = {item.folder for item, _ in self._all}

    def matching(self, selector: Mapping[str, Any], namespace: str) -> list[Template]:
        """The templates that a selector in a namespace matches."""
        label = next(iter(as_map(selector.get("matchLabels")).items()), None)
        likely = self._by_label.get((label[0], str(label[1])), []) if label else self._all
        return [
            template
            for owner, template in likely
            if together(owner.namespace, namespace) and selects(selector, labels_of(template))
        ]


def check(objects: Objects) -> Iterator[Issue]:
    """Selectors that match nothing, ports that lead nowhere, routes that cross a namespace ungranted."""
    pods = Pods(objects)
    for service in objects.of("", "Service"):
        yield from _service(service, pods)
    for budget in objects.of("policy", "PodDisruptionBudget"):
        yield from _unmatched(budget, ("spec", "selector"), as_map(budget.spec.get("selector")), pods)
    for monitor in objects.of("monitoring.coreos.com", "PodMonitor"):
        yield from _pod_monitor(monitor, pods)
    for monitor in objects.of("monitoring.coreos.com", "ServiceMonitor"):
        yield from _service_monitor(monitor, objects)
    for deployment in objects.of("apps", "Deployment"):
        yield from _own_pods(deployment)
    for route in objects.of("gateway.networking.k8s.io", "HTTPRoute"):
        yield from _backends(route, objects)


def selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether a label selector matches these labels; an empty one matches everything."""
    wanted = as_map(selector.get("matchLabels"))
    terms = [as_map(term) for term in as_list(selector.get("matchExpressions"))]
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(term, labels) for term in terms
    )


def _holds(term: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = as_text(term.get("key")), as_list(term.get("values"))
    answers = {
        "In": key in labels and labels[key] in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return answers.get(as_text(term.get("operator")), True)


def _unmatched(item: Object, path: Path, selector: Mapping[str, Any], pods: Pods) -> Iterator[Issue]:
    if not selector or pods.matching(selector, item.namespace):
        return
    if item.folder in pods.folders:
        yield issue(item.document, path, "VER152", f"{item} selects no pod of this tree", on_key=True)
    else:
        yield issue(
            item.document, path, "VER151", f"{item} selects pods that are not in the tree", on_key=True
        )


def _service(service: Object, pods: Pods) -> Iterator[Issue]:
    labels = {key: value for key, value in as_map(service.spec.get("selector")).items() if key != _HASH}
    if not labels:
        return
    selector = {"matchLabels": labels}
    yield from _unmatched(service, ("spec", "selector"), selector, pods)
    named = [port_names(template) for template in pods.matching(selector, service.namespace)]
    for at, port in each(service.spec.get("ports"), ("spec", "ports")):
        target = as_text(port.get("targetPort"))
        if target and named and not any(target in names for names in named):
            message = f"{service} sends to port {target}, which no container of its pods names"
            yield issue(service.document, (*at, "targetPort"), "VER153", message)


def _pod_monitor(monitor: Object, pods: Pods) -> Iterator[Issue]:
    if as_map(monitor.spec.get("namespaceSelector")):
        return
    selector = as_map(monitor.spec.get("selector"))
    yield from _unmatched(monitor, ("spec", "selector"), selector, pods)
    named = [port_names(template) for template in pods.matching(selector, monitor.namespace)]
    for at, endpoint in each(monitor.spec.get("podMetricsEndpoints"), ("spec", "podMetricsEndpoints")):
        port = as_text(endpoint.get("port"))
        if port and named and not any(port in names for names in named):
            message = f"{monitor} scrapes port {port}, which no container of its pods names"
            yield issue(monitor.document, (*at, "port"), "VER153", message)


def _service_monitor(monitor: Object, objects: Objects) -> Iterator[Issue]:
    selector = as_map(monitor.spec.get("selector"))
    near = [item for item in objects.of("", "Service") if together(item.namespace, monitor.namespace)]
    if as_map(monitor.spec.get("namespaceSelector")) or not selector:
        return
    chosen = [
        item for item in near if selects(selector, as_map(as_map(item.body.get("metadata")).get("labels")))
    ]
    if not chosen:
        code = "VER152" if any(item.folder == monitor.folder for item in near) else "VER151"
        message = f"{monitor} selects no Service of this tree"
        yield issue(monitor.document, ("spec", "selector"), code, message, on_key=True)
    ports = {as_text(as_map(port).get("name")) for item in chosen for port in as_list(item.spec.get("ports"))}
    for at, endpoint in each(monitor.spec.get("endpoints"), ("spec", "endpoints")):
        port = as_text(endpoint.get("port"))
        if port and chosen and port not in ports:
            message = f"{monitor} scrapes port {port}, which its Services do not name"
            yield issue(monitor.document, (*at, "port"), "VER153", message)


def _own_pods(deployment: Object) -> Iterator[Issue]:
    selector = as_map(deployment.spec.get("selector"))
    for _, template in templates_of(deployment):
        if selector and not selects(selector, labels_of(template)):
            message = f"{deployment} does not select the pods of its own template"
            yield issue(deployment.document, ("spec", "selector"), "VER152", message, on_key=True)


def _backends(route: Object, objects: Objects) -> Iterator[Issue]:
    for at, backend in route_backends(route):
        if (as_text(backend.get("kind")) or "Service") != "Service" or as_text(backend.get("group")):
            continue
        namespace = as_text(backend.get("namespace")) or route.namespace
        name = as_text(backend.get("name"))
        service = objects.get("", "Service", namespace, name)
        ports = [as_map(port).get("port") for port in as_list(service.spec.get("ports"))] if service else []
        wrong = isinstance(backend.get("port"), int) and backend["port"] not in ports
        if service and wrong and all(isinstance(port, int) for port in ports):
            message = f"{route} sends to port {backend['port']} of {service}, which has {_listed(ports)}"
            yield issue(route.document, (*at, "port"), "VER153", message)
        if not together(namespace, route.namespace) and not _granted(objects, route, namespace, name):
            message = (
                f"{route} sends to Service {namespace}/{name}, and no ReferenceGrant in the tree allows it"
            )
            yield issue(route.document, (*at, "namespace"), "VER154", message)


def _granted(objects: Objects, route: Object, namespace: str, name: str) -> bool:
    group = "gateway.networking.k8s.io"
    for grant in objects.of(group, "ReferenceGrant"):
        origins = [
            (as_text(o.get("group")), as_text(o.get("kind")), as_text(o.get("namespace")))
            for _, o in each(grant.spec.get("from"), ())
        ]
        targets = [t for _, t in each(grant.spec.get("to"), ()) if t.get("kind") == "Service"]
        named = any(as_text(target.get("name")) in ("", name) for target in targets)
        if grant.namespace == namespace and named and (group, "HTTPRoute", route.namespace) in origins:
            return True
    return False


def _listed(ports: list[Any]) -> str:
    return f"only {', '.join(map(str, ports))}" if ports else "no port"
