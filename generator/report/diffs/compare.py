"""Compare the plans of two states of a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Final, Literal, NamedTuple

from generator.dataclass import dataclass
from generator.odds.harms import Harm, assumes_otherwise, compared_metrics
from generator.odds.key_metrics import KeyMetrics, format_figures, key_metrics
from generator.pipeline.parallel import parallel_map
from generator.pipeline.session import Session
from generator.plan.changes import Change, changes
from generator.plan.inputs import model_inputs, promotion_input
from generator.plan.model_files import ModelFiles
from generator.plan.promotion import describe_standing, standing
from generator.plan.resolve import Planned, Resolved
from generator.plan.values import Plan
from generator.render.argocd import render_application
from generator.render.bundle import pod_template, undated, what_runs
from generator.render.environment import TemplateError, Templates
from generator.report.diffs.direction import METRICS, Direction, Strictness, of_change, of_values, strictness
from generator.report.diffs.policy import PolicyChange, policy_changes, tier_changes
from generator.report.diffs.records import Status
from generator.report.diffs.shared import SharedDifference, shared_differences
from generator.source.finding import Finding
from generator.spec.quantities import plural

Applies = Literal["release", "at once", "rules", ""]
_POD_TOPICS: Final = {"image", "service", "environment variable", "model", "data"}
_POD_SIZE: Final = {"cpu", "memory", "gpu", "storage", "startup"}
_HOLDS: Final = {"waiting", "held"}
_RULES: Final = {"release", "step", "shadow", "guard", "gate", "tier"}

NOT_PLANNED_NOW: Final = "it can't be planned as it is now"
"""How the reason starts of a model that has errors in the current state, not only in the earlier one."""

NOT_RENDERED: Final = "it can't be rendered as it is now"
"""How the reason starts of a model that a template of the repository makes no valid files of."""


class NumberChange(NamedTuple):
    """A key metric that differs, formatted for people; None where it was or is not known."""

    old: str | None
    new: str | None
    direction: Direction


@dataclass(frozen=True, slots=True)
class Difference:
    """One plan that differs.

    Args:
        team: the team.
        model: the model.
        environment: the environment; empty where the spec can't be planned on one side.
        status: whether it was added, removed or changed.
        changes: what differs.
        old: its numbers before; None where there was no plan.
        new: its numbers now; None where there is no plan. Odds of both are for the same harms.
        reason: why one side can't be planned; empty otherwise.
        harms: harms that are stopped differently, because a guard changed.
        assumed: the odds of the two sides rest on different traffic, baselines or delays.
        starts_release: whether the pods change, so that a release starts.
        held: why none does although the release of the spec is another one: the environment waits for a promotion.
        artifact: digest of the version of a model that was added or removed.
        pods: how many a removed model has.
        lost_hosts: hosts that nothing of the model answers any more.
    """

    team: str
    model: str
    environment: str
    status: Status
    changes: tuple[Change, ...] = ()
    old: KeyMetrics | None = None
    new: KeyMetrics | None = None
    reason: str = ""
    harms: tuple[Harm, ...] = ()
    assumed: bool = False
    starts_release: bool = False
    held: str = ""
    artifact: str = ""
    pods: int = 0
    lost_hosts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name: TEAM/MODEL."""
        return f"{self.team}/{self.model}"

    @property
    def numbers(self) -> dict[str, NumberChange]:
        """The numbers that differ, by their names for people."""
        old, new = format_figures(self.old) if self.old else {}, format_figures(self.new) if self.new else {}
        directions = {
            name: of_values(getattr(self.old, key, None), getattr(self.new, key, None), worse)
            for key, (name, worse) in METRICS.items()
        }
        if self.assumed or any(harm.lost for harm in self.harms):
            # A changed assumption or a removed guard does not make a release better.
            directions = {name: "" if found == "better" else found for name, found in directions.items()}
        return {
            name: NumberChange(old.get(name), new.get(name), directions.get(name, ""))
            for name in (new or old)
            if old.get(name) != new.get(name)
        }

    @property
    def lost(self) -> tuple[Harm, ...]:
        """The harms that no guard watches for any more."""
        return tuple(harm for harm in self.harms if harm.lost)

    def direction(self, change: Change) -> Strictness:
        """Return whether a change is looser or stricter; odds decide where a guard has a threshold of another kind."""
        found = of_change(change)
        if found or (change.topic, change.field) != ("guard", "threshold"):
            return found
        harm = next((harm for harm in self.harms if harm.guard == change.item), None)
        return strictness(harm.old.share, harm.new.share, -1) if harm else ""


def applies(change: Change) -> Applies:
    """Return when a change takes effect: with a release, at once for everybody, or as a rule of the next releases."""
    if change.topic in _POD_TOPICS or (change.topic == "capacity" and change.field in _POD_SIZE):
        return "release"
    if change.topic in {"capacity", "route"} or (change.topic == "template" and _synced(change.item)):
        return "at once"
    return "rules" if change.topic in _RULES else ""


