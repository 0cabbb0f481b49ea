"""The platform itself: names that lead nowhere, defaults that can't be, namespaces that are not one team's."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.plan.build import namespace_of
from generator.plan.owners import is_owner
from generator.rules.context import FleetContext
from generator.source.document import Document, Path, dotted
from generator.spec.check import check_data
from generator.spec.model import ModelSpec


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1, 0.6)
    return f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(known)) or 'none'}"


@rule(
    "PLAT901",
    "error",
    "a waiver of a model that does not exist",
    scope=FleetContext,
    why="It exempts from nothing: the model was renamed or is gone, and its waiver waits for the next of that name.",
    remedy="Correct the name, or remove the waiver.",
)
def waived_model(context: FleetContext) -> Iterator[Problem]:
    """Waivers name models of this repository."""
    known = [entry.name for entry in context.repository.entries]
    for index, waiver in enumerate(context.platform.waivers):
        if waiver.model not in known:
            message = f"there is no model {waiver.model}"
            yield Problem(("spec", "waivers", index, "model"), message, _nearest(waiver.model, known))


@rule(
    "PLAT902",
    "error",
    "two waivers of one gate",
    scope=FleetContext,
    why="Which of two dates and reasons holds would depend on their order.",
    remedy="Keep one of them.",
)
def waived_twice(context: FleetContext) -> Iterator[Problem]:
    """One waiver for each gate of each model."""
    first: dict[tuple[str, str], int] = {}
    for index, waiver in enumerate(context.platform.waivers):
        before = first.setdefault((waiver.model, waiver.gate), index)
        if before != index:
            message = f"the gate `{waiver.gate}` of {waiver.model} is waived twice"
            related = (("the first one", context.document.place(("spec", "waivers", before))),)
            yield Problem(("spec", "waivers", index), message, "keep one of the two", related)


@rule(
    "PLAT903",
    "error",
    "a team may use a tier that does not exist",
    scope=FleetContext,
    why="Nobody could ever use it; a tier was renamed, or its name is mistyped.",
    remedy="Correct the name, or remove it.",
)
def team_tiers(context: FleetContext) -> Iterator[Problem]:
    """Tiers of teams."""
    for name, team in context.platform.teams.items():
        for index, tier in enumerate(team.tiers):
            if tier not in context.platform.tiers:
                message = f"there is no tier `{tier}`"
                path = ("spec", "teams", name, "tiers", index)
                yield Problem(path, message, _nearest(tier, list(context.platform.tiers)))


@rule(
    "PLAT904",
    "error",
    "an environment requires one that does not exist",
    scope=FleetContext,
    why="No version could ever have passed it.",
    remedy="Correct the name, or remove it.",
)
def required_environments(context: FleetContext) -> Iterator[Problem]:
    """Environments that others require."""
    known = list(context.platform.environments)
    for name, environment in context.platform.environments.items():
        for index, required in enumerate(environment.requires):
            if required not in known:
                path = ("spec", "environments", name, "requires", index)
                yield Problem(path, f"there is no environment `{required}`", _nearest(required, known))


@rule(
    "PLAT905",
    "error",
    "environments require each other in a circle",
    scope=FleetContext,
    why="A version would have to pass each of them before the other.",
    remedy="Remove one of the requirements.",
)
def circles(context: FleetContext) -> Iterator[Problem]:
    """Cycles of `requires`, each told at every environment that is part of one."""
    requires = {name: environment.requires for name, environment in context.platform.environments.items()}
    for name, wanted in requires.items():
        for index, required in enumerate(wanted):
            if name in _reachable(requires, required):
                message = f"`{name}` requires `{required}`, which requires `{name}`"
                path = ("spec", "environments", name, "requires", index)
                yield Problem(path, message, "remove one of the requirements")


def _reachable(requires: dict[str, list[str]], start: str) -> set[str]:
    """Everything that a version must have passed before, the start included."""
    seen: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += requires.get(name, [])
    return seen


@rule(
    "PLAT906",
    "error",
    "defaults of a tier that no model could have",
    scope=FleetContext,
    why="Every model of the tier would inherit the mistake and be refused for it.",
    remedy="Correct the value in the tier's `defaults`.",
)
def defaults(context: FleetContext) -> Iterator[Problem]:
    """Defaults are a part of a model's spec: checked as one, what is missing aside."""
    for name, tier in context.platform.tiers.items():
        base: Path = ("spec", "tiers", name, "defaults")
        paths: dict[str, Path] = {}

        def where(path: Path, base: Path = base, paths: dict[str, Path] = paths) -> tuple[Document, Path]:
            full = (*base, *path)
            paths[dotted(full)] = full
            return context.document, full

        rest = {key: value for key, value in tier.defaults.items() if key not in _OWN}
        _, findings = check_data(ModelSpec, _with_strategy(rest), where, partial=True)
        for finding in findings:
            unknown = finding.code == "SPEC102"
            yield Problem(paths[finding.path], finding.message, finding.hint, on_key=unknown)


