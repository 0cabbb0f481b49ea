"""The series that a query reads, and the two arms that it compares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.promql.text import duration, quote, quote_regex

_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ARGUMENT: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of an AnalysisTemplate; Argo Rollouts fills in its value when the run starts."""

    name: str

    def __post_init__(self) -> None:
        if not _ARGUMENT.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the name of an argument")

    def __str__(self) -> str:
        return "{{args." + self.name + "}}"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher. An `Argument` is written as a placeholder, a string is escaped."""

    label: str
    value: str | Argument
    operator: Literal["=", "!=", "=~", "!~"] = "="

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.label):
            raise ValueError(f"{self.label!r} is not a label name")

    def __str__(self) -> str:
        text = f'"{self.value}"' if isinstance(self.value, Argument) else quote(self.value)
        return f"{self.label}{self.operator}{text}"


def one_of(label: str, values: Sequence[str]) -> Matcher:
    """Return a matcher for any of these texts."""
    return Matcher(label, "|".join(map(quote_regex, values)), "=~")


@dataclass(frozen=True, slots=True)
class Series:
    """A metric and the matchers that select its series."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def __post_init__(self) -> None:
        if not _METRIC.fullmatch(self.metric):
            raise ValueError(f"{self.metric!r} is not a metric name")

    def where(self, *matchers: Matcher) -> Series:
        """Return the series that match these matchers in addition."""
        return Series(self.metric, self.matchers + matchers)

    def increase(self, window_s: float, offset_s: float = 0) -> str:
        """Write the increase of the counter over a window, with one element for each series."""
        offset = f" offset {duration(offset_s)}" if offset_s else ""
        return f"increase({self}[{duration(window_s)}]{offset})"

    def __str__(self) -> str:
        return self.metric + "{" + ",".join(map(str, self.matchers)) + "}"


@dataclass(frozen=True, slots=True)
class Arms:
    """The label that distinguishes the two versions of a rollout, and its value for each."""

    label: str
    canary: str | Argument = Argument("canary-hash")
    stable: str | Argument = Argument("stable-hash")

    @property
    def of_canary(self) -> Matcher:
        """The matcher of the new version."""
        return Matcher(self.label, self.canary)

    @property
    def of_stable(self) -> Matcher:
        """The matcher of the stable version."""
        return Matcher(self.label, self.stable)


@dataclass(frozen=True, slots=True)
class Proportion:
    """Events among requests: two counters with the same labels.

    Args:
        requests: the counter of all requests.
        events: the counter of the requests that are events or, with `complement`, of those that are not.
        complement: the events are the requests that `events` does not count (slow requests of a histogram).
    """

    requests: Series
    events: Series
    complement: bool = False

    def count_requests(self, arm: Matcher, window_s: float, offset_s: float = 0) -> str:
        """Write the number of requests of one arm; the result is empty when the arm has no series."""
        return f"sum({self.requests.where(arm).increase(window_s, offset_s)})"

    def count_events(self, arm: Matcher, window_s: float) -> str:
        """Write the number of events of one arm.

        A counter of events may be missing because there was no event yet; it counts as 0, so that the worst model is
        not overlooked. A complement has no such default: its two series start together, so a missing one means a wrong
        bucket bound. A counter reset that only one of the two shows must not make it negative.
        """
        counted = f"sum({self.events.where(arm).increase(window_s)})"
        if self.complement:
            return f"clamp_min({self.count_requests(arm, window_s)} - {counted}, 0)"
        return f"({counted} or vector(0))"
