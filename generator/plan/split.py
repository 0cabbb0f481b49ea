"""The checks of the split of requests: those of a plan, and why a step has none.

Specs do not declare them: each weight step, and the hold of a shadow, ends with one. A router, a Service
or a mirror may not do what its weight says, and guards that compare the versions don't see that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from generator.dataclass import dataclass
from generator.spec.quantities import count_up
from generator.spec.rollout import Canary
from generator.stats.split import FALSE_PAUSE, SplitTest

if TYPE_CHECKING:
    from generator.plan.values import Plan

_ALL: Final = 100
_DAY_S: Final = 86_400.0
_CERTAIN: Final = 0.8
"""Share of the planned requests that a check counts on, as the evidence checks of guards do."""


@dataclass(frozen=True, slots=True)
class SplitCheck:
    """The check at the end of one step.

    Args:
        position: position of the step in the spec; None for the shadow.
        weight: share of the canary, or of the copies, in percent of live requests.
        window_s: seconds of requests that it counts: the hold without the first scrapes.
        test: its test.
        of_canary: whether the test is on the share of the canary; above 50% it is on that of the stable version.
        planned: requests in the window at the declared traffic; None when none is declared.
        skipped: why it is left out; empty when it is not.
    """

    position: int | None
    weight: float
    window_s: float
    test: SplitTest
    of_canary: bool
    planned: float | None
    skipped: str = ""


def split_checks(plan: Plan) -> tuple[SplitCheck, ...]:
    """Return a check for the shadow and for each weight step that sends requests to both versions."""
    rollout = plan.rollout
    if not isinstance(rollout, Canary) or not plan.routing.router.splits_requests:
        return ()
    parts = list(_parts(rollout))
    return tuple(_check(plan, part, FALSE_PAUSE / len(parts)) for part in parts)


def split_check(plan: Plan, position: int | None) -> SplitCheck | None:
    """Return the check that is rendered for a step, by its position in the spec, or for the shadow; None for none."""
    found = (check for check in split_checks(plan) if check.position == position and not check.skipped)
    return next(found, None)


@dataclass(frozen=True, slots=True)
class _Part:
    position: int | None
    weight: float
    share: float
    hold_s: float


def _parts(rollout: Canary) -> Iterator[_Part]:
    """Yield the parts of requests whose share is known; copies are a part of all that is served."""
    if rollout.shadow:
        copied = rollout.shadow.percent
        yield _Part(None, _ALL * copied, copied / (1 + copied), rollout.shadow.hold)
    for position, step in rollout.weight_steps:
        if step.weight < _ALL:
            yield _Part(position, step.weight, step.weight / _ALL, step.hold)


def _check(plan: Plan, part: _Part, alpha: float) -> SplitCheck:
    test = SplitTest(min(part.share, 1 - part.share), alpha, plan.design_effect)
    window = min(part.hold_s - plan.clock.settle_s, 7 * _DAY_S)
    served = 1.0 if part.position is not None else 1 + part.weight / _ALL
    planned = None if plan.min_rps is None else max(0.0, window) * plan.min_rps * served
    skipped = _skipped(plan, window, test, planned)
    return SplitCheck(part.position, part.weight, window, test, part.share <= 1 / 2, planned, skipped)


def _skipped(plan: Plan, window_s: float, test: SplitTest, planned: float | None) -> str:
    """Return why a step has no check: one that can never succeed would only wait for a person."""
    if window_s < plan.clock.span(0):
        return "the step is too short"
    if planned is None:
        return "no traffic is declared, and missing data passes" if plan.rollout.no_data == "pass" else ""
    if _CERTAIN * planned < test.floor:
        needed = count_up(test.floor / _CERTAIN)
        return f"{count_up(planned)} requests can't show that a version gets none; {needed} are needed"
    return ""
