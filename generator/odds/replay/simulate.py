"""Many simulated releases of one plan, and how they ended."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from generator.odds.odds import LATENCY_S
from generator.odds.replay.judge import Outcome, Story, judge
from generator.odds.replay.schedule import Schedule
from generator.odds.replay.statistic import answers
from generator.odds.replay.traffic import Rates, Traffic, record
from generator.plan.guards import Comparison, Limit, Parity
from generator.plan.values import Plan
from generator.promql.bounds import WindowRatio
from generator.promql.event_share import EventShare
from generator.promql.metric import Metric

OUTCOMES: Final[tuple[Outcome, ...]] = ("aborted", "paused", "promoted")
_SETTLE_S = 120.0  # recorded beyond the last look, so that no run ends for lack of data


class Ended(NamedTuple):
    """How one run ended.

    Args:
        outcome: what happened.
        guard: the guard that decided.
        at_s: seconds from the first weight until the last request of the canary.
        exposed: requests that it has served by then.
    """

    outcome: Outcome
    guard: str
    at_s: float
    exposed: float


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the runs with its standard error.

    The error is that of (k + 2) / (n + 4) (Agresti and Coull, The American Statistician 52, 1998), which says
    something also where no run or every run ended so.
    """

    count: int
    runs: int

    @property
    def value(self) -> float:
        """The share."""
        return self.count / self.runs

    @property
    def stderr(self) -> float:
        """Its standard error."""
        runs = self.runs + 4
        share = (self.count + 2) / runs
        return math.sqrt(share * (1 - share) / runs)


@dataclass(frozen=True, slots=True)
class Aborts:
    """Rollbacks by one guard, or by any.

    Args:
        share: how many of the runs.
        mean_s: mean time from the first weight to the last request; None without any.
        p90_s: time by which nine of ten are over; None likewise.
        exposed_mean: mean requests that the canary has served by then; None likewise.
    """

    share: Share
    mean_s: float | None
    p90_s: float | None
    exposed_mean: float | None


@dataclass(frozen=True, slots=True)
class Simulated:
    """The runs of one scenario.

    Args:
        runs: how many.
        outcomes: share of each outcome.
        whole: rollbacks by any guard.
        by_guard: rollbacks by each guard that was the first to fire.
        first: the first run, look by look.
    """

    runs: int
    outcomes: Mapping[Outcome, Share]
    whole: Aborts
    by_guard: Mapping[str, Aborts]
    first: Story


def simulated_guards(plan: Plan, schedule: Schedule) -> tuple[Comparison | Limit, ...]:
    """Guards that can be simulated: counted in two counters, with a baseline."""
    computed = {metric.guard for metric in schedule.background if metric.statistic is not None}
    return tuple(
        guard
        for guard in plan.guards
        if not isinstance(guard, Parity) and guard.name in computed and 0 < (guard.baseline or 0) < 1
    )


def simulate(
    plan: Plan,
    schedule: Schedule,
    guards: Sequence[Comparison | Limit],
    ratios: Mapping[str, float],
    runs: Iterable[int],
    seed: int,
) -> Simulated:
    """Play the same release many times; equal seeds give equal runs.

    The weights change when the plan says, and traffic comes at the declared rate.

    Args:
        plan: with `min_rps` declared.
        schedule: with metrics of these guards only.
        guards: those that are simulated.
        ratios: event rate of the canary over stable's, by guard.
        runs: their numbers, at least one; each run draws from a generator of its own.
        seed: of all runs.

    Raises:
        ValueError: there is no run.
    """
    traffic = traffic_of(plan, schedule, guards, ratios)
    ended, first = [], None
    for number in runs:
        recording, start = record(traffic, Random(f"{seed}/{number}"))  # noqa: S311 - simulation, no secret
        story = judge(schedule, answers(recording, start), traffic.until_s)
        first = first or story
        at = story.at_s + LATENCY_S
        ended.append(Ended(story.outcome, story.guard, at, recording.exposed(start, start + at)))
    if first is None:
        raise ValueError("a simulation needs at least one run")
    aborted, count = [run for run in ended if run.outcome == "aborted"], len(ended)
    return Simulated(
        count,
        {outcome: Share(sum(run.outcome == outcome for run in ended), count) for outcome in OUTCOMES},
        _aborts(aborted, count),
        {guard.name: _aborts([run for run in aborted if run.guard == guard.name], count) for guard in guards},
        first,
    )


def traffic_of(
    plan: Plan, schedule: Schedule, guards: Sequence[Comparison | Limit], ratios: Mapping[str, float]
) -> Traffic:
    """The traffic that a plan declares, sampled often enough for all its windows."""
    weights, now = [], 0.0
    for stage in schedule.stages:
        weights.append((stage.weight / 100, now))
        now += stage.hold_s
    scrape = plan.clock.scrape_s
    windows = [length for metric in schedule.background for length in _windows(metric)]
    step = max(
        (m.statistic.step_s for m in schedule.background if isinstance(m.statistic, EventShare)),
        default=scrape,
    )
    tick = math.gcd(*(round(length * 1000) for length in windows)) / 1000 if windows else scrape
    return Traffic(
        rps=plan.min_rps or 0.0,
        weights=tuple(weights),
        until_s=schedule.longest_s + _SETTLE_S,
        history_s=2 * max(windows, default=0.0) + step,
        tick_s=max(tick, scrape),
        step_s=step,
        scrape_s=scrape,
        group=plan.design_effect,
        rates=tuple(
            Rates(g.name, g.baseline or 0.0, min(1.0, (g.baseline or 0.0) * ratios[g.name]), g.delay_s)
            for g in guards
        ),
    )


def _windows(metric: Metric) -> list[float]:
    """Lengths that divide the time axis of a metric."""
    statistic = metric.statistic
    if isinstance(statistic, EventShare):
        return [statistic.step_s, *([statistic.mask.lookback_s] if statistic.mask else [])]
    return [statistic.window_s] if isinstance(statistic, WindowRatio) else []


def _aborts(ended: Sequence[Ended], runs: int) -> Aborts:
    share = Share(len(ended), runs)
    if not ended:
        return Aborts(share, None, None, None)
    times = sorted(run.at_s for run in ended)
    p90 = times[math.ceil(0.9 * len(times)) - 1]
    return Aborts(
        share, math.fsum(times) / len(times), p90, math.fsum(run.exposed for run in ended) / len(ended)
    )
