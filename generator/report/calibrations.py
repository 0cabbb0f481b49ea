"""`sluice calibrate` for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.odds.odds import PlanOdds, odds_of
from generator.pipeline.calibrate import Calibrated, quietest
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.report.sections.odds import fired_share, verdict
from generator.report.tables import Block, Table
from generator.spec.calibration import StableAgainstStable
from generator.spec.quantities import count_up, plural, share_down, share_up
from generator.spec.units import duration, percent


def calibration_text(found: Calibrated) -> Iterator[Block]:
    """Yield what the history says, what is wrong in the spec, and what that does to the odds."""
    file = found.file
    yield f"{file.model} in {file.environment}, {file.start[:16]}Z to {file.end[:16]}Z"
    yield ""
    yield Table.of(_measured(found))
    if file.pod_rps is not None:
        load = file.pod_rps
        most = f"{load.low:.3g} to {load.high:.3g} in nine of ten minutes"
        yield f"load: a pod answers {load.value:.3g} requests per second on average, {most}"
    yield ""
    yield from _pairs(file.stable_against_stable)
    if not found.wrong:
        yield "the declared values agree with the history"
        return
    yield ""
    yield Table.of(_effects(found), drop=(2,))


def _measured(found: Calibrated) -> Iterator[tuple[str, ...]]:
    file, plan = found.file, found.planned.plan
    yield ("", "declared", "measured", "95% interval")
    rps = "none" if plan.min_rps is None else f"{plan.min_rps:g}"
    if file.off_peak_rps is not None:
        hour = quietest(file, file.off_peak_rps)
        yield (f"requests per second, {hour}", rps, f"{file.off_peak_rps:g}", "")
    if file.requests_per_user is not None:
        one = file.requests_per_user
        yield ("requests per user", "", f"{one.value:.2f}", f"{one.low:.2f} to {one.high:.2f}")
    for guard in plan.guards:
        measured = file.guards.get(guard.name)
        if measured is None:
            continue
        if measured.baseline is not None:
            declared = "none" if guard.baseline is None else percent(guard.baseline)
            one = measured.baseline
            yield (
                f"{guard.name}: baseline",
                declared,
                percent(one.value),
                f"{percent(one.low)} to {percent(one.high)}",
            )
        if measured.delay_s is not None:
            one = measured.delay_s
            ends = f"{duration(round(one.low))} to {duration(round(one.high))}"
            arrived = f"{duration(round(one.value))}; 95% within {duration(round(3 * one.value))}"
            yield (f"{guard.name}: delay", duration(guard.delay_s), arrived, ends)
        if measured.design_effect is not None:
            one = measured.design_effect
            yield (
                f"{guard.name}: design effect",
                f"{plan.design_effect:g}",
                f"{one.value:.2f}",
                f"{one.low:.2f} to {one.high:.2f}",
            )


def _pairs(pairs: StableAgainstStable | None) -> Iterator[str]:
    if pairs is None:
        yield "stable against stable: no window of the past had one version on two pods for the length of a rollout"
        return
    yield (
        f"stable against stable: {plural(pairs.windows, 'window')} of {plural(pairs.days, 'day')},"
        f" promised at most {share_up(pairs.promised)}"
    )
    for one in pairs.fired:
        found = f"fired in {fired_share(one.share)}; {verdict(one.share, pairs.promised)}"
        yield f"- design effect {one.design_effect:g}: {found}"
    if pairs.fired[-1].share.value > pairs.promised:
        yield "no design effect keeps the promise: look at the limits, which it does not change"


def _effects(found: Calibrated) -> Iterator[tuple[str, ...]]:
    yield ("wrong", "declared", "from", "proposed", "power", "exposed if bad")
    plan = found.planned.plan
    yield ("as declared", "", "", "", *_odds(odds_of(plan)))
    for one in found.wrong:
        path, value = one.change
        odds = _odds(odds_of(one.alone.plan)) if one.alone else ("", "written in the tier")
        yield (_name(plan, path), one.declared or "none", one.origin, str(value), *odds)
    if found.proposal is not None and len(found.wrong) > 1:
        yield ("all proposed", "", "", "", *_odds(odds_of(found.proposal.planned.plan)))


def _name(plan: Plan, path: tuple[str | int, ...]) -> str:
    if path[1] == "outcomes":
        return f"{path[2]} {path[3]}"
    if path[2] == "guards":
        name = next((guard.name for guard in plan.guards if guard.index == path[3]), "")
        return f"{name} {path[4]}"
    return str(path[-1])


def _odds(odds: PlanOdds | None) -> tuple[str, str]:
    if odds is None or odds.power is None:
        return "no odds", "no odds"
    exposed = odds.worst_exposed
    return share_down(odds.power), "none" if exposed is None else count_up(exposed)


def calibration_document(found: Calibrated) -> dict[str, Any]:
    """Return the calibration for programs: the file, what is wrong, and the diff of the spec."""
    return {
        "calibration": found.file.model_dump(by_alias=True, exclude_none=True),
        "wrong": [
            {
                "path": ".".join(map(str, one.change[0])),
                "declared": one.declared or None,
                "proposed": one.change[1],
                "origin": one.origin,
                "power": _power(one.alone) if one.alone else None,
            }
            for one in found.wrong
        ],
        "power": _power(found.planned),
        "diff": found.proposal.diff() if found.proposal else "",
    }


def _power(planned: Planned) -> float | None:
    odds = odds_of(planned.plan)
    return odds.power if odds else None
