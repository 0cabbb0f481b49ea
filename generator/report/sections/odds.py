"""The odds: what the guards and gates will do to a good and to a bad version, rounded conservatively."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import cast

from generator.odds.gate_odds import GateOdds, gate_odds
from generator.odds.odds import PlanOdds, not_counted, odds_of
from generator.plan.guards import Guard
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.report import records
from generator.report.sections.section import Section
from generator.report.tables import JOINED, Block, Table
from generator.spec.quantities import change, count_up, minutes_up, share_down, share_up, time_span
from generator.stats.odds import GuardOdds

_SHOWN = 0.001  # the smallest share that is shown with its digits
_TOGETHER = 3  # shares of so many steps are not broken over several lines


def odds(planned: Planned) -> Section:
    """Return power, false rollbacks, time and exposure, for each guard and for the whole rollout."""
    plan = planned.plan
    found = odds_of(plan)
    strict = planned.source.platform.tiers[plan.identity.tier].requires.image_digest
    gates = gate_odds(plan, guaranteed=strict)
    data: records.OddsRecord = {
        **_guard_odds(found),
        "gates": [cast("records.GateOddsRecord", asdict(row)) for row in gates],
    }
    body: list[Block] = []
    if found is not None:
        body += _body(plan, found)
    kinds = {gate.name: gate.kind for gate in plan.gates}
    body += [gate_line(row, kinds[row.name]) for row in gates]
    return Section("odds", "Odds", data, tuple(body) or ("no guard or gate here has odds",))


def _guard_odds(found: PlanOdds | None) -> records.GuardsOdds:
    if found is None:
        return {
            "guards": [],
            "unpriced": {},
            "family_false_rollback": None,
            "family_false_rollback_bound": None,
        }
    return {
        "guards": [
            cast("records.GuardOddsRecord", {"name": guard.name, **asdict(priced)})
            for guard, priced in found.guards
        ],
        "unpriced": dict(found.unpriced),
        "family_false_rollback": found.false_rollback,
        "family_false_rollback_bound": None if found.uncounted else found.false_rollback_bound,
        "planned_requests": list(found.planned_requests),
    }


def _body(plan: Plan, found: PlanOdds) -> list[Block]:
    body: list[Block] = []
    if found.guards:
        weights = ", ".join(f"{weight}%" for weight in plan.rollout.weights)
        head = (
            "guard", "change", f"caught by {weights}", "false rollback", f"time{JOINED}to rollback mean / p90",
            "exposed if bad", "caught 80% at",
        )  # fmt: skip
        body.append(Table.of([head, *(_row(guard, priced) for guard, priced in found.guards)], drop=(6, 4)))
        body.append(_whole(plan, found))
    return [*body, *(f"{name}: no odds, {reason}" for name, reason in found.unpriced)]


def _row(guard: Guard, priced: GuardOdds) -> tuple[str, ...]:
    smallest = priced.smallest_caught
    shares = " ".join(map(share_down, priced.power_by_step))
    return (
        guard.name,
        change(priced.detect),
        shares.replace(" ", JOINED) if len(priced.power_by_step) <= _TOGETHER else shares,
        share_up(priced.false_rollback),
        rollback_time(priced),
        _requests(priced.exposed_mean),
        "none" if smallest is None else f"{math.ceil(smallest * 1000) / 10:g}%",
    )


def rollback_time(priced: GuardOdds) -> str:
    """Return the mean time to a rollback and the time of nine in ten."""
    if priced.detect_mean_s is None or priced.detect_p90_s is None:
        return "never"
    return f"{minutes_up(priced.detect_mean_s)} / {minutes_up(priced.detect_p90_s)}".replace(" ", JOINED)


def _whole(plan: Plan, found: PlanOdds) -> str:
    requests = _requests(found.planned_requests[-1] if found.planned_requests else 0.0)
    return (
        f"whole rollout: false rollback about {share_up(found.false_rollback or 0.0)}, {at_most(found)};"
        f" {requests} canary requests in {time_span(plan.rollout.held_s)} if nothing fires"
    )


def at_most(found: PlanOdds) -> str:
    """Return the bound on false rollbacks of the whole rollout, in words."""
    bound = found.false_rollback_bound
    one_in = f" (1 in {math.floor(1 / bound)} good releases)" if bound > 0 else ""
    return f"at most {share_up(bound)}{one_in}{not_counted(found)}"


def gate_line(row: GateOdds, kind: str) -> str:
    """Return the odds of a gate on a model that is a little too bad, and on a good one."""
    good = "a fair one" if kind == "fairness" else "one 2 points better than the limit"
    where = f"if a group has just {row.rows:,} rows" if kind == "fairness" else f"on {row.rows:,} rows"
    return (
        f"gate {row.name}, {where}: a model 2 points worse than the limit passes in"
        f" {_of_runs(row.passes_if_2_points_too_bad)} of all runs; {good} fails in"
        f" {_of_runs(row.fails_if_2_points_better)} and is undecided in"
        f" {_of_runs(row.undecided_if_2_points_better)}"
    )


def _of_runs(share: float) -> str:
    """Format a small share, rounded up; what is far below 0.1% is not shown as 0.1%."""
    return "under 0.1%" if share < _SHOWN else share_up(share)


def _requests(count: float | None) -> str:
    return "none" if count is None else count_up(count)
