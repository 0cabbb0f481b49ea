"""Temporary exemptions from gates, and versions in quarantine."""

from __future__ import annotations

from pydantic import Field

from generator.spec.record import Record
from generator.spec.types import Date, Digest, Line, ModelName, Name


class Waiver(Record):
    """A named exemption from a gate."""

    model: ModelName = Field(description="team/model")
    gate: Name = Field(description="the gate that may fail or have no verdict")
    reason: Line = Field(description="why")
    approved_by: Name = Field(description="role that approved it")
    until: Date = Field(description="last day")


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
