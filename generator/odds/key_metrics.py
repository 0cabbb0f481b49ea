"""The key metrics of a plan: odds, exposure, time, size and cost."""

from __future__ import annotations

from collections.abc import Callable

from generator.dataclass import dataclass
from generator.odds.footprint import currencies, monthly
from generator.odds.odds import odds_of
from generator.plan.peak import peak, steady_state
from generator.plan.resolve import Planned
from generator.plan.timeline import approver, timeline
from generator.spec.quantities import count_up, money_up, share_down, share_up, time_span


@dataclass(frozen=True, slots=True)
class KeyMetrics:
    """The key metrics of one plan; shares are fractions, times seconds.

    Args:
        planned_s: all planned waiting, without approvals.
        approvals: people and roles that it waits for.
        power: smallest power among the guards with odds; None when none has odds.
        power_first_step: the same by the end of the first weight step.
        false_rollback: upper bound of the chance that a good version is rolled back.
        exposed: largest mean number of requests that a bad version answers; None without traffic or odds.
        pods_peak: largest number of pods at once during the release.
        monthly: monthly cost between releases, in `currency`; None unless all prices have one currency.
        currency: ISO 4217; empty without prices.
        gates: number of gates.
        waived: number of waived gates.
    """

    planned_s: float
    approvals: tuple[str, ...]
    power: float | None
    power_first_step: float | None
    false_rollback: float | None
    exposed: float | None
    pods_peak: int
    monthly: float | None
    currency: str
    gates: int
    waived: int


def key_metrics(planned: Planned) -> KeyMetrics:
    """Return the key metrics of a plan."""
    plan, platform = planned.plan, planned.source.platform
    course, odds, money = timeline(plan), odds_of(plan), currencies(platform.prices)
    priced = odds is not None and bool(odds.guards)
    return KeyMetrics(
        planned_s=course.planned_s,
        approvals=tuple(map(approver, course.approvals)),
        power=odds.power if odds else None,
        power_first_step=odds.power_first_step if odds else None,
        false_rollback=odds.false_rollback_bound if odds and priced else None,
        exposed=odds.worst_exposed if odds else None,
        pods_peak=peak(plan).total.pods,
        monthly=monthly(steady_state(plan), platform.prices) if len(money) == 1 else None,
        currency=money[0] if len(money) == 1 else "",
        gates=len(plan.gates),
        waived=sum(1 for gate in plan.gates if gate.waiver),
    )


def format_figures(found: KeyMetrics) -> dict[str, str]:
    """Format the key metrics for people, rounded conservatively, by their labels."""
    waits = f" + {', '.join(found.approvals)}" if found.approvals else ""
    waived = f", {found.waived} waived" if found.waived else ""
    return {
        "planned time": f"{time_span(found.planned_s)}{waits}",
        "power": _maybe(found.power, share_down),
        "caught in the first step": _maybe(found.power_first_step, share_down),
        "false rollback, at most": _maybe(found.false_rollback, share_up),
        "requests exposed if bad": _maybe(found.exposed, count_up),
        "pods at most": str(found.pods_peak),
        "cost a month": money_up(found.monthly, found.currency),
        "gates": f"{found.gates}{waived}" if found.gates else "none",
    }


def _maybe(value: float | None, show: Callable[[float], str]) -> str:
    return "no odds" if value is None else show(value)
