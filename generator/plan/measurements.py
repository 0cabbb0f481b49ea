"""The times at which the controller measures: one clock for rendered metrics, timeline, odds and replay."""

from __future__ import annotations

from typing import Final

from generator.dataclass import dataclass

WINDOW_INTERVALS: Final = 5
"""Length of the window of an absolute limit, in intervals: each request is in this many measurements."""
PARITY_INTERVALS: Final = 5
"""The factor by which parity guards are measured less often: their window is the whole release, so they change
slowly."""
CATCH_UP_MEASUREMENTS: Final = 5
"""Measurements at the end of a step, for data that arrives late."""
ALIVE: Final = 0.8
"""Share of scrapes that the new pods must answer after a switch."""
_LEAST_SCRAPES: Final = 4
"""Scrapes in the shortest window of a query."""
LIMIT_FAILURES: Final = 1
"""Failures that an absolute limit forgives."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The platform's intervals, and what follows from them.

    Args:
        scrape_s: seconds between two scrapes of a pod.
        interval_s: seconds between two measurements of a metric.
    """

    scrape_s: float
    interval_s: float

    @property
    def stratum_s(self) -> float:
        """Seconds of one stratum of a sequential test: an interval, but at least four scrapes."""
        return self.span(self.interval_s)

    @property
    def stratum_window_s(self) -> float:
        """Seconds that one stratum reads: a scrape more, which closes the gap to the next stratum."""
        return self.stratum_s + self.scrape_s

    @property
    def window_s(self) -> float:
        """Seconds of requests that an absolute limit reads."""
        return self.span(WINDOW_INTERVALS * self.interval_s)

    def span(self, seconds: float) -> float:
        """Return a window of a query: this long, but at least four scrapes, so that one lost scrape leaves a rate."""
        return max(seconds, _LEAST_SCRAPES * self.scrape_s)

    @property
    def settle_s(self) -> float:
        """Seconds until two scrapes have seen a new pod."""
        return 2 * self.scrape_s

    @property
    def parity_interval_s(self) -> float:
        """Seconds between two measurements of a parity guard."""
        return PARITY_INTERVALS * self.interval_s

    @property
    def catch_up_s(self) -> float:
        """Seconds that an evidence check waits for late data: from its first measurement to its last."""
        return (CATCH_UP_MEASUREMENTS - 1) * self.interval_s

    def alive_measurements(self, watch_s: float) -> int:
        """Return how often the pods are checked after a switch: once per interval, at least three times."""
        return max(3, int(watch_s / self.interval_s))

    def watch_measurements(self, watch_s: float) -> int:
        """Return the number of measurements of a limit after a switch: one per interval, at least three."""
        return max(3, round((watch_s - self.window_s) / self.interval_s))
