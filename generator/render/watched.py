"""What is watched of a released model: shares, budgets and floors, from the same outcomes as its guards."""

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
    """A ratio with a bound: more than `bound` of the events are too many or, for a floor, fewer are too few."""

    guard: Comparison | Limit
    bound: float
    proportion: Proportion
    everyone: Matcher

    def share(self, window_s: float) -> str:
        """Write the share over a window, of all versions that answer users."""
        return bounded_ratio(self.proportion, self.everyone, WindowRatio(window_s, FLOOR))

    def recorded(self, plan: Plan, window_s: float) -> str:
        """Write the recorded share."""
        labels = {
            "namespace": plan.identity.namespace,
            "model": plan.identity.model,
            "guard": self.guard.name,
        }
        matchers = ",".join(f'{key}="{value}"' for key, value in labels.items())
        return f"{RATIO}{duration(window_s)}{{{matchers}}}"


def watched(plan: Plan) -> Iterator[Watched]:
    """Ratios that have a bound: their guard's limit, or the change that it must catch, on its baseline."""
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
    """Every version that answers users; the shadow's pods have no pod-template hash of the controller."""
    if label == BY_POD.label:
        return Matcher(label, "", "!=")
    return Matcher(label, shadow_arm(plan) if plan.rollout.shadow else "", "!=")


def fair(plan: Plan) -> Iterator[tuple[Parity, str, tuple[str, ...]]]:
    """Sensitive attributes that a guard compares, in the steps or in the shadow, each once with its groups."""
    seen = set()
    for guard in (*plan.guards, *plan.shadow_guards):
        if not isinstance(guard, Parity):
            continue
        for attribute, groups in guard.attributes:
            if attribute not in seen:
                seen.add(attribute)
                yield guard, attribute, groups
