"""Walk through a release measurement by measurement, and apply the controller's rules to each result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field, replace
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.lint import MeasurementPhase, measure_vector
from generator.odds.replay.controller import Phase, Run
from generator.plan.names import COHORT_REQUESTS, SPLIT
from generator.promql.metric import Metric, MetricKind

Outcome = Literal["aborted", "paused", "promoted", "undecided"]
QueryResults = Callable[[Metric, float], Sequence[float]]
"""Returns the result of a metric's query at a time, seconds since the first weight."""

_OUTCOMES: Final[dict[Phase, Outcome]] = {"Failed": "aborted", "Error": "aborted", "Inconclusive": "paused"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a rollout.

    Args:
        step: position of the step in the spec.
        weight: share of the live requests, whole percent.
        hold_s: seconds that it lasts.
        evidence: metrics of the evidence check at its end.
        cohort: share of the live requests that belong to a cohort, 0..1; 0 where the platform does not list it.
    """

    step: int
    weight: int
    hold_s: float
    evidence: tuple[Metric, ...]
    cohort: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The measurements of a rollout.

    Args:
        background: metrics from the first weight until promotion.
        stages: its weight steps; approvals take no time here.
        completes: whether the background must complete before promotion (the watch after a switch).
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
        """Seconds until the last measurement that can be necessary, with late data."""
        late = sum(max((metric.lasts_s for metric in stage.evidence), default=0.0) for stage in self.stages)
        last = max((metric.lasts_s for metric in self.background), default=0.0) if self.completes else 0.0
        return self.held_s + late + last

    @property
    def guards(self) -> tuple[str, ...]:
        """The guards of the metrics, in order, each once; checks of requests and of the split belong to none."""
        evidence = (metric for stage in self.stages for metric in stage.evidence)
        names = dict.fromkeys(metric.guard for metric in (*self.background, *evidence))
        return tuple(name for name in names if name not in (COHORT_REQUESTS, SPLIT))

    def only(self, keep: Callable[[Metric], bool]) -> Schedule:
        """Return the same rollout with fewer metrics."""

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
        guard: guard of the metric.
        kind: kind of the metric.
        result: result of the query; empty for no data.
        measured: verdict of the controller.
    """

    at_s: float
    metric: str
    guard: str
    kind: MetricKind
    result: tuple[float, ...]
    measured: MeasurementPhase


@dataclass(frozen=True, slots=True)
class HeldWeight:
    """A weight (whole percent), from when to when it was held (seconds since the first weight), and its step."""

    weight: int
    start_s: float
    end_s: float
    step: int


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one release.

    Args:
        outcome: `aborted`, `paused` (a person decides), `promoted`, or `undecided` (the data ends earlier).
        at_s: its end, seconds since the first weight.
        reason: the reason, in the controller's words.
        guard: the guard that decided; empty when none did.
        held: the weights that it reached.
        measurements: all measurements, in order.
    """

    outcome: Outcome
    at_s: float
    reason: str
    guard: str
    held: tuple[HeldWeight, ...]
    measurements: tuple[Measurement, ...]

    @property
    def step(self) -> int | None:
        """Position in the spec of the step that it ended in; None when it reached no weight."""
        return self.held[-1].step if self.held else None


def walk(schedule: Schedule, results: QueryResults, until_s: float) -> Course:
    """Walk through a release until it is decided.

    Approvals are granted at once, and holds are those of the plan. A pause for a person ends the walk, since the
    person's decision is unknown.

    Args:
        schedule: the measurements to take.
        results: the query results.
        until_s: end of the data, seconds since the first weight.
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


class _Decided(Exception):  # noqa: N818 - it ends a walk, it is not an error
    """Outcome, reason and guard."""


@dataclass
class _Running:
    """A run and its metrics."""

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
    step_end_s: float = 0.0
    measurements: list[Measurement] = field(default_factory=list)
    held: list[HeldWeight] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.background = _Running.start(self.schedule.background, 0.0)

    def stage(self, position: int) -> None:
        """Hold one weight, then check its evidence."""
        stage = self.schedule.stages[position]
        self.held.append(HeldWeight(stage.weight, self.now_s, self.now_s, stage.step))
        end = self.step_end_s = self.now_s + stage.hold_s
        while (due := self.background.run.due_s) is not None and due <= end:
            self._measure(due, self.background)
        self._pass_until(end)
        self.drain(_Running.start(stage.evidence, end))

    def drain(self, running: _Running) -> None:
        """Measure until a run is complete, together with the background."""
        both = (self.background,) if running is self.background else (self.background, running)
        while running.run.phase == "Running":
            due = min(one.run.due_s for one in both if one.run.due_s is not None)
            for one in both:
                self._measure(due, one)

    def course(self, outcome: Outcome, reason: str, guard: str) -> Course:
        """Return the course up to now."""
        return Course(outcome, self.now_s, reason, guard, tuple(self.held), tuple(self.measurements))

    def _measure(self, due_s: float, running: _Running) -> None:
        self._pass_until(due_s)
        running.run.measure(due_s, lambda i: self._take(running.metrics[i]))
        outcome = _OUTCOMES.get(running.run.phase)
        if outcome:
            worst = running.run.worst()
            raise _Decided(outcome, running.run.tallies[worst].reason, running.metrics[worst].guard)

    def _take(self, metric: Metric) -> MeasurementPhase:
        # In a release that went on, the next weight followed at once: later requests are not those of the cohort.
        at = self.step_end_s if metric.guard == COHORT_REQUESTS else self.now_s
        result = tuple(self.results(metric, at))
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
