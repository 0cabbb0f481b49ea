"""Rules on the platform: unknown names, invalid defaults, shared namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.plan.build import namespace_of
from generator.plan.egress import inputs_destination
from generator.plan.people import is_owner
from generator.routers.argo_rollouts import minor
from generator.rules.context import FleetContext
from generator.source.document import Document, Path, dotted
from generator.source.suggest import did_you_mean
from generator.spec.check import check_data
from generator.spec.model import ModelSpec


@rule(
    "PLAT901",
    "error",
    "a waiver names a model that does not exist",
    scope=FleetContext,
    why="It has no effect: the model was renamed or removed. A new model of that name would inherit it.",
    remedy="Correct the name, or remove the waiver.",
    example="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/rankers
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
    instead="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
)
def waived_model(context: FleetContext) -> Iterator[Problem]:
    """Check that waivers name models of this repository."""
    known = [entry.name for entry in context.repository.entries]
    for index, waiver in enumerate(context.platform.waivers):
        if waiver.model not in known:
            message = f"unknown model {waiver.model}"
            yield Problem(("spec", "waivers", index, "model"), message, did_you_mean(waiver.model, known))


@rule(
    "PLAT902",
    "error",
    "a gate is waived twice",
    scope=FleetContext,
    why="Which date and reason applies would depend on their order.",
    remedy="Keep one of them.",
    example="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: slow
      approvedBy: ml-platform
      until: 2026-12-24
""",
    instead="""
# specs/platform.yaml
spec:
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: slow
      approvedBy: ml-platform
      until: 2026-12-24
""",
)
def waived_twice(context: FleetContext) -> Iterator[Problem]:
    """Check that each gate of a model has at most one waiver for the same configuration and model version."""
    first: dict[tuple[str | None, ...], int] = {}
    for index, waiver in enumerate(context.platform.waivers):
        key = (waiver.model, waiver.gate, waiver.kind, waiver.configuration, waiver.digest)
        before = first.setdefault(key, index)
        if before != index:
            message = f"the gate `{waiver.gate}` of {waiver.model} is waived twice"
            related = (("the first one", context.document.place(("spec", "waivers", before))),)
            yield Problem(("spec", "waivers", index), message, "keep one of the two", related)


@rule(
    "PLAT903",
    "error",
    "a team may use a tier that does not exist",
    scope=FleetContext,
    why="No model can use it: the tier was renamed, or its name is misspelt.",
    remedy="Correct the name, or remove it.",
    example="# specs/platform.yaml\nspec: {teams: {shop: {tiers: [standard, standart]}}}",
    instead="# specs/platform.yaml\nspec: {teams: {shop: {tiers: [standard]}}}",
)
def team_tiers(context: FleetContext) -> Iterator[Problem]:
    """Check the tiers of every team."""
    for name, team in context.platform.teams.items():
        for index, tier in enumerate(team.tiers):
            if tier not in context.platform.tiers:
                path = ("spec", "teams", name, "tiers", index)
                yield Problem(path, f"unknown tier `{tier}`", did_you_mean(tier, context.platform.tiers))


@rule(
    "PLAT904",
    "error",
    "an environment requires one that does not exist",
    scope=FleetContext,
    why="No version can ever pass it.",
    remedy="Correct the name, or remove it.",
    example="# specs/platform.yaml\nspec: {environments: {production: {requires: [stagging]}}}",
    instead="""
# specs/platform.yaml
spec:
  environments:
    staging: {server: "https://staging.example.com", router: {kind: traefik}}
    production: {requires: [staging]}
""",
)
def required_environments(context: FleetContext) -> Iterator[Problem]:
    """Check the environments that others require."""
    known = list(context.platform.environments)
    for name, environment in context.platform.environments.items():
        for index, required in enumerate(environment.requires):
            if required not in known:
                path = ("spec", "environments", name, "requires", index)
                yield Problem(path, f"unknown environment `{required}`", did_you_mean(required, known))


@rule(
    "PLAT905",
    "error",
    "environments require each other",
    scope=FleetContext,
    why="A version would have to pass each of them before the other.",
    remedy="Remove one of the requirements.",
    example="""
# specs/platform.yaml
spec:
  environments:
    staging: {server: "https://staging.example.com", router: {kind: traefik}, requires: [production]}
    production: {requires: [staging]}
""",
    instead="""
# specs/platform.yaml
spec:
  environments:
    staging: {server: "https://staging.example.com", router: {kind: traefik}}
    production: {requires: [staging]}
""",
)
def circles(context: FleetContext) -> Iterator[Problem]:
    """Check `requires` for cycles; each is reported at every environment that is part of one."""
    requires = {name: environment.requires for name, environment in context.platform.environments.items()}
    for name, needed in requires.items():
        for index, required in enumerate(needed):
            if name in _reachable(requires, required):
                message = f"`{name}` requires `{required}`, which requires `{name}`"
                path = ("spec", "environments", name, "requires", index)
                yield Problem(path, message, "remove one of the requirements")


