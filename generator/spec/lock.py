"""The lock next to a spec: what every movable reference was resolved to."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from generator.spec.record import Record
from generator.spec.types import Digest, Line, Requirement

Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,60}[A-Za-z0-9])?$")]


class LockedModel(Record):
    """The model that the reference resolved to."""

    ref: Line = Field(description="the reference in the spec")
    resolved: Line = Field(description="the immutable reference that it resolved to")
    version: Version = Field(description="version of the model; part of the image tag", examples=["7"])
    digest: Digest = Field(description="digest of the model's files, and of all `references`")
    files: Digest | None = Field(None, description="digest of the model's own files, if it has `references`")
    at: Line = Field(description="when it was resolved (RFC 3339)")
    by: Line = Field(description="what resolved it")


class LockedImage(Record):
    """The image that was pushed."""

    digest: Digest = Field(description="digest of the image's manifest")
    bento: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")] = Field(
        description="bento digest the image was built from (first 12)"
    )


class LockedData(Record):
    """A data set that a gate reads."""

    digest: Digest = Field(description="digest of its content")
    resolved: Line = Field(description="the immutable reference")
    at: Line | None = Field(None, description="when it was resolved (RFC 3339)")
    by: Line | None = Field(None, description="what resolved it")


class TrainedColumn(Record):
    """A column that the model was trained with."""

    model_config = ConfigDict(alias_generator=None)
    type: Literal["string", "number", "integer", "boolean"] | None = Field(
        None, description="type of the values"
    )
    nullable: bool | None = Field(None, description="whether it may be missing")
    values: list[str | int | float | bool] | None = Field(None, description="categories of the training")
    example: str | int | float | bool | None = Field(
        None, description="value in the example next to the model"
    )


class Trained(Record):
    """What the files of the model show."""

    model_config = ConfigDict(alias_generator=None)
    frameworks: list[Line] = Field([], description="frameworks that can load it")
    python: Annotated[str, Field(pattern=r"^3\.[0-9]{1,2}$")] | None = Field(
        None, description="Python that trained it", examples=["3.11"]
    )
    inputs: dict[str, TrainedColumn] = Field({}, description="columns of the training, in its order")
    texts: bool = Field(False, description="whether some column holds texts")


class LockFile(Record):
    """The locked references of one spec."""

    model_config = ConfigDict(alias_generator=None)
    schema_: Literal["sluice/lock/v1"] = Field(alias="schema", description="version of this format")
    model: LockedModel = Field(description="the model")
    references: dict[Line, LockedModel] = Field(
        {}, description="further models of the service, by the name in the spec"
    )
    trained: Trained | None = Field(None, description="what the files of the model show")
    packages: list[Requirement] = Field(
        [], description="pinned packages of the service that the model and its framework need"
    )
    image: LockedImage | None = Field(None, description="the image, once it has been pushed")
    data: dict[Line, LockedData] = Field({}, description="data sets of the gates, by reference")
