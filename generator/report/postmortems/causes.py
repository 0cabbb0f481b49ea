"""What let a bad version through: the section of a postmortem on its causes."""

from __future__ import annotations

from collections.abc import Iterator

from generator.plan.coverage import gaps
from generator.plan.values import Plan
from generator.report.postmortems.document import Block
from generator.report.postmortems.incident import Incident
from generator.report.postmortems.remedy import AS_RELEASED, Remedy, caught
from generator.spec.quantities import minutes_up, share_down, share_up


def _causes(incident: Incident, found: Remedy) -> Iterator[Block]:
    items = [
        *_of_promotion(incident),
        *_of_record(incident),
        *_of_harms(incident, found),
        *_of_tier(incident, found),
    ]
    yield Block(items=tuple(dict.fromkeys(items)))
    if incident.planned:
        yield Block("What its plan did not cover:")
        yield Block(items=tuple(gap.text for gap in gaps(incident.planned.plan)))


def _of_promotion(incident: Incident) -> Iterator[str]:
    release = incident.release
    for waiver in release.waivers if release else ():
        yield f"waiver: {waiver.gate} might fail, {waiver.reason} ({waiver.approved_by}, until {waiver.until})"
    for one in release.entered if release else ():
        if one.environment == incident.environment and (
            one.how.startswith("hot fix") or "passed" not in one.how
        ):
            yield f"it entered {one.environment} with less than a passed proof: {one.how}"
    for proof in incident.proofs:
        if proof.verdict != "passed":
            yield f"its record in {proof.subject.environment} is {proof.verdict}: {'; '.join(proof.reasons)}"
    if release:
        if release.evidence_fits is None:
            yield "there was no evidence of a gate in git"
        elif not release.evidence_fits:
            yield "the evidence in git was about another version"
        for gate in release.verdicts:
            yield f"gate {gate.gate}: {gate.verdict}, {gate.reason}"


def _of_record(incident: Incident) -> Iterator[str]:
    record = incident.record
    if record is None:
        return
    yield from (f"waiver in force during the rollout: {gate} ({why})" for gate, why in record.waivers.items())
    if record.verdict in {"weak", "inconclusive"}:
        yield from record.reasons
    for pause in record.pauses:
        by = f" (last client: {pause.by})" if pause.by else ""
        yield f"step {pause.step} waited for a person, and the release went on{by}"
    for name, power in record.power.by_guard.items():
        if power < record.power.least:
            stopped = share_down(power)
            yield f"missing power: with the traffic that came, {name} would have stopped {stopped} of harmful versions"


def _of_harms(incident: Incident, found: Remedy) -> Iterator[str]:
    plan = incident.planned.plan if incident.planned else None
    if plan:
        yield from (_of_harm(plan, name, ratio) for name, ratio in found.harms.items())
    course = next((one.course for one in found.variants if one.name == AS_RELEASED), None)
    if course and course.outcome == "aborted" and incident.record and not incident.record.aborted:
        yield (
            f"on the recorded traffic {course.guard} aborts it after {minutes_up(course.at_s)}, but it was completed: "
            "its analysis did not run as planned, or this is the traffic of another release"
        )


def _of_harm(plan: Plan, name: str, ratio: float) -> str:
    """Return what the plan of the release had against a harm."""
    change = f"{100 * (ratio - 1):+.1f}% of {name}"
    guard = next((one for one in plan.guards if one.name == name), None)
    if guard is None:
        return f"missing guard: nothing watched {name} ({change})"
    stop = caught(plan, name, ratio)
    if isinstance(stop, str):
        return f"guard {name} ({guard.threshold}) against {change}: no odds, {stop}"
    stops = share_down(stop.probability)
    return f"guard {name} ({guard.threshold}) against {change}: it stops {stops} of such versions"


def _of_tier(incident: Incident, found: Remedy) -> Iterator[str]:
    """Yield what the tier accepted: ceilings that are missing or loose for the harms, and what it did not require."""
    if incident.planned is None:
        return
    plan = incident.planned.plan
    tier = incident.planned.source.platform.tiers[plan.identity.tier]
    label = f"the tier {plan.identity.tier}"
    kinds = {guard.name: guard.kind for guard in plan.guards}
    for kind in dict.fromkeys(
        kinds.get(name, "error-rate" if name == "error-rate" else "outcome") for name in found.harms
    ):
        bound = tier.ceilings.guards.get(kind)
        detect = bound.detect if bound else None
        if kind not in tier.requires.guards:
            yield f"{label} requires no {kind} guard"
        yield (
            f"ceiling: {label} has none on what {kind} guards detect"
            if detect is None
            else f"ceiling: {label} accepts {kind} guards that detect changes of {share_up(detect)}"
        )
    if tier.ceilings.power is None:
        yield f"ceiling: {label} has none on power"
    written = {gate.spec.kind for gate in plan.gates}
    absent = [kind for kind in ("metric", "drift", "data") if kind not in written]
    if absent:
        required = [kind for kind in absent if kind in tier.requires.gates]
        words = f", and {label} requires none of them" if not required else ""
        yield f"missing gates: before it got traffic no gate judged {', '.join(absent)}{words}"
