"""Names: too long, reserved, or taken twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.plan.names import Names, application
from generator.rules.context import GATES, Context, written_guards
from generator.source.document import Path

LONGEST: Final = 63
"""Characters of a DNS label and of a label's value (RFC 1123; Kubernetes)."""
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# Folders of the rendered tree that are no team's and no environment's (DESIGN section 3).
_RESERVED_TEAMS = frozenset({"admission", "argocd", "overview", "platform"})
_RESERVED_ENVIRONMENTS = frozenset({"bentos", "gates"})
_OURS = ("SLUICE_", "BENTOML_")


VERDICT_TASK = "verdict"
"""Task of the gate Workflow (templates/kubernetes/workflow-gates.yaml.j2)."""


@rule(
    "NAME401",
    "error",
    "a name is too long once team and environment are added",
    scope=Context,
    why="Kubernetes refuses label values and DNS names above 63 characters, and only at the sync.",
    remedy="Shorten the name of the model, the team or the environment.",
)
def derived_names(context: Context) -> Iterator[Problem]:
    """Names that hold several others: the Application, the bento, and what the model's objects add."""
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
            message = f"the {what} would be called `{name}`, {len(name)} characters; {LONGEST} are allowed"
            hint = f"shorten the model's name by {len(name) - LONGEST}, or the team's or the environment's"
            yield Problem(("metadata", "name"), message, hint)


@rule(
    "NAME402",
    "error",
    "the namespace of the team is no valid name",
    scope=Context,
    why="A namespace is a DNS label: 1 to 63 letters in lower case, digits and inner hyphens.",
    remedy="Correct the environment's `namespace`: {team} and {environment} are its only placeholders.",
)
def namespace(context: Context) -> Iterator[Problem]:
    """The pattern of the environment, filled in."""
    found, environment = context.plan.identity.namespace, context.plan.identity.environment
    if len(found) > LONGEST or not _DNS_LABEL.fullmatch(found):
        message = f"the namespace would be `{found}`, {len(found)} characters"
        hint = f"at most {LONGEST} letters, digits and hyphens; {{team}} and {{environment}} are filled in"
        path = ("spec", "environments", environment, "namespace")
        yield Problem(path, message, hint, document=context.platform_document)


@rule(
    "NAME403",
    "error",
    "a team or an environment has a reserved name",
    scope=Context,
    why="Its folder below `rendered/` is already that of Argo CD, the platform or the bentos.",
    remedy="Choose another name.",
)
def reserved(context: Context) -> Iterator[Problem]:
    """Names whose folder would be another's."""
    identity = context.plan.identity
    if identity.team in _RESERVED_TEAMS:
        message = f"no team can be called `{identity.team}`: that folder of the rendered tree is taken"
        yield Problem(("metadata", "team"), message, "choose another name for the team")
    if identity.environment in _RESERVED_ENVIRONMENTS:
        message = f"no environment can be called `{identity.environment}`: that folder is taken"
        path = ("spec", "environments", identity.environment)
        hint = "choose another name for the environment"
        yield Problem(path, message, hint, document=context.platform_document, on_key=True)


@rule(
    "NAME404",
    "error",
    "two gates have the same name",
    scope=Context,
    why="Evidence and waivers find a gate by its name; the second one would take the first one's verdict.",
    remedy="Rename one of them.",
)
def gates(context: Context) -> Iterator[Problem]:
    """Names of gates, unique in the model; the task that judges them all has one of its own."""
    first: dict[str, int] = {}
    for index, gate in enumerate(context.plan.gates):
        if gate.name == VERDICT_TASK:
            message = f"`{gate.name}` is the task that judges all gates"
            yield Problem((*GATES, index, "name"), message, "choose another name")
    for index, gate in enumerate(context.plan.gates):
        before = first.setdefault(gate.name, index)
        if before != index:
            place = context.planned.written.layers.place((*GATES, before, "name"))
            message = f"the gate `{gate.name}` stands twice"
            related = (("the first one", place),)
            yield Problem((*GATES, index, "name"), message, "rename one of the two", related)


@rule(
    "NAME405",
    "error",
    "two guards have the same name",
    scope=Context,
    why="Metrics of one AnalysisTemplate need different names, and names of metrics are cut to 23 characters.",
    remedy="Give one of them a `name` of its own; a short one where a fairness guard judges several attributes.",
)
def guards(context: Context) -> Iterator[Problem]:
    """Names of metrics as they are rendered, one a sensitive attribute."""
    for path, written in written_guards(context):
        for index, name, before in _repeated(written):
            message = f"two metrics would be called `{name}`"
            hint = "give this guard a short `name` of its own"
            if before == index:
                yield Problem((*path, index), f"{message}: its attributes differ too late in the name", hint)
                continue
            place = context.planned.written.layers.place((*path, before))
            yield Problem((*path, index), message, hint, (("the first one", place),))


def _repeated(written: Iterable[Any]) -> Iterator[tuple[int, str, int]]:
    """Position, name and first position of every metric name that is taken already."""
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
    "an environment variable stands twice or is one of ours",
    scope=Context,
    why="The later of two values wins without a word, and the service reads SLUICE_ and BENTOML_ variables itself.",
    remedy="Remove or rename it.",
)
def variables(context: Context) -> Iterator[Problem]:
    """Names of environment variables."""
    seen: set[str] = set()
    for index, variable in enumerate(context.plan.env):
        path: Path = ("spec", "service", "env", index, "name")
        if variable.name.startswith(_OURS):
            message = f"`{variable.name}` is set by Sluice or read by the server"
            yield Problem(path, message, f"choose a name that does not start with {' or '.join(_OURS)}")
        if variable.name in seen:
            yield Problem(path, f"the variable `{variable.name}` stands twice", "keep one of the two")
        seen.add(variable.name)
