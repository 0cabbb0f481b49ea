"""Rules on names: too long, reserved, or used twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.plan.names import Names, application
from generator.rules.context import GATES, Context, written_guards
from generator.source.document import Path

LONGEST: Final = 63
"""Characters of a DNS label and of a label's value (RFC 1123, section 2.1; Kubernetes)."""
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# Folders of the rendered tree that belong to no team and to no environment.
_RESERVED_TEAMS: Final = frozenset({"admission", "argocd", "overview", "platform"})
_RESERVED_ENVIRONMENTS: Final = frozenset({"bentos", "gates"})
_RESERVED_PREFIXES: Final = ("SLUICE_", "BENTOML_")
VERDICT_TASK: Final = "verdict"
"""Task of the gate Workflow that collects all verdicts (templates/kubernetes/workflow-gates.yaml.j2)."""


@rule(
    "NAME401",
    "error",
    "a name is too long once the team and the environment are added",
    scope=Context,
    why="Kubernetes refuses label values and DNS names of more than 63 characters, but only during the sync.",
    remedy="Shorten the name of the model, the team or the environment.",
    example="""
# specs/platform.yaml
spec:
  environments:
    production-frankfurt-2: {server: "https://eu2.example.com", router: {kind: traefik}}
# specs/shop/next-purchase-recommender-for-visitors.yaml
metadata: {name: next-purchase-recommender-for-visitors}
""",
    instead="""
# specs/platform.yaml
spec:
  environments:
    production-frankfurt-2: {server: "https://eu2.example.com", router: {kind: traefik}}
# specs/shop/visitor-recommender.yaml
metadata: {name: visitor-recommender}
""",
    source="RFC 1123, section 2.1; Kubernetes 1.36, apimachinery/pkg/util/validation/validation.go",
)
def derived_names(context: Context) -> Iterator[Problem]:
    """Check names that combine several others: Application, bento, shadow and gate Workflow."""
    identity = context.plan.identity
    names = Names(identity.model)
    derived = {
        "Argo CD Application": application(identity),
        "bento": context.plan.bento.name,
        "shadow": names.shadow,
        "gate Workflow": names.gates(context.plan.gate_key),
    }
    for what, name in derived.items():
        if len(name) > LONGEST:
            message = f"the {what} would get the name `{name}`: {len(name)} characters of at most {LONGEST}"
            hint = f"shorten the name of the model, the team or the environment by {len(name) - LONGEST}"
            yield Problem(("metadata", "name"), message, hint)


@rule(
    "NAME402",
    "error",
    "the namespace of a team is not a valid name",
    scope=Context,
    why="A namespace is a DNS label: 1 to 63 lower-case letters, digits and inner hyphens.",
    remedy="Correct the environment's `namespace`; its only placeholders are {team} and {environment}.",
    example="""
# specs/platform.yaml
spec:
  environments:
    production: {namespace: "models-of-the-{team}-team-of-acme-retail-europe-in-{environment}-frankfurt"}
""",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {namespace: "models-{team}-{environment}"}}}
""",
    source="RFC 1123, section 2.1; Kubernetes 1.36, apimachinery/pkg/util/validation/validation.go",
)
def namespace(context: Context) -> Iterator[Problem]:
    """Check the environment's pattern once it is filled in."""
    found, environment = context.plan.identity.namespace, context.plan.identity.environment
    if len(found) > LONGEST or not _DNS_LABEL.fullmatch(found):
        message = f"the namespace would be `{found}` ({len(found)} characters), which is not a DNS label"
        hint = f"use at most {LONGEST} lower-case letters, digits and hyphens, {{team}} and {{environment}}"
        path = ("spec", "environments", environment, "namespace")
        yield Problem(path, message, hint, document=context.platform_document)


@rule(
    "NAME403",
    "error",
    "a team or an environment has a reserved name",
    scope=Context,
    why="Its folder in `rendered/` is used by Argo CD, the platform or the bentos.",
    remedy="Choose another name.",
    example="""
# specs/platform.yaml
spec: {teams: {platform: {owners: [ml@example.com], tiers: [standard]}}}
# specs/platform/ranker.yaml
metadata: {team: platform}
""",
    instead="""
# specs/platform.yaml
spec: {teams: {search: {owners: [ml@example.com], tiers: [standard]}}}
# specs/search/ranker.yaml
metadata: {team: search}
""",
)
def reserved(context: Context) -> Iterator[Problem]:
    """Check that the folder of a team or of an environment is not used by Sluice itself."""
    identity = context.plan.identity
    if identity.team in _RESERVED_TEAMS:
        message = f"`{identity.team}` is reserved: Sluice uses that folder of the rendered tree"
        yield Problem(("metadata", "team"), message, "choose another name for the team")
    if identity.environment in _RESERVED_ENVIRONMENTS:
        message = f"`{identity.environment}` is reserved: Sluice uses that folder of the rendered tree"
        path = ("spec", "environments", identity.environment)
        hint = "choose another name for the environment"
        yield Problem(path, message, hint, document=context.platform_document, on_key=True)


