"""Flagger simulated: a check moves the weight on or counts as failed, and one failed check too many rolls back.

After Flagger 1.44, pkg/controller/scheduler.go. A failed check keeps the weight for another interval, so the
length of a release is random, and checks whose windows overlap share requests.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Final

from generator.dataclass import dataclass
from generator.odds.trees.chances import Chance
from generator.odds.trees.moments import DECLARED, drawn
from generator.odds.trees.simulation import poisson
from generator.odds.trees.watch import Watch, mean_of, spread_of
from generator.stats.timeline import Stop

RUNS: Final = 400
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class FlaggerWatch:
    """The metrics of a Canary, which are checked together.

    Args:
        watches: one for each metric; they share interval, stages and traffic.
        forgiven: failed checks that do not roll back.
    """

    watches: tuple[Watch, ...]
    forgiven: int


@lru_cache(maxsize=4096)
def flagger_chance(found: FlaggerWatch) -> Chance:
    """Return when Flagger rolls back; times count from the first weight, with the intervals that failed checks add."""
    random = Random(1)  # noqa: S311 - a simulation
    stops: dict[float, int] = {}
    for _ in range(RUNS):
        time = _release(found, random)
        if time is not None:
            stops[time] = stops.get(time, 0) + 1
    return Chance(
        tuple(Stop(time, time, hits / RUNS) for time, hits in sorted(stops.items())), 0.0, simulated=True
    )


def _release(found: FlaggerWatch, random: Random) -> float | None:
    """Return when one release is rolled back, None when it is promoted."""
    first = found.watches[0]
    interval, weights = first.interval_s, [phase.weight for phase in first.rollout.phases]
    samples = [_Samples(watch, random) for watch in found.watches]
    stage = failed = 0
    for check in range(1, _LONGEST):
        for one in samples:
            one.advance(weights[stage])
        # The first metric that fails ends the check: one failure, however many fail.
        if all(one.passes(check * interval) for one in samples):
            stage += 1
        else:
            failed += 1
        if failed > found.forgiven:
            return check * interval
        if stage == len(weights):
            return None
    return None


class _Samples:
    """Requests and events of one metric in each interval."""

    def __init__(self, watch: Watch, random: Random) -> None:
        self._watch, self._random = watch, random
        self._cells: list[tuple[float, float]] = []
        window = watch.measure.window_s or watch.scrape_s
        self._last = max(1, round(window / watch.interval_s))
        self._seconds = min(watch.interval_s, window)
        self._data_s = watch.scrape_s * (1 + random.random())
        self._value = self._drawn() if watch.measure.kind in DECLARED else 0.0

    def _drawn(self) -> float:
        watch = self._watch
        return drawn(self._random, watch.measure.kind, mean_of(watch), spread_of(watch))

    def advance(self, weight: float) -> None:
        """Add an interval at a weight."""
        watch, arm = self._watch, self._watch.measure.arm
        rate = watch.rollout.rps * self._seconds
        requests = events = 0.0
        for share, chance in ((weight, watch.changed), (1 - weight, watch.base)):
            if (arm == "canary" and share is not weight) or (arm == "stable" and share is weight):
                continue
            hits = poisson(self._random, rate * share * chance)
            events += hits
            requests += hits + poisson(self._random, rate * share * (1 - chance))
        self._cells.append((requests, events))

    def passes(self, time_s: float) -> bool:
        """Return whether the metric passes at a time."""
        watch, measure = self._watch, self._watch.measure
        if measure.arm == "canary" and time_s < self._data_s:
            return watch.verdicts.empty == "Successful"
        if measure.kind in DECLARED:
            if not watch.alike:
                self._value = self._drawn()
            return watch.verdicts.phase(self._value) == "Successful"
        cells = self._cells[-self._last :]
        requests, events = sum(cell[0] for cell in cells), sum(cell[1] for cell in cells)
        if measure.kind in ("rate", "count"):
            value = measure.value(events / (measure.window_s if measure.kind == "rate" else 1.0))
        elif not requests:
            value = float("nan")
        elif measure.kind == "quantile":
            edge = watch.verdicts.edges[0] if watch.verdicts.edges else 1.0
            value = edge * (1.01 if events / requests > 1 - measure.level else 0.99)
        else:
            value = measure.value(events / requests)
        return watch.verdicts.phase(value) == "Successful"
