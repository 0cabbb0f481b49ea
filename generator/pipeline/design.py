"""Designs a schedule: from what a team accepts to steps that keep all rules, as a proposal for the spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from generator.dataclass import dataclass
from generator.odds.design import (
    Accepted,
    Candidate,
    Goal,
    Grid,
    designs,
    expected_exposure,
    grid_of,
    priced_guards,
)
from generator.odds.odds import PlanOdds, odds_of
from generator.pipeline.proposal import Change, Proposal, propose
from generator.pipeline.session import Session
from generator.plan.guards import Comparison
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.source.errors import CliError
from generator.source.finding import Finding
from generator.spec.ceilings import Ceilings
from generator.spec.parsing import seconds
from generator.spec.units import duration, percent

_RULED: Final = 12  # candidates that are checked against all rules
_WEEK_S: Final = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line adds to the spec and its tier; None for no change.

    Args:
        false_rollback: accepted chance that a good version is rolled back.
        power: required share of bad versions that are stopped.
        max_exposed: accepted mean number of requests that a bad version answers.
        longest_s: longest time of all weight steps; None for that of the steps by hand.
        harms: ratio of the event rates to detect, by guard.
        goal: what is minimized.
    """

    false_rollback: float | None = None
    power: float | None = None
    max_exposed: int | None = None
    longest_s: float | None = None
    harms: Mapping[str, float]
    goal: Goal = "exposure"


@dataclass(frozen=True, slots=True)
class Design:
    """The result.

    Args:
        by_hand: the plan with the written steps and what is accepted.
        accepted: what is accepted.
        proposal: the best schedule of the grid; None when none keeps what is accepted.
        shortest: then the shortest one, however long it takes; None when there is none within a week.
        better: whether the proposal is better than the written steps, or they don't keep what is accepted.
        new: findings of the proposal that the written steps don't have.
    """

    by_hand: Planned
    accepted: Accepted
    proposal: Proposal | None
    shortest: Candidate | None
    better: bool
    new: tuple[Finding, ...] = ()


def design(session: Session, entry: ModelFiles, planned: Planned, wishes: Wishes) -> Design:
    """Return the best schedule of one model in one environment.

    Raises:
        CliError: there is nothing to design: no canary, or no guard with odds.
    """
    _check(planned.plan)
    changes = _risk_changes(planned.plan, wishes)
    start = propose(session, entry, planned, changes)
    by_hand, plan = start.planned, start.planned.plan
    ceilings = by_hand.source.platform.tiers[plan.identity.tier].ceilings
    accepted = _accepted(plan, ceilings, wishes)
    grid = grid_of(plan, ceilings, accepted.longest_s)
    best, new = None, tuple[Finding, ...]()
    for found in islice(designs(plan, grid, accepted), _RULED):
        steps = (("spec", "rollout", "steps"), _written(by_hand, found))
        tried = propose(session, entry, planned, [*changes, steps])
        others = _new(start.findings, tried.findings)
        if best is None or not others:
            best, new = tried, others
        if not others:
            break
    if best is None:
        return Design(by_hand, accepted, None, _shortest(plan, ceilings, accepted), better=False)
    return Design(by_hand, accepted, best, None, _is_better(plan, best, grid, accepted), new)


