"""Rules across objects: names, references, selectors and ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.lint.links import meant, route_backends
from generator.lint.objects import (
    Body,
    Object,
    Reference,
    as_map,
    as_text,
    each,
    is_placeholder,
    may_share_namespace,
    selects,
)
from generator.lint.placement import Objects
from generator.lint.pods import labels_of, port_names, templates_of
from generator.lint.rollout import Rollout
from generator.lint.rules.contexts import TreeContext, workflow_contexts
from generator.lint.rules.workflows import missing_workflow_templates
from generator.source.document import Path
from generator.source.finding import Severity

_HASH: Final = "rollouts-pod-template-hash"
_GATEWAY: Final = "gateway.networking.k8s.io"
_MONITORING: Final = "monitoring.coreos.com"
_PAIR: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: cart, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: cart}}}}
  template:
    metadata: {{labels: {{app: cart}}}}
    spec: {{containers: [{{name: cart, image: "registry.example/cart:1", ports: [{{name: http, containerPort: 80}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: cart, namespace: shop}}
spec: {{selector: {{app: {app}}}, ports: [{{port: 80, targetPort: {port}}}]}}
"""
_CONFIGS: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {first}, namespace: {one}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {second}, namespace: {other}}}
"""
_POD: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: shop}}
---
apiVersion: v1
kind: Pod
metadata: {{name: check, namespace: shop}}
spec: {{containers: [{{name: check, image: "check:1", envFrom: [{{configMapRef: {{name: {config}}}}}]}}]}}
"""


@rule(
    "VER140",
    "error",
    "two objects of one kind have the same name",
    scope=TreeContext,
    why="The second one that is applied wins, and Argo CD reports a shared resource while both exist.",
    remedy="Keep one of the two, or rename it.",
    example=_CONFIGS.format(first="a", one="shop", second="a", other="shop"),
    instead=_CONFIGS.format(first="a", one="shop", second="b", other="shop"),
)
def repeated_object(ctx: TreeContext) -> Iterator[Problem]:
    """Check that no two objects have the same group, kind, namespace and name."""
    seen: dict[tuple[str, str, str, str], list[Object]] = {}
    again: dict[tuple[str, str], list[Object]] = {}
    for item in ctx.objects.all:
        key = (item.group, item.kind, "" if item.cluster_wide else item.namespace, item.name)
        if not item.name or is_placeholder(item.name):
            continue
        others = seen.setdefault(key, [])
        first = next((other for other in others if _meet(ctx.objects, other, item)), None)
        others.append(item)
        shared = first is not None and item.is_a("Namespace") and item.body == first.body
        if first is not None and not shared:
            again.setdefault((first.file.name, item.file.name), []).append(item)
    for (file, other_file), items in again.items():  # a copy of a file is one mistake
        where = file if file != other_file else "this file"
        more = f" (and {len(items) - 1:,} more of its objects, too)" if len(items) > 1 else ""
        message = f"{items[0]} is already defined in {where}{more}"
        yield Problem(("metadata", "name"), message, document=items[0])


def _meet(objects: Objects, one: Object, other: Object) -> bool:
    """Return whether two objects come to one place: from one folder, by one source, or to one destination."""
    mine, theirs = objects.destinations(one), objects.destinations(other)
    if not (mine and theirs):
        return objects.together(one, other)
    if one.namespace or one.cluster_wide:
        mine, theirs = (
            frozenset(place._replace(namespace="") for place in places) for places in (mine, theirs)
        )
    return not mine.isdisjoint(theirs)


@rule(
    "VER141",
    "warning",
    "a cluster-wide object has a namespace",
    scope=TreeContext,
    why="The namespace has no effect, and the comparison with the cluster never settles.",
    remedy="Remove `metadata.namespace`.",
    example="apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, namespace: shop}",
    instead="apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}",
)
def needless_namespace(ctx: TreeContext) -> Iterator[Problem]:
    """Check that no object of a cluster-wide kind has a namespace."""
    for item in ctx.objects.all:
        if item.cluster_wide and item.namespace:
            message = f"{item.kind} {item.name} is cluster-wide, so its namespace has no effect"
            yield Problem(("metadata", "namespace"), message, document=item, on_key=True)


@rule(
    "VER142",
    "warning",
    "some objects of a folder have a namespace and others have none",
    scope=TreeContext,
    why="Objects without a namespace go into the default namespace of the tool that applies them.",
    remedy="Write the namespace in all of them, or in none.",
    example=_CONFIGS.format(first="a", one="", second="b", other="shop"),
    instead=_CONFIGS.format(first="a", one="shop", second="b", other="shop"),
)
def mixed_namespaces(ctx: TreeContext) -> Iterator[Problem]:
    """Check that in each folder all objects have a namespace, or none has."""
    for folder, items in ctx.objects.by_folder.items():
        if folder in ctx.objects.sources.built_folders:
            continue
        named = [item for item in items if item.name and not item.may_lack_namespace]
        without = next((item for item in named if not item.namespace), None)
        other = next((item for item in named if item.namespace), None)
        if without and other:
            message = f"{without} has no namespace, unlike {other} in the same folder"
            yield Problem(("metadata", "name"), message, document=without)


