"""Odds for the page: power and exposure by step, and what each guard does to a good and to a bad version."""

from __future__ import annotations

from typing import Any

from generator.odds.first_verdict import late_guards
from generator.odds.odds import odds_of
from generator.plan.guards import Guard
from generator.plan.values import Plan
from generator.report.sections.odds import exposed_if_bad, rollback_time
from generator.spec.quantities import count_up, share_down, share_up, time_span
from generator.spec.units import percent
from generator.stats.odds import GuardOdds


def step_rows(plan: Plan) -> dict[str, Any]:
    """Return power and exposed requests by the end of each weight step; empty without odds."""
    odds = odds_of(plan)
    if odds is None or not odds.planned_requests:
        return {}
    most = max(odds.planned_requests) or 1.0
    return {
        "steps": [f"{step.weight}% for {time_span(step.hold)}" for _, step in plan.rollout.weight_steps],
        "guards": [
            {
                "name": guard.name,
                "effect": guard.threshold,
                "cells": [{"text": share_down(p), "share": _tenth(p)} for p in priced.power_by_step],
            }
            for guard, priced in odds.guards
        ],
        "requests": [
            {"text": count_up(count), "share": _tenth(count / most)} for count in odds.planned_requests
        ],
        "known": bool(plan.min_rps),
    }


def guard_rows(plan: Plan) -> list[dict[str, Any]]:
    """Return every guard of the plan with its odds, or why there are none, and whether it comes too late."""
    odds = odds_of(plan)
    priced = {guard.name: found for guard, found in odds.guards} if odds else {}
    reasons = dict(odds.unpriced) if odds else {}
    late = {one.guard.name: one.text for one in late_guards(plan)}
    stage = "canary" if plan.rollout.stage == "canary" else "after the switch"
    rows = [_row("shadow", guard, None, "judged on copies, by its interval") for guard in plan.shadow_guards]
    for guard in plan.guards:
        reason = reasons.get(guard.name, "no version to compare with")
        rows.append(_row(stage, guard, priced.get(guard.name), reason, late.get(guard.name, "")))
    return rows


def _row(stage: str, guard: Guard, priced: GuardOdds | None, reason: str, late: str = "") -> dict[str, Any]:
    row = {
        "name": guard.name,
        "stage": stage,
        "watches": _watches(guard),
        "threshold": guard.threshold,
        "no_data": {"fail": "aborts", "pause": "a person decides", "pass": "goes on"}[guard.no_data],
        "reason": "" if priced else reason,
        "late": late,
    }
    return row | (_priced(priced) if priced else {})


def _priced(found: GuardOdds) -> dict[str, str]:
    return {
        "power": share_down(found.power),
        "false": share_up(found.false_rollback),
        "time": rollback_time(found),
        "exposed": exposed_if_bad(found),
        "missed": count_up(found.exposed_if_missed),
        "smallest": "none" if found.smallest_caught is None else share_up(found.smallest_caught),
    }


def _watches(guard: Guard) -> str:
    return guard.watches + (f", usually {percent(guard.baseline)}" if guard.baseline is not None else "")


def _tenth(share: float) -> str:
    """Return a share as a CSS percentage."""
    return f"{min(max(share, 0.0), 1.0) * 100:.1f}"
