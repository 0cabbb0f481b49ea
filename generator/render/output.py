"""One file to render: its name, its template, and the template's context."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Final, Protocol

from generator.dataclass import dataclass
from generator.plan.values import Plan

PLATFORM_ORIGIN: Final = "specs/platform.yaml"
"""The origin of files that are rendered for no model."""


@dataclass(frozen=True, slots=True)
class Output:
    """A file of a bundle.

    Args:
        file: name in the bundle, `<kind>-<role>.yaml`.
        template: name of its template.
        context: variables of the template, in addition to `plan`, `names`, `labels` and `port`.
    """

    file: str
    template: str
    context: Mapping[str, object] = field(default_factory=dict)


class Outputs(Protocol):
    """A group of objects: yields the files that a plan needs."""

    def __call__(self, plan: Plan) -> Iterator[Output]:
        """Yield the files, in any order."""
        ...
