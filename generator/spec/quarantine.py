"""The releases of one model that were taken back from an environment: a file of its team."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from generator.spec.exemptions import Release
from generator.spec.lock import Version
from generator.spec.record import Record
from generator.spec.types import Date, Digest, Line, Name


class RejectedRelease(Record):
    """A release that was taken back; no environment may get it again until it is released by name."""

    key: Digest = Field(description="its release key")
    version: Version = Field(description="version of its model", examples=["7"])
    digest: Digest | None = Field(
        None, description="digest of its model: another release of that model needs a reason"
    )
    environment: Name = Field(description="where it was taken back", examples=["production"])
    reason: Line = Field(description="why", examples=["click-through fell by 12 % at 5 % of traffic"])
    since: Date = Field(description="first day")
    released: Release | None = Field(
        None, description="its release from quarantine; without it, it stays refused"
    )


class QuarantineFile(Record):
    """The rejected releases of one model. `sluice revert --env` appends; nothing is ever removed."""

    model_config = ConfigDict(alias_generator=None)
    schema_: Literal["sluice/quarantine/v1"] = Field(alias="schema", description="version of this format")
    releases: Annotated[list[RejectedRelease], Field(min_length=1)] = Field(description="oldest first")

    def rejection(self, key: str) -> RejectedRelease | None:
        """Return the entry that refuses a release; None if there is none, or it was released by name."""
        return next((item for item in self.releases if item.key == key and item.released is None), None)

    def rejection_of_model(self, digest: str) -> RejectedRelease | None:
        """Return the entry about a release of a model, whatever else it ran with; None if there is none."""
        return next((item for item in self.releases if item.digest == digest and item.released is None), None)
