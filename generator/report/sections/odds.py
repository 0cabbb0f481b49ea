"""The odds: what the guards and gates will do to a good and to a bad version, rounded against us."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from generator.odds.gate_odds import GateOdds, gate_odds
from generator.odds.odds import PlanOdds, not_counted, odds_of, share_down, share_up
from generator.plan.guards import Guard
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.report.sections.section import Section, table
from generator.spec.units import duration
from generator.stats.odds import GuardOdds


def odds(planned: Planned) -> Section:
    """Power, false rollbacks, time and exposure, for each guard and for the whole rollout."""
    plan = planned.plan
    found = odds_of(plan)
    strict = planned.source.platform.tiers[plan.identity.tier].requires.image_digest
    gates = gate_odds(plan, guaranteed=strict)
    data: dict[str, Any] = {"guards": [], "unpriced": {}, "gates": [asdict(row) for row in gates]}
    data |= {"family_false_rollback": None, "family_false_rollback_bound": None}
    lines: list[str] = []
    if found is not None:
        data |= _data(found)
        lines += _lines(plan, found)
    kinds = {gate.name: gate.kind for gate in plan.gates}
    lines += [_gate_line(row, kinds[row.name]) for row in gates]
    return Section("odds", "Odds", data, tuple(lines) or ("nothing here can be priced",))


def _data(found: PlanOdds) -> dict[str, Any]:
    return {
        "guards": [{"name": guard.name, **asdict(priced)} for guard, priced in found.guards],
        "unpriced": dict(found.unpriced),
        "family_false_rollback": found.false_rollback,
        "family_false_rollback_bound": None if found.uncounted else found.false_rollback_bound,
        "planned_requests": list(found.planned_requests),
    }


def _lines(plan: Plan, found: PlanOdds) -> list[str]:
    lines: list[str] = []
    if found.guards:
        weights = [f"{weight}%" for weight in plan.rollout.weights]
        head = (
            "guard",
            "detects",
            *(f"by {weight}" for weight in weights),
            "false",
            "time to rollback",
            "exposed",
            "smallest",
        )
        under = ("", "", *(["caught"] * len(weights)), "rollback", "mean / p90", "if bad", "caught 80%")
        lines += table([head, under, *(_row(guard, priced) for guard, priced in found.guards)])
        lines.append(_whole(plan, found))
    lines += [f"{name}: no odds, {reason}" for name, reason in found.unpriced]
    return lines


def _row(guard: Guard, priced: GuardOdds) -> tuple[str, ...]:
    time = "never"
    if priced.detect_mean_s is not None and priced.detect_p90_s is not None:
        time = f"{_minutes(priced.detect_mean_s)} / {_minutes(priced.detect_p90_s)} min"
    return (
        guard.name,
        _effect(priced.detect),
        *(share_down(share) for share in priced.power_by_step),
        share_up(priced.false_rollback),
        time,
        _requests(priced.exposed_mean),
        "none" if priced.smallest_caught is None else f"{math.ceil(priced.smallest_caught * 1000) / 10:g}%",
    )


def _whole(plan: Plan, found: PlanOdds) -> str:
    bound = found.false_rollback_bound
    one_in = f" (1 in {math.floor(1 / bound)} good releases)" if bound > 0 else ""
    requests = _requests(found.planned_requests[-1] if found.planned_requests else 0.0)
    return (
        f"whole rollout: false rollback about {share_up(found.false_rollback or 0.0)},"
        f" at most {share_up(bound)}{one_in}{not_counted(found)};"
        f" {requests} canary requests in {duration(plan.rollout.held_s)} if nothing fires"
    )


def _gate_line(row: GateOdds, kind: str) -> str:
    good = "a fair one" if kind == "fairness" else "one 2 points better"
    where = f"if a group has just {row.rows} rows" if kind == "fairness" else f"on {row.rows} rows"
    return (
        f"gate {row.name}, {where}: passes a model 2 points too bad"
        f" {share_up(row.passes_if_2_points_too_bad)} of the time;"
        f" fails {good} {share_up(row.fails_if_2_points_better)}, leaves it undecided"
        f" {share_up(row.undecided_if_2_points_better)}"
    )


def _effect(detect: float) -> str:
    return f"{'-' if detect < 0 else '+'}{abs(detect) * 100:g}%"


def _minutes(seconds: float) -> int:
    return math.ceil(seconds / 60)


def _requests(count: float | None) -> str:
    return "none" if count is None else f"{math.ceil(count):,}".replace(",", " ")
