"""The effects of a first sync on what a cluster has already: pods, limits, workloads, names and hosts of others."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from generator.cluster.server import Server, path_of
from generator.dataclass import dataclass
from generator.lint import Object, as_map, selects
from generator.source.quantity import quantity_amount
from generator.spec.quantities import plural

_SHOWN: Final = 3
_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
_TRACKING: Final = "argocd.argoproj.io/tracking-id"
_OPTIONS: Final = "argocd.argoproj.io/sync-options"
_LAST: Final = "kubectl.kubernetes.io/last-applied-configuration"
_WORKLOADS: Final = (
    ("argoproj.io/v1alpha1", "Rollout"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
)
_ROUTES: Final = (
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("networking.istio.io/v1", "VirtualService"),
    ("networking.k8s.io/v1", "Ingress"),
    ("traefik.io/v1alpha1", "IngressRoute"),
)
_EXPOSING: Final[Mapping[str, tuple[str, ...]]] = {
    "LoadBalancer": ("services.loadbalancers", "services.nodeports"),
    "NodePort": ("services.nodeports",),
}
_WAYS: Final = {"Ingress": "incoming", "Egress": "outgoing"}
_ENDED: Final = {"Failed", "Succeeded"}
_HOST: Final = re.compile(r"\bHost\(([^()]*)\)")
_QUOTED: Final = re.compile(r"[`\"']([^`\"']+)[`\"']")
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect.

    Args:
        namespace: where; empty for the whole cluster.
        text: what happens, with the names of the first few objects.
    """

    namespace: str
    text: str


@dataclass
class _Live:
    """What is in the cluster; what can't be read is an effect, too, because it is unknown."""

    server: Server
    unknown: list[Effect]

    def listed(self, api_version: str, kind: str, namespace: str = "") -> list[Body]:
        """Return the objects of a kind, of a namespace or of all; none for a kind that the cluster does not serve."""
        resource = self.server.kind(api_version, kind)
        if resource is None:
            return []
        root = path_of(api_version, resource, namespace, "").rstrip("/")
        path = root if namespace else root.replace("/namespaces/", "", 1)
        answer = self.server.request("GET", path)
        if not answer.ok:
            self.unknown.append(Effect(namespace, f"{kind} objects can't be listed: {answer.message}"))
            return []
        return [{"kind": kind, **item} for item in answer.body.get("items") or ()]

    def found(self, item: Object) -> Body | None:
        """Return the live object with the name of a rendered one; None if there is none."""
        api_version = str(item.body["apiVersion"])
        resource = self.server.kind(api_version, item.kind)
        if resource is None and item.kind == "Application":
            self.unknown.append(Effect("", "Applications were not compared: Argo CD runs in another cluster"))
        if resource is None:
            return None
        answer = self.server.request("GET", path_of(api_version, resource, item.namespace, item.name))
        if answer.ok:
            return answer.body
        if answer.status != 404:
            self.unknown.append(
                Effect(item.namespace, f"{item.kind} {item.name} can't be read: {answer.message}")
            )
        return None


def first_sync(objects: Sequence[Object], server: Server) -> list[Effect]:
    """Return what the first sync of some rendered objects does to others; nothing for what was synced before.

    Args:
        objects: everything that is applied: of the platform, of Argo CD, and of models.
        server: the API server of their cluster.

    Raises:
        ClusterError: the server can't be queried.
    """
    live = _Live(server, [])
    present = {id(item): live.found(item) for item in objects}
    new = [item for item in objects if not _ours(present[id(item)])]
    spaces = sorted(
        {item.namespace for item in new if item.namespace} | {i.name for i in new if i.kind == "Namespace"}
    )
    effects: list[Effect] = []
    for space in spaces:
        effects += [Effect(space, text) for text in _in_namespace(live, space, new)]
    for item in new:
        there = present[id(item)]
        if there is not None and item.kind != "Namespace":
            effects.append(Effect(item.namespace, _taken(item, there)))
    effects += _hosts(live, objects)
    return [*dict.fromkeys([*effects, *live.unknown])]