def _with_strategy(values: dict[str, Any]) -> dict[str, Any]:
    """A rollout without a strategy is checked as the one whose keys it has."""
    rollout = values.get("rollout")
    if isinstance(rollout, dict) and "strategy" not in rollout:
        strategy = "blue-green" if rollout.keys() & {"approve", "preview", "watch"} else "canary"
        return {**values, "rollout": {**rollout, "strategy": strategy}}
    return values


_OWN: Final = frozenset({"tier", "model", "environments"})


@rule(
    "PLAT907",
    "error",
    "a tier's defaults decide what every model must say itself",
    scope=FleetContext,
    why="Which model, which tier and what differs per environment is each spec's own; a default for it is a mistake.",
    remedy="Remove the key from `defaults`.",
)
def own_keys(context: FleetContext) -> Iterator[Problem]:
    """Keys that have no default."""
    for name, tier in context.platform.tiers.items():
        for key in sorted(_OWN & tier.defaults.keys()):
            path = ("spec", "tiers", name, "defaults", key)
            message = f"`{key}` is every model's own and has no default"
            yield Problem(path, message, "remove it", on_key=True)


@rule(
    "PLAT908",
    "error",
    "two teams or environments share a namespace, or one is not theirs",
    scope=FleetContext,
    why="Quotas, network policies and access are a namespace's: in a shared one nobody's limits hold.",
    remedy="Let the pattern hold {team}, and {environment} where one cluster holds several.",
)
def namespaces(context: FleetContext) -> Iterator[Problem]:
    """One namespace for each team in each environment of a cluster, and none that others live in."""
    taken: dict[tuple[str, str], tuple[str, str]] = {}
    for name, environment in context.platform.environments.items():
        path = ("spec", "environments", name, "namespace")
        if "{team}" not in environment.namespace:
            message = f"the namespace `{environment.namespace}` is the same for every team"
            yield Problem(path, message, "write {team} into it")
            continue
        for team in context.platform.teams:
            found = namespace_of(context.platform, name, team)
            first = taken.setdefault((environment.server, found), (name, team))
            if first != (name, team):
                message = (
                    f"`{found}` would be the namespace of {team} in {name} and of {first[1]} in {first[0]}"
                )
                yield Problem(path, message, "write {environment} into it: both are in one cluster")
            elif found in _others(context):
                message = f"`{found}` would be the namespace of {team} in {name}, and is another's"
                yield Problem(path, message, "write something of your own into it")


def _others(context: FleetContext) -> set[str]:
    """Namespaces in which the platform's own things live."""
    routers = {
        item.router.namespace for item in context.platform.environments.values() if item.router.namespace
    }
    shared = {context.platform.argocd_namespace, context.platform.monitoring.namespace}
    return {"default", "kube-system", "kube-public", "kube-node-lease", *routers, *shared}


@rule(
    "PLAT911",
    "error",
    "admission policies on a cluster that does not know them",
    scope=FleetContext,
    why="ValidatingAdmissionPolicy is v1, and on, since Kubernetes 1.30; before, the sync of the platform fails.",
    remedy="Write `admission: none`, or say which Kubernetes the clusters run.",
)
def admission(context: FleetContext) -> Iterator[Problem]:
    """The oldest Kubernetes that judges by CEL without a switch."""
    version = context.platform.controllers.kubernetes
    if context.platform.admission != "none" and _minor(version) < (1, 30):
        message = f"Kubernetes {version} has no admission policies of version v1"
        path = ("spec", "controllers", "kubernetes")
        yield Problem(
            path, message, "write `admission: none`; releases that go around Sluice are then let in"
        )


def _minor(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")[:2]))


@rule(
    "PLAT913",
    "warning",
    "an owner that no host of git knows",
    scope=FleetContext,
    why="CODEOWNERS takes `@user`, `@organisation/team` or an e-mail address; anything else would void its line.",
    remedy="Write one of those.",
)
def owners(context: FleetContext) -> Iterator[Problem]:
    """Owners of the platform and of teams."""
    found: list[tuple[Path, list[str]]] = [(("spec", "owners"), context.platform.owners)]
    found += [
        (("spec", "teams", name, "owners"), team.owners) for name, team in context.platform.teams.items()
    ]
    for path, written in found:
        for index, owner in enumerate(written):
            if not is_owner(owner):
                message = f"`{owner}` can't be a code owner, and is left out of CODEOWNERS"
                yield Problem((*path, index), message, "write @user, @organisation/team or an e-mail address")


@rule(
    "PLAT914",
    "error",
    "a daily watch that finds no fresh data",
    scope=FleetContext,
    why="Archives are called by the digest of the model and never change; only a claim has a folder for fresh data.",
    remedy="Let gate pods read from a `claim`, or remove `daily`.",
)
def watch(context: FleetContext) -> Iterator[Problem]:
    """Fresh data needs a place that is written to."""
    gates = context.platform.gates
    if gates.daily and not gates.inputs.claim:
        message = "gates can't run again on fresh data: their inputs are archives that never change"
        yield Problem(("spec", "gates", "daily"), message, "write `inputs: {claim: …}`, or remove `daily`")
