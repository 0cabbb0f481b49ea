"""Rules on how Argo CD syncs a Rollout and its objects, and on what an AppProject allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, Object, as_list, as_map, as_text
from generator.lint.rules.contexts import GateContext, SyncContext
from generator.lint.sync_order import WAVE, comes_before, hooks, moment, own_options

_SEEN: Final = "Our own tests on a real cluster, Argo CD 3.6"
_PROJECT: Final = "Argo CD 3.6, pkg/apis/application/v1alpha1/types.go (AppProject)"
_OUT_OF_SYNC_ONLY: Final = "ApplyOutOfSyncOnly=true"
_RESPECT: Final = "RespectIgnoreDifferences=true"
_SERVER_SIDE: Final = "ServerSideApply=true"
_HASH: Final = "rollouts-pod-template-hash"
_HASH_POINTERS: Final = {f"/spec/selector/{_HASH}", "/spec/selector", "/spec"}
_HASH_QUERY: Final = re.compile(rf"\.spec(?:\.selector(?:\.?\[?[\"']?{_HASH}[\"']?\]?)?)?")
_ROUTES: Final = {"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "VirtualService", "TraefikService"}
_ITEM: Final = re.compile(r"\[|/\d+/")
_ENDING: Final = ("Workflow", "Job", "AnalysisRun")
_GATE_WORD: Final = re.compile(r"\bgates?\b")
_GATE_KEY: Final = "sluice.dev/gate-key"


@rule(
    "SYN601",
    "error",
    "a server-side apply removes the pod-template hash from the selectors of Services",
    scope=SyncContext,
    why="A selector is applied as a whole. After every sync both Services select all pods until the "
    "controller writes the hash again: a canary of 5% got 26% of the requests.",
    remedy=f"Remove {_SERVER_SIDE}, or ignore /spec/selector/{_HASH} of Services and set {_RESPECT}.",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: model, namespace: argocd}
spec: {source: {path: shop/model}, syncPolicy: {syncOptions: [ServerSideApply=true]}}
""",
    instead="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: model, namespace: argocd}
spec: {source: {path: shop/model}, syncPolicy: {syncOptions: [PruneLast=true]}}
""",
    source=_SEEN,
)
def hash_removed(ctx: SyncContext) -> Iterator[Problem]:
    """Check that a sync with server-side apply leaves the hash in the Services that Rollouts of the tree manage."""
    path = ctx.option(_SERVER_SIDE)
    for service in _managed_services(ctx) if path else ():
        kept = ctx.option(_RESPECT) and any(_keeps_hash(entry, service) for _, entry in ctx.ignored)
        if path and not kept and "ServerSideApply=false" not in own_options(service):
            yield Problem(path, f"every sync removes the pod-template hash from the selector of {service}")


def _managed_services(ctx: SyncContext) -> Iterator[Object]:
    for service in ctx.of_kind("Service"):
        namespaces, here = ctx.owned.get(service.name, set()), service.namespace
        if here in namespaces or "" in namespaces or (namespaces and not here):
            yield service


def _keeps_hash(entry: Body, service: Object) -> bool:
    """Return whether an entry ignores the hash; the fields of a field manager are known in the cluster only."""
    of_services = as_text(entry.get("kind")) in {"Service", "*"} and as_text(entry.get("group")) in {"", "*"}
    named = as_text(entry.get("name")) in {"", service.name}
    pointers = {as_text(pointer) for pointer in as_list(entry.get("jsonPointers"))}
    queries = [as_text(query).strip() for query in as_list(entry.get("jqPathExpressions"))]
    ignores = pointers & _HASH_POINTERS or any(_HASH_QUERY.fullmatch(query) for query in queries)
    return of_services and named and bool(ignores or as_list(entry.get("managedFieldsManagers")))


@rule(
    "SYN602",
    "error",
    "the next sync does not wait for a gate that has failed",
    scope=SyncContext,
    why="A failed run is in sync with git, so the next sync of any change skips it and applies the Rollout.",
    remedy=f"Remove {_OUT_OF_SYNC_ONLY}, or make the gate a PreSync hook.",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: model, namespace: argocd}
spec: {source: {path: shop/model}, syncPolicy: {syncOptions: [ApplyOutOfSyncOnly=true]}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: model-gates, namespace: shop, annotations: {argocd.argoproj.io/sync-wave: "-1"}}
spec: {entrypoint: run, templates: [{name: run, container: {image: "registry.example/check:1"}}]}
""",
    instead="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: model, namespace: argocd}
