"""Rules on the platform: unknown names, invalid defaults, shared namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.lint.engine import Problem, rule
from generator.plan.people import is_owner
from generator.rules.context import FleetContext
from generator.source.document import Document, Path, dotted
from generator.source.finding import Fix
from generator.source.suggest import did_you_mean
from generator.spec.check import check_data
from generator.spec.model import ModelSpec
from generator.spec.quantities import plural

_LONGEST_EVIDENCE_DAYS = 7
_OWN = frozenset({"tier", "model", "serve", "environments"})


@rule(
    "PLAT901",
    "error",
    "a waiver, a hot fix or the name of an Application is for a model that does not exist",
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
    """Check that waivers, hot fixes and names of Applications are for models of this repository."""
    known = [entry.name for entry in context.repository.entries]
    platform = context.platform
    waived = [("waivers", index, waiver.model) for index, waiver in enumerate(platform.waivers)]
    hot = [("hotFixes", index, fix.model) for index, fix in enumerate(platform.hot_fixes)]
    for key, index, model in (*waived, *hot):
        if model not in known:
            yield Problem(("spec", key, index, "model"), f"unknown model {model}", did_you_mean(model, known))
    for name, environment in platform.environments.items():
        for model in environment.argocd.applications.keys() - set(known):
            path = ("spec", "environments", name, "argocd", "applications", model)
            yield Problem(path, f"unknown model {model}", did_you_mean(model, known), on_key=True)


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
    "PLAT919",
    "error",
    "`git.root` is not where the folder is in the git repository",
    scope=FleetContext,
    why="Argo CD, code owners and workflows name paths from the top of the git repository. With another folder they "
    "read nothing, or what belongs to someone else.",
    remedy="Write the path of the folder that has `specs/`, from the top of the git repository; nothing at the top.",
    example="# specs/platform.yaml\nspec: {git: {root: ml/models}}\n$ git init -q",
    instead="# specs/platform.yaml\nspec: {git: {root: null}}\n$ git init -q",
    source="Argo CD 3.6, `spec.source.path` of an Application",
)
def git_root(context: FleetContext) -> Iterator[Problem]:
    """Compare the declared folder with that of the work tree; outside of git there is nothing to compare."""
    found, path = context.repository.folder_in_git, ("spec", "git", "root")
    declared = context.platform.git.root or ""
    if found is None or found == declared:
        return
    where = f"is `{found}` in its git repository" if found else "is the top of its git repository"
    hint = f"write `root: {found}`" if found else "remove `root`"
    message = f"this folder {where}, and `git.root` names {f'`{declared}`' if declared else 'no folder'}"
    yield Problem(path, message, hint, fix=Fix(path, found) if found else None)


@rule(
    "PLAT920",
    "error",
    "Prometheus keeps data for less time than the windows of the queries",
    scope=FleetContext,
    why="A longer window covers only the data that is left: an alert over 30 days underestimates the spent budget.",
    remedy="Let Prometheus keep data longer (`--storage.tsdb.retention.time`).",
    example="# specs/platform.yaml\nspec: {monitoring: {retention: 15d, alerts: {}}}",
    instead="# specs/platform.yaml\nspec: {monitoring: {retention: 31d, alerts: {}}}",
)
def retention(context: FleetContext) -> Iterator[Problem]:
    """Check the retention against the windows of alerts, and against the longest evidence of a guard, a week."""
    from generator.promql.burn import PERIOD_S

    monitoring = context.platform.monitoring
    needed = round(PERIOD_S / 86_400) + 1 if monitoring.alerts else _LONGEST_EVIDENCE_DAYS + 1
    if monitoring.retention is not None and monitoring.retention < needed:
        what = "alerts" if monitoring.alerts else "evidence of guards"
        kept = plural(monitoring.retention, "day")
        message = f"Prometheus keeps data for {kept}; the windows of {what} need {needed}"
        hint = f"raise it in Prometheus, then write `retention: {needed}d`"
        yield Problem(("spec", "monitoring", "retention"), message, hint)


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