def _new(before: Sequence[Finding], after: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the errors and warnings whose codes were not there before."""
    known = {(found.code, found.severity) for found in before}
    refusing = (found for found in after if found.severity in {"error", "warning"})
    return tuple(found for found in refusing if (found.code, found.severity) not in known)


def _check(plan: Plan) -> None:
    if plan.rollout.strategy != "canary":
        raise CliError("a blue-green release has no weights to design", "use `strategy: canary`")
    if not priced_guards(plan):
        odds = odds_of(plan)
        reasons = dict(odds.unpriced) if odds else {}
        why = next(iter(reasons.values()), "there is no guard with `detect`")
        raise CliError(
            f"no guard that compares with stable has odds: {why}", "`sluice plan` shows the guards"
        )


def _risk_changes(plan: Plan, wishes: Wishes) -> list[Change]:
    risk: list[Change] = []
    if wishes.false_rollback is not None:
        risk.append((("spec", "rollout", "risk", "falseRollback"), percent(wishes.false_rollback)))
    if wishes.power is not None:
        risk.append((("spec", "rollout", "risk", "power"), percent(wishes.power)))
    if wishes.max_exposed is not None:
        risk.append((("spec", "rollout", "risk", "maxExposed"), wishes.max_exposed))
    for guard in plan.guards:
        ratio = wishes.harms.get(guard.name, 1.0)
        if isinstance(guard, Comparison) and ratio != 1.0:
            detect = {"drop" if ratio < 1 else "rise": percent(abs(round(ratio - 1, 9)))}
            risk.append((("spec", "rollout", "guards", guard.index, "detect"), detect))
    return risk


def _accepted(plan: Plan, ceilings: Ceilings, wishes: Wishes) -> Accepted:
    """Combine the spec, its tier and the command line; without a longest time, it is that of the steps by hand."""
    held = sum(step.hold for _, step in plan.rollout.weight_steps)
    limits = [limit for limit in (plan.rollout.risk.max_exposed, ceilings.max_exposed) if limit is not None]
    longest = wishes.longest_s or held
    if ceilings.longest_rollout is not None:
        longest = min(longest, ceilings.longest_rollout - _other_s(plan))
    return Accepted(
        max(plan.rollout.risk.power, ceilings.power or 0.0),
        longest,
        min(limits, default=None),
        wishes.goal,
    )


def _other_s(plan: Plan) -> float:
    """Return the seconds of the shadow and of cohorts, which a design leaves as they are."""
    shadow = plan.rollout.shadow.hold if plan.rollout.shadow else 0.0
    return shadow + sum(step.hold for _, step in plan.rollout.cohort_steps)


def _written(planned: Planned, found: Candidate) -> list[dict[str, Any]]:
    """Return the steps as a spec writes them; cohorts and approvals stay before the same or the next larger weight."""
    written: Sequence[dict[str, Any]] = planned.source.layers.merged["spec"]["rollout"]["steps"]
    texts = {seconds(str(step["hold"])): step["hold"] for step in written if "hold" in step}
    waiting: list[tuple[int, dict[str, Any]]] = []
    weights = list(planned.plan.rollout.weights)
    passed = 0
    for step in written:
        if "weight" in step:
            passed += 1
        else:
            waiting.append((weights[passed] if passed < len(weights) else 101, step))
    steps: list[dict[str, Any]] = []
    for weight, hold in found.steps:
        steps += [step for before, step in waiting if before <= weight]
        waiting = [item for item in waiting if item[0] > weight]
        steps.append({"weight": f"{weight}%", "hold": texts.get(hold, duration(hold))})
    return [*steps, *(step for _, step in waiting)]


def _shortest(plan: Plan, ceilings: Ceilings, accepted: Accepted) -> Candidate | None:
    longer = replace(accepted, longest_s=_WEEK_S, goal="time")
    return next(designs(plan, grid_of(plan, ceilings, _WEEK_S), longer), None)


def _is_better(plan: Plan, best: Proposal, grid: Grid, accepted: Accepted) -> bool:
    """Return whether the written steps don't keep what is accepted, or the proposal has less of what is made small."""
    before, after = odds_of(plan), odds_of(best.planned.plan)
    if before is None or after is None or not _keeps(plan, before, grid, accepted):
        return True
    exposed = (expected_exposure(before) or 0.0, expected_exposure(after) or 0.0)
    held = (plan.rollout.held_s, best.planned.plan.rollout.held_s)
    return exposed[1] < exposed[0] if accepted.goal == "exposure" else held[1] < held[0]


def _keeps(plan: Plan, odds: PlanOdds, grid: Grid, accepted: Accepted) -> bool:
    power = min((found.power for _, found in odds.comparisons), default=0.0)
    exposed, limit = odds.worst_exposed or 0.0, accepted.max_exposed
    held = sum(step.hold for _, step in plan.rollout.weight_steps)
    first = plan.rollout.weights[0] <= grid.first
    return (
        first
        and power >= accepted.power
        and held <= accepted.longest_s
        and (limit is None or exposed <= limit)
    )
