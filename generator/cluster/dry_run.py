"""Server-side dry runs of rendered objects: would the API server accept them, and what would a sync change?

Each object is sent as `kubectl apply --server-side --dry-run=server` sends it: schemas, CEL rules of custom resources,
admission policies and Pod Security apply, nothing is stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from generator.cluster.server import ApiAnswer, Server, path_of
from generator.dataclass import dataclass
from generator.lint import (
    CODES,
    Code,
    FieldChange,
    Object,
    Problem,
    Violation,
    as_map,
    declare,
    field_changes,
)
from generator.routers import ROUTERS
from generator.source.document import Path

T = TypeVar("T")
AT_ONCE: Final = 8
_APPLY: Final = "application/apply-patch+yaml"
_DRY_RUN: Final = {"dryRun": "All", "force": "true"}
# A 403 from authorization; admission webhooks and policies also answer with 403.
_NO_RIGHT: Final = re.compile(r'is forbidden: User "[^"]*" cannot ')
_NO_NAMESPACE: Final = re.compile(r'^namespaces "([^"]*)" not found$')
_UNKNOWN_FIELD: Final = re.compile(
    r'(?:unknown|duplicate) field "([^"]+)"|^.*?\): (\.[^:]+): field not declared'
)
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]*)\]")
_LAST: Final = "kubectl.kubernetes.io/last-applied-configuration"
# Fields that the server and Argo CD set, and the annotation with the digest of the bundle.
_NOISE: Final = re.compile(
    r"""status(\..*|$) | metadata\.(managedFields|resourceVersion|generation|uid|creationTimestamp|selfLink)(\W.*|$)
      | metadata\.annotations\.(kubectl\.kubernetes\.io/last-applied-configuration|sluice\.dev/bundle)$
      | metadata\.annotations\.argocd\.argoproj\.io/tracking-id$""",
    re.VERBOSE,
)
# Fields that the Rollouts controller sets. A dry run replaces a whole selector; a client-side apply keeps its hash.
_CONTROLLED: Final = {
    "Service": re.compile(r"spec\.selector\.rollouts-pod-template-hash$"),
    **{router.weights.kind: router.weights.pattern for router in ROUTERS.values() if router.weights},
}


def _at_once(ask: Callable[[Object], T], items: Sequence[Object]) -> list[T]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, items))


# Acceptance


declare(
    Code(
        "VER170",
        "error",
        "the cluster refuses an object",
        why="A schema, a CEL rule, an admission policy or Pod Security refused the object in a dry run. "
        "The sync will fail for the same reason.",
        remedy="Change the field that the server's message names.",
        example="""
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: shop}
data: {key: text}
$ sluice verify --cluster .
""",
    ),
    Code(
        "VER171",
        "error",
        "the cluster does not serve the kind of an object",
        why="The CRD of the kind, or this version of it, is not installed: the sync stops at this object.",
        remedy="Install the controller's CRDs, or render for the version that is installed.",
        example="""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: gateways}
spec: {gatewayClassName: envoy, listeners: [{name: http, port: 80, protocol: HTTP}]}
$ sluice verify --cluster .
""",
    ),
    Code(
        "VER172",
        "warning",
        "a namespace does not exist in the cluster",
        why="Objects in it could not be checked, neither by schemas nor by the policies of the namespace.",
        remedy="Apply the namespace first, then verify again.",
        example="""
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: missing}
$ sluice verify --cluster .
""",
    ),
    Code(
        "VER173",
        "error",
        "the user has no permission for a dry run",
        why="A dry run needs the same rights as the change itself; without them the object was not checked.",
        remedy="Use a context whose user may patch these objects: a dry run stores nothing.",
        example="""
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: shop}
$ sluice verify --cluster .
""",
    ),
)


def refusals(objects: Sequence[Object], server: Server) -> Iterator[Violation]:
    """Yield the objects of a tree that an API server refuses, in their order.

    An object without a namespace is sent to `default`.

    Raises:
        ClusterError: the server can't be queried.
    """
    named = [item for item in objects if item.name and item.kind and item.body.get("apiVersion")]
    reported: set[tuple[object, ...]] = set()
    for item, answer in zip(named, _at_once(lambda item: _validated(server, item), named), strict=True):
        found = _violation(item, answer)
        if found is not None and found[0] not in reported:
            reported.add(found[0])
            yield found[1]


def _validated(server: Server, item: Object) -> ApiAnswer | None:
    """Return the server's answer for one object; None when the server does not serve its kind."""
    api_version = str(item.body["apiVersion"])
    kind = server.kind(api_version, item.kind)
    if kind is None:
        return None
    path = path_of(api_version, kind, item.namespace or "default", item.name)
    query = {**_DRY_RUN, "fieldValidation": "Strict", "fieldManager": "sluice-verify"}
    return server.request("PATCH", path, query, dict(item.body), _APPLY)


