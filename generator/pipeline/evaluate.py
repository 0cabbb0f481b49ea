"""Evaluates models: rules on each model and across models, and evidence if the tier requires it in git."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from generator.dataclass import dataclass
from generator.odds.footprint import ResourceFootprint, footprint
from generator.pipeline.held import promotion_findings, unread_locks
from generator.pipeline.selection import Selection
from generator.pipeline.session import Session
from generator.pipeline.terminal import note
from generator.plan.model_files import ModelFiles
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, Resolved
from generator.plan.values import Plan
from generator.render.outputs.gates import used_images
from generator.rules.evaluate import run_fleet_rules, run_rules
from generator.source.errors import FindingsError
from generator.source.finding import Finding, unique_findings
from generator.source.reader import display

if TYPE_CHECKING:
    from generator.gates.document import Evidence

T = TypeVar("T")
_STRAY = "REF210"
_DEFAULTS = "PLAT906"
_KEPT: Final = 2000
"""Above this number of models, plans are not kept: they would take most of the memory."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The evaluation of one model.

    It is small: ten thousand of them are sent between processes and stay in memory.

    Args:
        entry: the model.
        findings: about this model alone; empty if it was not selected.
        footprints: of its plans; empty when it can't be planned.
        images: names of the gate images that it uses.
        packed: its plans by environment; empty if they are not kept.
    """

    entry: ModelFiles
    findings: tuple[Finding, ...]
    footprints: tuple[ResourceFootprint, ...]
    images: frozenset[str]
    packed: bytes = b""

    def file(self, root: Path) -> str:
        """Return the path of its spec in findings."""
        return display(self.entry.spec, root)

    @property
    def can_be_rendered(self) -> bool:
        """Whether it has plans and no errors."""
        return bool(self.footprints) and not self._errors

    def lacks_only(self, codes: frozenset[str]) -> bool:
        """Check whether it has plans, and errors with these codes only."""
        return bool(self.footprints and self._errors) and self._errors <= codes

    @property
    def _errors(self) -> set[str]:
        return {found.code for found in self.findings if found.severity == "error"}


def pack(plans: Mapping[str, Plan]) -> bytes:
    """Return the plans of a model as bytes: a third of their size, in a tenth of the time that planning takes."""
    import pickle

    return pickle.dumps(dict(plans), pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> dict[str, Plan]:
    """Return the plans of a model that `pack` packed in this run."""
    import pickle

    return cast("dict[str, Plan]", pickle.loads(packed))  # noqa: S301 - the bytes come from this program


def evaluate_model(session: Session, resolved: Resolved, everywhere: Iterable[Plan] = ()) -> list[Finding]:
    """Return the findings of all rules on all plans of one model, and about its evidence if required.

    Args:
        session: the repository, and the day that dates are compared with.
        resolved: the plans.
        everywhere: the plans of all environments, where `resolved` has fewer.
    """
    plans = tuple(everywhere)
    repository, today = session.repository, session.today
    evidence = _evidence_findings(resolved, repository, today, plans)
    signatures = _signature_findings(resolved, repository)
    records = _record_findings(resolved, repository)
    images = _gate_image_findings(resolved, session)
    gated = any(planned.plan.delivery.requires for planned in resolved.plans)
    promotions = promotion_findings(resolved, session) if gated else ()
    return sorted(
        [*run_rules(resolved, today, plans), *evidence, *signatures, *records, *images, *promotions],
        key=Finding.sort_key,
    )


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model with its plans.

    Args:
        entry: the model.
        plans: its plans, in the platform's order.
        findings: about it alone.
    """

    entry: ModelFiles
    plans: tuple[Planned, ...]
    findings: tuple[Finding, ...]


