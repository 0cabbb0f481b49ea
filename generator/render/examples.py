"""Samples that make an alert fire, or almost fire, in promtool's notation: one sample per minute from time 0."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.promql.series import Matcher, Proportion, Series
from generator.render.watched import Watched

EVERY: Final = 5
"""Minutes between two evaluations of the rules."""
MINUTES: Final = 100
"""Length of a steady example: its shares are the same in every window, even a longer one."""
_OPPOSITE: Final[Mapping[str, Literal["=", "!=", "=~", "!~"]]] = {
    "=": "!=",
    "!=": "=",
    "=~": "!~",
    "!~": "=~",
}
_PER_MINUTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """Input series of a promtool test, and the minute at which the alert is checked.

    Only tests read the series, so a function computes the expensive ones on demand.
    """

    made: Mapping[str, str] | Callable[[], Mapping[str, str]]
    minute: int = MINUTES - EVERY

    @property
    def series(self) -> Mapping[str, str]:
        """Values of each series, in promtool's notation."""
        return self.made() if callable(self.made) else self.made


def ratio(item: Watched, share: float) -> Example:
    """Return steady traffic with this share of events."""
    return Example(lambda: _ratio(item, share))


def _ratio(item: Watched, share: float) -> dict[str, str]:
    requests, events = item.proportion.requests, item.proportion.events
    hits = round((1 - share if item.proportion.complement else share) * _PER_MINUTE)
    found = {_series(events, item.everyone): f"0+{hits}x{MINUTES}"}
    if requests.metric == events.metric:
        # One counter: the labels select its series of events; the other series are not events.
        others = [_opposite(matcher) for matcher in events.matchers if matcher not in requests.matchers]
        found[_series(requests, *others, item.everyone)] = f"0+{_PER_MINUTE - hits}x{MINUTES}"
    else:
        found[_series(requests, item.everyone)] = f"0+{_PER_MINUTE}x{MINUTES}"
    return found


def _opposite(matcher: Matcher) -> Matcher:
    return Matcher(matcher.label, matcher.value, _OPPOSITE[matcher.operator])


def counter(series: Series, per_second: float) -> dict[str, str]:
    """Return a counter that grows evenly."""
    return {_series(series): f"0+{60 * per_second:.6f}x{MINUTES}"}


def phase(series: str, wait_s: float, *, early: bool = False) -> Example:
    """Return a lasting phase, checked when the alert has waited long enough, or one evaluation earlier."""
    steps = math.ceil(wait_s / (60 * EVERY))
    return Example({series: f"1x{EVERY * (steps + 2)}"}, EVERY * (steps - 1 if early else steps + 1))


def parity(rows: Proportion, arm: Matcher, groups: tuple[str, ...], difference: float) -> Example:
    """Return groups with a selection rate of 90%, except the last, whose rate is lower by the difference."""
    found = {}
    for index, group in enumerate(groups):
        rate = 0.9 - (min(difference, 0.85) if index == len(groups) - 1 else 0.0)
        named = Matcher("group", group)
        found[_series(rows.requests, named, arm)] = f"0+1000x{MINUTES}"
        found[_series(rows.events, named, arm)] = f"0+{round(1000 * rate)}x{MINUTES}"
    return Example(found)


def _series(series: Series, *more: Matcher) -> str:
    """Return one series that a selector matches."""
    labels = {matcher.label: _sample(matcher) for matcher in (*series.matchers, *more)}
    return series.metric + "{" + ",".join(f"{key}={_quoted(value)}" for key, value in labels.items()) + "}"


def _sample(matcher: Matcher) -> str:
    """Return a value that a matcher accepts.

    Raises:
        ValueError: it accepts none of the candidates.
    """
    value = str(matcher.value)
    if matcher.operator == "=":
        return value
    first = re.sub(r"\([^()]*\)\?", "", value).split("|")[0].replace("\\", "").replace(".", "0")
    for tried in (first, "v1", "500", "200"):
        fits = bool(re.fullmatch(value, tried)) if "~" in matcher.operator else tried == value
        if fits != matcher.operator.startswith("!"):
            return tried
    raise ValueError(f"no example for the matcher {matcher}")


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
