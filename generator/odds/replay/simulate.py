"""Simulate many releases of one plan, and count how they end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

from generator.dataclass import dataclass
from generator.odds.odds import LATENCY_S
from generator.odds.replay.counters import query_results
from generator.odds.replay.traffic import Rates, Traffic, record
from generator.odds.replay.walk import Course, Outcome, Schedule, walk
from generator.plan.guards import Comparison, Limit, Parity
from generator.plan.load import canary_pods
from generator.plan.values import Plan
from generator.promql.bounds import WindowRatio
from generator.promql.event_share import EventShare
from generator.promql.metric import Metric

OUTCOMES: Final[tuple[Outcome, ...]] = ("aborted", "paused", "promoted")
_SETTLE_S = 120.0  # recorded after the last measurement, so that no run ends for lack of data


class RunEnd(NamedTuple):
    """The end of one run.

    Args:
        outcome: outcome of the run.
        guard: the guard that decided; empty when none did.
        at_s: seconds from the first weight until the last request of the canary.
        exposed: requests that the canary has served by then.
    """

    outcome: Outcome
    guard: str
    at_s: float
    exposed: float


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the runs, with its standard error.

    The error is that of (k + 2) / (n + 4) (Agresti and Coull, The American Statistician 52, 1998), which is above 0
    even when k is 0 or n.
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
        share: share of the runs.
        mean_s: mean time from the first weight to the last request; None without rollbacks.
        p90_s: time by which nine of ten rollbacks are over; None without rollbacks.
        exposed_mean: mean requests that the canary has served by then; None without rollbacks.
    """

    share: Share
    mean_s: float | None
    p90_s: float | None
    exposed_mean: float | None


@dataclass(frozen=True, slots=True)
class Simulated:
    """The runs of one scenario.

    Args:
        runs: number of runs.
        outcomes: share of each outcome.
        whole: rollbacks by any guard.
        by_guard: rollbacks by each guard, when it was the first to fire.
        first: the first run, measurement by measurement.
    """

    runs: int
    outcomes: Mapping[Outcome, Share]
    whole: Aborts
    by_guard: Mapping[str, Aborts]
    first: Course


def simulated_guards(plan: Plan, schedule: Schedule) -> tuple[Comparison | Limit, ...]:
    """Return the guards that can be simulated: those on counters, with a baseline."""
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
    """Simulate the same release many times; equal seeds give equal runs.

    Weights change as planned, and traffic has the declared rate.

    Args:
        plan: a plan with `min_rps` declared.
        schedule: a schedule with metrics of these guards only.
        guards: the simulated guards.
        ratios: event rate of the canary over stable's, by guard.
        runs: the numbers of the runs, at least one; each run has its own random generator.
        seed: seed of all runs.

    Raises:
        ValueError: there is no run.
    """
    traffic = traffic_of(plan, schedule, guards, ratios)
    ended, first = [], None
    for number in runs:
        recording, start = record(traffic, Random(f"{seed}/{number}"))  # noqa: S311 - a simulation
        course = walk(schedule, query_results(recording, start), traffic.until_s)
        first = first or course
        at = course.at_s + LATENCY_S
        ended.append(RunEnd(course.outcome, course.guard, at, recording.exposed(start, start + at)))
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
    """Return the traffic that a plan declares, sampled often enough for all windows."""
    weights, now = [], 0.0
    for stage in schedule.stages:
        # Requests of a cohort go to the canary, and the weight's share of the others.
        weights.append((stage.cohort + (1 - stage.cohort) * stage.weight / 100, now))
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
        pods=tuple(
            canary_pods(plan.capacity.min_replicas, plan.step_load(stage.weight).scale) if stage.weight else 1
            for stage in schedule.stages
        ),
        stable_pods=plan.capacity.min_replicas,
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
    """Return the lengths that the sampling interval of a metric must divide."""
    statistic = metric.statistic
    if isinstance(statistic, EventShare):
        mask = [statistic.mask.lookback_s] if statistic.mask else []
        return [statistic.step_s, *mask]
    return [statistic.window_s] if isinstance(statistic, WindowRatio) else []


def _aborts(ended: Sequence[RunEnd], runs: int) -> Aborts:
    share = Share(len(ended), runs)
    if not ended:
        return Aborts(share, None, None, None)
    times = sorted(run.at_s for run in ended)
    p90 = times[math.ceil(0.9 * len(times)) - 1]
    return Aborts(
        share, math.fsum(times) / len(times), p90, math.fsum(run.exposed for run in ended) / len(ended)
    )


GOOD: Final = "good"
_PART: Final = re.compile(r"(?:(?P<guard>[^:=,]+):)?(?P<change>drop|rise)=(?P<size>\d+(?:\.\d+)?)%")


class ScenarioError(ValueError):
    """A scenario that does not fit the grammar or the plan; the message is for the user."""


def scenario(text: str, guards: Sequence[Comparison | Limit]) -> Mapping[str, float]:
    """Return the event rate of the canary over stable's, by guard.

    A change without the name of a guard applies to every guard that watches for such a change.

    Args:
        text: `good`, or changes separated by commas.
        guards: guards of the plan that can be simulated.

    Raises:
        ScenarioError: the text is not a scenario, or no guard watches for its change.
    """
    ratios = {guard.name: 1.0 for guard in guards}
    if text.strip() == GOOD:
        return ratios
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ScenarioError(
                f"invalid scenario `{part.strip()}`; write good, drop=10%, rise=50% or GUARD:drop=10%"
            )
        for guard in _changed(match["guard"], match["change"], guards):
            ratios[guard.name] = _ratio(guard, match["change"], float(match["size"]) / 100)
    return ratios


def harm(text: str) -> tuple[str, float]:
    """Return what a harm such as `ctr:drop=8%` is about, and the ratio of the event rates.

    Raises:
        ScenarioError: it is not a harm with a name.
    """
    match = _PART.fullmatch(text.strip())
    share = float(match["size"]) / 100 if match else 0.0
    if match is None or not match["guard"] or not share or (match["change"] == "drop" and share > 1):
        raise ScenarioError(f"invalid harm `{text.strip()}`; write NAME:drop=8% or NAME:rise=40%")
    return match["guard"].strip(), 1 - share if match["change"] == "drop" else 1 + share


def watches_drop(guard: Comparison | Limit) -> bool:
    """Return whether a guard watches for a drop of its events."""
    return guard.ratio < 1 if isinstance(guard, Comparison) else not guard.more_is_worse


def _changed(name: str | None, change: str, guards: Sequence[Comparison | Limit]) -> list[Comparison | Limit]:
    if name is None:
        found = [guard for guard in guards if watches_drop(guard) == (change == "drop")]
        if not found:
            raise ScenarioError(f"no guard that can be simulated watches for a {change}")
        return found
    found = [guard for guard in guards if guard.name == name.strip()]
    if not found:
        known = ", ".join(guard.name for guard in guards) or "none"
        raise ScenarioError(f"the guard `{name.strip()}` can't be simulated; guards that can: {known}")
    return found


def _ratio(guard: Comparison | Limit, change: str, size: float) -> float:
    ratio = 1 - size if change == "drop" else 1 + size
    if not 0 <= ratio <= 1 / (guard.baseline or 1) or not math.isfinite(ratio):
        raise ScenarioError(
            f"{guard.name} can't {change} by {size:.0%}: its baseline is {guard.baseline or 0:.2%}"
        )
    return ratio
