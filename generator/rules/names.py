"""Rules on names: too long, reserved, or used twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.plan.derived import RESERVED_ENVIRONMENTS, RESERVED_TEAMS, Owner, derived_names
from generator.plan.names import SPLIT, Names
from generator.plan.people import REVERT
from generator.rules.context import GATES, Context, FleetContext, written_guards
from generator.source.document import Path
from generator.source.reader import read

LONGEST: Final = 63
"""Characters of a DNS label and of a label's value (RFC 1123, section 2.1; Kubernetes)."""
_LONGEST_IMAGE: Final = 255
"""Characters of an image's name with its registry (distribution/reference 0.6, reference.go)."""
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_RESERVED_PREFIXES: Final = ("SLUICE_", "BENTOML_")
# Variables that make a program load other code, trust other certificates or talk to another host: of the dynamic
# loader (ld.so(8), dyld(1)), of Python (`python --help-env`), of its installers and servers, of shells, of git, of
# Java and other languages, and of TLS.
_STEERING_PREFIXES: Final = (
    "DOCKER_", "DYLD_", "GIT_", "GUNICORN_", "KUBERNETES_", "LD_", "NODE_", "PIP_", "PYTHON", "UVICORN_", "UV_",
)  # fmt: skip
_STEERING: Final = frozenset({
    "AWS_CA_BUNDLE", "BASH_ENV", "CLASSPATH", "CURL_CA_BUNDLE", "CURL_HOME", "ENV", "GCONV_PATH", "GEM_HOME",
    "GEM_PATH", "GLIBC_TUNABLES", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "HOME", "HOSTALIASES", "IFS",
    "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JULIA_LOAD_PATH", "KUBECONFIG", "LOCALDOMAIN", "LOCPATH",
    "LUA_CPATH", "LUA_PATH", "MALLOC_CONF", "NETRC", "NIS_PATH", "OCL_ICD_FILENAMES", "OCL_ICD_VENDORS",
    "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES", "OTEL_PYTHON_CONFIGURATOR", "OTEL_PYTHON_DISTRO",
    "PATH", "PERL5DB", "PERL5LIB", "PERL5OPT", "PROMETHEUS_MULTIPROC_DIR", "PROMPT_COMMAND", "PS4",
    "REQUESTS_CA_BUNDLE", "RES_OPTIONS", "RUBYLIB", "RUBYOPT", "R_ENVIRON", "R_PROFILE", "SHELLOPTS",
    "SSLKEYLOGFILE", "SSL_CERT_DIR", "SSL_CERT_FILE", "VK_ICD_FILENAMES", "_JAVA_OPTIONS",
})  # fmt: skip
_HARMLESS: Final = frozenset({
    "GIT_BRANCH", "GIT_COMMIT", "GIT_REVISION", "GIT_SHA", "GIT_TAG", "NODE_ENV", "NODE_IP", "NODE_NAME",
    "PYTHONFAULTHANDLER", "PYTHONHASHSEED", "PYTHONIOENCODING", "PYTHONUNBUFFERED", "PYTHONUTF8",
})  # fmt: skip
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
def lengths(context: Context) -> Iterator[Problem]:
    """Check names that combine several others: Application, bento, shadow, gate Workflow, and image."""
    names = Names.of(context.plan)
    derived = {
        "Argo CD Application": context.plan.delivery.application,
        "bento": context.plan.server.name,
        "shadow": names.shadow,
        "gate Workflow": names.gates(context.plan.gate_key),
    }
    longest = {**dict.fromkeys(derived, LONGEST), "image": _LONGEST_IMAGE}
    for what, name in {**derived, "image": context.plan.image.repository}.items():
        if len(name) > longest[what]:
            message = (
                f"the {what} would get the name `{name}`: {len(name)} characters of at most {longest[what]}"
            )
            hint = (
                f"shorten the name of the model, the team or the environment by {len(name) - longest[what]}"
            )
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
    found = context.plan.identity.namespace
    if len(found) > LONGEST or not _DNS_LABEL.fullmatch(found):
        message = f"the namespace would be `{found}` ({len(found)} characters), which is not a DNS label"
        hint = f"use at most {LONGEST} lower-case letters, digits and hyphens, {{team}} and {{environment}}"
        path = context.of_environment("namespace")
        yield Problem(path, message, hint, document=context.platform_document)


@rule(
    "NAME403",
    "error",
    "a team, an environment or a webhook has a reserved name",
    scope=FleetContext,
    why="Its folder in `rendered/` is used by Argo CD, the platform, the bentos or the gate images.",
    remedy="Choose another name.",
    example="""
# specs/platform.yaml
spec: {teams: {platform: {owners: [ml@example.com], tiers: [standard]}}}
""",
    instead="""
# specs/platform.yaml
spec: {teams: {search: {owners: [ml@example.com], tiers: [standard]}}}
""",
)
def reserved(context: FleetContext) -> Iterator[Problem]:
    """Check that the folder of a team or of an environment is not used by Sluice itself."""
    platform = context.platform
    for name in sorted(platform.teams.keys() & RESERVED_TEAMS):
        yield _reserved(("spec", "teams", name), f"`{name}` is reserved", "team")
    if platform.notifications and REVERT in platform.notifications.webhooks:
        path = ("spec", "notifications", "webhooks", REVERT)
        yield _reserved(path, f"`{REVERT}` is reserved", "webhook", "in notifications")
    for name in sorted(platform.environments.keys() & RESERVED_ENVIRONMENTS):
        yield _reserved(("spec", "environments", name), f"`{name}` is reserved", "environment")


