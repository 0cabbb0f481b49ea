"""`sluice replay` for people: a replay look by look, a simulation beside its odds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from generator.cli.sections.section import table
from generator.plan.values import Plan
from generator.rules.replay.expected import Expected
from generator.rules.replay.judge import Look, Story
from generator.rules.replay.schedule import Schedule
from generator.rules.replay.simulate import Aborts, Simulated
from generator.spec.units import duration
from generator.stats.timeline import Detection

_ROWS = 24  # minutes that are shown of a long release; JSON has them all
_NONE = "-"


def headline(plan: Plan, source: str, skipped: Sequence[str]) -> Iterator[str]:
    """Which release, over what, and what is left out."""
    yield f"{plan.identity.team}/{plan.identity.model} in {plan.identity.environment}, {source}"
    if skipped:
        yield f"not replayed, for their numbers are not at hand: {', '.join(skipped)}"


def verdict(story: Story, exposed: float | None) -> str:
    """How a release ended, in one sentence."""
    when, reason = moment(story.at_s), story.reason
    if story.outcome == "promoted":
        said = f"promoted after {when}: no guard fired"
    elif story.outcome == "undecided":
        said = f"undecided after {when}: {reason}"
    else:
        said = f"{story.outcome} after {when} by {story.guard}: {reason}"
    weight = f" at {story.held[-1].weight}%" if story.held and story.outcome != "promoted" else ""
    served = "" if exposed is None else f"; the canary had served {math.ceil(exposed):,} requests"
    return f"{said}{weight}{served}"


def replay_lines(schedule: Schedule, story: Story, exposed: float | None) -> Iterator[str]:
    """The verdict, then the looks of the background, then what the steps had seen."""
    yield verdict(story, exposed)
    yield ""
    yield from table(_looks(schedule, story))
    evidence = [look for look in story.looks if look.kind == "evidence"]
    if evidence:
        yield ""
        yield from table([("after", "has the step seen enough?", "seen", ""), *map(_evidence, evidence)])


def _looks(schedule: Schedule, story: Story) -> Iterator[Sequence[str]]:
    names = [watched.name for watched in schedule.background]
    by_time: dict[float, dict[str, Look]] = {}
    for look in story.looks:
        if look.kind != "evidence":
            by_time.setdefault(look.at_s, {})[look.metric] = look
    yield ("after", "weight", *names)
    yield ("", "bound", *(f"{watched.bound:.4g}" for watched in schedule.background))
    for at in _shown(list(by_time)):
        looks = by_time[at]
        yield (moment(at), f"{_weight(story, at)}%", *(_value(looks.get(name)) for name in names))


def _shown(times: Sequence[float]) -> list[float]:
    """Evenly many of all looks, and the last."""
    stride = max(1, math.ceil(len(times) / _ROWS))
    return [time for i, time in enumerate(times) if i % stride == 0 or i == len(times) - 1]


def _weight(story: Story, at_s: float) -> int:
    return next((held.weight for held in story.held if at_s <= held.end_s), story.held[-1].weight)


def _value(look: Look | None) -> str:
    if look is None or not look.result:
        return _NONE
    mark = {"Failed": " failed", "Inconclusive": " inconclusive", "Error": " error"}.get(look.measured, "")
    return f"{look.result[0]:.4g}{mark}"


def _evidence(look: Look) -> tuple[str, ...]:
    seen = f"{look.result[0]:,.4g}" if look.result else "no data"
    return moment(look.at_s), look.metric, seen, look.measured.lower()


def simulation_lines(scenario: str, seed: int, found: Simulated, odds: Expected | None) -> Iterator[str]:
    """Shares, times and exposure: what was simulated beside what the odds say."""
    yield f"{found.runs} simulated releases of `{scenario}` (seed {seed})"
    ended = (
        f"{outcome} {_percent(share.value)} ± {_percent(share.stderr)}"
        for outcome, share in found.outcomes.items()
    )
    yield ", ".join(ended)
    yield ""
    rows = [_row("any guard", found.whole, odds.whole if odds else None)]
    rows += [
        _row(name, aborts, odds.by_guard[name] if odds else None) for name, aborts in found.by_guard.items()
    ]
    yield from table(
        [("", "rolled back", "odds", "mean time", "odds", "p90", "odds", "exposed", "odds"), *rows]
    )
    yield ""
    yield "± is one standard error; a guard's odds are those of it alone, its simulated share counts when it was first"


def _row(name: str, found: Aborts, odds: Detection | None) -> tuple[str, ...]:
    share = f"{_percent(found.share.value)} ± {_percent(found.share.stderr)}"
    known = odds or Detection(0.0, (), None, None, None)
    return (
        name,
        share,
        _percent(odds.probability) if odds else _NONE,
        *(_time(time) for time in (found.mean_s, known.mean_s, found.p90_s, known.p90_s)),
        _count(found.exposed_mean),
        _count(known.exposed),
    )


def moment(seconds: float) -> str:
    """A time in whole seconds."""
    return duration(round(seconds))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _time(seconds: float | None) -> str:
    return _NONE if seconds is None else f"{math.ceil(seconds / 60)}m"


def _count(requests: float | None) -> str:
    return _NONE if requests is None else f"{math.ceil(requests):,}"