def _reachable(requires: dict[str, list[str]], start: str) -> set[str]:
    """Return all environments that a version must pass before, including this one."""
    seen: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += requires.get(name, [])
    return seen


_OLDEST: Final = (1, 27)
_OWN: Final = frozenset({"tier", "model", "environments"})


@rule(
    "PLAT906",
    "error",
    "a tier's default is not valid in any spec",
    scope=FleetContext,
    why="Every model of the tier would inherit the mistake and be refused.",
    remedy="Correct the value in the tier's `defaults`.",
    example="# specs/platform.yaml\nspec: {tiers: {spare: {defaults: {rollout: {watch: soon}}}}}",
    instead="# specs/platform.yaml\nspec: {tiers: {spare: {defaults: {rollout: {watch: 5m}}}}}",
)
def defaults(context: FleetContext) -> Iterator[Problem]:
    """Check defaults as a part of a model's spec; missing keys are allowed."""
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
    """Return defaults with the strategy that the keys of their rollout imply."""
    rollout = values.get("rollout")
    if isinstance(rollout, dict) and "strategy" not in rollout:
        strategy = "blue-green" if rollout.keys() & {"approve", "preview", "watch"} else "canary"
        return {**values, "rollout": {**rollout, "strategy": strategy}}
    return values


@rule(
    "PLAT907",
    "error",
    "a tier's default sets a key that every model must set itself",
    scope=FleetContext,
    why="The tier, the model and overrides of environments belong in each spec; a default for them is a mistake.",
    remedy="Remove the key from `defaults`.",
    example="# specs/platform.yaml\nspec: {tiers: {spare: {defaults: {tier: spare, replicas: 3}}}}",
    instead="# specs/platform.yaml\nspec: {tiers: {spare: {defaults: {replicas: 3}}}}",
)
def own_keys(context: FleetContext) -> Iterator[Problem]:
    """Check that no default sets a key that every spec must set itself."""
    for name, tier in context.platform.tiers.items():
        for key in sorted(_OWN & tier.defaults.keys()):
            path = ("spec", "tiers", name, "defaults", key)
            message = f"`{key}` must be set by every model itself, and has no default"
            yield Problem(path, message, "remove it", on_key=True)


# Reserved for Kubernetes (kubernetes.io, concepts: namespaces).
_OF_KUBERNETES: Final = "kube-"
# Where their own instructions install the controllers that bundles rely on.
_OF_CONTROLLERS: Final = frozenset(
    {"cert-manager", "envoy-gateway-system", "external-secrets", "istio-system", "keda", "traefik"}
)


@rule(
    "PLAT908",
    "error",
    "a namespace is shared by teams or environments, or used by something else",
    scope=FleetContext,
    why="Quotas, network policies and access rights apply to a namespace: in a shared one no team's limits hold.",
    remedy="Use {team} in the pattern, and {environment} if one cluster has several.",
    example="# specs/platform.yaml\nspec: {environments: {production: {namespace: models}}}",
    instead="# specs/platform.yaml\nspec: {environments: {production: {namespace: 'models-{team}'}}}",
)
def namespaces(context: FleetContext) -> Iterator[Problem]:
    """Check that each team has a namespace to itself in each environment of a cluster."""
    taken: dict[tuple[str, str], tuple[str, str]] = {}
    others = _others(context)
    for name, environment in context.platform.environments.items():
        path = ("spec", "environments", name, "namespace")
        if "{team}" not in environment.namespace:
            message = f"the namespace `{environment.namespace}` is the same for every team"
            yield Problem(path, message, f"write `{environment.namespace}-{{team}}`")
            continue
        for team in context.platform.teams:
            found = namespace_of(context.platform, name, team)
            first = taken.setdefault((environment.cluster, found), (name, team))
            if first != (name, team):
                message = (
                    f"`{found}` would be the namespace of {team} in {name} and of {first[1]} in {first[0]}"
                )
                yield Problem(path, message, "add {environment}: both environments are in one cluster")
            elif found.startswith(_OF_KUBERNETES) or found in others:
                message = (
                    f"`{found}` would be the namespace of {team} in {name}, but is used by something else"
                )
                yield Problem(path, message, "add a prefix or a suffix")


