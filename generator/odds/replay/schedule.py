"""What is looked at, when: the metrics and steps of a rollout, as a replay walks through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from generator.odds.replay.machine import Limits, Timing
from generator.promql.conditions import Condition
from generator.promql.event_share import EventShare

Kind = Literal["sequential", "limit", "parity", "evidence"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Events over requests of the canary in a sliding window; nothing below `floor` requests."""

    window_s: float
    floor: float


@dataclass(frozen=True, slots=True)
class Seen:
    """Requests of the canary over the horizon; nothing while stable has fewer than `least_events` events."""

    horizon_s: float
    least_events: float


Measure = EventShare | Ratio | Seen


@dataclass(frozen=True, slots=True)
class Watched:
    """One metric of a run.

    Args:
        name: of the metric.
        guard: the guard it belongs to.
        kind: what sort of judgement.
        query: the rendered PromQL, arguments not filled in.
        condition: when a measurement succeeds and when it fails.
        bound: the number that the condition compares with.
        timing: when it is measured.
        limits: how many measurements of each kind it takes.
        measure: the same number computed from two counters an arm; None where that is not enough.
    """

    name: str
    guard: str
    kind: Kind
    query: str
    condition: Condition
    bound: float
    timing: Timing
    limits: Limits
    measure: Measure | None


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
    evidence: tuple[Watched, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rollout as its guards see it.

    Args:
        background: metrics from the first weight until promotion.
        stages: its steps; an approval takes no time here.
        completes: the background must complete before the release is done (the watch after a switch).
    """

    background: tuple[Watched, ...]
    stages: tuple[Stage, ...]
    completes: bool = False

    @property
    def held_s(self) -> float:
        """Seconds of all holds."""
        return sum(stage.hold_s for stage in self.stages)

    @property
    def longest_s(self) -> float:
        """Seconds until the last look that can be needed, late data included."""
        late = sum(max(map(_lasts_s, stage.evidence), default=0.0) for stage in self.stages)
        return (
            self.held_s + late + (max(map(_lasts_s, self.background), default=0.0) if self.completes else 0.0)
        )

    @property
    def guards(self) -> tuple[str, ...]:
        """Guards that are judged, in order, each once."""
        evidence = (watched for stage in self.stages for watched in stage.evidence)
        return tuple(dict.fromkeys(watched.guard for watched in (*self.background, *evidence)))

    def only(self, keep: Callable[[Watched], bool]) -> Schedule:
        """The same rollout with fewer metrics."""

        def kept(metrics: Iterable[Watched]) -> tuple[Watched, ...]:
            return tuple(filter(keep, metrics))

        stages = tuple(replace(stage, evidence=kept(stage.evidence)) for stage in self.stages)
        return replace(self, background=kept(self.background), stages=stages)


def _lasts_s(watched: Watched) -> float:
    """Seconds until a finite metric has taken all its measurements."""
    return watched.timing.delay_s + ((watched.limits.count or 1) - 1) * watched.timing.interval_s
