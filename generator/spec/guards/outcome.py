"""The guard on an outcome that users decide."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from generator.spec.guards.base import Counts, EventProfile, RatioGuard
from generator.spec.service import Outcome
from generator.spec.types import Key


class OutcomeGuard(RatioGuard):
    """An outcome that the model's users decide, such as click-through."""

    kind: ClassVar[str] = "outcome"
    tag: ClassVar[str] = "an outcome guard"
    key: ClassVar[tuple[str, str | None]] = ("outcome", None)
    outcome: Key = Field(description="an outcome declared under `outcomes`", examples=["ctr"])

    @property
    def subject(self) -> str:
        """The outcome."""
        return self.outcome

    def counts(self) -> Counts:
        """Return outcomes among predictions, both credited to the version that served."""
        return Counts(
            "model", "sluice_predictions_total", "sluice_outcomes_total", (("outcome", "=", self.outcome),)
        )

    def profile(self, outcomes: Mapping[str, Outcome]) -> EventProfile:
        """Return the outcome as the spec declares it."""
        declared = outcomes[self.outcome]
        return EventProfile(declared.baseline, declared.delay, declared.better == "lower", reported=True)