def _others(context: FleetContext) -> set[str]:
    """Return the namespaces of the platform's own components."""
    platform = context.platform
    routers = {item.router.namespace for item in platform.environments.values() if item.router.namespace}
    proxies = {name for item in platform.environments.values() for name in item.router.proxies}
    monitoring = platform.monitoring
    shared = {
        platform.argocd_namespace,
        monitoring.namespace,
        monitoring.rollouts.namespace,
        monitoring.workflows.namespace,
    }
    if platform.notifications:
        shared.add(platform.notifications.namespace)
    return {"default", *_OF_CONTROLLERS, *routers, *proxies, *shared}


@rule(
    "PLAT911",
    "error",
    "admission policies are on, but the clusters' Kubernetes has none",
    scope=FleetContext,
    why="ValidatingAdmissionPolicy is v1 and enabled since Kubernetes 1.30; before that the sync of the "
    "platform fails.",
    remedy="Write `admission: none`, or correct the version of Kubernetes.",
    example="# specs/platform.yaml\nspec: {controllers: {kubernetes: '1.29'}}",
    instead="# specs/platform.yaml\nspec: {controllers: {kubernetes: '1.29'}, admission: none}",
    source="Kubernetes 1.30, CHANGELOG/CHANGELOG-1.30.md",
)
def admission(context: FleetContext) -> Iterator[Problem]:
    """Check that the clusters have ValidatingAdmissionPolicy if policies are rendered."""
    version = context.platform.controllers.kubernetes
    if context.platform.admission != "none" and minor(version) < (1, 30):
        message = f"Kubernetes {version} has no admission policies of version v1"
        path = ("spec", "controllers", "kubernetes")
        hint = "write `admission: none`; the clusters then admit releases that bypass Sluice"
        yield Problem(path, message, hint)


@rule(
    "PLAT913",
    "warning",
    "an owner is not valid in CODEOWNERS",
    scope=FleetContext,
    why="CODEOWNERS accepts `@user`, `@organisation/team` or an e-mail address; anything else invalidates its line.",
    remedy="Write one of those.",
    example="# specs/platform.yaml\nspec: {teams: {shop: {owners: [the shop team]}}}",
    instead="# specs/platform.yaml\nspec: {teams: {shop: {owners: ['@acme/shop-team']}}}",
    source="GitHub, About code owners; GitLab, Code Owners syntax",
)
def owners(context: FleetContext) -> Iterator[Problem]:
    """Check the owners of the platform and of teams."""
    found: list[tuple[Path, list[str]]] = [(("spec", "owners"), context.platform.owners)]
    found += [
        (("spec", "teams", name, "owners"), team.owners) for name, team in context.platform.teams.items()
    ]
    for path, written in found:
        for index, owner in enumerate(written):
            if not is_owner(owner):
                message = f"`{owner}` is not valid in CODEOWNERS, and is left out of it"
                yield Problem((*path, index), message, "write @user, @organisation/team or an e-mail address")


@rule(
    "PLAT915",
    "warning",
    "several teams and no owner of the platform",
    scope=FleetContext,
    why="Without owners CODEOWNERS has no row for the files that limit teams: this file, templates, CI, Argo CD's "
    "projects. One team could then change the limits of all.",
    remedy="Write the users or groups who review changes of the platform, then run `sluice codeowners`.",
    example="""
# specs/platform.yaml
spec: {owners: [], teams: {ads: {owners: [ads@example.com], tiers: [standard]}}}
""",
    instead="""
# specs/platform.yaml
spec: {owners: ["@acme/platform"], teams: {ads: {owners: [ads@example.com], tiers: [standard]}}}
""",
)
def no_owner(context: FleetContext) -> Iterator[Problem]:
    """Check that someone owns what teams share, as soon as there are several teams."""
    platform = context.platform
    if len(platform.teams) > 1 and not any(map(is_owner, platform.owners)):
        message = f"{len(platform.teams)} teams share this platform, and CODEOWNERS names no owner of it"
        yield Problem(("spec", "owners"), message, "write `owners: ['@your-org/platform-team']`")


