"""A model of the controller: it turns measurements into the phase of a metric and of its AnalysisRun.

After Argo Rollouts 1.9.3 and 1.10.2, analysis/analysis.go: `generateMetricTasks` (when a measurement is due),
`runMeasurements` (what is counted), `assessMetricStatus`, `assessMetricFailureInconclusiveOrError` and
`assessRunStatus` (the phases). Dry runs are left out: Sluice does not render them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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


class Tally:
    """The measurements of one metric so far, and its phase."""

    __slots__ = ("_counts", "_errors", "_metric", "_successes", "phase", "reason")

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._counts: dict[MeasurementPhase, int] = dict.fromkeys(
            ("Successful", "Failed", "Inconclusive", "Error"), 0
        )
        self._successes = self._errors = 0
        self.phase: Phase = "Pending"
        self.reason = ""

    @property
    def counted(self) -> int:
        """Measurements that count towards `count`: all but errors."""
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
        """End the metric now; unless it has ended badly, it is Successful."""
        if self.phase in _OPEN:
            self.phase, self.reason = "Successful", "terminated"

    def _assess(self) -> tuple[Phase, str]:
        return self._exceeded() or self._settled() or ("Running", "")

    def _exceeded(self) -> tuple[Phase, str] | None:
        """Return a phase that a limit on bad measurements gives: Error before Inconclusive before Failed."""
        limits = self._metric
        inconclusive, failed = self._counts["Inconclusive"], self._counts["Failed"]
        if self._errors > limits.error_limit:
            return (
                "Error",
                f"consecutiveErrors ({self._errors}) > consecutiveErrorLimit ({limits.error_limit})",
            )
        if inconclusive > limits.inconclusive_limit:
            reason = f"inconclusive ({inconclusive}) > inconclusiveLimit ({limits.inconclusive_limit})"
            return "Inconclusive", reason
        if 0 <= limits.failure_limit < failed:
            return "Failed", f"failed ({failed}) > failureLimit ({limits.failure_limit})"
        return None

    def _settled(self) -> tuple[Phase, str] | None:
        """Return the phase of a metric that has taken all its measurements, or enough successes in a row."""
        successes, count = self._metric.success_limit, self._metric.measurements
        if 0 < successes <= self._successes:
            return "Successful", f"consecutiveSuccessLimit ({successes}) reached"
        if count is None or self.counted < count:
            return None
        reached = f"count ({count}) reached"
        if successes <= 0:
            return "Successful", reached
        unmet = f"{reached}, consecutiveSuccessLimit ({successes}) not"
        return ("Inconclusive" if self._metric.failure_limit >= 0 else "Failed"), unmet


class Run:
    """One AnalysisRun: its metrics by position, and its phase.

    Time is ideal: a measurement takes none, and the controller is never late. The real one measures a moment after each
    interval.
    """

    def __init__(self, metrics: Sequence[Metric], start_s: float) -> None:
        self._intervals = [metric.interval_s for metric in metrics]
        self._due = [start_s + metric.initial_delay_s for metric in metrics]
        self.tallies = [Tally(metric) for metric in metrics]

    @property
    def due_s(self) -> float | None:
        """When the next measurement is due; None after the last one."""
        return min((self._due[i] for i in self._open()), default=None)

    @property
    def phase(self) -> Phase:
        """The worst phase of its metrics; Running while one is open and none has ended badly."""
        phases = [tally.phase for tally in self.tallies]
        if _BAD.isdisjoint(phases) and any(phase in _OPEN for phase in phases):
            return "Running"
        return max(phases, key=_WORSE.index, default="Successful")

    def measure(self, now_s: float, take: Callable[[int], MeasurementPhase]) -> None:
        """Take all measurements that are due; a metric that ends badly ends the others."""
        for i in [i for i in self._open() if self._due[i] <= now_s]:
            measured = take(i)
            self.tallies[i].add(measured)
            self._due[i] = now_s + (ERROR_RETRY_S if measured == "Error" else self._intervals[i])
        if not _BAD.isdisjoint(tally.phase for tally in self.tallies):
            self.terminate()

    def terminate(self) -> None:
        """End all metrics now, as at promotion."""
        for tally in self.tallies:
            tally.terminate()

    def worst(self) -> int:
        """Return the position of the metric that decided the phase."""
        return max(range(len(self.tallies)), key=lambda i: _WORSE.index(self.tallies[i].phase))

    def _open(self) -> Iterator[int]:
        return (i for i, tally in enumerate(self.tallies) if tally.phase in _OPEN)
