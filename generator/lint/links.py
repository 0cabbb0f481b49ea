"""The names of other objects that each kind of object contains, and where they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from generator.lint.objects import (
    GROUPS,
    Body,
    Object,
    Reference,
    as_list,
    as_map,
    as_text,
    each,
    is_placeholder,
    may_share_namespace,
)
from generator.lint.placement import Nearby, Objects
from generator.lint.pods import containers, templates_of
from generator.lint.rollout import template_kind
from generator.source.document import Path
from generator.source.suggest import misspelt

# Every cluster has these without a manifest.
_ALWAYS_THERE: Final = frozenset(
    {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"), ("AppProject", "default")}
)
_ARGO: Final = "argoproj.io"
_GATEWAY: Final = "gateway.networking.k8s.io"
_ISTIO: Final = "networking.istio.io"
_OTHER_SCOPE: Final = {
    "AnalysisTemplate": "ClusterAnalysisTemplate",
    "ClusterAnalysisTemplate": "AnalysisTemplate",
}
# Kinds that are often copied into every namespace by hand or by a controller.
_COPIED: Final = frozenset({"Secret", "ConfigMap", "ServiceAccount", "Role"})
_SCALED: Final = {"Rollout": _ARGO, "Deployment": "apps", "TraefikService": "traefik.io"}


def references(item: Object) -> Iterator[Reference]:
    """Yield every reference of an object; those of a Rollout are in `Rollout.references` and `Rollout.uses`."""
    follow = _BY_KIND.get((item.group, item.kind))
    if follow is not None:
        yield from follow(item)
    for path, template in templates_of(item):
        yield from _pod(item.namespace, path, template)
    for at, template in each(item.spec.get("templates"), ("spec", "templates")):  # of a Workflow
        for key in ("container", "script"):
            yield from _environment(item.namespace, (*at, key), as_map(template.get(key)))


def dangling_references(objects: Objects) -> Iterator[tuple[Object, Reference, str]]:
    """Yield every reference to an object that is not in the tree, with the proof that it is wrong if there is any."""
    for item in objects.all:
        near = objects.near(item)
        for reference in dict.fromkeys(references(item)):
            if not _is_answered(objects, near, reference):
                yield item, reference, proof(near, reference)


def _is_answered(objects: Objects, near: Nearby, reference: Reference) -> bool:
    """Return whether an object is there, every cluster has it, or another object or a build makes it."""
    _, group, kind, namespace, name = reference
    if not name or is_placeholder(name) or is_placeholder(namespace) or (kind, name) in _ALWAYS_THERE:
        return True
    if near.get(group, kind, namespace, name) is not None:
        return True
    if any((kind, name) in set(found.made) for found in objects.sources.kustomizations):
        return True
    return any(
        created == name and may_share_namespace(item.namespace, namespace)
        for maker_group, maker, made, names in _MAKERS
        if made == kind
        for item in objects.of(maker_group, maker)
        for created in names(item)
    )


def proof(near: Nearby, reference: Reference) -> str:
    """Return why a reference to an object that is not in the tree must be wrong, empty where it may be elsewhere.

    That is an object of its kind under a name that differs by a slip of the keyboard, or one of its name in
    another scope, group or namespace of the same folder or Application.
    """
    _, group, kind, namespace, name = reference
    other = _OTHER_SCOPE.get(kind, "")
    if other and near.named(group, other, name):
        missing = "`clusterScope: true` is missing" if kind == "AnalysisTemplate" else "remove `clusterScope`"
        return f"there is a {other} of that name: {missing}"
    for known in GROUPS.get(kind, ()):
        if known != group and near.named(known, kind, name):
            return f"{kind} {name} is of the group {known or 'core'}, not {group or 'core'}"
    names = [item.name for item in near.of(group, kind) if may_share_namespace(item.namespace, namespace)]
    guess = misspelt(name, [known for known in names if not _is_sibling(name, known)])
    if guess:
        return f"did you mean {guess}?"
    for item in near.named(group, kind, name) if kind not in _COPIED else ():
        if near.together(item):
            return f"{item} is in another namespace"
    return ""


def meant(proof_: str) -> str:
    """Return the name that a proof suggests, empty where the name is right and something else is wrong."""
    found = re.fullmatch(r"did you mean (\S+)\?", proof_)
    return found[1] if found else ""


def _is_sibling(one: str, other: str) -> bool:
    """Return whether two names differ as those of variants do: by digits, or by a word of one or two letters."""
    if re.sub(r"\d+", "0", one) == re.sub(r"\d+", "0", other):
        return True
    left, right = re.split(r"[-_.]", one), re.split(r"[-_.]", other)
    if len(left) != len(right):
        return abs(len(left) - len(right)) == 1 and len(set(left) ^ set(right)) == 1
    return all(a == b or (len(a) <= 2 and len(b) <= 2) for a, b in zip(left, right, strict=True))


def _external_secret(item: Object) -> Iterator[str]:
    yield as_text(as_map(item.spec.get("target")).get("name")) or item.name


def _own_name(item: Object) -> Iterator[str]:
    yield item.name


def _certificate(item: Object) -> Iterator[str]:
    yield as_text(item.spec.get("secretName"))


def _shimmed(item: Object) -> Iterator[str]:
    """Yield the Secrets that cert-manager makes for an annotated Ingress or Gateway."""
    if any(key.startswith("cert-manager.io/") for key in item.annotations):
        yield from (as_text(tls.get("secretName")) for _, tls in each(item.spec.get("tls"), ()))
        for _, listener in each(item.spec.get("listeners"), ()):
            refs = as_list(as_map(listener.get("tls")).get("certificateRefs"))
            yield from (as_text(as_map(ref).get("name")) for ref in refs)


_MAKERS: Final[tuple[tuple[str, str, str, Callable[[Object], Iterator[str]]], ...]] = (
    ("external-secrets.io", "ExternalSecret", "Secret", _external_secret),
    ("bitnami.com", "SealedSecret", "Secret", _own_name),
    ("isindir.github.com", "SopsSecret", "Secret", _own_name),
    ("cert-manager.io", "Certificate", "Secret", _certificate),
    ("networking.k8s.io", "Ingress", "Secret", _shimmed),
    (_GATEWAY, "Gateway", "Secret", _shimmed),
    ("trust.cert-manager.io", "Bundle", "ConfigMap", _own_name),
)
"""Objects that make a Secret or a ConfigMap: group, kind, what they make, and its names."""


def _at(item: Object, path: Path, group: str, kind: str, namespace: str | None = None) -> Iterator[Reference]:
    """Yield the reference whose name is at a path of the object, if there is one."""
    value: Any = item.body
    for step in path:
        value = as_map(value).get(str(step))
    if as_text(value):
        yield Reference(path, group, kind, item.namespace if namespace is None else namespace, value)


def _template(item: Object, path: Path, ref: Body) -> Reference:
    name = as_text(ref.get("templateName"))
    return Reference((*path, "templateName"), _ARGO, template_kind(ref), item.namespace, name)


def _analysis_template(item: Object) -> Iterator[Reference]:
    for at, ref in each(item.spec.get("templates"), ("spec", "templates")):
        yield _template(item, at, ref)
    for at, arg in each(item.spec.get("args"), ("spec", "args")):
        secret = as_map(as_map(arg.get("valueFrom")).get("secretKeyRef"))
        path = (*at, "valueFrom", "secretKeyRef", "name")
        yield Reference(path, "", "Secret", item.namespace, as_text(secret.get("name")))


def _experiment(item: Object) -> Iterator[Reference]:
    for at, analysis in each(item.spec.get("analyses"), ("spec", "analyses")):
        yield _template(item, at, analysis)


def _route(item: Object) -> Iterator[Reference]:
    for at, parent in each(item.spec.get("parentRefs"), ("spec", "parentRefs")):
        kind = as_text(parent.get("kind")) or "Gateway"
        namespace = as_text(parent.get("namespace")) or item.namespace
        group = as_text(parent.get("group", _GATEWAY))
        yield Reference((*at, "name"), group, kind, namespace, as_text(parent.get("name")))
    for at, backend in route_backends(item):
        namespace = as_text(backend.get("namespace")) or item.namespace
        kind = as_text(backend.get("kind")) or "Service"
        group = as_text(backend.get("group"))
        yield Reference((*at, "name"), group, kind, namespace, as_text(backend.get("name")))


def route_backends(item: Object) -> Iterator[tuple[Path, Body]]:
    """Yield every backend of an HTTPRoute, with the targets of mirrors, and its path."""
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
            yield Reference((*path, "name"), _SCALED.get(kind, ""), kind, namespace, name)


def _traefik_services(value: object, path: Path) -> Iterator[tuple[Path, Body]]:
    """Yield every Traefik service below a value: an entry of `services` or `mirrors`, or `mirroring` itself."""
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
            if not rest or tail.startswith("svc"):  # else a host outside the cluster
                yield Reference((*where, "host"), "", "Service", namespace or item.namespace, name)


def _scaled(item: Object) -> Iterator[Reference]:
    target = as_map(item.spec.get("scaleTargetRef"))
    kind = as_text(target.get("kind")) or "Deployment"
    group = as_text(target.get("apiVersion")).rpartition("/")[0] or _SCALED.get(kind, "")
    path = ("spec", "scaleTargetRef", "name")
    yield Reference(path, group, kind, item.namespace, as_text(target.get("name")))


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
    name = as_text(called.get("name"))
    yield Reference((*path, "workflowTemplateRef", "name"), _ARGO, kind, item.namespace, name)


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


def _pod(namespace: str, path: Path, template: Body) -> Iterator[Reference]:
    spec, top = as_map(template.get("spec")), (*path, "spec")
    account = as_text(spec.get("serviceAccountName"))
    yield Reference((*top, "serviceAccountName"), "", "ServiceAccount", namespace, account)
    for at, secret in each(spec.get("imagePullSecrets"), (*top, "imagePullSecrets")):
        yield Reference((*at, "name"), "", "Secret", namespace, as_text(secret.get("name")))
    for at, container in containers(template, path):
        yield from _environment(namespace, at, container)
    for at, volume in each(spec.get("volumes"), (*top, "volumes")):
        yield from _config(namespace, at, volume, {"configMap": "name", "secret": "secretName"})
        projected = as_map(volume.get("projected")).get("sources")
        for where, source in each(projected, (*at, "projected", "sources")):
            yield from _config(namespace, where, source, {"configMap": "name", "secret": "name"})


def _environment(namespace: str, path: Path, container: Body) -> Iterator[Reference]:
    for at, entry in each(container.get("env"), (*path, "env")):
        source = as_map(entry.get("valueFrom"))
        keys = {"configMapKeyRef": "name", "secretKeyRef": "name"}
        yield from _config(namespace, (*at, "valueFrom"), source, keys)
    for at, entry in each(container.get("envFrom"), (*path, "envFrom")):
        yield from _config(namespace, at, entry, {"configMapRef": "name", "secretRef": "name"})


def _config(namespace: str, path: Path, holder: Body, keys: Mapping[str, str]) -> Iterator[Reference]:
    """Yield the ConfigMaps and Secrets that a value names and needs."""
    for key, name in keys.items():
        target = as_map(holder.get(key))
        if target.get("optional") is not True:
            kind = "Secret" if key.startswith("secret") else "ConfigMap"
            yield Reference((*path, key, name), "", kind, namespace, as_text(target.get(name)))


_BY_KIND: Final[Mapping[tuple[str, str], Callable[[Object], Iterator[Reference]]]] = {
    (_ARGO, "AnalysisTemplate"): _analysis_template,
    (_ARGO, "ClusterAnalysisTemplate"): _analysis_template,
    (_ARGO, "Experiment"): _experiment,
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
