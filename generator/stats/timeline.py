"""A rollout in time: weights, the requests they send to the canary, and when a guard stops it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from generator.dataclass import dataclass
from generator.stats.domain import not_negative, probability

EXACT_LOOKS = 256
_TIME_SLACK = 1e-9
_REQUESTS_SHARE, _EVENTS_SHARE = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a rollout at one weight.

    Args:
        weight: share of the traffic that the canary serves, 0..1.
        duration_s: how long, seconds, >= 0.
        counts: whether a sequential test takes evidence from it; a comparison of latencies takes none while the pods
            of the two versions have different loads.
    """

    weight: float
    duration_s: float
    counts: bool = True

    def __post_init__(self) -> None:
        probability("weight", self.weight)
        not_negative("duration", self.duration_s)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout and its traffic.

    Args:
        phases: its phases, in order.
        rps: requests per second of both versions together, >= 0.
    """

    phases: tuple[Phase, ...]
    rps: float

    def __post_init__(self) -> None:
        not_negative("requests per second", self.rps)

    @property
    def ends(self) -> tuple[float, ...]:
        """Time at the end of each phase, seconds since the first weight."""
        ends: list[float] = []
        for phase in self.phases:
            ends.append((ends[-1] if ends else 0.0) + phase.duration_s)
        return tuple(ends)

    @property
    def duration_s(self) -> float:
        """Seconds of all phases."""
        return math.fsum(phase.duration_s for phase in self.phases)

    @property
    def planned_requests(self) -> tuple[float, ...]:
        """Canary requests by the end of each phase."""
        return tuple(self.exposure(end) for end in self.ends)

    def exposure(self, until_s: float) -> float:
        """Return the canary requests by a time: rps times the integral of the weight, none after the last phase.

        Args:
            until_s: seconds since the first weight; a negative time gives 0.
        """
        start = served = 0.0
        for phase in self.phases:
            past = until_s - start
            if past <= 0.0:
                break
            served += phase.weight * min(past, phase.duration_s)
            start += phase.duration_s
        return self.rps * served


@dataclass(frozen=True, slots=True)
class Stop:
    """The probability that the rollout is stopped at one of the looks between two times, both included."""

    first_s: float
    last_s: float
    mass: float


@dataclass(frozen=True, slots=True)
class Detection:
    """When a guard stops a rollout, and what has been served by then.

    Args:
        probability: of a stop before the end.
        by_step: probability of a stop by the end of each phase.
        mean_s: mean time from the first weight to the rollback, given a stop; None when there is none.
        p90_s: time by which nine of ten stops have led to a rollback; None without stops.
        exposed: mean canary requests by the rollback, given a stop; None without stops.
    """

    probability: float
    by_step: tuple[float, ...]
    mean_s: float | None
    p90_s: float | None
    exposed: float | None


@dataclass(frozen=True, slots=True)
class EvidenceFloor:
    """The evidence that a phase must produce before the weight may grow.

    Args:
        requests: canary requests.
        stable_events: events of the stable version, so that a dead metric cannot pass.
    """

    requests: float
    stable_events: float


def evidence_floors(rollout: Rollout, baseline: float, mask_s: float = 0.0) -> tuple[EvidenceFloor, ...]:
    """Return the smallest evidence of each phase: 80% of the planned requests, and half of stable's planned events.

    The requests of a phase that counts are those of all such phases so far, without the masked time; the requests of
    another phase are all of them.

    Args:
        rollout: a rollout with the declared (off-peak) traffic.
        baseline: probability of the event with the stable version.
        mask_s: seconds at the start of each phase whose requests are not counted, if some phases do not count.

    Raises:
        ValueError: the baseline is outside [0, 1].
    """
    probability("baseline", baseline)
    floors, counted = [], 0.0
    for phase, end, planned in zip(rollout.phases, rollout.ends, rollout.planned_requests, strict=True):
        stable_events = (rollout.rps * end - planned) * baseline
        if phase.counts:
            counted += rollout.rps * phase.weight * max(0.0, phase.duration_s - mask_s)
        requests = counted if phase.counts and mask_s else planned
        floors.append(EvidenceFloor(_REQUESTS_SHARE * requests, _EVENTS_SHARE * stable_events))
    return tuple(floors)


def look_blocks(count: int) -> Iterator[int]:
    """Split `count` looks into blocks whose size is a power of two and at most 1/128 of those before.

    The first 256 looks are blocks by themselves, so ordinary rollouts are computed look by look; a million looks become
    about 1,500 blocks, and the error of the stop time is below 1%.
    """
    done = 0
    while done < count:
        limit = max(1, min(done // (EXACT_LOOKS // 2), count - done))
        size = 1 << (limit.bit_length() - 1)
        yield size
        done += size


def looks_until(time_s: float, interval_s: float) -> int:
    """Return the number of whole intervals in a time, counting one that ends on it but for rounding."""
    return math.floor(time_s / interval_s + _TIME_SLACK)


def detection(rollout: Rollout, stops: Sequence[Stop], latency_s: float) -> Detection:
    """Summarize the stops of a rollout.

    Mean time = sum mass (t + latency) / P; exposure = sum mass X(t + latency) / P, X as in `Rollout.exposure`.

    Args:
        rollout: the rollout.
        stops: in order of time.
        latency_s: from the failed look to the last canary request (reconcile, route push, age of the evidence).

    Raises:
        ValueError: the latency is negative or not finite.
    """
    not_negative("latency", latency_s)
    total = min(1.0, math.fsum(stop.mass for stop in stops))
    by_step = tuple(_reached(rollout.ends, stops))
    if total <= 0.0:
        return Detection(0.0, by_step, None, None, None)
    mean = exposed = reached = 0.0
    p90 = None
    for stop in stops:
        if not stop.mass:
            continue
        share = stop.mass / total
        rollback = 0.5 * (stop.first_s + stop.last_s) + latency_s
        mean += share * rollback
        exposed += share * rollout.exposure(rollback)
        reached += share
        if p90 is None and reached >= 0.9 - 1e-12:
            p90 = stop.last_s + latency_s
    return Detection(total, by_step, mean, p90, exposed)


def _reached(ends: Sequence[float], stops: Sequence[Stop]) -> Iterator[float]:
    """Yield the probability of a stop by each of some times, which ascend."""
    waiting = sorted(stops, key=lambda stop: stop.last_s, reverse=True)
    reached = 0.0
    for end in ends:
        while waiting and waiting[-1].last_s <= end + _TIME_SLACK * max(1.0, end):
            reached += waiting.pop().mass
        yield min(1.0, reached)
