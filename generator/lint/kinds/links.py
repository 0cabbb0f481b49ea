"""What each kind refers to by name, and where in the object the name stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from generator.lint.kinds.objects import Object, Reference, as_map, as_text, each
from generator.lint.kinds.workloads import pod_references
from generator.source.document import Path

_ARGO: Final = "argoproj.io"
_GATEWAY: Final = "gateway.networking.k8s.io"
_ISTIO: Final = "networking.istio.io"
_GROUPS: Final = {"Rollout": _ARGO, "Deployment": "apps", "TraefikService": "traefik.io"}


def references(item: Object) -> Iterator[Reference]:
    """Everything that an object refers to by name."""
    follow = _BY_KIND.get((item.group, item.kind))
    if follow is not None:
        yield from follow(item)
    yield from pod_references(item)


def _at(item: Object, path: Path, group: str, kind: str, namespace: str | None = None) -> Iterator[Reference]:
    """The reference whose name stands at a path of the object, if there is one."""
    value: Any = item.body
    for step in path:
        value = as_map(value).get(str(step))
    if as_text(value):
        yield Reference(path, group, kind, item.namespace if namespace is None else namespace, value)


def _rollout(item: Object) -> Iterator[Reference]:
    strategy = as_map(item.spec.get("strategy"))
    for name, fields in (
        ("canary", ("canaryService", "stableService")),
        ("blueGreen", ("activeService", "previewService")),
    ):
        for key in fields:
            yield from _at(item, ("spec", "strategy", name, key), "", "Service")
        yield from _analyses(item, as_map(strategy.get(name)), ("spec", "strategy", name))
    yield from _routing(
        item, as_map(strategy.get("canary")), ("spec", "strategy", "canary", "trafficRouting")
    )
    work = as_map(item.spec.get("workloadRef"))
    if work:
        group = as_text(work.get("apiVersion")).rpartition("/")[0]
        yield Reference(
            ("spec", "workloadRef", "name"),
            group,
            as_text(work.get("kind")),
            item.namespace,
            as_text(work.get("name")),
        )


def _analyses(item: Object, strategy: Any, path: Path) -> Iterator[Reference]:
    for key in ("analysis", "prePromotionAnalysis", "postPromotionAnalysis"):
        yield from _templates(item, as_map(strategy.get(key)).get("templates"), (*path, key, "templates"))
    for at, step in each(strategy.get("steps"), (*path, "steps")):
        yield from _templates(
            item, as_map(step.get("analysis")).get("templates"), (*at, "analysis", "templates")
        )
        experiment = as_map(step.get("experiment")).get("analyses")
        yield from _templates(item, experiment, (*at, "experiment", "analyses"))


def _templates(item: Object, entries: object, path: Path) -> Iterator[Reference]:
    for at, entry in each(entries, path):
        kind = "ClusterAnalysisTemplate" if entry.get("clusterScope") is True else "AnalysisTemplate"
        yield Reference(
            (*at, "templateName"), _ARGO, kind, item.namespace, as_text(entry.get("templateName"))
        )


def _routing(item: Object, canary: Any, path: Path) -> Iterator[Reference]:
    routing = as_map(canary.get("trafficRouting"))
    yield from _at(item, (*path, "traefik", "weightedTraefikServiceName"), "traefik.io", "TraefikService")
    istio = as_map(routing.get("istio"))
    one = [((*path, "istio", "virtualService"), as_map(istio.get("virtualService")))]
    for at, service in [*one, *each(istio.get("virtualServices"), (*path, "istio", "virtualServices"))]:
        yield Reference((*at, "name"), _ISTIO, "VirtualService", item.namespace, as_text(service.get("name")))
    yield from _at(item, (*path, "istio", "destinationRule", "name"), _ISTIO, "DestinationRule")
    plugin = as_map(as_map(routing.get("plugins")).get("argoproj-labs/gatewayAPI"))
    at = (*path, "plugins", "argoproj-labs/gatewayAPI")
    namespace = as_text(plugin.get("namespace")) or item.namespace
    yield Reference((*at, "httpRoute"), _GATEWAY, "HTTPRoute", namespace, as_text(plugin.get("httpRoute")))
    for where, route in each(plugin.get("httpRoutes"), (*at, "httpRoutes")):
        yield Reference((*where, "name"), _GATEWAY, "HTTPRoute", namespace, as_text(route.get("name")))


def _analysis_template(item: Object) -> Iterator[Reference]:
    yield from _templates(item, item.spec.get("templates"), ("spec", "templates"))
    for at, arg in each(item.spec.get("args"), ("spec", "args")):
        secret = as_map(as_map(arg.get("valueFrom")).get("secretKeyRef"))
        yield Reference(
            (*at, "valueFrom", "secretKeyRef", "name"),
            "",
            "Secret",
            item.namespace,
            as_text(secret.get("name")),
        )


def _route(item: Object) -> Iterator[Reference]:
    for at, parent in each(item.spec.get("parentRefs"), ("spec", "parentRefs")):
        kind = as_text(parent.get("kind")) or "Gateway"
        namespace = as_text(parent.get("namespace")) or item.namespace
        group = parent.get("group", _GATEWAY)
        yield Reference((*at, "name"), as_text(group), kind, namespace, as_text(parent.get("name")))
    for at, backend in route_backends(item):
        namespace = as_text(backend.get("namespace")) or item.namespace
        kind = as_text(backend.get("kind")) or "Service"
        yield Reference(
            (*at, "name"), as_text(backend.get("group")), kind, namespace, as_text(backend.get("name"))
        )


def route_backends(item: Object) -> Iterator[tuple[Path, Any]]:
    """Every backend of an HTTPRoute, with mirrors, and where it stands."""
    for at, rule in each(item.spec.get("rules"), ("spec", "rules")):
        filters = list(each(rule.get("filters"), (*at, "filters")))
        for where, backend in each(rule.get("backendRefs"), (*at, "backendRefs")):
            yield where, backend
            filters += each(backend.get("filters"), (*where, "filters"))
        for where, entry in filters:
            if mirrored := as_map(as_map(entry.get("requestMirror")).get("backendRef")):
                yield (*where, "requestMirror", "backendRef"), mirrored


def _traefik(item: Object) -> Iterator[Reference]:
    for path, entry in _traefik_services(item.spec, ("spec",)):
        kind = as_text(entry.get("kind")) or "Service"
        name = as_text(entry.get("name"))
        if "@" not in name:  # a service of another Traefik provider
            namespace = as_text(entry.get("namespace")) or item.namespace
            yield Reference((*path, "name"), _GROUPS.get(kind, ""), kind, namespace, name)


def _traefik_services(value: object, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every Traefik service below: an entry of `services` or `mirrors`, or `mirroring` itself."""
    for key, below in as_map(value).items():
        if key in ("services", "mirrors"):
            yield from each(below, (*path, key))
        elif key in ("mirroring", "service", "fallback"):
            yield (*path, key), as_map(below)
        if key == "routes":
            for at, route in each(below, (*path, key)):
                yield from _traefik_services(route, at)
        elif isinstance(below, dict):
            yield from _traefik_services(below, (*path, key))


