"""What a tree of rendered objects requires from a cluster: kinds, and objects that others create."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from generator.dataclass import dataclass
from generator.lint import Object, as_map

_BY_KEY: Final[Mapping[str, tuple[str, str, str]]] = {
    "secretKeyRef": ("v1", "Secret", "name"),
    "secretRef": ("v1", "Secret", "name"),
    "secret": ("v1", "Secret", "secretName"),
    "imagePullSecrets": ("v1", "Secret", "name"),
    "secretTargetRef": ("v1", "Secret", "name"),
    "configMapKeyRef": ("v1", "ConfigMap", "name"),
    "configMapRef": ("v1", "ConfigMap", "name"),
    "configMap": ("v1", "ConfigMap", "name"),
    "persistentVolumeClaim": ("v1", "PersistentVolumeClaim", "claimName"),
}
"""Keys of objects in the same namespace: the kind that they name, and under which key."""
_CLASSES: Final[Mapping[str, tuple[str, str]]] = {
    "priorityClassName": ("scheduling.k8s.io/v1", "PriorityClass"),
    "runtimeClassName": ("node.k8s.io/v1", "RuntimeClass"),
    "storageClassName": ("storage.k8s.io/v1", "StorageClass"),
}
_GATEWAY: Final = "gateway.networking.k8s.io/v1"
_STORES: Final = ("SecretStore", "ClusterSecretStore")
_SECRET_OF: Final[Mapping[str, str]] = {
    "argo-rollouts-notification-configmap": "argo-rollouts-notification-secret",
    "argocd-notifications-cm": "argocd-notifications-secret",
}
"""The Secret that a controller fills `$key` of its notifications from."""
_FILLED: Final = re.compile(r"\$[a-z][\w.-]*")


@dataclass(frozen=True, slots=True)
class Reference:
    """An object that a rendered one names.

    Args:
        api_version: its group and version.
        kind: its kind.
        namespace: where it is; empty for cluster-wide ones.
        name: its name.
        section: listener of a Gateway; empty for none.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    section: str = ""

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{where}"


def references(objects: Sequence[Object]) -> dict[Reference, Object]:
    """Return the objects that must exist and that the tree does not create, each with the first that names it."""
    created = set(_created(objects))
    found: dict[Reference, Object] = {}
    for item in objects:
        for reference in (*_named(item.body, item.namespace), *_special(item)):
            if (reference.kind, reference.namespace, reference.name) not in created:
                found.setdefault(reference, item)
    return found


def _created(objects: Sequence[Object]) -> Iterator[tuple[str, str, str]]:
    for item in objects:
        yield item.kind, item.namespace, item.name
        if item.kind == "ExternalSecret":
            yield "Secret", item.namespace, str(as_map(item.spec.get("target")).get("name") or item.name)


def _named(value: Any, namespace: str) -> Iterator[Reference]:
    """Yield the references anywhere in an object, without optional ones and names that a template fills in."""
    if isinstance(value, list):
        for inner in value:
            yield from _named(inner, namespace)
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if key in _CLASSES and isinstance(inner, str) and inner:
            yield Reference(*_CLASSES[key], "", inner)
        if key in _BY_KEY:
            api_version, kind, name = _BY_KEY[key]
            for one in inner if isinstance(inner, list) else [inner]:
                text = as_map(one).get(name)
                if isinstance(text, str) and text and "{{" not in text and not as_map(one).get("optional"):
                    yield Reference(api_version, kind, namespace, text)
        yield from _named(inner, namespace)


def _special(item: Object) -> Iterator[Reference]:
    """Yield the Gateways of a route, the store of a secret, and the Secret of notifications."""
    if item.kind == "HTTPRoute":
        for parent in item.spec.get("parentRefs") or ():
            where, section = (
                str(parent.get("namespace") or item.namespace),
                str(parent.get("sectionName") or ""),
            )
            if parent.get("kind", "Gateway") == "Gateway":
                yield Reference(_GATEWAY, "Gateway", where, str(parent.get("name")), section)
    if item.kind == "ExternalSecret":
        store = as_map(item.spec.get("secretStoreRef"))
        kind = str(store.get("kind") or _STORES[0])
        namespace = item.namespace if kind == _STORES[0] else ""
        yield Reference(str(item.body["apiVersion"]), kind, namespace, str(store.get("name")))
    if item.kind == "ConfigMap" and item.name in _SECRET_OF:
        services = (text for key, text in as_map(item.body.get("data")).items() if key.startswith("service."))
        if any(_FILLED.search(str(text)) for text in services):
            yield Reference("v1", "Secret", item.namespace, _SECRET_OF[item.name])