def _reserved(path: Path, message: str, what: str, where: str = "in the rendered tree") -> Problem:
    text = f"{message}: Sluice uses that name {where}"
    return Problem(path, text, f"choose another name for the {what}", on_key=True)


@rule(
    "NAME407",
    "error",
    "two models, teams or environments result in the same name",
    scope=FleetContext,
    why="Names such as `<environment>-<team>-<model>` can be put together in two ways. Two owners of one Application, "
    "branch or Service overwrite each other, or a Service selects the pods of both.",
    remedy="Rename one of the two.",
    example="""
# specs/platform.yaml
spec: {teams: {shop-ads: {owners: [ads@example.com], tiers: [standard]}}}
# specs/shop/ads-ranker.yaml
metadata: {name: ads-ranker}
# specs/shop-ads/ranker.yaml
metadata: {team: shop-ads}
""",
    instead="""
# specs/platform.yaml
spec: {teams: {shop-ads: {owners: [ads@example.com], tiers: [standard]}}}
# specs/shop/ads-ranker.yaml
metadata: {name: ads-ranker}
# specs/shop-ads/sorter.yaml
metadata: {team: shop-ads, name: sorter}
""",
)
def collisions(context: FleetContext) -> Iterator[Problem]:
    """Check all derived names of all models, teams and environments, whether or not their specs are valid."""
    taken: dict[tuple[str, str, str], Owner] = {}
    reported: set[tuple[Owner, Owner]] = set()
    for each in derived_names(context.platform, context.repository.entries):
        first = taken.setdefault((each.kind, each.scope, each.name), each.owner)
        pair = (_without_environment(first), _without_environment(each.owner))
        if first == each.owner or pair in reported or each.owner.team in RESERVED_TEAMS:
            continue
        reported.add(pair)
        message = f"the {each.kind} `{each.name}` in {each.scope} would belong to {_owner(first)} and to "
        message += _owner(each.owner)
        yield _at_owner(context, each.owner, message)


def _without_environment(owner: Owner) -> Owner:
    return owner if not owner.model else replace(owner, environment="")


def _owner(owner: Owner) -> str:
    if owner.model:
        return f"{owner.team}/{owner.model}" + (f" in {owner.environment}" if owner.environment else "")
    if owner.team:
        return f"the team {owner.team}" + (f" in {owner.environment}" if owner.environment else "")
    return f"the platform in {owner.environment}" if owner.environment else "the platform"


def _at_owner(context: FleetContext, owner: Owner, message: str) -> Problem:
    """Return the problem at the spec of a model, or in the platform at its team or environment."""
    if owner.model:
        entry = context.repository.entry(owner.team, owner.model)
        document = read(entry.spec, context.repository.root)
        return Problem(("metadata", "name"), message, "rename the model", document=document)
    if owner.team:
        return Problem(("spec", "teams", owner.team), message, "rename the team", on_key=True)
    path = ("spec", "environments", owner.environment)
    return Problem(path, message, "rename the environment, or the team", on_key=True)


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
            if before is None:
                yield Problem(
                    (*path, index), f"the name `{name}` is reserved for the check of the split", hint
                )
                continue
            if before == index:
                yield Problem(
                    (*path, index), f"{message}: its attributes differ only where the name is cut", hint
                )
                continue
            place = context.planned.source.layers.place((*path, before))
            yield Problem((*path, index), message, hint, (("the first one", place),))


def _repeated(written: Iterable[Any]) -> Iterator[tuple[int, str, int | None]]:
    """Yield position, name and first position of every metric name that is already used; None if it is our own."""
    first: dict[str, int | None] = {SPLIT: None}
    for index, guard in enumerate(written):
        for name in guard.metric_names:
            if name in first:
                yield index, name, first[name]
            else:
                first[name] = index


@rule(
    "NAME406",
    "error",
    "an environment variable is set twice, is reserved, or changes what the container runs",
    scope=Context,
    why="The second of two values silently wins. The service reads variables that start with SLUICE_ or BENTOML_, and "
    "others, such as PATH, LD_PRELOAD, PYTHONPATH or HTTP_PROXY, make it run other code or talk to another host.",
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
        elif _steers(variable.name):
            message = f"`{variable.name}` changes what the container runs or which hosts it trusts"
            yield Problem(path, message, "remove it; the image and the platform decide this")
        if variable.name in seen:
            yield Problem(path, f"the variable `{variable.name}` is set twice", "keep one of the two")
        seen.add(variable.name)


def _steers(name: str) -> bool:
    if name in _HARMLESS:
        return False
    return name in _STEERING or name.startswith(_STEERING_PREFIXES) or name.endswith("_PROXY")
