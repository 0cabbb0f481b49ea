"""What is looked at, when: the metrics and steps of a rollout, as a replay walks through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from generator.promql.metric import Metric


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
        """Seconds until the last look that can be needed, late data included."""
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