spec: {source: {path: shop/model}, syncPolicy: {syncOptions: [PruneLast=true]}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: model-gates, namespace: shop, annotations: {argocd.argoproj.io/sync-wave: "-1"}}
spec: {entrypoint: run, templates: [{name: run, container: {image: "registry.example/check:1"}}]}
""",
    source=_SEEN,
)
def failed_gate_skipped(ctx: SyncContext) -> Iterator[Problem]:
    """Check that a sync of changed objects only has no gate before a Rollout, unless the gate is a hook."""
    path = ctx.option(_OUT_OF_SYNC_ONLY)
    for gate in ctx.of_kind(*_ENDING) if path else ():
        later = [rollout for rollout in ctx.of_kind("Rollout") if comes_before(gate, rollout)]
        if path and later and not hooks(gate):
            yield Problem(path, f"when {gate} has failed, the next commit of anything applies {later[0]}")


@rule(
    "SYN603",
    "error",
    "committed changes of a route are never applied",
    scope=SyncContext,
    why=f"With {_RESPECT} the list with an ignored weight is restored as a whole, so no other change in it "
    f"reaches the cluster.",
    remedy=f"Remove {_RESPECT}, and put the Rollout one wave after the route.",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: model, namespace: argocd}
spec:
  source: {path: shop/model}
  syncPolicy: {syncOptions: [RespectIgnoreDifferences=true]}
  ignoreDifferences:
    - {group: gateway.networking.k8s.io, kind: HTTPRoute, jqPathExpressions: [".spec.rules[].backendRefs[].weight"]}
""",
    instead="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: model, namespace: argocd}
spec:
  source: {path: shop/model}
  ignoreDifferences:
    - {group: gateway.networking.k8s.io, kind: HTTPRoute, jqPathExpressions: [".spec.rules[].backendRefs[].weight"]}
""",
    source=_SEEN,
)
def route_changes_lost(ctx: SyncContext) -> Iterator[Problem]:
    """Check that no weight in a list of a route is ignored by a sync that respects ignored differences."""
    if not ctx.option(_RESPECT):
        return
    kinds = {item.kind for item in ctx.synced}
    for path, entry in ctx.ignored:
        kind = as_text(entry.get("kind"))
        if kind not in _ROUTES or (kinds and kind not in kinds):
            continue
        for form in ("jqPathExpressions", "jsonPointers"):
            for i, text in enumerate(as_list(entry.get(form))):
                if _ITEM.search(as_text(text).rpartition("weight")[0]):
                    message = f"with {_RESPECT} no other change of the rules of a {kind} is ever applied"
                    yield Problem((*path, form, i), message)


@rule(
    "SYN604",
    "error",
    "a gate does not run before the Rollout that it guards",
    scope=GateContext,
    why="A sync waits for one wave before it applies the next, but not within a wave: the Rollout starts "
    "while the gate is running.",
    remedy="Give the Workflow a lower argocd.argoproj.io/sync-wave than the Rollout, or make it a PreSync hook.",
    example="""\
metadata: {annotations: {argocd.argoproj.io/sync-wave: "1"}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: model-gates, namespace: shop, annotations: {argocd.argoproj.io/sync-wave: "2"}}
spec: {entrypoint: run, templates: [{name: run, container: {image: "registry.example/check:1"}}]}
""",
    instead="""\
