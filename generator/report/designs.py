"""What `sluice design` prints: the schedule that keeps what the team accepts, next to the steps written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Final

from generator.odds.design import Accepted, expected_exposure, priced_guards
from generator.odds.odds import odds_of
from generator.pipeline.design import Design
from generator.plan.values import Plan
from generator.report.tables import JOINED, Block, Table
from generator.spec.quantities import count_up, share_down, share_up, time_span
from generator.spec.units import percent

SCHEMA: Final = "sluice/design/v1"


def design_text(found: Design) -> Iterator[Block]:
    """Yield what is accepted, both schedules with their odds, and what to do."""
    plan, accepted = found.by_hand.plan, found.accepted
    identity = plan.identity
    yield f"{identity.team}/{identity.model} in {identity.environment}: the schedule with the least {accepted.goal}"
    yield f"accepted: {', '.join(_terms(plan, accepted))}"
    yield ""
    if found.proposal is None:
        yield _impossible(found)
        return
    yield Table.of(_compared(plan, found.proposal.planned.plan))
    yield ""
    yield from (f"{one.severity}[{one.code}]: {one.message}" for one in found.new)
    if not found.better:
        yield "no schedule is better than the steps written by hand"
        return
    yield (
        "on average: over the harms that the guards watch for, each as likely as the others; a version that"
        " no guard stops counts with all requests of the steps"
    )


def _terms(plan: Plan, accepted: Accepted) -> Iterator[str]:
    risk = plan.rollout.risk
    yield f"false rollback {percent(risk.false_rollback)}"
    yield from (f"{guard.name} {guard.threshold}" for guard in priced_guards(plan))
    yield f"power {percent(accepted.power)}"
    if accepted.max_exposed is not None:
        yield f"{count_up(accepted.max_exposed)} requests exposed"
    yield f"{time_span(accepted.longest_s)} of steps"


def _impossible(found: Design) -> str:
    text = f"no schedule of at most {time_span(found.accepted.longest_s)} keeps this"
    if found.shortest is None:
        return f"{text}, and none of up to a week does: accept more exposure, less power, or larger harms"
    steps = ", ".join(f"{weight}% for {time_span(hold)}" for weight, hold in found.shortest.steps)
    return f"{text}; the shortest that does takes {time_span(found.shortest.held_s)}: {steps}"


def _compared(by_hand: Plan, designed: Plan) -> Iterator[tuple[str, ...]]:
    plans = (by_hand, designed)
    odds = [found for found in map(odds_of, plans) if found is not None]
    yield ("", "by hand", "designed")
    yield ("steps", *(", ".join(map(_step, plan.rollout.steps)) for plan in plans))
    yield ("time without approvals", *(time_span(plan.rollout.held_s) for plan in plans))
    yield ("exposed on average", *(_or_none(expected_exposure(found), count_up) for found in odds))
    yield ("exposed if bad, at most", *(_or_none(found.worst_exposed, count_up) for found in odds))
    yield ("power", *(_or_none(found.power, share_down) for found in odds))
    yield ("caught in the first step", *(_or_none(found.power_first_step, share_down) for found in odds))
    yield ("false rollback, at most", *(share_up(found.false_rollback_bound) for found in odds))
    for (guard, one), (_, other) in zip(odds[0].comparisons, odds[1].comparisons, strict=True):
        yield (f"{guard.name}: caught", share_down(one.power), share_down(other.power))
        shown = (_or_none(each.exposed_mean, count_up) for each in (one, other))
        yield (f"{guard.name}: exposed", *shown)


def _step(step: Any) -> str:
    weight = getattr(step, "weight", None)
    if weight is not None:
        return f"{weight}%{JOINED}{time_span(step.hold).replace(' ', JOINED)}"
    return getattr(step, "approve", "") or "cohort"


def _or_none(value: float | None, show: Callable[[float], str]) -> str:
    return "none" if value is None else show(value)


def design_document(found: Design) -> dict[str, Any]:
    """Return the design for programs: shares are fractions, times seconds, weights whole percent."""
    plan, proposal = found.by_hand.plan, found.proposal
    return {
        "schema": SCHEMA,
        "model": f"{plan.identity.team}/{plan.identity.model}",
        "environment": plan.identity.environment,
        "accepted": {**asdict(found.accepted), "false_rollback": plan.rollout.risk.false_rollback},
        "by_hand": _record(plan),
        "designed": _record(proposal.planned.plan) if proposal else None,
        "better": found.better,
        "shortest": asdict(found.shortest) if found.shortest else None,
        "diff": proposal.diff() if proposal and found.better else "",
    }


def _record(plan: Plan) -> dict[str, Any]:
    odds = odds_of(plan)
    steps = [{"weight": step.weight, "hold_s": step.hold} for _, step in plan.rollout.weight_steps]
    if odds is None:
        return {"steps": steps}
    return {
        "steps": steps,
        "held_s": plan.rollout.held_s,
        "exposed_expected": expected_exposure(odds),
        "exposed_worst": odds.worst_exposed,
        "power": odds.power,
        "power_first_step": odds.power_first_step,
        "family_false_rollback_bound": odds.false_rollback_bound,
        "guards": {guard.name: asdict(one) for guard, one in odds.comparisons},
    }
