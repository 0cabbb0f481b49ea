"""The ratios and attributes that alerts and dashboards of a model watch, on the same counters as its guards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.plan.guards import Comparison, Limit, Parity
from generator.plan.values import Plan
from generator.promql.bounds import WindowRatio, bounded_ratio
from generator.promql.series import Matcher, Proportion
from generator.promql.served import BY_POD
from generator.promql.text import duration
from generator.render.metrics import FLOOR, counted
from generator.render.outputs.pods import shadow_arm

RATIO = "model:guard_ratio:increase"


@dataclass(frozen=True, slots=True)
class Watched:
    """The ratio of a guard, with the bound of its alerts: a budget of bad events, or a floor for good ones.

    Args:
        guard: the guard.
        bound: share of the requests, a fraction.
        proportion: the counters.
        everyone: matcher of all versions that serve users.
    """

    guard: Comparison | Limit
    bound: float
    proportion: Proportion
    everyone: Matcher

    def share(self, window_s: float) -> str:
        """Write the share over a window, for all versions that answer users."""
        return bounded_ratio(self.proportion, self.everyone, WindowRatio(window_s, FLOOR))

    def recorded(self, plan: Plan, window_s: float) -> str:
        """Write the recorded share over a window."""
        labels = {
            "namespace": plan.identity.namespace,
            "model": plan.identity.model,
            "guard": self.guard.name,
        }
        matchers = ",".join(f'{key}="{value}"' for key, value in labels.items())
        return f"{RATIO}{duration(window_s)}{{{matchers}}}"


def watched(plan: Plan) -> Iterator[Watched]:
    """Yield the ratios with a bound: the limit of the guard, or its baseline times the change that it must detect."""
    for guard in plan.guards:
        if isinstance(guard, Parity) or guard.counts is None:
            continue
        bound = _bound(guard)
        if not bound or bound >= 1:
            continue
        proportion, arms = counted(plan, guard.counts)
        yield Watched(guard, bound, proportion, users(plan, arms.label))


def _bound(guard: Comparison | Limit) -> float | None:
    if isinstance(guard, Limit):
        return guard.limit
    return round(guard.baseline * guard.ratio, 10) if guard.baseline is not None else None


def users(plan: Plan, label: str) -> Matcher:
    """Return the matcher of all versions that answer users; shadow pods have no pod-template hash of the controller."""
    if label == BY_POD.label:
        return Matcher(label, "", "!=")
    return Matcher(label, shadow_arm(plan) if plan.rollout.shadow else "", "!=")


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
