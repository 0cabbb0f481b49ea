"""Lint of a tree of Rollouts and what belongs to them: every rule on everything it is about."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Literal, get_args

from generator.lint.controller import ControllerVersion
from generator.lint.rollouts import (
    analysis,
    argocd,
    bluegreen,
    canary,
    capability,
    conditions,
    drain,
    events,
    footguns,
    references,
    registry,
    resolve,
    routes,
    spec,
    steps,
    verdicts,
)
from generator.lint.rollouts.model import Object, Objects, as_list, as_map
from generator.lint.rollouts.registry import RULES, Problem, Rule, Scope
from generator.lint.rollouts.syncs import sync_contexts, workflow_contexts
from generator.lint.rollouts.view import (
    MetricContext,
    Moment,
    Rollout,
    RolloutContext,
    TemplateContext,
    Use,
    UseContext,
)

RULE_MODULES = (
    analysis,
    argocd,
    bluegreen,
    canary,
    capability,
    conditions,
    drain,
    events,
    footguns,
    references,
    routes,
    spec,
    steps,
    verdicts,
)
_VERSIONS: dict[str, tuple[ControllerVersion, ...]] = {
    "1.9": ("1.9",),
    "1.10": ("1.10",),
    "any": ("1.9", "1.10"),
}
_TEMPLATES = ("AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")


def lint(
    objects: Objects,
    *,
    controller: Literal["1.9", "1.10", "any"] = "any",
    only_kinds: Collection[str] | None = None,
    complete: bool = False,
) -> list[Problem]:
    """Judge a tree of objects.

    Args:
        objects: the tree; other trees are not looked at.
        controller: the controller version to satisfy; `any` means every version known.
        only_kinds: report on objects of these kinds only (the rest of the tree is still looked up).
        complete: whether everything that the tree refers to must be in it; otherwise what is missing is
            said to be not checked.

    Returns:
        Problems without repetition, ordered by document, object and path.
    """
    versions = _VERSIONS[controller]
    wanted = {scope: registry.by_scope(scope, RULES) for scope in get_args(Scope)}
    found = {
        problem
        for item, scope, context in _contexts(objects, versions, complete=complete)
        if only_kinds is None or item.key.kind in only_kinds
        for problem in _run(wanted[scope], context, item)
    }
    return sorted(found, key=_order)


def _order(problem: Problem) -> tuple[object, ...]:
    path = tuple((isinstance(part, str), str(part).zfill(6)) for part in problem.path)
    return problem.source, problem.key, path, problem.code, problem.message


def _run(rules: Iterable[Rule], context: object, item: Object) -> Iterator[Problem]:
    for one in rules:
        yield from one(context, item)


def _contexts(
    objects: Objects, versions: tuple[ControllerVersion, ...], *, complete: bool
) -> Iterator[tuple[Object, Scope, object]]:
    rollouts = [Rollout(item) for item in objects.of_kind("Rollout")]
    owners: dict[tuple[str, str], set[str]] = {}
    for rollout in rollouts:
        for _, service in rollout.services:
            owners.setdefault((rollout.object.key.namespace, service), set()).add(rollout.object.key.name)
    for rollout in rollouts:
        yield rollout.object, "rollout", RolloutContext(rollout, objects, owners, versions, complete)
        for use in rollout.uses:
            templates, missing = resolve.reach(objects, rollout.object.key.namespace, use.refs)
            context = UseContext(rollout, use, tuple(templates), tuple(missing), objects, complete)
            yield rollout.object, "use", context
    syncs = sync_contexts(objects, owners)
    for item, sync in syncs:
        yield item, "sync", sync
    for gate in workflow_contexts(objects, [sync for _, sync in syncs]):
        yield gate.workflow, "workflow", gate
    forms = resolve.forms(objects, rollouts)
    for item in objects.of_kind(*_TEMPLATES):
        yield item, "template", TemplateContext(item)
        for metric in _metrics(item, forms.get(id(item), []), versions, objects):
            yield item, "metric", metric


def _metrics(
    item: Object, uses: list[resolve.Form], versions: tuple[ControllerVersion, ...], objects: Objects
) -> Iterator[MetricContext]:
    """Every metric of a template, once for each form that the arguments of its uses give it."""
    own = resolve.declared([item])
    uses = uses or [resolve.Form(None, resolve.known_values(own, []), frozenset(resolve.names(own)))]
    for i, metric in enumerate(as_list(as_map(item.body.get("spec")).get("metrics"))):
        moments: dict[str, set[Moment]] = {}
        users: dict[str, list[tuple[Rollout, Use]]] = {}
        bodies: dict[str, tuple[dict[str, object], frozenset[str]]] = {}
        for use in uses:
            body = resolve.fill(as_map(metric), use.values)
            text = json.dumps(body, skipkeys=True, default=str)
            bodies[text] = body, use.declared
            moments.setdefault(text, set()).update({use.moment} if use.moment else ())
            users.setdefault(text, []).extend([use.use] if use.use else ())
        for text, (body, declared) in bodies.items():
            path, when = ("spec", "metrics", i), frozenset(moments[text])
            yield MetricContext(body, path, when, declared, versions, tuple(users[text]), objects)