@rule(
    "VER150",
    "error",
    "a reference leads to an object that does not exist",
    scope=TreeContext,
    why="The object waits forever for the missing one, or is refused.",
    remedy="Correct the name, add the object, or verify the whole tree that it is in.",
    example=_POD.format(config="setings"),
    instead=_POD.format(config="settings"),
)
def broken_reference(ctx: TreeContext) -> Iterator[Problem]:
    """Check that no name misses an object of the tree by a slip, or by its namespace, scope or group."""
    for item, reference, proof in ctx.dangling:
        if proof:
            message = f"{item} names {_named(reference)}, which does not exist; {proof}"
            yield Problem(reference.path, message, document=item, replacement=meant(proof))


@rule(
    "VER151",
    "info",
    "a reference leads to an object that is not in the tree",
    scope=TreeContext,
    why="The object may be in another repository or folder, so it was not checked whether it exists.",
    remedy="Verify it together with its target.",
    example="""\
apiVersion: v1
kind: Pod
metadata: {name: check, namespace: shop}
spec: {serviceAccountName: checks, containers: [{name: check, image: "registry.example/check:1"}]}
""",
)
def reference_elsewhere(ctx: TreeContext) -> Iterator[Problem]:
    """Check for names and selectors of objects outside the tree."""
    for item, reference, proof in ctx.dangling:
        if not proof:
            message = f"{item} names {_named(reference)}, which is not in the tree"
            yield Problem(reference.path, message, document=item)
    for flow in workflow_contexts(ctx.objects):
        for path, called in missing_workflow_templates(flow):
            message = f"{flow.document} calls {called}, which is not in the tree"
            yield Problem(path, message, document=flow.document)
    for item, noun, nearby in _selecting_nothing(ctx):
        if not nearby:
            message = f"{item} selects {noun}s that are not in the tree"
            yield Problem(("spec", "selector"), message, document=item, on_key=True)


def _named(reference: Reference) -> str:
    where = f" in the namespace {reference.namespace}" if reference.namespace else ""
    return f"{reference.kind} {reference.name}{where}"


def _service_selector(service: Object) -> Body:
    """Return the selector of a Service without the hash that the controller adds."""
    labels = {key: value for key, value in as_map(service.spec.get("selector")).items() if key != _HASH}
    return {"matchLabels": labels} if labels else {}


def _pod_selectors(objects: Objects) -> Iterator[tuple[Object, Body]]:
    """Yield the objects that select pods in the same namespace, with their selectors."""
    parents = {
        (as_text(parent.get("namespace")) or route.namespace, as_text(parent.get("name")))
        for kind in ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute")
        for route in objects.of(_GATEWAY, kind)
        for _, parent in each(route.spec.get("parentRefs"), ())
        if parent.get("kind") == "Service"
    }
    for service in objects.of("", "Service"):
        in_mesh = (service.namespace, service.name) in parents  # the route sends its requests elsewhere
        outside = in_mesh or service.spec.get("type") == "ExternalName"
        if (selector := _service_selector(service)) and not outside:
            yield service, selector
    for budget in objects.of("policy", "PodDisruptionBudget"):
        yield budget, as_map(budget.spec.get("selector"))
    for monitor in objects.of(_MONITORING, "PodMonitor"):
        if not as_map(monitor.spec.get("namespaceSelector")):
            yield monitor, as_map(monitor.spec.get("selector"))


def _monitored_services(objects: Objects) -> Iterator[tuple[Object, list[Object], list[Object]]]:
    """Yield ServiceMonitors, the Services that they select, and all Services that they could select."""
    for monitor in objects.of(_MONITORING, "ServiceMonitor"):
        selector = as_map(monitor.spec.get("selector"))
        if selector and not as_map(monitor.spec.get("namespaceSelector")):
            services = objects.of("", "Service")
            near = [
                item
                for item in services
                if may_share_namespace(item.namespace, monitor.namespace) and not objects.apart(item, monitor)
            ]
            yield monitor, [item for item in near if selects(selector, item.labels)], near


def _selecting_nothing(ctx: TreeContext) -> Iterator[tuple[Object, str, bool]]:
    """Yield objects whose selector matches nothing: what it should match, and whether their folder has such objects."""
    named = {
        (reference.namespace, reference.name)
        for rollout in ctx.objects.of_kind("Rollout")
        for reference in Rollout(rollout).services
    }
    for item, selector in _pod_selectors(ctx.objects):
        if (
            item.kind == "Service" and (item.namespace, item.name) in named
        ):  # ROL202 compares it with its Rollout
            continue
        if selector and not ctx.pods.matching(selector, item):
            yield item, "pod", item.folder in ctx.pods.folders and not ctx.pods.may_be_made(item)
    for monitor, chosen, near in _monitored_services(ctx.objects):
        if not chosen:
            yield monitor, "Service", any(item.folder == monitor.folder for item in near)


