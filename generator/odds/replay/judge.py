"""A release walked through look by look: what the controller would have made of each answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from generator.lint import MeasurementPhase, measure_vector
from generator.odds.replay.machine import Phase, Run
from generator.odds.replay.schedule import Schedule
from generator.promql.metric import Metric, MetricKind

Outcome = Literal["aborted", "paused", "promoted", "undecided"]
Answers = Callable[[Metric, float], Sequence[float]]
"""The result of a metric's query at a time, seconds since the first weight."""

_OUTCOMES: Final[dict[Phase, Outcome]] = {"Failed": "aborted", "Error": "aborted", "Inconclusive": "paused"}


@dataclass(frozen=True, slots=True)
class Look:
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
class Held:
    """A weight (whole percent) and the time it was held, seconds since the first weight."""

    weight: int
    start_s: float
    end_s: float
    step: int


@dataclass(frozen=True, slots=True)
class Story:
    """How a release went.

    Args:
        outcome: `aborted`, `paused` (a person decides), `promoted`, or `undecided`: the data ends before.
        at_s: when, seconds since the first weight.
        reason: why, in the controller's words.
        guard: the guard that decided; empty when none did.
        held: the weights it went through.
        looks: all measurements, in order.
    """

    outcome: Outcome
    at_s: float
    reason: str
    guard: str
    held: tuple[Held, ...]
    looks: tuple[Look, ...]

    @property
    def step(self) -> int | None:
        """Position among the spec's steps of the one it ended in; None when nothing was held."""
        return self.held[-1].step if self.held else None


def judge(schedule: Schedule, answers: Answers, until_s: float) -> Story:
    """Walk through a release until it is decided.

    Approvals are granted at once. Holds are those of the plan, whatever the real release waited for. A pause
    ends the story: what a person would have done is not known.

    Args:
        schedule: what is looked at, when.
        answers: what each query gave.
        until_s: where the data ends, seconds since the first weight.
    """
    walk = _Walk(schedule, answers, until_s)
    try:
        for position in range(len(schedule.stages)):
            walk.stage(position)
        if schedule.completes:
            walk.drain(walk.background)
    except _Decided as decided:
        return walk.story(*decided.args)
    return walk.story("promoted", "all steps done", "")


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
    answers: Answers
    until_s: float
    now_s: float = 0.0
    looks: list[Look] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.background = _Running.start(self.schedule.background, 0.0)

    def stage(self, position: int) -> None:
        """Hold one weight, then ask for its evidence."""
        stage = self.schedule.stages[position]
        self.held.append(Held(stage.weight, self.now_s, self.now_s, stage.step))
        end = self.now_s + stage.hold_s
        while (due := self.background.run.due_s) is not None and due <= end:
            self._look(due, self.background)
        self._pass_until(end)
        self.drain(_Running.start(stage.evidence, end))

    def drain(self, running: _Running) -> None:
        """Go on until a run is complete, the background beside it."""
        beside = (self.background,) if running is self.background else (self.background, running)
        while running.run.phase == "Running":
            due = min(one.run.due_s for one in beside if one.run.due_s is not None)
            for one in beside:
                self._look(due, one)

    def story(self, outcome: Outcome, reason: str, guard: str) -> Story:
        """What has happened by now."""
        return Story(outcome, self.now_s, reason, guard, tuple(self.held), tuple(self.looks))

    def _look(self, due_s: float, running: _Running) -> None:
        self._pass_until(due_s)
        running.run.measure(due_s, lambda i: self._take(running.metrics[i]))
        outcome = _OUTCOMES.get(running.run.phase)
        if outcome:
            worst = running.run.worst()
            raise _Decided(outcome, running.run.tallies[worst].reason, running.metrics[worst].guard)

    def _take(self, metric: Metric) -> MeasurementPhase:
        result = tuple(self.answers(metric, self.now_s))
        measured = measure_vector(metric.condition.success, metric.condition.failure, result)
        self.looks.append(Look(self.now_s, metric.name, metric.guard, metric.kind, result, measured))
        return measured

    def _pass_until(self, time_s: float) -> None:
        self.now_s = min(time_s, self.until_s)
        if self.held:
            last = self.held[-1]
            self.held[-1] = Held(last.weight, last.start_s, self.now_s, last.step)
        if time_s > self.until_s:
            raise _Decided("undecided", "the data ends here", "")
