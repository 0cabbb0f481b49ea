"""The guard on the fairness of live predictions."""

from typing import ClassVar, Literal

from pydantic import Field

from generator.spec.guards.base import ParityGuard
from generator.spec.types import Key


class FairnessGuard(ParityGuard):
    """Demographic parity of live predictions."""

    kind: ClassVar[str] = "fairness"
    tag: ClassVar[str] = "a fairness guard"
    key: ClassVar[tuple[str, str | None]] = ("fairness", None)
    fairness: Literal["demographic-parity-difference"] = Field(
        description="measure, from the per-group counters of the service"
    )
    sensitive: list[Key] = Field(min_length=1, description="sensitive attributes, each compared separately")
    at_most: float = Field(gt=0, le=1, description="limit of the difference", examples=[0.1])

    @property
    def subject(self) -> str:
        """The measure."""
        return self.fairness

    @property
    def attributes(self) -> tuple[str, ...]:
        """The sensitive attributes."""
        return tuple(self.sensitive)

    @property
    def bound(self) -> float:
        """The limit."""
        return self.at_most