@rule(
    "PLAT914",
    "error",
    "a daily watch never finds fresh data",
    scope=FleetContext,
    why="Archives are named by the digest of the model and never change; only a claim can have fresh data.",
    remedy="Let gate pods read from a `claim`, or remove `daily`.",
    example="""
# specs/platform.yaml
spec:
  gates:
    daily: "14:30"
    inputs: {s3: "gates/{digest}.tgz"}
    egress: [{cidr: 10.20.0.0/16, ports: [443]}]
""",
    instead="# specs/platform.yaml\nspec: {gates: {daily: '14:30', inputs: {claim: gate-inputs}}}",
)
def watch(context: FleetContext) -> Iterator[Problem]:
    """Check that there is a place for fresh data."""
    gates = context.platform.gates
    if gates.daily and not gates.inputs.claim:
        message = "gates can't run again on fresh data: their inputs are archives that never change"
        yield Problem(("spec", "gates", "daily"), message, "write `inputs: {claim: …}`, or remove `daily`")


@rule(
    "PLAT917",
    "error",
    "a team is notified by a service that the platform does not configure",
    scope=FleetContext,
    why="The controllers drop such a message, and the team is not notified of an abort.",
    remedy="Configure the service under `notifications`, or remove it from the team's `notify`.",
    example="# specs/platform.yaml\nspec: {teams: {shop: {notify: {slack: [shop-ml]}}}}",
    instead="""
# specs/platform.yaml
spec:
  notifications: {slack: {token: slack-token}}
  teams: {shop: {notify: {slack: [shop-ml]}}}
""",
)
def services(context: FleetContext) -> Iterator[Problem]:
    """Check Slack, e-mail and each webhook that a team names."""
    configured = context.platform.notifications
    for name, team in context.platform.teams.items():
        if team.notify is None:
            continue
        base = ("spec", "teams", name, "notify")
        if team.notify.slack and not (configured and configured.slack):
            yield Problem(
                (*base, "slack"), "the platform does not configure Slack", "add `notifications.slack`"
            )
        if team.notify.email and not (configured and configured.email):
            yield Problem(
                (*base, "email"), "the platform does not configure e-mail", "add `notifications.email`"
            )
        known = configured.webhooks if configured else {}
        for index, hook in enumerate(team.notify.webhooks):
            if hook not in known:
                message = f"the platform has no webhook `{hook}`"
                yield Problem((*base, "webhooks", index), message, did_you_mean(hook, known))


@rule(
    "PLAT930",
    "warning",
    "gates fetch their inputs from an address that their network policy does not open",
    scope=FleetContext,
    why="Gate pods reach the API server and what is listed, nothing else, and a network policy knows no DNS names: the "
    "gates would wait for their inputs until they fail.",
    remedy="List the addresses or the namespace of the store in `gates.egress`.",
    example="# specs/platform.yaml\nspec: {gates: {inputs: {url: 'https://store.example.com/{digest}.tgz'}}}",
    instead="""
# specs/platform.yaml
spec:
  gates:
    inputs: {url: 'https://store.example.com/{digest}.tgz'}
    egress: [{cidr: 203.0.113.0/24, ports: [443]}]
""",
)
def unreachable_inputs(context: FleetContext) -> Iterator[Problem]:
    """Check that an archive's address is opened: by an IP or a Service in the address itself, or by the list."""
    gates = context.platform.gates
    if gates.egress:
        return
    hint = "add `egress: [{cidr: …, ports: [443]}]` with the addresses of the store, or its `namespace`"
    if gates.inputs.s3:
        message = "gate pods can't reach the artifact repository: `egress` lists nothing"
        yield Problem(("spec", "gates", "inputs", "s3"), message, hint)
    elif gates.inputs.url and inputs_destination(context.platform) is None:
        message = f"gate pods can't reach {gates.inputs.url}: network policies know no DNS names"
        yield Problem(("spec", "gates", "inputs", "url"), message, hint)


@rule(
    "PLAT931",
    "error",
    "the declared Kubernetes is too old for what is rendered",
    scope=FleetContext,
    why="Before 1.27 the API server rejects fields of every PodDisruptionBudget, and each sync of a model fails.",
    remedy="Upgrade the clusters, or correct the version.",
    example="# specs/platform.yaml\nspec: {controllers: {kubernetes: '1.26'}, admission: none}",
    instead="# specs/platform.yaml\nspec: {controllers: {kubernetes: '1.27'}, admission: none}",
    source="Kubernetes 1.27, pkg/features/kube_features.go (PDBUnhealthyPodEvictionPolicy)",
)
def kubernetes_version(context: FleetContext) -> Iterator[Problem]:
    """Check the declared version against the oldest one that accepts what is rendered."""
    written = context.platform.controllers.kubernetes
    if minor(written) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        message = f"Kubernetes {written} is older than {oldest}, the oldest supported version"
        hint = f'upgrade the clusters, then write `kubernetes: "{oldest}"` or later'
        yield Problem(("spec", "controllers", "kubernetes"), message, hint)
