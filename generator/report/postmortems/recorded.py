"""Recorded traffic of an incident: from a file of counters, or from the Prometheus that watched it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from generator.dataclass import dataclass
from generator.odds.replay.counters import Pair, milliseconds, query_results
from generator.odds.replay.recording import read_recording, recorded_guards
from generator.odds.replay.walk import Course, QueryResults, walk
from generator.plan.names import COHORT_REQUESTS, SPLIT
from generator.plan.values import Plan
from generator.promql.metric import Metric
from generator.report.replays.live import Live
from generator.report.replays.schedule import schedule_of
from generator.source.errors import CliError, FindingsError
from generator.spec.quantities import count_up

_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Observed:
    """How an event rate of the new version differed from that of the stable one.

    Args:
        ratio: new over stable.
        low: lower end of its interval (95%).
        high: upper end.
        baseline: events per request of the stable version.
        requests: to the new version.
    """

    ratio: float
    low: float
    high: float
    baseline: float
    requests: float

    @property
    def differs(self) -> bool:
        """Whether the interval excludes that nothing changed."""
        return not self.low <= 1.0 <= self.high

    @property
    def text(self) -> str:
        """The change in words."""
        ends = ", ".join(f"{100 * (end - 1):+.1f}%" for end in (self.low, self.high))
        return (
            f"{100 * (self.ratio - 1):+.1f}% ({ends}) against {100 * self.baseline:.3g}% of the stable version, "
            f"over {count_up(self.requests)} requests"
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """Traffic that guards can be replayed over.

    Args:
        source: what it is, for people.
        results: the result of a metric's query.
        lasts_s: seconds from the first weight to the end of the data.
        guards: the guards that it has numbers for; None for any.
        observed: the change of each guard's event rate, where counters were recorded.
    """

    source: str
    results: QueryResults
    lasts_s: float
    guards: frozenset[str] | None
    observed: dict[str, Observed]

    def replay(self, plan: Plan, guard: str = "") -> Course | None:
        """Return what a plan's guards, or one of them, would have decided; None without numbers for any."""
        names = {guard} if guard else {metric.guard for metric in schedule_of(plan).background}
        kept = names - {COHORT_REQUESTS, SPLIT} if self.guards is None else names & self.guards

        def wanted(metric: Metric) -> bool:
            # A file has the counters of comparisons and limits; a server answers every query.
            return metric.guard in kept and (self.guards is None or metric.statistic is not None)

        schedule = schedule_of(plan).only(wanted)
        return walk(schedule, self.results, self.lasts_s) if schedule.background else None


def from_file(path: Path, plans: Sequence[Plan], start_s: float | None, end_s: float | None) -> Recorded:
    """Return the traffic in a file of recorded counters (see `sluice replay`).

    Args:
        path: the file.
        plans: plans whose guards on latency need the number of pods.
        start_s: time of the first weight; None for the first sample of the new version.
        end_s: end of the data; None for its last sample.

    Raises:
        FindingsError: the file can't be read.
        CliError: it has no sample of the new version.
    """
    guards = recorded_guards(path)
    loads = {guard.name for plan in plans for guard in plan.guards if plan.compares_loads(guard)}
    recording, findings = read_recording(
        path, path.as_posix(), guards, [name for name in guards if name in loads]
    )
    if findings:
        raise FindingsError(findings, exit_code=2)
    start = recording.start_s if start_s is None else start_s
    end = recording.end_s if end_s is None else end_s
    if start is None or end is None or end <= start:
        raise CliError(f"{path} has no sample of the new version after the first weight")
    observed = {name: _observed(pair, start, end) for name, pair in recording.pairs.items()}
    return Recorded(
        f"the counters in {path.name}",
        query_results(recording, start),
        end - start,
        frozenset(guards),
        {name: one for name, one in observed.items() if one},
    )


def from_server(live: Live) -> Recorded:
    """Return the traffic that a Prometheus watched."""
    return Recorded("Prometheus", live, live.end_s - live.start_s, None, {})


def _observed(pair: Pair, start_s: float, end_s: float) -> Observed | None:
    """Return the change of a rate, with the interval of a ratio of two Poisson counts; None without events."""
    start, end = milliseconds(start_s), milliseconds(end_s)
    (requests, events), (rest, others) = (
        (side.requests.increase(start, end), side.events.increase(start, end))
        for side in (pair.canary, pair.stable)
    )
    if min(requests, events, rest, others) <= 0:
        return None
    ratio = (events / requests) / (others / rest)
    width = math.exp(_Z95 * math.sqrt(1 / events + 1 / others))
    return Observed(ratio, ratio / width, ratio * width, others / rest, requests)