@rule(
    "VER152",
    "error",
    "a selector matches nothing",
    scope=TreeContext,
    why="A Service without pods has no endpoints, so every request fails; a monitor or a budget has no effect.",
    remedy="Make the selector equal to labels of a pod template (for a ServiceMonitor: of a Service).",
    example=_PAIR.format(app="card", port="http"),
    instead=_PAIR.format(app="cart", port="http"),
)
def selector_without_match(ctx: TreeContext) -> Iterator[Problem]:
    """Check that a selector matches something, when the folder has such objects, and workloads their own pods."""
    for item, noun, nearby in _selecting_nothing(ctx):
        if nearby:
            message = f"{item} selects no {noun} of this tree"
            yield Problem(("spec", "selector"), message, document=item, on_key=True)
    for deployment in ctx.objects.of_kind("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        selector = as_map(deployment.spec.get("selector"))
        for _, template in templates_of(deployment):
            if selector and not selects(selector, labels_of(template)):
                message = f"{deployment} does not select the pods of its template"
                yield Problem(("spec", "selector"), message, document=deployment, on_key=True)
    for experiment in ctx.objects.of_kind("Experiment"):
        for at, part in each(experiment.spec.get("templates"), ("spec", "templates")):
            selector = as_map(part.get("selector"))
            if selector and not selects(selector, labels_of(as_map(part.get("template")))):
                message = (
                    f"{experiment}: the selector of `{part.get('name')}` does not fit the labels of its pods"
                )
                yield Problem((*at, "selector"), message, document=experiment, on_key=True)


@rule(
    "VER153",
    "error",
    "a port does not exist at the target",
    scope=TreeContext,
    why="Requests or scrapes go to a port on which nothing listens.",
    remedy="Name a port that the target has.",
    example=_PAIR.format(app="cart", port="web"),
    instead=_PAIR.format(app="cart", port="http"),
)
def missing_port(ctx: TreeContext) -> Iterator[Problem]:
    """Check that the ports of Services, monitors and routes exist at their targets."""
    yield from _ports_of_pods(ctx)
    for monitor, chosen, _ in _monitored_services(ctx.objects):
        ports = {as_text(port.get("name")) for item in chosen for _, port in each(item.spec.get("ports"), ())}
        for at, endpoint in each(monitor.spec.get("endpoints"), ("spec", "endpoints")):
            port = as_text(endpoint.get("port"))
            if port and chosen and port not in ports:
                message = f"{monitor} scrapes the port {port}, which its Services do not name"
                yield Problem((*at, "port"), message, document=monitor)
    for route, at, backend, service in service_backends(ctx.objects):
        numbers = [port.get("port") for _, port in each(service.spec.get("ports"), ())] if service else []
        number = backend.get("port")
        wrong = isinstance(number, int) and number not in numbers and all(isinstance(n, int) for n in numbers)
        if service and wrong:
            found = f"has only {', '.join(map(str, numbers))}" if numbers else "has no port"
            message = f"{route} sends to port {number} of {service}, which {found}"
            yield Problem((*at, "port"), message, document=route)


def _ports_of_pods(ctx: TreeContext) -> Iterator[Problem]:
    lists = {
        "Service": ("ports", "targetPort", "sends to"),
        "PodMonitor": ("podMetricsEndpoints", "port", "scrapes"),
    }
    for item, selector in _pod_selectors(ctx.objects):
        pods = ctx.pods.matching(selector, item)
        named = [port_names(pod) for pod in pods]
        if not named or item.kind not in lists:
            continue
        injected = any(ctx.pods.injected(pod, item.namespace) for pod in pods)
        field, key, verb = lists[item.kind]
        for at, entry in each(item.spec.get(field), ("spec", field)):
            port = as_text(entry.get(key))
            if port and not any(port in names for names in named):
                message = f"{item} {verb} the port {port}, which no container of its pods names"
                message += "; an injected container may" if injected else ""
                severity: Severity | None = "info" if injected else None
                yield Problem((*at, key), message, document=item, severity=severity)


def service_backends(objects: Objects) -> Iterator[tuple[Object, Path, Body, Object | None]]:
    """Yield the backends of HTTPRoutes that are Services, with the Service if it is in the tree."""
    for route in objects.of(_GATEWAY, "HTTPRoute"):
        for at, backend in route_backends(route):
            if (as_text(backend.get("kind")) or "Service") == "Service" and not as_text(backend.get("group")):
                namespace = as_text(backend.get("namespace")) or route.namespace
                name = as_text(backend.get("name"))
                yield route, at, backend, objects.near(route).get("", "Service", namespace, name)