metadata: {annotations: {argocd.argoproj.io/sync-wave: "1"}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: model-gates, namespace: shop, annotations: {argocd.argoproj.io/sync-wave: "0"}}
spec: {entrypoint: run, templates: [{name: run, container: {image: "registry.example/check:1"}}]}
""",
    source="Argo CD 3.6, gitops-engine/pkg/sync/sync_tasks.go",
)
def gate_comes_late(ctx: GateContext) -> Iterator[Problem]:
    """Check that a Workflow that is a gate comes before a Rollout that is synced with it."""
    workflow = ctx.document
    is_gate = _GATE_KEY in workflow.annotations or _GATE_WORD.search(workflow.shown_name)
    if not is_gate or not ctx.rollouts or moment(workflow) is None:
        return
    if not any(comes_before(workflow, rollout) for rollout in ctx.rollouts):
        message = f"{ctx.rollouts[0]} is applied without waiting for this gate"
        yield Problem(("metadata", "annotations", WAVE), message)


@rule(
    "SYN610",
    "info",
    "the objects that an Application syncs are not in the tree",
    scope=SyncContext,
    why="The sync option is risky for Rollouts, and its objects could not be checked.",
    remedy="Verify the Application together with the folder that it syncs.",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: model, namespace: argocd}
spec: {source: {path: elsewhere}, syncPolicy: {syncOptions: [ServerSideApply=true]}}
""",
    source=_SEEN,
)
def synced_elsewhere(ctx: SyncContext) -> Iterator[Problem]:
    """Check for risky sync options whose objects are elsewhere, or created by a template."""
    for option in (_SERVER_SIDE, _OUT_OF_SYNC_ONLY) if not ctx.synced else ():
        if path := ctx.option(option):
            yield Problem(
                path,
                f"not checked: {option} is risky for Rollouts, and the synced objects are not in the tree",
            )


def _project(ctx: SyncContext) -> Object | None:
    """Return the AppProject of an Application, None for an ApplicationSet or when it is not in the tree."""
    if ctx.document.kind != "Application":
        return None
    name = as_text(ctx.spec.get("project"))
    return ctx.objects.get("argoproj.io", "AppProject", ctx.document.namespace, name)


_PROJECT_EXAMPLE: Final = """\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {{name: shop, namespace: argocd}}
spec:
  sourceRepos: ["https://git.example/shop"]
  destinations: [{{server: https://kubernetes.default.svc, namespace: shop}}]
{more}---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: model, namespace: argocd}}
spec:
  project: shop
  source: {{repoURL: "https://git.example/{repo}", path: shop/model}}
  destination: {{server: https://kubernetes.default.svc, namespace: shop}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {namespace}}}
"""


@rule(
    "VER180",
    "error",
    "an AppProject does not allow the destination or the source of an Application",
    scope=SyncContext,
    why="Argo CD refuses the Application and syncs nothing of it. An Application without a namespace is "
    "refused as well when its project lists namespaces.",
    remedy="Name a destination and a source that the AppProject allows.",
    example=_PROJECT_EXAMPLE.format(more="", repo="other", namespace="shop"),
    instead=_PROJECT_EXAMPLE.format(more="", repo="shop", namespace="shop"),
    source=_PROJECT,
)
def application_refused(ctx: SyncContext) -> Iterator[Problem]:
    """Check that the AppProject of an Application allows its destination and its repository."""
    project = _project(ctx)
    if project is None:
        return
    destination = as_map(ctx.spec.get("destination"))
    namespace = as_text(destination.get("namespace"))
    if not _allows_namespace(project, destination, namespace):
        where = f"namespace {namespace}" if namespace else "no namespace"
        message = f"{ctx.document} deploys to {where} of its server, which {project} does not allow"
        yield Problem(("spec", "destination"), message, on_key=True)
    repo = as_text(as_map(ctx.spec.get("source")).get("repoURL"))
    if repo and not _matches(repo, as_list(project.spec.get("sourceRepos"))):
        message = f"{ctx.document} comes from a repository that {project} does not allow"
        yield Problem(("spec", "source", "repoURL"), message)


