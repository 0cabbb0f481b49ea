"""Queries about one arm: a ratio with a floor on its denominator, a gauge, and the requests of a step or cohort."""

from __future__ import annotations

import math
from typing import Final

from generator.dataclass import dataclass
from generator.promql.event_share import EventShare, comparable_requests
from generator.promql.series import Arms, Matcher, Proportion, Series
from generator.promql.text import duration, number


@dataclass(frozen=True, slots=True)
class WindowRatio:
    """Events over requests of one arm in a sliding window.

    Args:
        window_s: length of the window.
        floor: smallest number of requests; with fewer the result is empty.
        heard_s: length of the window in which the arm must have had an event, else the result is empty: callers
            report the events, and none at all may mean that no report arrives; 0 if none is a good result.
    """

    window_s: float
    floor: float
    heard_s: float = 0.0

    def __post_init__(self) -> None:
        if self.floor < 1:
            raise ValueError("the floor must be at least one request, to exclude 0/0")


@dataclass(frozen=True, slots=True)
class CanaryRequests:
    """Requests of the canary over the horizon; empty while stable has too few events.

    A sequential test without data never fires. This number shows why: traffic below the declared rate, an outcome that
    is not reported, or a label that both arms lack.

    Args:
        horizon_s: length of the window.
        least_events: smallest number of events of the stable version.
        own_events: smallest number of events of the canary itself; 0 unless none at all would look good.
        test: the sequential test whose strata count; None to count all requests.
    """

    horizon_s: float
    least_events: float
    test: EventShare | None = None
    own_events: float = 0.0


@dataclass(frozen=True, slots=True)
class CohortRequests:
    """Requests of a cohort that the canary answered in a window; their number shows that the header route exists.

    The canary's counters do not know the header. With a weight w it also answers about w / (1 - w) of what the stable
    version does; that and three standard deviations of a random split are subtracted.

    Args:
        window_s: length of the window.
        weight: share of the requests without the header that the canary gets, 0..1.
        design_effect: variance of the split over that of independent requests.
    """

    window_s: float
    weight: float
    design_effect: float = 1.0

    @property
    def others(self) -> float:
        """The requests without the header, for each request of the stable version."""
        return self.weight / (1 - self.weight)

    def of(self, canary: float, stable: float) -> float:
        """Return the number, from the requests that both versions answered."""
        noise = math.sqrt(self.design_effect * self.others * (canary + stable))
        return canary - self.others * stable - _DEVIATIONS * noise


_DEVIATIONS: Final = 3.0


def cohort_requests(proportion: Proportion, arms: Arms, seen: CohortRequests) -> str:
    """Return the query for the requests of a cohort that the canary answered; empty while it answered none."""
    canary = proportion.count_requests(arms.of_canary, seen.window_s)
    if not seen.weight:
        return canary
    stable = f"({proportion.count_requests(arms.of_stable, seen.window_s)} or vector(0))"
    variance = number(seen.design_effect * seen.others)
    noise = f"{number(_DEVIATIONS)} * sqrt({variance} * ({canary} + {stable}))"
    return f"{canary}\n- {number(seen.others)} * {stable}\n- {noise}"


def bounded_ratio(proportion: Proportion, arm: Matcher, ratio: WindowRatio) -> str:
    """Return the query for events over requests of one arm."""
    requests = proportion.count_requests(arm, ratio.window_s)
    events = proportion.count_events(arm, ratio.window_s)
    query = f"{events}\n/ {requests}\nand on() ({requests} >= {number(ratio.floor)})"
    return (
        f"{query}\nand on() ({proportion.count_events(arm, ratio.heard_s)} > 0)" if ratio.heard_s else query
    )


def canary_requests(
    proportion: Proportion, arms: Arms, seen: CanaryRequests, pods: Series | None = None
) -> str:
    """Return the query for the number of canary requests over the horizon, or for those that a test has counted."""
    requests = proportion.count_requests(arms.of_canary, seen.horizon_s)
    if seen.test:
        requests = comparable_requests(proportion, arms, seen.test, pods)
    events = proportion.count_events(arms.of_stable, seen.horizon_s)
    query = f"{requests}\nand on() ({events} >= {number(seen.least_events)})"
    if not seen.own_events:
        return query
    own = proportion.count_events(arms.of_canary, seen.horizon_s)
    return f"{query}\nand on() ({own} >= {number(seen.own_events)})"


def worst_gauge(gauge: Series, arm: Matcher, window_s: float, *, largest: bool) -> str:
    """Return the query for the worst value of any pod of one arm in a window: the largest, or the smallest."""
    worst = "max" if largest else "min"
    return f"{worst}({worst}_over_time({gauge.where(arm)}[{duration(window_s)}]))"


def answering(scraped: Series, window_s: float) -> str:
    """Return the query for the share of scrapes that the pods of one arm answered.

    A pod that crashes loses its counters, and the router's own errors are not in them: the error rates of the pods look
    fine while users get 503 (seen on a real cluster). A pod that restarts misses scrapes.
    """
    return f"avg(avg_over_time({scraped}[{duration(window_s)}]))"
