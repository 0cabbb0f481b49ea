"""`sluice replay` for people: a replay measurement by measurement, a simulation with its odds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from generator.odds.replay.expected import Expected
from generator.odds.replay.simulate import Aborts, Share, Simulated
from generator.odds.replay.walk import Course, Measurement, Schedule
from generator.plan.values import Plan
from generator.report.replays.schedule import Replayed
from generator.report.tables import JOINED, Block, Table
from generator.spec.quantities import count_up, minutes_up, time_span
from generator.stats.timeline import Detection

_ROWS = 24  # measurements that are shown of a long release; JSON has them all
_NONE = "-"
_SEVERAL = (
    "± is one standard error, by Agresti and Coull; odds are those of a guard alone, a simulated one counts when it"
    " fires first"
)


def replay_text(replayed: Replayed) -> Iterator[Block]:
    """Yield the verdict, the measurements of the background, and the evidence of the steps."""
    course = replayed.course
    yield replayed.title
    yield from _skipped(replayed.skipped)
    yield verdict(course, replayed.exposed)
    yield ""
    yield Table.of(_measurements(replayed.schedule, course))
    evidence = [measurement for measurement in course.measurements if measurement.kind == "evidence"]
    if evidence:
        yield ""
        yield Table.of([("after", "enough evidence?", "count", ""), *map(_evidence, evidence)])


def verdict(course: Course, exposed: float | None) -> str:
    """Describe in one sentence how a release ended."""
    weight = f" at {course.held[-1].weight}%" if course.held and course.outcome != "promoted" else ""
    by = f" by {course.guard}" if course.guard else ""
    reason = "no guard fired" if course.outcome == "promoted" else course.reason
    served = "" if exposed is None else f"; the canary served {count_up(exposed)} requests"
    return f"{course.outcome} after {_moment(course.at_s)}{weight}{by}: {reason}{served}"


def _skipped(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"left out, because there are no numbers for them: {', '.join(names)}"


def _measurements(schedule: Schedule, course: Course) -> Iterator[Sequence[str]]:
    names = [watched.name for watched in schedule.background]
    by_time: dict[float, dict[str, Measurement]] = {}
    for measurement in course.measurements:
        if measurement.kind != "evidence":
            by_time.setdefault(measurement.at_s, {})[measurement.metric] = measurement
    yield ("after", "weight", *names)
    yield ("", "bound", *(f"{watched.bound:.4g}" for watched in schedule.background))
    for at in _shown(list(by_time)):
        measurements = by_time[at]
        yield (_moment(at), f"{_weight(course, at)}%", *(_value(measurements.get(name)) for name in names))


def _shown(times: Sequence[float]) -> list[float]:
    """Return evenly spaced times, and the last."""
    stride = max(1, math.ceil(len(times) / _ROWS))
    return [time for i, time in enumerate(times) if i % stride == 0 or i == len(times) - 1]


def _weight(course: Course, at_s: float) -> int:
    return next((held.weight for held in course.held if at_s <= held.end_s), course.held[-1].weight)


def _value(measurement: Measurement | None) -> str:
    if measurement is None or not measurement.result:
        return _NONE
    mark = "" if measurement.measured == "Successful" else f" {measurement.measured.lower()}"
    return f"{measurement.result[0]:.4g}{mark}"


def _evidence(measurement: Measurement) -> tuple[str, ...]:
    return (
        _moment(measurement.at_s),
        measurement.metric,
        _seen(measurement.result),
        measurement.measured.lower(),
    )


def _seen(result: Sequence[float]) -> str:
    """Format the result of an evidence check: requests are whole, the bound of a fairness guard is a share."""
    if not result:
        return "no data"
    return f"{result[0]:,.0f}" if result[0] >= 1 else f"{result[0]:.4g}"


def simulation_text(
    plan: Plan, scenario: str, seed: int, found: Simulated, odds: Expected | None, skipped: Sequence[str]
) -> Iterator[Block]:
    """Yield shares, times and exposure: simulated, and by the odds."""
    where = f"{plan.identity.team}/{plan.identity.model} in {plan.identity.environment}"
    yield f"{where}, {found.runs} simulated releases with {scenario} (seed {seed})"
    yield from _skipped(skipped)
    yield ", ".join(f"{outcome} {_share(share)}" for outcome, share in found.outcomes.items())
    yield ""
    rows = [_row("any guard", found.whole, odds.whole if odds else None)]
    rows += [_row(name, one, odds.by_guard[name] if odds else None) for name, one in found.by_guard.items()]
    heading = ("", "rolled back", "odds", "mean", "odds", "p90", "odds", "exposed", "odds")
    yield Table.of([heading, *rows], drop=(6, 5, 4, 3))
    yield ""
    yield _SEVERAL


def _row(name: str, found: Aborts, odds: Detection | None) -> tuple[str, ...]:
    known = odds or Detection(0.0, (), None, None, None)
    return (
        name,
        _share(found.share),
        _percent(odds.probability) if odds else _NONE,
        *(_time(time) for time in (found.mean_s, known.mean_s, found.p90_s, known.p90_s)),
        _count(found.exposed_mean),
        _count(known.exposed),
    )


def _share(share: Share) -> str:
    return f"{_percent(share.value)} ± {_percent(share.stderr)}"


def _percent(share: float) -> str:
    return f"{round(100 * share, 1):g}%"


def _moment(seconds: float) -> str:
    return time_span(round(seconds)).replace(" ", JOINED)


def _time(seconds: float | None) -> str:
    return _NONE if seconds is None else minutes_up(seconds).replace(" ", JOINED)


def _count(requests: float | None) -> str:
    return _NONE if requests is None else count_up(requests)
