"""A release walked through measurement by measurement: what the controller would have made of each result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from generator.lint import MeasurementPhase, measure_vector
from generator.odds.replay.controller import Phase, Run
from generator.promql.metric import Metric, MetricKind

Outcome = Literal["aborted", "paused", "promoted", "undecided"]
QueryResults = Callable[[Metric, float], Sequence[float]]
"""The result of a metric's query at a time, seconds since the first weight."""

_OUTCOMES: Final[dict[Phase, Outcome]] = {"Failed": "aborted", "Error": "aborted", "Inconclusive": "paused"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a rollout: a weight (whole percent), its hold, and what is asked at its end.

    Args:
        step: position among the spec's steps.
        weight: share of the live requests, whole percent.
        hold_s: how long, seconds.
        evidence: metrics of the run at its end.
    """

    step: int
    weight: int
    hold_s: float
    evidence: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rollout as its guards see it.

    Args:
        background: metrics from the first weight until promotion.
        stages: its steps; an approval takes no time here.
        completes: the background must complete before the release is done (the watch after a switch).
    """

    background: tuple[Metric, ...]
    stages: tuple[Stage, ...]
    completes: bool = False

    @property
    def held_s(self) -> float:
        """Seconds of all holds."""
        return sum(stage.hold_s for stage in self.stages)

    @property
    def longest_s(self) -> float:
        """Seconds until the last measurement that can be needed, late data included."""
        late = sum(max((metric.lasts_s for metric in stage.evidence), default=0.0) for stage in self.stages)
        last = max((metric.lasts_s for metric in self.background), default=0.0) if self.completes else 0.0
        return self.held_s + late + last

    @property
    def guards(self) -> tuple[str, ...]:
        """Guards that are judged, in order, each once."""
        evidence = (metric for stage in self.stages for metric in stage.evidence)
        return tuple(dict.fromkeys(metric.guard for metric in (*self.background, *evidence)))

    def only(self, keep: Callable[[Metric], bool]) -> Schedule:
        """The same rollout with fewer metrics."""

        def kept(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
            return tuple(filter(keep, metrics))

        stages = tuple(replace(stage, evidence=kept(stage.evidence)) for stage in self.stages)
        return replace(self, background=kept(self.background), stages=stages)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement.

    Args:
        at_s: seconds since the first weight.
        metric: name of the metric.
        guard: the guard it belongs to.
        kind: what sort of judgement.
        result: what the query gave; empty for no data.
        measured: what the controller makes of it.
    """

    at_s: float
    metric: str
    guard: str
    kind: MetricKind
    result: tuple[float, ...]
    measured: MeasurementPhase


@dataclass(frozen=True, slots=True)
class HeldWeight:
    """A weight (whole percent) and the time it was held, seconds since the first weight."""

    weight: int
    start_s: float
    end_s: float
    step: int


@dataclass(frozen=True, slots=True)
class Course:
    """How a release went.

    Args:
        outcome: `aborted`, `paused` (a person decides), `promoted`, or `undecided`: the data ends before.
        at_s: when, seconds since the first weight.
        reason: why, in the controller's words.
        guard: the guard that decided; empty when none did.
        held: the weights it went through.
        measurements: all of them, in order.
    """

    outcome: Outcome
    at_s: float
    reason: str
    guard: str
    held: tuple[HeldWeight, ...]
    measurements: tuple[Measurement, ...]

    @property
    def step(self) -> int | None:
        """Position among the spec's steps of the one it ended in; None when nothing was held."""
        return self.held[-1].step if self.held else None


def walk(schedule: Schedule, results: QueryResults, until_s: float) -> Course:
    """Walk through a release until it is decided.

    Approvals are granted at once. Holds are those of the plan, whatever the real release waited for. A pause
    ends the story: what a person would have done is not known.

    Args:
        schedule: what is looked at, when.
        results: what each query gave.
        until_s: where the data ends, seconds since the first weight.
    """
    release = _Walk(schedule, results, until_s)
    try:
        for position in range(len(schedule.stages)):
            release.stage(position)
        if schedule.completes:
            release.drain(release.background)
    except _Decided as decided:
        return release.course(*decided.args)
    return release.course("promoted", "all steps done", "")


class _Decided(Exception):  # noqa: N818 - it ends a walk, it is no error
    """Outcome, reason and guard."""


@dataclass
class _Running:
    """A run and what its metrics are."""

    metrics: tuple[Metric, ...]
    run: Run

    @classmethod
    def start(cls, metrics: tuple[Metric, ...], now_s: float) -> _Running:
        return cls(metrics, Run(metrics, now_s))


@dataclass
class _Walk:
    schedule: Schedule
    results: QueryResults
    until_s: float
    now_s: float = 0.0
    measurements: list[Measurement] = field(default_factory=list)
    held: list[HeldWeight] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.background = _Running.start(self.schedule.background, 0.0)

    def stage(self, position: int) -> None:
        """Hold one weight, then ask for its evidence."""
        stage = self.schedule.stages[position]
        self.held.append(HeldWeight(stage.weight, self.now_s, self.now_s, stage.step))
        end = self.now_s + stage.hold_s
        while (due := self.background.run.due_s) is not None and due <= end:
            self._measure(due, self.background)
        self._pass_until(end)
        self.drain(_Running.start(stage.evidence, end))

    def drain(self, running: _Running) -> None:
        """Go on until a run is complete, the background beside it."""
        beside = (self.background,) if running is self.background else (self.background, running)
        while running.run.phase == "Running":
            due = min(one.run.due_s for one in beside if one.run.due_s is not None)
            for one in beside:
                self._measure(due, one)

    def course(self, outcome: Outcome, reason: str, guard: str) -> Course:
        """What has happened by now."""
        return Course(outcome, self.now_s, reason, guard, tuple(self.held), tuple(self.measurements))

    def _measure(self, due_s: float, running: _Running) -> None:
        self._pass_until(due_s)
        running.run.measure(due_s, lambda i: self._take(running.metrics[i]))
        outcome = _OUTCOMES.get(running.run.phase)
        if outcome:
            worst = running.run.worst()
            raise _Decided(outcome, running.run.tallies[worst].reason, running.metrics[worst].guard)

    def _take(self, metric: Metric) -> MeasurementPhase:
        result = tuple(self.results(metric, self.now_s))
        measured = measure_vector(metric.condition.success, metric.condition.failure, result)
        self.measurements.append(
            Measurement(self.now_s, metric.name, metric.guard, metric.kind, result, measured)
        )
        return measured

    def _pass_until(self, time_s: float) -> None:
        self.now_s = min(time_s, self.until_s)
        if self.held:
            last = self.held[-1]
            self.held[-1] = HeldWeight(last.weight, last.start_s, self.now_s, last.step)
        if time_s > self.until_s:
            raise _Decided("undecided", "the data ends here", "")