def plan_model(session: Session, entry: ModelFiles, environment: str | None = None) -> PlannedModel:
    """Return the plans of one model, or its plan in one environment; a note warns if it breaks rules.

    Raises:
        FindingsError: it can't be planned.
    """
    resolved = _resolve(session, entry, environment)
    findings = evaluate_model(session, resolved)
    if any(finding.severity == "error" for finding in findings):
        note(f"{entry.name} breaks rules and can't be rendered: see `sluice validate {entry.name}`")
    plans = (plan for plan in resolved.plans if environment in {None, plan.plan.identity.environment})
    return PlannedModel(entry, tuple(plans), tuple(findings))


def plans_of(session: Session, entry: ModelFiles, environment: str | None) -> list[Planned]:
    """Return only the plans of `plan_model`.

    Raises:
        FindingsError: it can't be planned.
    """
    return list(plan_model(session, entry, environment).plans)


def plan_of(session: Session, entry: ModelFiles, environment: str) -> Plan:
    """Return the plan of one model in one environment, whether or not it breaks rules.

    Raises:
        CliError: there is no such environment.
        FindingsError: it can't be planned.
    """
    plans = (planned.plan for planned in _resolve(session, entry, environment).plans)
    return next(plan for plan in plans if plan.identity.environment == environment)


def _resolve(session: Session, entry: ModelFiles, environment: str | None) -> Resolved:
    session.require_platform(environment)
    resolved = session.resolve(entry)
    if any(finding.severity == "error" for finding in resolved.findings):
        raise FindingsError(resolved.findings)
    return resolved


def findings_of(session: Session, selection: Selection) -> list[Finding]:
    """Return all findings about the platform and the selected models, in order, each once."""
    repository = session.repository
    found = list(session.strays) if selection.everything else []
    platform = repository.platform
    found += [finding for finding in repository.findings if finding.code != _STRAY]
    if platform is not None:
        if selection.everything:
            found += unread_locks(session, session.platform_inputs.gated)
        evaluations, fleet = evaluate_models(session, selection.entries, "Checking specs")
        found += [finding for one in evaluations for finding in one.findings] + fleet
    return _without_inherited(unique_findings(found))


def _without_inherited(findings: list[Finding]) -> list[Finding]:
    """Drop findings that models inherit from a tier's defaults: the finding about the defaults covers them."""
    defaults = {found.place for found in findings if found.code == _DEFAULTS}
    return [found for found in findings if found.code == _DEFAULTS or found.place not in defaults]


def evaluate_models(
    session: Session, selected: Collection[ModelFiles], label: str, environment: str = ""
) -> tuple[list[Evaluation], list[Finding]]:
    """Evaluate some models, and the rules that compare them with all other models of their teams.

    Args:
        session: with a valid platform.
        selected: the models.
        label: of the progress bar.
        environment: the only one whose plans are evaluated, or empty for all.

    Returns:
        The evaluation of each model of those teams, sorted; and the findings about the platform and across models.
    """
    teams = {entry.team for entry in selected}
    chosen = frozenset(selected)
    models = [(entry, entry in chosen) for entry in session.entries if entry.team in teams]
    keep = len(models) <= _KEPT

    def evaluate_some(some: Sequence[tuple[ModelFiles, bool]]) -> Iterator[Evaluation]:
        return (_evaluate(session, entry, environment, alone=alone, keep=keep) for entry, alone in some)

    session.repository.platform  # noqa: B018 - read once, before there are several processes
    with session.work_on(models, evaluate_some, label) as found:
        evaluations = sorted(_interned(found, session.entries), key=lambda one: one.entry)
    footprints = [footprint for one in evaluations for footprint in one.footprints]
    return evaluations, run_fleet_rules(footprints, session.repository, session.today)


def read_evidence_of(entry: ModelFiles, repository: Repository) -> Evidence:
    """Read the evidence next to a spec, whether or not its tier requires it."""
    from generator.gates.document import read_evidence

    return read_evidence(entry.evidence, repository.root, entry.name)