def _in_namespace(live: _Live, space: str, new: Sequence[Object]) -> Iterator[str]:
    """Yield the effects on what runs in one namespace."""
    here = [item for item in new if space in {item.namespace, item.name if item.kind == "Namespace" else ""}]
    limits = {"NetworkPolicy", "ResourceQuota", "LimitRange", "Namespace"}
    if any(item.kind in limits for item in here):
        pods = [pod for pod in live.listed("v1", "Pod", space) if _phase(pod) not in _ENDED]
        others = [pod for pod in pods if "sluice.dev/model" not in _labels(pod)]
        yield from _denied(here, others)
        yield from _over_quota(here, pods, live, space)
        yield from _defaulted(here, others)
    for item in here:
        if item.kind == "Namespace":
            yield from _secured(live, item)
            workloads = [one for of in _WORKLOADS for one in live.listed(*of, space)]
            yield from _refused(new, item, workloads)


def _denied(policies: Sequence[Object], pods: Sequence[Body]) -> Iterator[str]:
    """Yield which pods of others policies select: they deny what none of them allows."""
    selecting = [item for item in policies if item.kind == "NetworkPolicy"]
    found: dict[str, list[Body]] = {}
    for pod in pods:
        ways = {
            way
            for item in selecting
            if selects(as_map(item.spec.get("podSelector")), _labels(pod))
            for way in item.spec.get("policyTypes", ())
        }
        if ways:
            words = "all" if len(ways) > 1 else _WAYS[min(ways)]
            found.setdefault(words, []).append(pod)
    for words, selected in sorted(found.items()):
        others = f"{plural(len(selected), 'other pod')}, except what its policies list: {_names(selected)}"
        yield f"denies {words} traffic of {others}"


def _over_quota(here: Sequence[Object], pods: Sequence[Body], live: _Live, space: str) -> Iterator[str]:
    for item in here:
        if item.kind != "ResourceQuota":
            continue
        used = _used(pods, live.listed("v1", "Service", space))
        for name, hard in sorted(as_map(item.spec.get("hard")).items()):
            over = used[name] - quantity_amount(str(hard))
            if over > 0:
                yield f"the quota of {name} ({hard}) is already exceeded by {_amount(over)}"


def _used(pods: Sequence[Body], services: Sequence[Body]) -> dict[str, Decimal]:
    """Return what pods and Services use of what a quota counts, in its words; init containers are left out."""
    used = defaultdict(Decimal, {"pods": Decimal(len(pods)), "services": Decimal(len(services))})
    for service in services:
        for name in _EXPOSING.get(str(as_map(service.get("spec")).get("type")), ()):
            used[name] += 1
    for container in map(as_map, _containers(pods)):
        for part, amounts in as_map(container.get("resources")).items():
            for name, amount in as_map(amounts).items():
                used[f"{part}.{name}"] += quantity_amount(str(amount))
    return used


def _containers(pods: Iterable[Body]) -> Iterator[Body]:
    for pod in pods:
        yield from as_map(pod.get("spec")).get("containers") or ()


def _defaulted(here: Sequence[Object], pods: Sequence[Body]) -> Iterator[str]:
    """Yield which pods of others get a limit of memory when they start again."""
    limits = [one for item in here if item.kind == "LimitRange" for one in item.spec.get("limits", ())]
    limit = next((found for one in limits if (found := as_map(one.get("default")).get("memory"))), None)
    without = [
        pod
        for pod in pods
        if any(
            "memory" not in as_map(as_map(one.get("resources")).get("limits")) for one in _containers([pod])
        )
    ]
    if limit and without:
        others = f"{plural(len(without), 'other pod')} when they start again: {_names(without)}"
        yield f"gives a memory limit of {limit} to containers of {others}"


def _secured(live: _Live, item: Object) -> Iterator[str]:
    """Yield which running pods the Pod Security level would refuse: the answer to a dry run lists them as warnings."""
    query = {"dryRun": "All", "force": "true", "fieldManager": "sluice-plan"}
    path = f"/api/v1/namespaces/{item.name}"
    answer = live.server.request("PATCH", path, query, dict(item.body), "application/apply-patch+yaml")
    level = as_map(as_map(item.body.get("metadata")).get("labels")).get("pod-security.kubernetes.io/enforce")
    if not answer.ok:
        yield f"the effect of Pod Security ({level}) is unknown: {answer.message}"
    found = [text for text in answer.warnings if not text.startswith("existing pods in namespace")]
    if found:
        yield f"Pod Security ({level}) would refuse running pods when they start again: {'; '.join(found)}"


def _refused(new: Sequence[Object], namespace: Object, workloads: Sequence[Body]) -> Iterator[str]:
    """Yield which workloads of others the admission policies refuse: those whose pods name no tier."""
    if not any(item.kind == "ValidatingAdmissionPolicy" for item in new):
        return
    found = [
        one
        for one in workloads
        if "sluice.dev/tier" not in _labels(as_map(as_map(one.get("spec")).get("template")))
    ]
    if found:
        others = f"{plural(len(found), 'other workload')} in {namespace.name}: {_names(found)}"
        yield f"admission policies refuse every change of {others}"