def _synced(file: str) -> bool:
    """Return whether a rendered file counts as soon as it is synced: not the Rollout, and not what releases run."""
    return not file.startswith(("rollout-", "analysistemplate-")) and bool(file)


@dataclass
class Side:
    """One state of a repository, read as far as it is needed.

    Args:
        session: the repository.
    """

    session: Session

    @cached_property
    def entries(self) -> dict[str, ModelFiles]:
        """All models by name."""
        return {entry.name: entry for entry in self.session.entries}

    @cached_property
    def templates(self) -> str:
        """Digest of the repository's own templates."""
        return self.session.templates.own_digest()

    def digests(self, name: str) -> dict[str, str] | None:
        """Return digests of the inputs of a model's plans; None when there is no such model."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        platform = self.session.platform_inputs
        promotions = {
            f"{name} {environment}": digest
            for environment in platform.gated
            for name, digest in promotion_input(entry, environment).items()
        }
        return {**model_inputs(entry, platform), **promotions, "templates": self.templates}

    def resolve(self, name: str) -> Resolved | None:
        """Return the plans of a model; None when there is no such model."""
        entry = self.entries.get(name)
        return self.session.resolve(entry) if entry else None

    def errors(self) -> list[Finding]:
        """Return the findings that prevent planning any model; reads the platform."""
        platform = self.session.repository.platform
        return self.session.repository.findings if platform is None else []


@dataclass
class Comparison:
    """What differs between two states.

    Args:
        models: how many models there are now.
        environments: how many environments there are now.
        found: plans that differ, sorted by model, in the platform's order of environments.
        templates: names of templates of the repository that differ.
        shared: bundles that belong to no model and differ; compared where all models are.
        shared_total: how many of those there are now; 0 where they were not compared.
        policies: rules of the platform that differ.
        suspects: models whose inputs differ, sorted.
    """

    models: int
    environments: int
    found: list[Difference] = field(default_factory=list)
    templates: tuple[str, ...] = ()
    shared: tuple[SharedDifference, ...] = ()
    shared_total: int = 0
    policies: tuple[PolicyChange, ...] = ()
    suspects: tuple[str, ...] = ()

    @property
    def differ(self) -> bool:
        """Whether anything differs."""
        return bool(self.found or self.templates or self.shared or self.policies)


def comparison(old: Side, new: Side, names: Sequence[str] | None = None) -> Comparison:
    """Compare two states whose platforms can be read.

    A model is resolved only if one of its inputs differs; several hundred models are resolved on all cores. Bundles
    that belong to no model are rendered on both sides where the platform differs, and compared as texts.

    Args:
        old: the older state.
        new: the newer state.
        names: models to compare; None for all.
    """
    wanted = sorted({*old.entries, *new.entries}) if names is None else sorted(names)
    suspects = [name for name in wanted if old.digests(name) != new.digests(name)]
    platform = new.session.repository.platform
    order = {name: index for index, name in enumerate(platform.environments if platform else ())}
    found = sorted(
        parallel_map(suspects, _comparer(old, new)), key=lambda d: (d.name, order.get(d.environment, -1))
    )
    templates = _texts(old) if old.templates != new.templates else {}
    current = _texts(new) if old.templates != new.templates else {}
    differing = sorted(n for n in {*templates, *current} if templates.get(n) != current.get(n))
    total, shared = shared_differences(old.session, new.session) if names is None else (0, [])
    policies = policy_changes(*(side.session.repository.platform_document.data for side in (old, new)))
    return Comparison(
        len(new.entries), len(order), found, tuple(differing), tuple(shared), total, policies, tuple(suspects)
    )


def _texts(side: Side) -> dict[str, str]:
    templates = side.session.templates
    return {name: templates.text(name) for name in templates.files}


def _comparer(old: Side, new: Side) -> Callable[[Sequence[str]], list[Difference]]:
    def compare(names: Sequence[str]) -> list[Difference]:
        sides = old.session.templates, new.session.templates
        return [found for name in names for found in _rendered(name, old, new, sides)]

    return compare


def _rendered(name: str, old: Side, new: Side, templates: tuple[Templates, Templates]) -> list[Difference]:
    """Return the differences of a model; one about the template that renders nothing valid now."""
    try:
        return _model(name, old.resolve(name), new.resolve(name), templates)
    except TemplateError as error:
        team, _, model = name.partition("/")
        reason = error.message.replace(f"{new.session.root}/", "")
        return [Difference(team, model, "", "unreadable", reason=f"{NOT_RENDERED}: {reason}")]


def _model(
    name: str, old: Resolved | None, new: Resolved | None, templates: tuple[Templates, Templates]
) -> list[Difference]:
    team, _, model = name.partition("/")
    for side, reason in ((new, NOT_PLANNED_NOW), (old, "it can't be planned as it was")):
        broken = next((f for f in side.findings if f.severity == "error"), None) if side else None
        if broken:
            why = f"{reason}: {broken.place}: {broken.message}"
            return [Difference(team, model, "", "unreadable", reason=why)]
    before, after = _by_environment(old), _by_environment(new)
    found = []
    for environment in dict.fromkeys((*after, *before)):
        pair = before.get(environment), after.get(environment)
        differing = (*_moved(*pair), *changes(*pair), *_by_templates(pair[1], *templates))
        if differing:
            status: Status = "added" if pair[0] is None else "removed" if pair[1] is None else "changed"
            found.append(
                _difference(Difference(team, model, environment, status, differing), *pair, templates)
            )
    return found


def _by_templates(new: Planned | None, before: Templates, now: Templates) -> Iterator[Change]:
    """Yield the files that the templates now render otherwise than those before, from one plan."""
    if new is None or before.own_digest() == now.own_digest():
        return
    texts = undated(new.plan, now) | render_application(new.plan, now)
    try:
        old = undated(new.plan, before) | render_application(new.plan, before)
    except TemplateError as error:
        yield Change("template", "", "", f"could not be rendered: {error.message}", "rendered")
        return
    for name in sorted({*texts, *old}):
        was, is_now = old.get(name, "").splitlines(), texts.get(name, "").splitlines()
        if was != is_now:
            gone, added = (
                [line for line in was if line not in is_now],
                [line for line in is_now if line not in was],
            )
            yield Change("template", name, "", _first(gone), _first(added))


def _first(lines: Sequence[str]) -> str:
    """Return the first of some lines that is not a comment, and how many more there are."""
    told = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not told:
        return "other comments or order" if lines else "nothing"
    return told[0] if len(told) == 1 else f"{told[0]} and {plural(len(told) - 1, 'more line')}"


def _moved(old: Planned | None, new: Planned | None) -> Iterator[Change]:
    """Yield the rules that differ for a model because it moves to another tier."""
    if old is None or new is None or old.plan.identity.tier == new.plan.identity.tier:
        return
    was, now = old.plan.identity.tier, new.plan.identity.tier
    tiers = [
        side.source.layers.platform.data["spec"]["tiers"][tier] for side, tier in ((old, was), (new, now))
    ]
    for rule in tier_changes(*tiers):
        if rule.key != "models":  # which models may use it
            yield Change("tier", "", rule.key, rule.old, rule.new)


def _difference(
    found: Difference, old: Planned | None, new: Planned | None, templates: tuple[Templates, Templates]
) -> Difference:
    """Add the numbers of both sides, and whether a release starts; a lost guard becomes the first change."""
    before_hosts = old.plan.routing.hosts if old else ()
    lost_hosts = tuple(host for host in before_hosts if new is None or host not in new.plan.routing.hosts)
    if old is None or new is None:
        was, now = (key_metrics(side) if side else None for side in (old, new))
        plan = (old or new).plan  # type: ignore[union-attr]  # one of them is there
        found = replace(
            found, artifact=plan.version.digest, pods=plan.capacity.replicas, lost_hosts=lost_hosts
        )
        held = describe_standing(new.plan) if new and standing(new.plan) in _HOLDS else ""
        return replace(found, old=was, new=now, starts_release=old is None and not held, held=held)
    before, after, harms = compared_metrics(old, new)
    lost = {harm.guard for harm in harms if harm.lost}
    return replace(
        found,
        changes=tuple(sorted(found.changes, key=lambda change: not _loses(change, lost))),
        old=before,
        new=after,
        harms=harms,
        lost_hosts=lost_hosts,
        assumed=assumes_otherwise(old.plan, new.plan),
        starts_release=_starts_release(old.plan, new.plan, templates),
        held=describe_standing(new.plan) if standing(new.plan) in _HOLDS else "",
    )


def _starts_release(old: Plan, new: Plan, templates: tuple[Templates, Templates]) -> bool:
    """Return whether pods change: where others are required, only a promotion changes them."""
    if new.delivery.requires and old.delivery.requires:
        return new.promotion is not None and (
            old.promotion is None or old.promotion.held != new.promotion.held
        )
    if standing(new) in _HOLDS:
        return False
    if templates[0].own_digest() == templates[1].own_digest():
        return pod_template(old, templates[0]) != pod_template(new, templates[1])
    try:
        before = what_runs(old, templates[0])
    except TemplateError:
        return True  # what runs now is not known
    return before != what_runs(new, templates[1])


def _loses(change: Change, lost: set[str]) -> bool:
    return change.topic == "guard" and change.item in lost


def _by_environment(resolved: Resolved | None) -> dict[str, Planned]:
    plans = resolved.plans if resolved else []
    return {planned.plan.identity.environment: planned for planned in plans}
