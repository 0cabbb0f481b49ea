"""The verdict rules of Argo Rollouts: measurements in, the phase of a metric and of its AnalysisRun out.

After argo-rollouts 1.9.3 and 1.10.2, analysis/analysis.go: `generateMetricTasks` (when a measurement is due),
`runMeasurements` (what is counted), `assessMetricStatus`, `assessMetricFailureInconclusiveOrError` and
`assessRunStatus` (what follows). Dry runs, which Sluice never writes, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from generator.lint import MeasurementPhase
from generator.promql.metric import Metric

Phase = Literal["Pending", "Running", "Successful", "Failed", "Inconclusive", "Error"]

ERROR_RETRY_S: Final = 10.0
_WORSE: Final[tuple[Phase, ...]] = (
    "Successful", "Running", "Pending", "Inconclusive", "Error", "Failed",
)  # fmt: skip
_BAD: Final[frozenset[Phase]] = frozenset({"Failed", "Error", "Inconclusive"})
_OPEN: Final[frozenset[Phase]] = frozenset({"Pending", "Running"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How many measurements of each kind a metric takes; defaults are the controller's.

    Args:
        count: measurements after which it is settled, errors not counted; None never settles it.
        failure: failures that are forgiven over its whole life; -1 forgives all.
        inconclusive: inconclusive measurements that are forgiven.
        consecutive_error: errors in a row that are forgiven.
        consecutive_success: successes in a row that settle it early; 0 for no such rule.
    """

    count: int | None = None
    failure: int = 0
    inconclusive: int = 0
    consecutive_error: int = 4
    consecutive_success: int = 0

    @classmethod
    def of(cls, metric: Metric) -> Limits:
        """The limits of a rendered metric; without an interval the controller measures once."""
        return cls(
            metric.count or (None if metric.interval_s else 1),
            metric.failure_limit,
            metric.inconclusive_limit,
            metric.error_limit,
            metric.success_limit,
        )


class Tally:
    """The measurements of one metric so far, and its phase."""

    __slots__ = ("_counts", "_errors", "_limits", "_successes", "phase", "reason")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._counts: dict[MeasurementPhase, int] = dict.fromkeys(
            ("Successful", "Failed", "Inconclusive", "Error"), 0
        )
        self._successes = self._errors = 0
        self.phase: Phase = "Pending"
        self.reason = ""

    @property
    def counted(self) -> int:
        """Measurements that count towards `count`."""
        return sum(self._counts.values()) - self._counts["Error"]

    def add(self, measured: MeasurementPhase) -> None:
        """Count one measurement and assess the metric; without effect once it is completed."""
        if self.phase not in _OPEN:
            return
        self._counts[measured] += 1
        self._successes = self._successes + 1 if measured == "Successful" else 0
        self._errors = self._errors + 1 if measured == "Error" else 0
        self.phase, self.reason = self._assess()

    def terminate(self) -> None:
        """End the metric where it stands: what has not ended badly is Successful."""
        if self.phase in _OPEN:
            self.phase, self.reason = "Successful", "terminated"

    def _assess(self) -> tuple[Phase, str]:
        return self._exceeded() or self._settled() or ("Running", "")

    def _exceeded(self) -> tuple[Phase, str] | None:
        """The later rule overrides the earlier one: Error over Inconclusive over Failed."""
        limits, errors = self._limits, self._errors
        undecided, failed = self._counts["Inconclusive"], self._counts["Failed"]
        if errors > limits.consecutive_error:
            return (
                "Error",
                f"consecutiveErrors ({errors}) > consecutiveErrorLimit ({limits.consecutive_error})",
            )
        if undecided > limits.inconclusive:
            return "Inconclusive", f"inconclusive ({undecided}) > inconclusiveLimit ({limits.inconclusive})"
        if 0 <= limits.failure < failed:
            return "Failed", f"failed ({failed}) > failureLimit ({limits.failure})"
        return None

    def _settled(self) -> tuple[Phase, str] | None:
        wanted = self._limits.consecutive_success
        if 0 < wanted <= self._successes:
            return "Successful", f"consecutiveSuccessLimit ({wanted}) reached"
        if self._limits.count is None or self.counted < self._limits.count:
            return None
        reached = f"count ({self._limits.count}) reached"
        if wanted <= 0:
            return "Successful", reached
        unmet = f"{reached}, consecutiveSuccessLimit ({wanted}) not"
        return ("Inconclusive" if self._limits.failure >= 0 else "Failed"), unmet


def assess(
    measurements: Sequence[MeasurementPhase], limits: Limits, *, terminated: bool = False
) -> tuple[Phase, int]:
    """The phase of a metric after these measurements, and how many of them were taken."""
    tally, taken = Tally(limits), 0
    for measured in measurements:
        if tally.phase not in _OPEN:
            break
        tally.add(measured)
        taken += 1
    if terminated:
        tally.terminate()
    return tally.phase, taken


class Run:
    """One AnalysisRun: its metrics by position, and its phase.

    Time is ideal: a measurement takes none and the controller is never late. A real one measures a moment after the
    interval is over.
    """

    def __init__(self, metrics: Sequence[Metric], start_s: float) -> None:
        self._intervals = [metric.interval_s for metric in metrics]
        self._due = [start_s + metric.initial_delay_s for metric in metrics]
        self.tallies = [Tally(Limits.of(metric)) for metric in metrics]

    @property
    def due_s(self) -> float | None:
        """When the next measurement is due; None when there is none any more."""
        return min((self._due[i] for i in self._open()), default=None)

    @property
    def phase(self) -> Phase:
        """The worst phase of its metrics; Running while none has ended badly and one is still open."""
        phases = [tally.phase for tally in self.tallies]
        if _BAD.isdisjoint(phases) and any(phase in _OPEN for phase in phases):
            return "Running"
        return max(phases, key=_WORSE.index, default="Successful")

    def measure(self, now_s: float, take: Callable[[int], MeasurementPhase]) -> None:
        """Take the measurements that are due, all in one pass; one metric that ends badly ends the others."""
        for i in [i for i in self._open() if self._due[i] <= now_s]:
            measured = take(i)
            self.tallies[i].add(measured)
            self._due[i] = now_s + (ERROR_RETRY_S if measured == "Error" else self._intervals[i])
        if not _BAD.isdisjoint(tally.phase for tally in self.tallies):
            self.terminate()

    def terminate(self) -> None:
        """End all metrics where they stand, as at promotion."""
        for tally in self.tallies:
            tally.terminate()

    def worst(self) -> int:
        """Position of the metric that decided the phase."""
        return max(range(len(self.tallies)), key=lambda i: _WORSE.index(self.tallies[i].phase))

    def _open(self) -> Iterator[int]:
        return (i for i, tally in enumerate(self.tallies) if tally.phase in _OPEN)
