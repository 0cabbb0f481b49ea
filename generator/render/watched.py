"""The ratios and attributes that alerts and dashboards of a model watch, on the same counters as its guards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generator.dataclass import dataclass
from generator.plan.guards import Comparison, Limit, Parity
from generator.plan.measurements import Clock
from generator.plan.values import Plan
from generator.promql.bounds import WindowRatio, bounded_ratio
from generator.promql.series import Matcher, Proportion
from generator.promql.text import duration, number
from generator.render.metrics import FLOOR, counted
from generator.render.series import users

RATIO = "model:guard_ratio:increase"
"""Recorded share of events; its window follows."""
REQUESTS, EVENTS = "model:guard_requests:increase", "model:guard_events:increase"
"""Recorded counts, from which long shares are computed: raw series of a month would be too many samples."""
_DAY_S = 86_400.0
_COUNTED_S = 300.0


@dataclass(frozen=True, slots=True)
class Watched:
    """The ratio of a guard, with the bound of its alerts: a budget of bad events, or a floor for good ones.

    Args:
        guard: the guard.
        bound: share of the requests, a fraction.
        proportion: the counters.
        everyone: matcher of all versions that serve users.
        labels: labels of what is recorded.
        clock: the intervals of the platform; every window has at least four scrapes.
    """

    guard: Comparison | Limit
    bound: float
    proportion: Proportion
    everyone: Matcher
    labels: Mapping[str, str]
    clock: Clock

    @property
    def counted_s(self) -> float:
        """Seconds of one recorded count, and between two of them."""
        return self.clock.span(_COUNTED_S)

    def is_long(self, window_s: float) -> bool:
        """Return whether a share over this window is computed from recorded counts."""
        return window_s >= _DAY_S

    def name(self, window_s: float) -> str:
        """Return the name of the recorded share over a window."""
        return RATIO + duration(self.clock.span(window_s))

    def counts(self) -> dict[str, str]:
        """Return what is recorded for long windows: names with expressions, one count after the other without a gap."""
        window = self.counted_s
        return {
            REQUESTS + duration(window): self.proportion.count_requests(self.everyone, window),
            EVENTS + duration(window): self.proportion.count_events(self.everyone, window),
        }

    def share(self, window_s: float) -> str:
        """Write the share over a window, for all versions that answer users."""
        if not self.is_long(window_s):
            ratio = WindowRatio(self.clock.span(window_s), FLOOR)
            return bounded_ratio(self.proportion, self.everyone, ratio)
        requests, events = (
            f"sum_over_time({name}{self._matchers}[{duration(window_s)}])" for name in self.counts()
        )
        return f"{events}\n/ {requests}\nand on() ({requests} >= {number(FLOOR)})"

    def recorded(self, window_s: float) -> str:
        """Write the recorded share over a window."""
        return self.name(window_s) + self._matchers

    @property
    def _matchers(self) -> str:
        return "{" + ",".join(f'{key}="{value}"' for key, value in self.labels.items()) + "}"


def watched(plan: Plan) -> Iterator[Watched]:
    """Yield the ratios with a bound: the limit of the guard, or its baseline times the change that it must detect."""
    for guard in plan.guards:
        if isinstance(guard, Parity) or guard.counts is None:
            continue
        bound = _bound(guard)
        if not bound or bound >= 1:
            continue
        proportion, arms = counted(plan, guard.counts)
        labels = {"guard": guard.name, "model": plan.identity.model, "namespace": plan.identity.namespace}
        yield Watched(guard, bound, proportion, users(arms.label), labels, plan.clock)


def _bound(guard: Comparison | Limit) -> float | None:
    if isinstance(guard, Limit):
        return guard.limit
    return round(guard.baseline * guard.ratio, 10) if guard.baseline is not None else None


def fair(plan: Plan) -> Iterator[tuple[Parity, str, tuple[str, ...]]]:
    """Yield the sensitive attributes that a guard compares, in steps or shadow, each once with its groups."""
    seen = set()
    for guard in (*plan.guards, *plan.shadow_guards):
        if not isinstance(guard, Parity):
            continue
        for attribute, groups in guard.attributes:
            if attribute not in seen:
                seen.add(attribute)
                yield guard, attribute, groups