@rule(
    "NAME404",
    "error",
    "two gates have the same name",
    scope=Context,
    why="Evidence and waivers refer to a gate by its name: the second gate would take the verdict of the first.",
    remedy="Rename one of them.",
    example="spec: {gates: [{name: tests, junit: unit.xml}, {name: tests, junit: contract.xml}]}",
    instead="spec: {gates: [{name: unit-tests, junit: unit.xml}, {name: contract-tests, junit: contract.xml}]}",
)
def gates(context: Context) -> Iterator[Problem]:
    """Check that names of gates are unique, and differ from the task that collects the verdicts."""
    first: dict[str, int] = {}
    for index, gate in enumerate(context.plan.gates):
        if gate.name == VERDICT_TASK:
            message = f"`{gate.name}` is the name of the task that collects all verdicts"
            yield Problem((*GATES, index, "name"), message, "choose another name")
        before = first.setdefault(gate.name, index)
        if before != index:
            place = context.planned.source.layers.place((*GATES, before, "name"))
            message = f"there is already a gate `{gate.name}`"
            yield Problem(
                (*GATES, index, "name"), message, "rename one of the two", (("the first one", place),)
            )


@rule(
    "NAME405",
    "error",
    "two guards have the same name",
    scope=Context,
    why="The metrics of an AnalysisTemplate need different names, and Sluice cuts names of metrics to 23 characters.",
    remedy="Give one of the guards a `name`; a short one where a fairness guard has several attributes.",
    example="spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}}, {outcome: ctr, limit: 1%}]}}",
    instead="spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}}, {outcome: ctr, limit: 1%, name: floor}]}}",
    source="Argo Rollouts 1.10, utils/analysis (unique names) and metricproviders/job/job.go (length)",
)
def guards(context: Context) -> Iterator[Problem]:
    """Check the names of metrics as they are rendered, one for each sensitive attribute."""
    for path, written in written_guards(context):
        for index, name, before in _repeated(written):
            message = f"two metrics would have the name `{name}`"
            hint = "give this guard a short `name`"
            if before == index:
                yield Problem(
                    (*path, index), f"{message}: its attributes differ only where the name is cut", hint
                )
                continue
            place = context.planned.source.layers.place((*path, before))
            yield Problem((*path, index), message, hint, (("the first one", place),))


def _repeated(written: Iterable[Any]) -> Iterator[tuple[int, str, int]]:
    """Yield position, name and first position of every metric name that is already used."""
    first: dict[str, int] = {}
    for index, guard in enumerate(written):
        for name in guard.metric_names:
            if name in first:
                yield index, name, first[name]
            else:
                first[name] = index


@rule(
    "NAME406",
    "error",
    "an environment variable is set twice, or is reserved",
    scope=Context,
    why="The second of two values silently wins, and the service reads variables that start with SLUICE_ or BENTOML_.",
    remedy="Remove or rename it.",
    example="spec: {service: {env: [{name: LOG_LEVEL, value: info}, {name: LOG_LEVEL, value: debug}]}}",
    instead="spec: {service: {env: [{name: LOG_LEVEL, value: debug}]}}",
)
def variables(context: Context) -> Iterator[Problem]:
    """Check the names of environment variables."""
    seen: set[str] = set()
    for index, variable in enumerate(context.plan.env):
        path: Path = ("spec", "service", "env", index, "name")
        if variable.name.startswith(_RESERVED_PREFIXES):
            message = f"`{variable.name}` is set by Sluice or read by the model server"
            hint = f"choose a name that does not start with {' or '.join(_RESERVED_PREFIXES)}"
            yield Problem(path, message, hint)
        if variable.name in seen:
            yield Problem(path, f"the variable `{variable.name}` is set twice", "keep one of the two")
        seen.add(variable.name)