def _taken(item: Object, there: Body) -> str:
    """Return what is lost of an object of others that has the name of a rendered one."""
    metadata = as_map(there.get("metadata"))
    tracking = str(as_map(metadata.get("annotations")).get(_TRACKING, ""))
    application = tracking.partition(":")[0]
    owner = (
        f" of the Application {application}, and the sync fails until that gives it up" if tracking else ""
    )
    text = f"takes over {item.kind} {item.name}{owner}"
    if item.kind == "Service":
        kept = _kept(there, ("spec", "selector"), as_map(item.spec.get("selector")))
        if kept:
            text += f"; its selector keeps {', '.join(kept)}, so that it may select no pod"
    if item.kind == "ConfigMap":
        own, old = as_map(item.body.get("data")), as_map(there.get("data"))
        replaced = sorted(own.keys() & old.keys())
        options = str(as_map(as_map(item.body.get("metadata")).get("annotations")).get(_OPTIONS, ""))
        stay = old if "ServerSideApply=true" in options else _kept(there, ("data",), own)
        lost = sorted(old.keys() - own.keys() - set(stay))
        text += f"; replaces {', '.join(replaced)}" if replaced else ""
        text += f"; removes {', '.join(lost)}" if lost else ""
    if item.kind == "Application":
        source = as_map(as_map(there.get("spec")).get("source"))
        text += f", which reads {source.get('path') or source.get('chart')} of {source.get('repoURL')}"
    return text


def _kept(there: Body, path: Sequence[str], own: Body) -> list[str]:
    """Return the keys of a mapping that a client-side apply leaves: neither the last apply nor git has them."""
    note = as_map(as_map(there.get("metadata")).get("annotations")).get(_LAST)
    try:
        last: Any = json.loads(note) if isinstance(note, str) else {}
    except (ValueError, RecursionError):
        last = {}  # anyone who may write the object may have written something else
    live: Any = there
    for part in path:
        live, last = as_map(as_map(live).get(part)), as_map(as_map(last).get(part))
    return sorted(set(live) - set(own) - set(last) - {"rollouts-pod-template-hash"})


def _hosts(live: _Live, objects: Sequence[Object]) -> Iterator[Effect]:
    """Yield which hosts of rendered routes others have, too."""
    kinds = {kind for _, kind in _ROUTES}
    own = {host: item for item in objects if item.kind in kinds for host in hosts_of(item.kind, item.spec)}
    for version, kind in _ROUTES if own else ():
        for route in live.listed(version, kind):
            metadata = as_map(route.get("metadata"))
            if _ours(route):
                continue
            for host in sorted(own.keys() & set(hosts_of(kind, as_map(route.get("spec"))))):
                where = f"{metadata.get('namespace')}/{metadata.get('name')}"
                text = f"the host {host} is also that of {kind} {where}, which keeps it while it exists"
                yield Effect(own[host].namespace, text)


def hosts_of(kind: str, spec: Body) -> list[str]:
    """Return the host names of a route."""
    if kind == "HTTPRoute":
        return [str(host) for host in spec.get("hostnames") or ()]
    if kind == "VirtualService":
        return [str(host) for host in spec.get("hosts") or ()]
    if kind == "Ingress":
        return [str(rule["host"]) for rule in spec.get("rules") or () if rule.get("host")]
    matches = (str(route.get("match", "")) for route in spec.get("routes") or ())
    return [host for text in matches for call in _HOST.findall(text) for host in _QUOTED.findall(call)]


def _ours(there: Body | None) -> bool:
    """Check whether Sluice rendered a live object."""
    return there is not None and _labels(there).get(_MANAGED_BY) == "sluice"


def _labels(item: Body) -> Body:
    return as_map(as_map(item.get("metadata")).get("labels"))


def _phase(pod: Body) -> str:
    return str(as_map(pod.get("status")).get("phase", ""))


def _names(items: Iterable[Body]) -> str:
    names = sorted({str(as_map(item.get("metadata")).get("name")) for item in items})
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _amount(value: Decimal) -> str:
    """Return an amount as Kubernetes writes it, in MiB from one on."""
    return f"{-(-value // (1 << 20))}Mi" if value >= 1 << 20 else f"{value:f}"