def _virtual_service(item: Object) -> Iterator[Reference]:
    for at, http in each(item.spec.get("http"), ("spec", "http")):
        routes = list(each(http.get("route"), (*at, "route")))
        routes += each(http.get("mirrors"), (*at, "mirrors"))
        hosts = [((*where, "destination"), as_map(route.get("destination"))) for where, route in routes]
        for where, destination in [*hosts, ((*at, "mirror"), as_map(http.get("mirror")))]:
            name, _, rest = as_text(destination.get("host")).partition(".")
            namespace, _, tail = rest.partition(".")
            if not rest or tail.startswith("svc"):  # else a host of the outside world
                yield Reference((*where, "host"), "", "Service", namespace or item.namespace, name)


def _scaled(item: Object) -> Iterator[Reference]:
    target = as_map(item.spec.get("scaleTargetRef"))
    kind = as_text(target.get("kind")) or "Deployment"
    group = as_text(target.get("apiVersion")).rpartition("/")[0] or _GROUPS.get(kind, "")
    yield Reference(
        ("spec", "scaleTargetRef", "name"), group, kind, item.namespace, as_text(target.get("name"))
    )


def _application(item: Object) -> Iterator[Reference]:
    yield from _at(item, ("spec", "project"), _ARGO, "AppProject")


def _application_set(item: Object) -> Iterator[Reference]:
    project = as_text(as_map(as_map(item.spec.get("template")).get("spec")).get("project"))
    if "{{" not in project:
        yield from _at(item, ("spec", "template", "spec", "project"), _ARGO, "AppProject")


def _workflow(item: Object) -> Iterator[Reference]:
    path: Path = ("spec", "workflowSpec") if item.kind == "CronWorkflow" else ("spec",)
    spec = as_map(item.spec.get("workflowSpec")) if item.kind == "CronWorkflow" else item.spec
    yield from _at(item, (*path, "serviceAccountName"), "", "ServiceAccount")
    executor = as_text(as_map(spec.get("executor")).get("serviceAccountName"))
    if executor:  # mounted from a Secret of this name; without it no pod of the Workflow ever starts
        name = f"{executor}.service-account-token"
        yield Reference((*path, "executor", "serviceAccountName"), "", "Secret", item.namespace, name)
    called = as_map(spec.get("workflowTemplateRef"))
    kind = "ClusterWorkflowTemplate" if called.get("clusterScope") is True else "WorkflowTemplate"
    yield Reference(
        (*path, "workflowTemplateRef", "name"), _ARGO, kind, item.namespace, as_text(called.get("name"))
    )


def _role_binding(item: Object) -> Iterator[Reference]:
    role = as_map(item.body.get("roleRef"))
    if as_text(role.get("kind")) == "Role":
        yield Reference(("roleRef", "name"), item.group, "Role", item.namespace, as_text(role.get("name")))
    for at, subject in each(item.body.get("subjects"), ("subjects",)):
        if subject.get("kind") == "ServiceAccount":
            namespace = as_text(subject.get("namespace")) or item.namespace
            yield Reference((*at, "name"), "", "ServiceAccount", namespace, as_text(subject.get("name")))


def _admission_binding(item: Object) -> Iterator[Reference]:
    yield from _at(item, ("spec", "policyName"), item.group, "ValidatingAdmissionPolicy", "")


_BY_KIND: Final = {
    (_ARGO, "Rollout"): _rollout,
    (_ARGO, "AnalysisTemplate"): _analysis_template,
    (_ARGO, "ClusterAnalysisTemplate"): _analysis_template,
    (_ARGO, "Application"): _application,
    (_ARGO, "ApplicationSet"): _application_set,
    (_ARGO, "Workflow"): _workflow,
    (_ARGO, "CronWorkflow"): _workflow,
    (_ARGO, "WorkflowTemplate"): _workflow,
    (_GATEWAY, "HTTPRoute"): _route,
    ("traefik.io", "TraefikService"): _traefik,
    ("traefik.io", "IngressRoute"): _traefik,
    (_ISTIO, "VirtualService"): _virtual_service,
    ("autoscaling", "HorizontalPodAutoscaler"): _scaled,
    ("keda.sh", "ScaledObject"): _scaled,
    ("rbac.authorization.k8s.io", "RoleBinding"): _role_binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _role_binding,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): _admission_binding,
}
