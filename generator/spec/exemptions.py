"""Temporary exemptions from gates and steps, and versions in quarantine."""

from typing import Final

from pydantic import Field

from generator.spec.gates import GateKind
from generator.spec.record import Record
from generator.spec.types import Date, Digest, Line, ModelName, Name

_SHOWN: Final = 19
"""Characters of a digest that people read: its algorithm and twelve digits."""


class Waiver(Record):
    """A named exemption from one gate, as it was when the exemption was given."""

    model: ModelName = Field(description="team/model")
    gate: Name = Field(description="the gate that may fail or have no verdict")
    kind: GateKind | None = Field(
        None, description="kind of the gate; without it the waiver has no effect", examples=["fairness"]
    )
    configuration: Digest | None = Field(
        None, description="digest of the gate's configuration: the waiver ends when it changes"
    )
    digest: Digest | None = Field(
        None, description="digest of the model version: the waiver ends when another version is locked"
    )
    reason: Line = Field(description="why")
    approved_by: Name = Field(description="role that approved it")
    until: Date = Field(description="last day")

    @property
    def complete(self) -> bool:
        """Whether it says what it was given for: a kind, and a configuration or a model version."""
        return self.kind is not None and (self.configuration or self.digest) is not None

    @property
    def terms(self) -> str:
        """Its end, its approver, its reason, and what it was given for, for people."""
        given = (("configuration", self.configuration), ("model", self.digest))
        what = " and ".join(f"{name} {digest[:_SHOWN]}" for name, digest in given if digest)
        return f"until {self.until} by {self.approved_by}: {self.reason} (given for {what})"

    def covers(self, kind: str, configuration: str, digest: str) -> bool:
        """Return whether a gate of the name that it names is the one that it was given for.

        Args:
            kind: kind of the gate.
            configuration: digest of its configuration.
            digest: digest of the locked model version.
        """
        given = ((self.kind, kind), (self.configuration, configuration), (self.digest, digest))
        return self.complete and all(wanted in {None, found} for wanted, found in given)


class HotFix(Record):
    """A version that may go out with steps that are too short or too large for its tier, for a day, with its guards."""

    model: ModelName = Field(description="team/model")
    digest: Digest = Field(description="digest of the model version")
    reason: Line = Field(description="why it can't wait")
    approved_by: Name = Field(description="role that approved it")
    until: Date = Field(description="last day: today or tomorrow")

    @property
    def terms(self) -> str:
        """Its end, its approver and its reason, for people."""
        return f"accepted as a hot fix until {self.until} by {self.approved_by}: {self.reason}"


class Release(Record):
    """The release of a version from quarantine; the entry stays as a record."""

    by: Name = Field(description="role that decided", examples=["model-risk"])
    reason: Line = Field(
        description="why it may come back", examples=["the click events were lost, not the clicks"]
    )
    at: Date = Field(description="day of the decision")


class Quarantine(Record):
    """A version that was rejected after its release: by a guard, by the watch, or by a person.

    Entries are only appended: `sluice revert` writes them, and a release is a key of an entry.
    """

    model: ModelName = Field(description="team/model that was rejected")
    digest: Digest = Field(description="digest of its files; refused under every other name, too")
    image: Digest | None = Field(
        None, description="digest of its image; refused for every model and with every digest of files, too"
    )
    reason: Line = Field(description="why", examples=["click-through fell by 12 % at 5 % of traffic"])
    since: Date = Field(description="first day")
    running: list[Name] = Field(
        [],
        description="environments in which it may keep running, under this name, until another version takes over; "
        "refused everywhere else",
        examples=[["staging"]],
    )
    released: Release | None = Field(
        None, description="its release from quarantine; without it the version stays refused"
    )
