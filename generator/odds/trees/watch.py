"""One metric of a release as its odds are computed: what it measures, when, and what is usual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from generator.dataclass import dataclass
from generator.odds.trees.moments import is_worse_below
from generator.odds.trees.verdicts import Verdicts
from generator.promql.measures import Measure
from generator.stats.timeline import Phase, Rollout

Side = Literal["high", "low"]
Limit: TypeAlias = tuple[float | None, Side | None, bool]

MOST_LOOKS: Final = 100_000
BAD: Final = frozenset({"error", "slow", "4xx"})
"""Events of which a worse version has more, on whichever side a metric fails."""
_FIRST_SCRAPES: Final = (1 / 6, 3 / 6, 5 / 6)


@dataclass(frozen=True, slots=True)
class Watch:
    """One metric of a release, and everything that decides when it stops a version.

    Args:
        rollout: stages and traffic.
        measure: what its query measures.
        verdicts: its phases.
        base: share of events (or mean) of the stable version.
        times: the factor of the new version.
        first_s: time of the first measurement.
        end_s: time after which it is not measured.
        interval_s: seconds between measurements.
        count: number of measurements, None without an end.
        failure_limit: failures that are forgiven; -1 forgives all.
        inconclusive_limit: inconclusive measurements that are forgiven.
        error_limit: errors in a row that are forgiven.
        success_limit: successes in a row that end it; 0 for none.
        scrape_s: seconds between two samples.
        old_series: the series exist before the release, so a result is never empty.
        spread: standard deviation of a value that is declared.
        alike: all measurements of a release have one value, of those that are declared.
    """

    rollout: Rollout
    measure: Measure
    verdicts: Verdicts
    base: float
    times: float
    first_s: float
    end_s: float
    interval_s: float
    count: int | None
    failure_limit: int
    inconclusive_limit: int
    error_limit: int
    success_limit: int
    scrape_s: float
    old_series: bool = False
    spread: float = 0.0
    alike: bool = False

    @property
    def changed(self) -> float:
        """The share of events, or the mean, of the new version."""
        if self.measure.event == "requests":
            return self.base
        if self.measure.kind == "gauge":
            return self.base / self.times if is_worse_below(self.verdicts) else self.base * self.times
        more = self.side != "low" or self.measure.kind == "mean" or self.measure.event in BAD
        found = self.base * self.times if more else self.base / self.times
        return found if self.measure.kind == "mean" else min(1.0, found)

    @property
    def side(self) -> Side | None:
        """The side on which quantities fail; None where it is not one side."""
        return limit_of(self.measure, self.verdicts)[1]

    @property
    def looks(self) -> int:
        """The most measurements that there can be."""
        most = looks_until(self.end_s, self.first_s, self.interval_s)
        return most if self.count is None else min(most, self.count)

    def requests(self, time_s: float) -> tuple[float, float]:
        """Return the expected requests of the new and of the stable version in the window before a time."""
        window, rollout = self.measure.window_s or self.scrape_s, self.rollout
        new = max(0.0, rollout.exposure(time_s) - rollout.exposure(time_s - window))
        every = rollout.rps * window
        return new, max(0.0, every - new)


@lru_cache(maxsize=65536)
def limit_of(measure: Measure, verdicts: Verdicts) -> Limit:
    """Return the quantity at which a metric starts to fail, on which side, and whether the limit itself fails.

    None where the phases are not one interval of successes next to one of failures.
    """
    if measure.kind in ("unknown", "verdict"):
        return None, None, False
    least, largest = (0.0, 1.0 if measure.kind == "share" else math.inf)
    if measure.kind == "gauge":
        least = -math.inf
    rising = (measure.scale > 0) != measure.complement
    found: list[tuple[float, Side, bool]] = []
    for index, edge in enumerate(verdicts.edges):
        quantity = round(measure.quantity(edge), 12)
        at, below, above = verdicts.at[index], verdicts.between[index], verdicts.between[index + 1]
        if not rising:
            below, above = above, below
        # Nothing is beyond the ends of the domain, such as a share below 0 or above 1.
        below = at if quantity == least else below
        above = at if quantity == largest else above
        if not least <= quantity <= largest or below == above:
            continue
        if {below, above} != {"Successful", "Failed"}:
            return None, None, False
        found.append((quantity, "high" if above == "Failed" else "low", at == "Failed"))
    return found[0] if len(found) == 1 else (None, None, False)


def mean_of(watch: Watch) -> float:
    """Return the mean of a declared value; of a verdict, the share of the measurements that fail."""
    return watch.base if watch.measure.arm == "stable" else watch.changed


def spread_of(watch: Watch) -> float:
    """Return the standard deviation of a declared value, which a harm multiplies as it does the value."""
    mean = mean_of(watch)
    return watch.spread * mean / watch.base if watch.base and mean != watch.base else watch.spread


def data_starts(watch: Watch) -> Sequence[float]:
    """Return times, equally likely, at which a declared value is first scraped; before it the result is empty."""
    if watch.old_series or watch.measure.arm != "canary":
        return (-math.inf,)
    begin = first_weight(watch.rollout)
    begin = begin if math.isfinite(begin) else 0.0
    if watch.first_s >= begin + watch.scrape_s:
        return (-math.inf,)
    return tuple(begin + scrapes * watch.scrape_s for scrapes in _FIRST_SCRAPES)


def first_weight(rollout: Rollout) -> float:
    """Return the time of the first weight above 0, infinity where there is none."""
    start = 0.0
    for phase in rollout.phases:
        if phase.weight > 0:
            return start
        start += phase.duration_s
    return math.inf


def looks_until(end_s: float, first_s: float, interval: float) -> int:
    """Return how many measurements there are until a time."""
    if end_s < first_s - 1e-9:
        return 0
    if not interval:
        return 1
    return min(MOST_LOOKS, math.floor((end_s - first_s) / interval + 1e-9) + 1)


def phases_of(stages: tuple[tuple[float, float], ...]) -> tuple[Phase, ...]:
    """Return weights and seconds as phases."""
    return tuple(Phase(weight, seconds) for weight, seconds in stages)
