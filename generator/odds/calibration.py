"""What a model's own history says: traffic, baselines, delays and design effects, each with an interval.

The history is the counts of every pod in every minute. Intervals come from resampling whole days (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13): minutes of a day are not independent.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Final

from generator.dataclass import dataclass
from generator.spec.calibration import Estimate

MINUTE_S: Final = 60.0
_HOUR: Final = 60
_DAY: Final = 24 * _HOUR
_WEEK_HOURS: Final = 7 * 24
_MONDAY_S: Final = 4 * 86_400.0  # 1970 began on a Thursday; the first Monday was the 5th of January
_RESAMPLED: Final = 400
_SPANS: Final = (
    1,
    10,
    60,
)  # minutes over which counts are compared; slow differences show in the longer ones
_LARGER: Final = 1.05
_SMOOTHED: Final = 4 * _HOUR
_DELAYS: Final = (0.0, *(5.0 * 1.25**n for n in range(30)))
_HALF_STEP: Final = math.sqrt(1.25)
_CLEAR: Final = 5.0  # standard errors by which requests must show in later events


@dataclass(frozen=True, slots=True)
class PodCounts:
    """Requests and events of one pod, minute by minute; NaN where they are not known."""

    requests: array[float]
    events: array[float]


@dataclass(frozen=True)
class History:
    """The history of a model.

    Args:
        start_s: its start, seconds since 1970, at a whole minute.
        minutes: its length.
        counts: counts by guard and pod.
        versions: the version of each pod.
        users: number of users, by minute; empty without a counter.
    """

    start_s: float
    minutes: int
    counts: Mapping[str, Mapping[str, PodCounts]]
    versions: Mapping[str, str]
    users: Sequence[float] = ()

    def totals(self, guard: str) -> tuple[list[float], list[float]]:
        """Return requests and events of all pods together, by minute."""
        requests, events = [0.0] * self.minutes, [0.0] * self.minutes
        for pod in self.counts[guard].values():
            for at, (asked, happened) in enumerate(zip(pod.requests, pod.events, strict=True)):
                if not (math.isnan(asked) or math.isnan(happened)):
                    requests[at] += asked
                    events[at] += happened
        return requests, events

    def day(self, minute: int) -> int:
        """Return the number of the day (UTC) of a minute."""
        return int((self.start_s + minute * MINUTE_S) // 86_400)


def increments(samples: Mapping[int, float], start_ms: int, minutes: int) -> array[float]:
    """Return the growth of a counter in each minute; NaN around gaps, before its first and after its last sample.

    Args:
        samples: values by time (milliseconds); a smaller value is a restart from 0.
        start_ms: start of the first minute.
        minutes: number of minutes.
    """
    grown = array("d", [math.nan]) * minutes
    step = round(MINUTE_S * 1000)
    for at in range(minutes):
        before, now = samples.get(start_ms + at * step), samples.get(start_ms + (at + 1) * step)
        if before is not None and now is not None:
            grown[at] = now - before if now >= before else now
    return grown


def resampled(days: Sequence[Sequence[float]], of: Callable[[list[float]], float | None]) -> Estimate | None:
    """Return a statistic of sums over days, with its interval.

    Args:
        days: the terms of each day.
        of: computes the statistic from their sums; None if it is not defined.
    """
    value = of(_sums(days)) if days else None
    if value is None:
        return None
    rng = Random(len(days))  # noqa: S311 - equal histories give equal intervals
    found = [of(_sums(rng.choices(days, k=len(days)))) for _ in range(_RESAMPLED)]
    known = sorted(one for one in found if one is not None)
    low, high = known[round(0.025 * (len(known) - 1))], known[round(0.975 * (len(known) - 1))]
    return Estimate(value=value, low=min(low, value), high=max(high, value))


def _sums(days: Sequence[Sequence[float]]) -> list[float]:
    return [math.fsum(column) for column in zip(*days, strict=True)]


def _ratio(sums: list[float]) -> float | None:
    return sums[0] / sums[1] if sums[1] > 0 else None


def hours_of_week(history: History, requests: Sequence[float]) -> list[float]:
    """Return the median requests per second of each hour of the week, from Monday 00:00 UTC; NaN if never seen."""
    found: list[list[float]] = [[] for _ in range(_WEEK_HOURS)]
    first = -round(history.start_s / MINUTE_S) % _HOUR
    for at in range(first, history.minutes - _HOUR + 1, _HOUR):
        hour = round((history.start_s + at * MINUTE_S - _MONDAY_S) / 3600) % _WEEK_HOURS
        found[hour].append(math.fsum(requests[at : at + _HOUR]) / 3600)
    return [_median(seen) if seen else math.nan for seen in found]


def _median(values: Sequence[float]) -> float:
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def baseline(history: History, requests: Sequence[float], events: Sequence[float]) -> Estimate | None:
    """Return the events per request."""
    return resampled(list(_by_day(history, events, requests)), _ratio)


def requests_per_user(history: History, requests: Sequence[float]) -> Estimate | None:
    """Return the requests per user: the design effect if all requests of a user have the same outcome.

    That is Kish's 1 + (m - 1) rho with rho = 1 for users with m requests each (Survey Sampling, 1965, section 5.4).
    """
    return resampled(list(_by_day(history, requests, history.users)), _ratio) if history.users else None


def _by_day(history: History, *columns: Sequence[float]) -> Iterator[list[float]]:
    days: dict[int, list[float]] = {}
    for at, row in enumerate(zip(*columns, strict=True)):
        day = days.setdefault(history.day(at), [0.0] * len(columns))
        for position, value in enumerate(row):
            day[position] += value
    yield from days.values()


def design_effect(history: History, guard: str) -> Estimate | None:
    """Return the variance of the events of a pod over that of independent requests with the rate of that time.

    Pearson's chi-square over its degrees of freedom (McCullagh and Nelder, Generalized Linear Models, 1989,
    section 4.5): at each time the pods of one version share a rate, so daily cycles and bursts cancel. Over a minute,
    or over 10 or 60 minutes where it is clearly larger: returning users and lasting differences between pods show
    there.
    """
    best = None
    for span in _SPANS:
        found = resampled(_chi_squares(history, guard, span), _ratio)
        if found is not None and (best is None or found.low > _LARGER * best.value):
            best = found
    return best


def _chi_squares(history: History, guard: str, span: int) -> list[list[float]]:
    """Return chi-square and degrees of freedom of each day."""
    days: dict[int, list[float]] = {}
    pods = [(history.versions[name], counts) for name, counts in history.counts[guard].items()]
    for at in range(0, history.minutes - span + 1, span):
        groups: dict[str, list[tuple[float, float]]] = {}
        for version, counts in pods:
            asked, happened = sum(counts.requests[at : at + span]), sum(counts.events[at : at + span])
            if asked > 0 and not math.isnan(happened):
                groups.setdefault(version, []).append((asked, happened))
        day = days.setdefault(history.day(at), [0.0, 0.0])
        for pairs in groups.values():
            total, events = math.fsum(n for n, _ in pairs), math.fsum(x for _, x in pairs)
            rate = events / total
            if len(pairs) > 1 and 0 < rate < 1:
                day[0] += math.fsum((x - n * rate) ** 2 / (n * rate * (1 - rate)) for n, x in pairs)
                day[1] += len(pairs) - 1
    return list(days.values())


def delay_s(history: History, requests: Sequence[float], events: Sequence[float]) -> Estimate | None:
    """Return the mean delay of events after their requests, if they are exponential; None where it can't be seen.

    Busy minutes are followed by more events. Both counts, less their mean of four hours (so that daily cycles of the
    rate don't matter), are compared for delays of 0 to 54 minutes by least squares.
    """
    asked, happened = _rough(requests), _rough(events)
    days: dict[int, list[float]] = {}
    for position, delay in enumerate(_DELAYS):
        for at, expected in enumerate(_arrivals(asked, delay)):
            day = days.setdefault(history.day(at), [0.0] * (2 * len(_DELAYS) + 1))
            day[2 * position] += expected * happened[at]
            day[2 * position + 1] += expected * expected
            if position == 0:
                day[-1] += happened[at] ** 2
    rows = list(days.values())
    sums, found = _sums(rows), resampled(rows, _best_delay)
    if found is None:
        return None
    noise = sums[-1] / history.minutes
    if _explained(sums, _DELAYS.index(found.value)) < _CLEAR**2 * noise:
        return None
    # The truth may be half a step of the grid away.
    return Estimate(
        value=found.value, low=found.low / _HALF_STEP, high=max(found.high * _HALF_STEP, _DELAYS[1])
    )


def _best_delay(sums: list[float]) -> float | None:
    explained = [_explained(sums, position) for position in range(len(_DELAYS))]
    best = max(range(len(_DELAYS)), key=explained.__getitem__)
    return _DELAYS[best] if explained[best] > 0 else None


def _explained(sums: list[float], position: int) -> float:
    """Return the sum of squares that a delay explains, where more requests mean more events."""
    product, square = sums[2 * position], sums[2 * position + 1]
    return product * product / square if product > 0 and square > 0 else 0.0


def _rough(counts: Sequence[float]) -> list[float]:
    """Return counts less their running mean."""
    sums = [0.0]
    for count in counts:
        sums.append(sums[-1] + count)
    half, size = _SMOOTHED // 2, len(counts)
    out = []
    for at, count in enumerate(counts):
        low, high = max(0, at - half), min(size, at + half + 1)
        out.append(count - (sums[high] - sums[low]) / (high - low))
    return out


def _arrivals(asked: Sequence[float], delay: float) -> Iterator[float]:
    """Yield the events expected in each minute, if its requests are spread evenly and delays are exponential."""
    if delay == 0.0:
        yield from asked
        return
    fade = math.exp(-MINUTE_S / delay)
    at_once = 1 - delay / MINUTE_S * (1 - fade)
    waiting = 0.0
    for count in asked:
        yield count * at_once + waiting * (1 - fade)
        waiting = waiting * fade + count * (1 - at_once)


def pod_load(history: History, guard: str) -> Estimate | None:
    """Return the requests per second of a pod: the mean, and the quantiles of 5% and 95% over pods and minutes."""
    seen = sorted(
        count / MINUTE_S for pod in history.counts[guard].values() for count in pod.requests if count > 0
    )
    if not seen:
        return None
    low, high = (seen[round(share * (len(seen) - 1))] for share in (0.05, 0.95))
    return Estimate(value=math.fsum(seen) / len(seen), low=low, high=high)


def versions_at_once(history: History, guard: str) -> list[int]:
    """Return how many versions had requests in each minute; more than one during a release."""
    active: list[set[str]] = [set() for _ in range(history.minutes)]
    for pod, counts in history.counts[guard].items():
        for at, count in enumerate(counts.requests):
            if count > 0:
                active[at].add(history.versions[pod])
    return list(map(len, active))
