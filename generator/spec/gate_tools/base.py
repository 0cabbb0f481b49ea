"""The descriptor of a gate tool."""

from __future__ import annotations

from typing import Literal

from generator.dataclass import dataclass

Statistic = Literal["distance", "association", "index"]
"""The statistic of a drift test: a distance of distributions, an association of categories, or a stability index."""


@dataclass(frozen=True, slots=True)
class DriftTest:
    """The conversion of a drift report into a verdict.

    Args:
        statistic: what its `distance` is.
        floor: smallest effect that matters, unless the gate sets `atMost`.
    """

    statistic: Statistic
    floor: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of `tool:` in a gate.

    Args:
        gate: kind of the gates that may name it.
        name: the value.
        script: script of the tool that it runs, without `.py`.
        drift: how its report becomes a verdict, for drift gates; None for others.
    """

    gate: str
    name: str
    script: str
    drift: DriftTest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTool:
    """A library that measures for gates.

    `templates/gates/<name>/` holds its scripts and the hashed list of its packages: libraries that conflict have
    separate environments.

    Args:
        name: name of that folder, and of the image that holds the tool.
        choices: values of `tool:` that run it; empty where gates choose it by other keys.
        image_also: tools whose environments its image holds as well.
        system_packages: Debian packages that its libraries need in the image.
        notice: a warning to its users, such as a restrictive license; empty for none.
        sampled: of a source of any size it gets a sample; otherwise the engine's aggregates replace it.
    """

    name: str
    choices: tuple[Choice, ...]
    image_also: tuple[str, ...]
    system_packages: tuple[str, ...]
    notice: str
    sampled: bool


@dataclass(frozen=True, slots=True)
class Program:
    """A script of a gate tool."""

    tool: str
    script: str
