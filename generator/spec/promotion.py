"""Promotions: what an environment requires before a release may enter it, and the lock that lets one in."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from generator.spec.lock import LockedModel
from generator.spec.record import Record
from generator.spec.types import Age, Date, Digest, Hold, Line, Name, Percent

_MAPPING, _LIST = "a mapping of environments", "a list of environments"


class Proof(Record):
    """What the record of a required environment must show, and what happens to a release that is on its way."""

    soak: Hold | None = Field(
        None, description="how long the release must have run there since it ended", examples=["24h"]
    )
    max_age: Age | None = Field(None, description="largest age of the record; default: any", examples=["14d"])
    verdict: Literal["passed", "weak", "any"] = Field(
        "passed",
        description="the least verdict. weak: also without analysis, or with too little traffic; "
        "any: also an inconclusive one, never an aborted one",
    )
    min_power: Percent | None = Field(
        None,
        description="least probability that a harmful version would have been stopped, with the traffic that came",
        examples=["50%"],
    )
    order: Literal["newest", "finish-first"] = Field(
        "newest",
        description="newest: a newer release there replaces one that soaks; finish-first: the check of a change that "
        "would start another one is red until it is promoted, aborted or taken back",
    )


def _form(value: Any) -> str:
    return _MAPPING if isinstance(value, dict) else _LIST


Requirements = Annotated[
    Annotated[list[Name], Tag(_LIST)] | Annotated[dict[Name, Proof], Tag(_MAPPING)],
    Discriminator(_form),
]
"""The environments that one requires: their names, or what the record of each must show."""


class PromotedBy(Record):
    """The record that a promotion rests on."""

    digest: Digest = Field(description="digest of the record")
    verdict: Literal["passed", "weak", "inconclusive"] = Field(description="its verdict")
    end: Line = Field(description="when the release ended there (RFC 3339)")


class LockedHotFix(Record):
    """A promotion without the proof that the environment requires."""

    approved_by: Name | None = Field(None, description="role that approved it, where the tier requires one")
    until: Date = Field(description="last day; then the release must have been proven, or be taken back")


class PromotionFile(Record):
    """The lock of a model in one environment, which only `sluice promote` writes."""

    model_config = ConfigDict(alias_generator=None)
    schema_: Literal["sluice/promotion/v1"] = Field(alias="schema", description="version of this format")
    key: Digest = Field(description="release key of what runs in the environment")
    held: Digest = Field(
        description="digest of the release in the bundle: pod template, configuration, secrets and gates"
    )
    model: LockedModel = Field(description="the model, as it was locked")
    image: Line = Field(description="the image")
    gates: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(description="gate key of the release")
    records: dict[Name, PromotedBy] = Field({}, description="the record of each required environment")
    at: Line = Field(description="when it was promoted (RFC 3339)")
    by: Line = Field(description="who promoted it")
    reason: Line | None = Field(None, description="why, if it was given")
    hotfix: LockedHotFix | None = Field(
        None, description="what it lacks proof for; null for a proven release"
    )
