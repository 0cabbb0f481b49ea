"""Rules about how Argo CD syncs a Rollout and its objects: each one measured on a real cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.lint.rollouts.model import Body, Object, as_list, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.syncs import (
    WAVE,
    SyncContext,
    WorkflowContext,
    hooks,
    marks_of,
    moment,
    own_options,
)

_SEEN = "seen on a real cluster, Argo CD 3.6"
_OUT_OF_SYNC_ONLY = "ApplyOutOfSyncOnly=true"
_RESPECT = "RespectIgnoreDifferences=true"
_SERVER_SIDE = "ServerSideApply=true"
_HASH = "rollouts-pod-template-hash"
_HASH_POINTERS = {f"/spec/selector/{_HASH}", "/spec/selector", "/spec"}
_HASH_QUERY = re.compile(rf"\.spec(?:\.selector(?:\.?\[?[\"']?{_HASH}[\"']?\]?)?)?")
_ROUTES = {"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "VirtualService", "TraefikService"}
_IN_A_LIST = re.compile(r"\[.*weight|/\d+/.*weight", re.DOTALL)
_ENDING = ("Workflow", "Job", "AnalysisRun")
_GATE_WORD = re.compile(r"\bgates?\b")
_GATE_KEY = "sluice.dev/gate-key"


@rule(
    "SYN601",
    "error",
    "a server-side apply leaves the pod-template hash in the selectors of Services",
    scope="sync",
    hint=f"Remove {_SERVER_SIDE}, or ignore /spec/selector/{_HASH} of Services and set {_RESPECT}.",
    origin=_SEEN,
)
def selectors_keep_the_hash(ctx: SyncContext) -> Iterator[Flaw]:
    """A selector is applied as a whole: both Services then select all pods, and a 5 % canary got 26 %."""
    path = ctx.option(_SERVER_SIDE)
    for service in _managed_services(ctx) if path else ():
        kept = ctx.option(_RESPECT) and any(_keeps_hash(entry, service) for _, entry in ctx.ignored)
        if path and not kept and "ServerSideApply=false" not in own_options(service):
            yield path, f"every sync takes the pod-template hash out of the selector of {service.key}"


def _managed_services(ctx: SyncContext) -> Iterator[Object]:
    for service in ctx.of_kind("Service"):
        namespaces, here = ctx.owned.get(service.key.name, set()), service.key.namespace
        if here in namespaces or "" in namespaces or (namespaces and not here):
            yield service


def _keeps_hash(entry: Body, service: Object) -> bool:
    """Whether an entry ignores the hash; what field managers own is known in the cluster only."""
    named = as_text(entry.get("name")) in {"", service.key.name}
    here = (
        as_text(entry.get("kind")) in {"Service", "*"} and as_text(entry.get("group")) in {"", "*"} and named
    )
    pointers = {as_text(pointer) for pointer in as_list(entry.get("jsonPointers"))}
    queries = [as_text(query).strip() for query in as_list(entry.get("jqPathExpressions"))]
    ignores = pointers & _HASH_POINTERS or any(_HASH_QUERY.fullmatch(query) for query in queries)
    return here and bool(ignores or as_list(entry.get("managedFieldsManagers")))


@rule(
    "SYN602",
    "error",
    "a failed gate is waited for in every sync",
    scope="sync",
    hint=f"Remove {_OUT_OF_SYNC_ONLY}, or make the gate a PreSync hook.",
    origin=_SEEN,
)
def failed_gate_is_waited_for(ctx: SyncContext) -> Iterator[Flaw]:
    """A failed run is in sync with git, so the next sync leaves it out and does not wait for it."""
    path = ctx.option(_OUT_OF_SYNC_ONLY)
    for gate in ctx.of_kind(*_ENDING) if path else ():
        later = [rollout for rollout in ctx.of_kind("Rollout") if _before(gate, rollout)]
        if path and later and not hooks(gate):
            yield path, f"when {gate.key} has failed, the next commit of anything applies {later[0].key}"


@rule(
    "SYN603",
    "error",
    "a committed change of a route arrives",
    scope="sync",
    hint=f"Remove {_RESPECT}, and let the Rollout follow the route by one wave.",
    origin=_SEEN,
)
def route_changes_arrive(ctx: SyncContext) -> Iterator[Flaw]:
    """The list that holds a respected weight is put back as a whole: no other change in it is ever applied."""
    if not ctx.option(_RESPECT):
        return
    kinds = {item.key.kind for item in ctx.brought}
    for path, entry in ctx.ignored:
        kind = as_text(entry.get("kind"))
        for form in ("jqPathExpressions", "jsonPointers"):
            for i, text in enumerate(as_list(entry.get(form))):
                weight = kind in _ROUTES and _IN_A_LIST.search(as_text(text))
                if weight and (kind in kinds or not kinds):
                    lost = f"with {_RESPECT} no other change of the {kind}'s rules is ever applied"
                    yield (*path, form, i), lost


@rule(
    "SYN604",
    "error",
    "a gate runs before what it guards",
    scope="workflow",
    hint="Give the Workflow a lower argocd.argoproj.io/sync-wave than the Rollout, or make it a PreSync hook.",
    origin="gitops-engine/pkg/sync/sync_tasks.go",
)
def gate_comes_first(ctx: WorkflowContext) -> Iterator[Flaw]:
    """A sync waits for a wave before it applies the next one, and for nothing within a wave."""
    named = _GATE_KEY in marks_of(ctx.workflow) or _GATE_WORD.search(ctx.workflow.key.name)
    judged = bool(named and ctx.rollouts and moment(ctx.workflow))
    if judged and not any(_before(ctx.workflow, rollout) for rollout in ctx.rollouts):
        yield ("metadata", "annotations", WAVE), f"{ctx.rollouts[0].key} is applied without waiting for it"


def _before(gate: Object, rollout: Object) -> bool:
    first, then = moment(gate), moment(rollout)
    return first is not None and then is not None and first < then


@rule(
    "SYN610",
    "info",
    "what an Application syncs can be looked at",
    scope="sync",
    hint="Verify it together with the folder that it syncs.",
    origin=_SEEN,
)
def not_checked(ctx: SyncContext) -> Iterator[Flaw]:
    """What was not checked because the objects live elsewhere, or are made by a template."""
    for option in (_SERVER_SIDE, _OUT_OF_SYNC_ONLY) if not ctx.brought else ():
        if path := ctx.option(option):
            yield path, f"not checked: {option} has traps for Rollouts, and what it syncs is not in the tree"
