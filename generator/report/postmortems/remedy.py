"""The change of the spec that would have caught a harm: with its odds, and with a replay over what was recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from generator.dataclass import dataclass
from generator.odds.odds import odds_of, phases, stopped, why_no_odds
from generator.odds.replay.walk import Course
from generator.pipeline.design import Wishes, design
from generator.pipeline.evaluate import plans_of
from generator.pipeline.proposal import Change, Proposal, propose
from generator.pipeline.session import Session
from generator.plan.guards import Comparison, Limit
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.report.postmortems.incident import Incident
from generator.report.postmortems.recorded import Recorded
from generator.source.errors import CliError, FindingsError
from generator.spec.units import duration, percent
from generator.stats.timeline import Detection

AS_RELEASED: Final = "as it was released"
_GUARDS = ("spec", "rollout", "guards")
_OUTCOMES = ("spec", "outcomes")
_ERRORS, _SLOW = "error-rate", "slow-rate"


@dataclass(frozen=True, slots=True)
class Usual:
    """What is declared of events that a spec does not count, or has no baseline for.

    Args:
        baselines: events per request of the stable version, by harm.
        delays_s: mean time between a request and its event, by harm.
    """

    baselines: Mapping[str, float] = field(default_factory=dict)
    delays_s: Mapping[str, float] = field(default_factory=dict)


_USUAL: Final = Usual()


@dataclass(frozen=True, slots=True)
class Variant:
    """One plan that the harm could have met.

    Args:
        name: what it is.
        plan: the plan.
        caught: what its guard on each harm does, by harm; or why that is not known.
        course: what its guards would have decided on the recorded traffic; None without a replay.
        diff: the change of today's spec; empty for none.
    """

    name: str
    plan: Plan
    caught: Mapping[str, Detection | str]
    course: Course | None
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would have caught the harms.

    Args:
        harms: the ratio of each event rate, new over stable.
        variants: the release as it was, the spec of today, and changes of it.
        today: today's plan; None if the model can't be planned.
        notes: what can't be computed, as sentences.
    """

    harms: Mapping[str, float]
    variants: Sequence[Variant]
    today: Planned | None
    notes: Sequence[str]


def remedy(
    session: Session,
    entry: ModelFiles,
    incident: Incident,
    harms: Mapping[str, float],
    recorded: Recorded | None,
    usual: Usual = _USUAL,
) -> Remedy:
    """Return which changes of today's spec would have caught some harms.

    Args:
        session: the repository.
        entry: the model.
        incident: the release.
        harms: what happened, by guard or outcome: ratio of the event rates; empty to take what was seen.
        recorded: traffic to replay; None for none.
        usual: what is declared of events that the spec does not count.
    """
    known = dict(harms) or _seen(incident, recorded)
    notes: list[str] = []
    variants = [_variant(AS_RELEASED, incident.planned.plan, known, recorded)] if incident.planned else []
    today = _today(session, entry, incident, notes)
    if today is None:
        return Remedy(known, variants, None, notes)
    if not incident.planned or today.plan.guards != incident.planned.plan.guards:
        variants.append(_variant("the spec of today", today.plan, known, recorded))
    if known:
        variants += _changed(session, entry, today, known, recorded, usual, notes)
    return Remedy(known, variants, today, notes)


def _seen(incident: Incident, recorded: Recorded | None) -> dict[str, float]:
    """Return the harms that were counted, or else those that aborting guards detect."""
    plan = incident.planned.plan if incident.planned else None
    worse = (
        {guard.name: guard.more_is_worse for guard in plan.guards if isinstance(guard, Comparison)}
        if plan
        else {}
    )
    if recorded and recorded.observed:
        return {
            name: one.ratio
            for name, one in recorded.observed.items()
            if one.differs and (one.ratio > 1) == worse.get(name, one.ratio > 1)
        }
    aborting = {
        metric.name
        for run in (incident.record.runs if incident.record and incident.record.aborted else ())
        for metric in run.metrics
        if metric.verdict == "Failed"
    }
    guards = plan.guards if plan else ()
    return {g.name: g.ratio for g in guards if isinstance(g, Comparison) and g.name in aborting}


def _today(session: Session, entry: ModelFiles, incident: Incident, notes: list[str]) -> Planned | None:
    try:
        plans = plans_of(session, entry, None)
    except (FindingsError, CliError):
        plans = []
    if not plans:
        notes.append("the spec of today can't be planned, so no change of it is proposed")
        return None
    return next((one for one in plans if one.plan.identity.environment == incident.environment), plans[-1])


def _variant(
    name: str,
    plan: Plan,
    harms: Mapping[str, float],
    recorded: Recorded | None,
    *,
    diff: str = "",
    replay: bool = True,
) -> Variant:
    course = recorded.replay(plan) if recorded and replay else None
    return Variant(
        name, plan, {harm: caught(plan, harm, ratio) for harm, ratio in harms.items()}, course, diff
    )


def caught(plan: Plan, harm: str, ratio: float) -> Detection | str:
    """Return how a plan's guard stops a harm, or why that is not known."""
    guard = next((one for one in plan.guards if one.name == harm), None)
    if guard is None:
        return "no guard on it"
    if plan.rollout.strategy != "canary":
        return "a blue-green release has no version to compare with"
    if not isinstance(guard, Comparison | Limit):
        return guard.unpriced
    reason = why_no_odds(plan, guard, ratio)
    return reason or stopped(plan, guard, phases(plan.rollout), ratio) or "not known"


