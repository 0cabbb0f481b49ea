"""What a simulated canary does to each guard's events: `good`, `drop=10%`, `ctr:drop=20%,error-rate:rise=100%`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from generator.plan.guards import Comparison, Limit

GOOD: Final = "good"
_PART: Final = re.compile(r"(?:(?P<guard>[^:=,]+):)?(?P<change>drop|rise)=(?P<size>\d+(?:\.\d+)?)%")


class ScenarioError(ValueError):
    """A scenario that does not fit the grammar or the plan; the message is for its author."""


def scenario(text: str, guards: Sequence[Comparison | Limit]) -> Mapping[str, float]:
    """Event rate of the canary over stable's, by guard.

    A change without a guard's name is that of every guard which watches for such a change.

    Args:
        text: `good`, or changes with a comma between them.
        guards: guards of the plan that can be simulated.

    Raises:
        ScenarioError: the text is no scenario, or names nothing that is watched.
    """
    ratios = {guard.name: 1.0 for guard in guards}
    if text.strip() == GOOD:
        return ratios
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ScenarioError(
                f"`{part.strip()}` is no scenario; write good, drop=10%, rise=50% or GUARD:drop=10%"
            )
        for guard in _meant(match["guard"], match["change"], guards):
            ratios[guard.name] = _ratio(guard, match["change"], float(match["size"]) / 100)
    return ratios


def watches_drop(guard: Comparison | Limit) -> bool:
    """Whether it is a drop of its events that this guard is there for."""
    return guard.ratio < 1 if isinstance(guard, Comparison) else not guard.more_is_worse


def _meant(name: str | None, change: str, guards: Sequence[Comparison | Limit]) -> list[Comparison | Limit]:
    if name is None:
        found = [guard for guard in guards if watches_drop(guard) == (change == "drop")]
        if not found:
            raise ScenarioError(f"no guard that can be simulated watches for a {change}")
        return found
    found = [guard for guard in guards if guard.name == name.strip()]
    if not found:
        known = ", ".join(guard.name for guard in guards) or "none"
        raise ScenarioError(f"`{name.strip()}` is no guard that can be simulated; those are: {known}")
    return found


def _ratio(guard: Comparison | Limit, change: str, size: float) -> float:
    ratio = 1 - size if change == "drop" else 1 + size
    if not 0 <= ratio <= 1 / (guard.baseline or 1) or not math.isfinite(ratio):
        raise ScenarioError(
            f"{guard.name} can't {change} by {size:.0%}: its baseline is {guard.baseline or 0:.2%}"
        )
    return ratio
