"""The odds: what the guards and gates will do to a good and to a bad version, rounded conservatively."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from generator.odds.first_verdict import late_guards
from generator.odds.gate_odds import GateOdds, gate_odds
from generator.odds.odds import PlanOdds, SplitOdds, cohort_odds, not_counted, odds_of, split_odds
from generator.plan.guards import Guard
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.report import odds_records as records
from generator.report.sections.section import Section
from generator.report.tables import JOINED, Block, Table
from generator.spec.quantities import change, count_up, minutes_up, plural, share_down, share_up, time_span
from generator.stats.odds import GuardOdds
from generator.stats.split import SHIFT

if TYPE_CHECKING:
    from generator.spec.calibration import Estimate


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
        "too_late": [
            {"guard": one.guard.name, "first_verdict_s": one.at_s, "promoted_s": one.promoted_s}
            for one in late_guards(plan)
        ],
        "stable_against_stable": _past_record(plan),
        "gates": [cast("records.GateOddsRecord", asdict(row)) for row in gates],
        "cohorts": [cast("records.CohortOddsRecord", asdict(row)) for row in cohort_odds(plan)],
        "split": [_split_record(row) for row in split_odds(plan)],
    }
    body: list[Block] = []
    if found is not None:
        body += _body(plan, found)
    kinds = {gate.name: gate.kind for gate in plan.gates}
    body += [*_cohorts(plan), *_split(plan), *(gate_line(row, kinds[row.name]) for row in gates)]
    return Section("odds", "Odds", data, tuple(body) or ("no guard or gate here has odds",))


def _cohorts(plan: Plan) -> Iterator[Block]:
    """Yield the table of the steps with a cohort, which no other row counts."""
    rows = [
        (
            f"step {row.position + 1}: {row.header}",
            "not listed by the platform" if row.share is None else share_up(row.share),
            "not known" if row.requests is None else f"{math.floor(row.requests):,}",
            f"{row.needed:,}",
            "not known" if row.false_pause is None else _of_runs(row.false_pause),
        )
        for row in cohort_odds(plan)
    ]
    if rows:
        head = ("cohort", "share of requests", "requests in the step", "needed", "a good release waits")
        yield Table.of([head, *rows])


def _split_record(row: SplitOdds) -> records.SplitOddsRecord:
    check = row.check
    return {
        "step": check.position,
        "weight": check.weight,
        "requests": check.planned,
        "needed": check.test.floor,
        "false_pause": row.false_pause,
        "false_pause_bound": 0.0 if check.skipped else check.test.alpha,
        "caught": row.caught,
        "skipped": check.skipped or None,
    }


def split_bound(plan: Plan) -> str:
    """Return the largest share of releases with a correct split that the checks pause, in words."""
    return f"at most {share_up(math.fsum(row.check.test.alpha for row in _checked(plan)))}"


def _split(plan: Plan) -> Iterator[str]:
    """Yield what the checks do to a correct and to a wrong split, and the steps that have none."""
    checked = _checked(plan)
    if checked:
        caught = [row.caught for row in checked if row.caught is not None]
        wrong = (
            f", and at least {share_down(min(caught))} of those with a share {SHIFT:g} times too large or small"
            if caught
            else ""
        )
        yield f"split: checked at {_steps(checked)}; pauses {split_bound(plan)} of good releases{wrong}"
    yield from split_gaps(plan)


def split_gaps(plan: Plan) -> Iterator[str]:
    """Yield the steps of a canary whose split is not checked, and why."""
    if plan.rollout.strategy == "canary" and not plan.routing.router.splits_requests:
        yield "split: not checked; the numbers of pods decide what share of the requests each version gets"
    skipped = [row for row in split_odds(plan) if row.check.skipped]
    for reason in dict.fromkeys(row.check.skipped for row in skipped):
        yield f"split: not checked at {_steps(row for row in skipped if row.check.skipped == reason)}: {reason}"


def _checked(plan: Plan) -> list[SplitOdds]:
    return [row for row in split_odds(plan) if not row.check.skipped]


def _steps(rows: Iterable[SplitOdds]) -> str:
    checks = (row.check for row in rows)
    return ", ".join(
        f"{c.weight:g}%" if c.position is not None else f"{c.weight:g}% of copies" for c in checks
    )


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
        body += filter(None, [past(plan)])
    return [*body, *guard_remarks(plan, found)]


def guard_remarks(plan: Plan, found: PlanOdds) -> Iterator[str]:
    """Yield the guards without odds, and those that cannot fail before the release is promoted."""
    late = {one.guard.name: one.text for one in late_guards(plan)}
    yield from (f"{guard.name}: {late[guard.name]}" for guard, _ in found.guards if guard.name in late)
    for name, reason in found.unpriced:
        yield "; ".join(filter(None, (f"{name}: no odds, {reason}", late.get(name))))


def _row(guard: Guard, priced: GuardOdds) -> tuple[str, ...]:
    smallest = priced.smallest_caught
    shares = " ".join(map(share_down, priced.power_by_step))
    return (
        guard.name,
        change(priced.detect),
        shares.replace(" ", JOINED) if len(priced.power_by_step) <= _TOGETHER else shares,
        share_up(priced.false_rollback),
        rollback_time(priced),
        exposed_if_bad(priced),
        "none" if smallest is None else f"{math.ceil(smallest * 1000) / 10:g}%",
    )


def exposed_if_bad(priced: GuardOdds) -> str:
    """Return the mean requests that a bad version answers; all that are planned if nothing ever stops it."""
    return count_up(priced.exposed_if_missed if priced.exposed_mean is None else priced.exposed_mean)


def rollback_time(priced: GuardOdds) -> str:
    """Return the mean time to a rollback and the time of nine in ten."""
    if priced.detect_mean_s is None or priced.detect_p90_s is None:
        return "never"
    return f"{minutes_up(priced.detect_mean_s)} / {minutes_up(priced.detect_p90_s)}".replace(" ", JOINED)


def _whole(plan: Plan, found: PlanOdds) -> str:
    requests = count_up(found.planned_requests[-1] if found.planned_requests else 0.0)
    return (
        f"whole rollout: false rollback about {share_up(found.false_rollback or 0.0)}, {at_most(found)};"
        f" {requests} canary requests in {time_span(plan.rollout.held_s)} if nothing fires"
    )


def at_most(found: PlanOdds) -> str:
    """Return the bound on false rollbacks of the whole rollout, in words."""
    bound = found.false_rollback_bound
    one_in = f" (1 in {math.floor(1 / bound)} good releases)" if bound > 0 else ""
    return f"at most {share_up(bound)}{one_in}{not_counted(found)}"


def past(plan: Plan) -> str:
    """Return how often the guards fired stable against stable, in words; empty without a calibration."""
    file = plan.calibration
    pairs = file.stable_against_stable if file else None
    if file is None or pairs is None:
        return ""
    from generator.odds.stable_pairs import fired_as_planned

    found = fired_as_planned(plan)
    until = file.end[:10]
    if found is None:
        return (
            f"stable against stable until {until} was measured for other guards or steps:"
            f" run `sluice calibrate {file.model}`"
        )
    size = f"{plural(pairs.windows, 'window')} of {plural(pairs.days, 'day')} until {until}"
    fired = f"a guard fired in {fired_share(found.share)}"
    text = f"stable against stable, {size}: {fired}; {verdict(found.share, pairs.promised)}"
    kept = next((one for one in pairs.fired if one.share.value <= pairs.promised), None)
    if found.share.low <= pairs.promised or kept is None:
        return text
    return f"{text}; `traffic: {{designEffect: {kept.design_effect:g}}}` keeps it: {fired_share(kept.share)}"


def fired_share(share: Estimate) -> str:
    """Return a share of windows with its interval."""
    return f"{share_up(share.value)} ({share_down(share.low)} to {share_up(share.high)})"


def verdict(share: Estimate, promised: float) -> str:
    """Return what a measured share says about the promised one."""
    if share.high <= promised:
        return f"the promise of {share_up(promised)} holds"
    if share.low > promised:
        return f"the promise of {share_up(promised)} does not hold"
    return f"too few windows to confirm or refute the promise of {share_up(promised)}"


def _past_record(plan: Plan) -> records.PastRecord | None:
    """Return the same for programs; None without a calibration of exactly these guards."""
    pairs = plan.calibration.stable_against_stable if plan.calibration else None
    if pairs is None:
        return None
    from generator.odds.stable_pairs import fired_as_planned

    found = fired_as_planned(plan)
    if found is None:
        return None
    share = found.share
    return {
        "windows": pairs.windows,
        "days": pairs.days,
        "fired": share.value,
        "low": share.low,
        "high": share.high,
        "promised": pairs.promised,
    }


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