@rule(
    "VER181",
    "error",
    "an AppProject does not allow the namespace of an object",
    scope=SyncContext,
    why="Argo CD refuses the sync of the whole Application.",
    remedy="Correct the namespace, or let the project allow it.",
    example=_PROJECT_EXAMPLE.format(more="", repo="shop", namespace="billing"),
    instead=_PROJECT_EXAMPLE.format(more="", repo="shop", namespace="shop"),
    source=_PROJECT,
)
def namespace_refused(ctx: SyncContext) -> Iterator[Problem]:
    """Check that the AppProject of an Application allows the namespace of every object that it syncs."""
    project, destination = _project(ctx), as_map(ctx.spec.get("destination"))
    for item in ctx.synced if project else ():
        namespace = item.namespace or as_text(destination.get("namespace"))
        if project and not item.cluster_wide and not _allows_namespace(project, destination, namespace):
            message = f"{ctx.document} cannot sync {item}: {project} does not allow its namespace"
            yield Problem(("metadata", "namespace"), message, document=item)


@rule(
    "VER182",
    "error",
    "an AppProject does not allow the kind of an object",
    scope=SyncContext,
    why="Argo CD refuses the sync of the whole Application.",
    remedy="Remove the object, or let the project allow its kind.",
    example=_PROJECT_EXAMPLE.format(
        more="  namespaceResourceWhitelist: [{group: argoproj.io, kind: '*'}, {group: '', kind: Service}]\n",
        repo="shop",
        namespace="shop",
    ),
    instead=_PROJECT_EXAMPLE.format(
        more="  namespaceResourceWhitelist: [{group: '*', kind: '*'}]\n", repo="shop", namespace="shop"
    ),
    source=_PROJECT,
)
def kind_refused(ctx: SyncContext) -> Iterator[Problem]:
    """Check that the AppProject of an Application allows the kind of every object that it syncs."""
    project = _project(ctx)
    for item in ctx.synced if project else ():
        if project and not _allows_kind(project, item):
            message = f"{ctx.document} cannot sync {item}: {project} does not allow its kind"
            yield Problem(("kind",), message, document=item)


def _allows_namespace(project: Object, destination: Body, namespace: str) -> bool:
    allowed = [as_map(entry) for entry in as_list(project.spec.get("destinations"))]
    for key in ("server", "name"):
        if here := as_text(destination.get(key)):
            allowed = [entry for entry in allowed if _matches(here, [entry.get(key)])]
    return _matches(namespace, [entry.get("namespace") for entry in allowed])


def _allows_kind(project: Object, item: Object) -> bool:
    """Return whether a kind is allowed: a cluster-wide one must be listed, another one only when there is a list."""
    scope = "cluster" if item.cluster_wide else "namespace"
    white, black = (project.spec.get(f"{scope}Resource{which}") for which in ("Whitelist", "Blacklist"))
    listed = white is None and scope == "namespace"
    return (listed or _is_listed(item, white)) and not _is_listed(item, black)


def _is_listed(item: Object, kinds: Any) -> bool:
    entries = [as_map(entry) for entry in as_list(kinds)]
    return any(
        _matches(item.group, [entry.get("group")]) and _matches(item.kind, [entry.get("kind")])
        for entry in entries
    )


def _matches(value: str, patterns: Iterable[Any]) -> bool:
    """Return whether a value matches a glob and none that begins with `!`."""
    texts = [pattern for pattern in patterns if isinstance(pattern, str)]
    excluded = any(fnmatchcase(value, pattern[1:]) for pattern in texts if pattern.startswith("!"))
    return not excluded and any(
        fnmatchcase(value, pattern) for pattern in texts if not pattern.startswith("!")
    )