def _evaluate(
    session: Session, entry: ModelFiles, environment: str, *, alone: bool, keep: bool
) -> Evaluation:
    resolved = session.resolve(entry)
    plans = {planned.plan.identity.environment: planned.plan for planned in resolved.plans}
    if environment:
        resolved.plans = [one for one in resolved.plans if one.plan.identity.environment == environment]
    findings: list[Finding] = []
    if alone:
        found = evaluate_model(session, resolved, plans.values())
        findings = [*resolved.findings, *found]
    images = frozenset(name for plan in plans.values() for name in used_images(plan))
    packed = pack(plans) if alone and keep and plans else b""
    return Evaluation(entry, tuple(findings), tuple(map(footprint, plans.values())), images, packed)


def _evidence_findings(
    resolved: Resolved, repository: Repository, today: dt.date, everywhere: tuple[Plan, ...]
) -> list[Finding]:
    demanding = [planned for planned in resolved.plans if _demands_evidence(planned)]
    if not demanding:
        return []
    from generator.gates.enforce import evidence_findings

    evidence = read_evidence_of(resolved.entry, repository)
    others = everywhere or tuple(planned.plan for planned in resolved.plans)
    found = [one for planned in demanding for one in evidence_findings(planned, evidence, today, others)]
    return list(dict.fromkeys(found))


def _signature_findings(resolved: Resolved, repository: Repository) -> list[Finding]:
    tiers = repository.platform.tiers if repository.platform else {}
    demanding = [one for one in resolved.plans if tiers[one.plan.identity.tier].requires.signed]
    if not demanding:
        return []
    from generator.gates.signatures import signature_findings

    found = [f for one in demanding for f in signature_findings(one, resolved.entry, repository.root)]
    return list(dict.fromkeys(found))


def _record_findings(resolved: Resolved, repository: Repository) -> list[Finding]:
    """Return what is wrong with the records next to a spec; a missing one is not a mistake."""
    entry, found = resolved.entry, list[Finding]()
    for planned in resolved.plans:
        environment = planned.plan.identity.environment
        if entry.record(environment).exists():
            from generator.gates.records import read_record

            found += read_record(entry.record(environment), repository.root, entry.name, environment).findings
    return found


def _gate_image_findings(resolved: Resolved, session: Session) -> list[Finding]:
    """Return a finding for each image without a digest where the tier requires one; tags depend on the templates."""
    from generator.render.gate_images import gate_images

    found = {}
    for planned in resolved.plans:
        tier, images = planned.plan.identity.tier, planned.source.platform.images
        if not planned.source.platform.tiers[tier].requires.gate_image_digest:
            continue
        built = gate_images(planned.plan, session.templates)
        used = [images.base, *(built.reference(name) for name in used_images(planned.plan))]
        for image in (one for one in used if "@" not in images.by_digest(one)):
            place = planned.source.layers.platform.place(
                ("spec", "tiers", tier, "requires", "gateImageDigest")
            )
            message = f"the tier `{tier}` requires digests, and {image} has none in `images.digests`"
            hint = (
                "push the image, then run `sluice pin --platform`, which reads its digest from the registry"
            )
            found[image] = Finding("TIER342", "error", message, hint, place, "spec.images.digests")
    return list(found.values())


def _demands_evidence(planned: Planned) -> bool:
    return "git" in planned.plan.enforcement and bool(planned.plan.gates)


def _interned(found: Iterable[Evaluation], entries: Iterable[ModelFiles]) -> Iterator[Evaluation]:
    """Share one object among equal values from several processes: copies would take most of the memory."""
    own, seen = {entry: entry for entry in entries}, dict[Any, Any]()

    def once(value: T) -> T:
        known: T = seen.setdefault(value, value)
        return known

    for one in found:
        footprints = tuple(
            replace(
                each,
                team=once(each.team),
                environment=once(each.environment),
                tier=once(each.tier),
                peak=once(each.peak),
                steady_state=once(each.steady_state),
                scaled_up=once(each.scaled_up),
            )
            for each in one.footprints
        )
        findings = tuple(
            replace(each, message=once(each.message), hint=once(each.hint), related=once(each.related))
            for each in one.findings
        )
        yield replace(
            one, entry=own[one.entry], findings=findings, footprints=footprints, images=once(one.images)
        )