def _changed(
    session: Session,
    entry: ModelFiles,
    today: Planned,
    harms: Mapping[str, float],
    recorded: Recorded | None,
    usual: Usual,
    notes: list[str],
) -> Iterator[Variant]:
    """Yield today's spec with guards for the harms; and with other steps if those are too short for them."""
    plan, required = today.plan, today.plan.rollout.risk.power
    changes = list(_guard_changes(today, harms, recorded, usual, notes))
    try:
        changed = propose(session, entry, today, changes) if changes else None
        if changed:
            name = "with guards for this harm"
            yield _variant(name, changed.planned.plan, harms, recorded, diff=changed.diff())
            notes += _refused(session, entry, today, changed)
        best = changed.planned.plan if changed else plan
        odds = {harm: caught(best, harm, ratio) for harm, ratio in harms.items()}
        short = [
            h for h, found in odds.items() if isinstance(found, Detection) and found.probability < required
        ]
        watched = {
            g.name: harms[g.name] for g in plan.guards if isinstance(g, Comparison) and g.name in short
        }
        if not watched or plan.rollout.strategy != "canary":
            return
        found = design(session, entry, today, Wishes(harms=watched))
        if found.proposal is None:
            notes.append(
                f"no schedule as long as today's catches {', '.join(watched)} with {percent(required)} power: "
                "allow longer steps, more exposure or less power (sluice design shows by how much)"
            )
            return
        # What the guards would have seen in steps that never happened is not recorded.
        yield _variant(
            "with steps for this harm", found.proposal.planned.plan, harms, recorded,
            diff=found.proposal.diff(), replay=False,
        )  # fmt: skip
    except (CliError, FindingsError) as error:
        notes.append(f"no change of the spec is proposed: {error}")


def _refused(session: Session, entry: ModelFiles, today: Planned, changed: Proposal) -> Iterator[str]:
    """Yield why the rules refuse a change: the errors that the spec of today does not have."""
    errors = [finding for finding in changed.findings if finding.severity == "error"]
    if errors:
        before = {(finding.code, finding.message) for finding in propose(session, entry, today, ()).findings}
        new = [finding for finding in errors if (finding.code, finding.message) not in before]
        yield from (f"the rules refuse these guards ({finding.code}): {finding.message}" for finding in new)


def _guard_changes(
    today: Planned,
    harms: Mapping[str, float],
    recorded: Recorded | None,
    usual: Usual,
    notes: list[str],
) -> Iterator[Change]:
    """Yield a smaller `detect` for guards that watch for a larger change, and outcomes and guards that lack."""
    plan, merged = today.plan, today.source.layers.merged["spec"]
    guards: list[Any] = list(merged.get("rollout", {}).get("guards") or [])
    added = []
    for name, ratio in harms.items():
        kind = _ERRORS if name == _ERRORS else "outcome"
        detect = {"drop" if ratio < 1 else "rise": percent(_size(today, kind, ratio))}
        guard = next((one for one in plan.guards if one.name == name), None)
        if isinstance(guard, Comparison):
            yield from _tightened(guard, ratio, detect, usual.baselines.get(name), notes)
        elif guard is not None:
            notes.append(f"{name} is an absolute bound: no smaller change of it is proposed")
        elif name in (merged.get("outcomes") or {}):
            added.append({"outcome": name, "detect": detect})
        elif name == _ERRORS:
            seen = recorded.observed.get(name) if recorded else None
            baseline = seen.baseline if seen else usual.baselines.get(name)
            declared = {} if baseline is None else {"baseline": percent(round(baseline, 5))}
            added.append({"metric": name, **declared, "detect": detect})
        elif name == _SLOW:
            notes.append(f"{name} has no bound in the spec: a guard on it needs `slowerThan`")
        elif name in usual.baselines:
            yield (*_OUTCOMES, name), _outcome(name, ratio, usual, notes)
            added.append({"outcome": name, "detect": detect})
        else:
            notes.append(
                f"nothing in the spec counts {name}, so a guard on it has no odds until its usual share of "
                f"the requests is known: --baseline {name}=5%; a gate can judge it before the release"
            )
    if added:
        yield _GUARDS, [*guards, *added]


def _size(today: Planned, kind: str, ratio: float) -> float:
    """Return the change that a guard for a harm detects: the harm's, or the largest that the tier accepts."""
    bound = today.source.platform.tiers[today.plan.identity.tier].ceilings.guards.get(kind)
    return min(abs(round(ratio - 1, 3)), (bound and bound.detect) or math.inf)


def _tightened(
    guard: Comparison, ratio: float, detect: Mapping[str, str], baseline: float | None, notes: list[str]
) -> Iterator[Change]:
    """Yield the changes of a comparison that watches for a larger change, or has no baseline."""
    if guard.more_is_worse != (ratio > 1):
        notes.append(f"{guard.name} watches for the other direction")
        return
    if abs(ratio - 1) < abs(guard.ratio - 1):
        yield (*_GUARDS, guard.index, "detect"), detect
    if guard.baseline is None and baseline is not None:
        yield (*_GUARDS, guard.index, "baseline"), percent(baseline)


def _outcome(name: str, ratio: float, usual: Usual, notes: list[str]) -> dict[str, str]:
    """Return an outcome that counts a harm, as a spec writes it."""
    delay_s = usual.delays_s.get(name, 0.0)
    if not delay_s:
        notes.append(
            f"the odds of {name} take it that each event is reported at once: --delay {name}=2h if not"
        )
    return {
        "kind": "ratio",
        "event": name,
        "baseline": percent(usual.baselines[name]),
        **({"delay": duration(delay_s)} if delay_s else {}),
        "better": "lower" if ratio > 1 else "higher",
    }


def false_rollback(plan: Plan) -> float | None:
    """Return the upper bound of a plan's false rollbacks; None for a blue-green."""
    odds = odds_of(plan)
    return odds.false_rollback_bound if odds else None
