"""Queries about one arm: a ratio with a floor on its denominator, and whether a step has seen enough."""

from __future__ import annotations

from generator.promql.series import Arms, Matcher, Proportion, Series
from generator.promql.text import duration, number


def bounded_ratio(proportion: Proportion, arm: Matcher, window_s: float, floor: float) -> str:
    """Write events over requests of one arm, for a limit guard or a catastrophe guard.

    Args:
        proportion: what to count.
        arm: which version.
        window_s: length of the window.
        floor: the least number of requests to judge by; with fewer the result is empty.

    Raises:
        ValueError: if the floor is below 1, which would let 0/0 through.
    """
    if floor < 1:
        raise ValueError("a ratio needs at least one request")
    requests = proportion.count_requests(arm, window_s)
    events = proportion.count_events(arm, window_s)
    return f"{events}\n/ {requests}\nand on() ({requests} >= {number(floor)})"


def answering(scraped: Series, window_s: float) -> str:
    """Write the share of scrapes that the pods of one arm answered.

    A pod that crashes takes its counters along, and the router's own errors are in none of them: error rates of the
    pods look fine while users get 503 (seen on a real cluster). A pod that restarts misses scrapes.
    """
    return f"avg(avg_over_time({scraped}[{duration(window_s)}]))"


def evidence(proportion: Proportion, arms: Arms, horizon_s: float, least_events: float) -> str:
    """Write the number of canary requests over the horizon, empty while stable has too few events.

    A sequential test that sees nothing never fires. This query makes that visible: traffic below the
    declared one, an outcome nobody reports, a label that is missing on both arms.
    """
    requests = proportion.count_requests(arms.of_canary, horizon_s)
    events = proportion.count_events(arms.of_stable, horizon_s)
    return f"{requests}\nand on() ({events} >= {number(least_events)})"