def _violation(item: Object, answer: ApiAnswer | None) -> tuple[tuple[object, ...], Violation] | None:
    """Return the violation for a refusal and its key; violations with the same key are reported once."""
    kind = f"{item.body.get('apiVersion')} {item.kind}"
    if answer is None:
        problem = Problem(("kind",), f"the cluster does not serve {kind}")
        return ("VER171", kind), Violation(item, CODES["VER171"], problem)
    if answer.ok:
        return None
    missing = _NO_NAMESPACE.match(answer.message)
    if missing and answer.status == 404:
        message = f"the namespace {missing[1]} is not in the cluster, so the objects in it were not checked"
        problem = Problem(("metadata", "namespace"), message)
        return ("VER172", missing[1]), Violation(item, CODES["VER172"], problem)
    if answer.status == 403 and _NO_RIGHT.search(answer.message):
        return ("VER173", kind, item.namespace), Violation(item, CODES["VER173"], Problem((), answer.message))
    problem = Problem(_place(answer), f"the cluster refuses {item}: {answer.message}")
    return ("VER170", item), Violation(item, CODES["VER170"], problem)


def _place(answer: ApiAnswer) -> Path:
    """Return the path of the first field that a refusal names."""
    details = answer.body.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes or ():
        if cause.get("field"):
            return _path(str(cause["field"]))
    found = _UNKNOWN_FIELD.search(answer.message)
    return _path(found[1] or found[2]) if found else ()


def _path(field: str) -> Path:
    """Return `spec.rules[0].name` or `metadata.labels[a.b/c]` as keys and positions."""
    steps = (name or key for name, key in _STEP.findall(field))
    return tuple(int(step) if step.isdigit() else step for step in steps)


# Differences


@dataclass(frozen=True, slots=True)
class SyncPreview:
    """The effect of a sync on one object.

    Args:
        item: the rendered object.
        fields: what differs.
        reason: why the changes are unknown; empty when they are known.
    """

    item: Object
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""


def preview_sync(objects: Sequence[Object], server: Server) -> list[SyncPreview]:
    """Return what a sync would do to each object, in their order.

    The server fills in defaults and merges as it would for real. Fields that an earlier sync wrote and that git no
    longer has are found by the annotation of a client-side apply, as `kubectl` and Argo CD find them. Route weights
    and selector hashes are left out: the controller sets them.

    Raises:
        ClusterError: the server can't be queried.
    """
    return _at_once(lambda item: _previewed(server, item), objects)


def _previewed(server: Server, item: Object) -> SyncPreview:
    kind = server.kind(str(item.body.get("apiVersion")), item.kind)
    if kind is None:
        reason = f"the cluster does not serve {item.body.get('apiVersion')} {item.kind}"
        return SyncPreview(item, reason=reason)
    path = path_of(str(item.body["apiVersion"]), kind, item.namespace or "default", item.name)
    live = server.request("GET", path)
    if live.status == 404:
        return SyncPreview(item, (FieldChange("", None, item.name),))
    if not live.ok:
        return SyncPreview(item, reason=live.message)
    query = {**_DRY_RUN, "fieldManager": "sluice-diff"}
    merged = server.request("PATCH", path, query, dict(item.body), _APPLY)
    if not merged.ok:
        return SyncPreview(item, reason=f"the cluster refuses it: {merged.message}")
    fields = {field.path: field for field in field_changes(live.body, merged.body)}
    for field in _dropped(live.body, item.body):
        fields.setdefault(field.path, field)
    controlled = _CONTROLLED.get(item.kind)
    noise = {path for path in fields if _NOISE.match(path) or (controlled and controlled.match(path))}
    return SyncPreview(item, tuple(field for path, field in fields.items() if path not in noise))


def _dropped(live: Mapping[str, Any], rendered: Mapping[str, Any]) -> Iterator[FieldChange]:
    """Yield the fields that the last client-side apply wrote and this one would remove."""
    text = as_map(as_map(live.get("metadata")).get("annotations")).get(_LAST)
    try:
        last = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        last = None
    if isinstance(last, dict):
        yield from (field for field in field_changes(last, rendered) if field.rendered is None)
