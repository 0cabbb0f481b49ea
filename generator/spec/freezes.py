"""Freezes: times in which no release is promoted to an environment."""

from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from generator.spec.record import Choice
from generator.spec.types import Cron, Hold, Line, LocalTime, Name, Zone

_PARTNERS: Final = (("from", "to"), ("to", "from"), ("cron", "duration"), ("duration", "cron"))
_MINUTE: Final = 60


class Freeze(Choice):
    """A time in which nothing is promoted: once, between two times, or again and again, by a cron schedule."""

    one_of: ClassVar[tuple[str, ...]] = ("start", "cron")
    environments: Annotated[list[Name], Field(min_length=1)] = Field(
        description="environments to which nothing is promoted", examples=[["production"]]
    )
    start: LocalTime | None = Field(
        None, alias="from", description="when it begins, in its zone", examples=["2026-12-20T00:00"]
    )
    to: LocalTime | None = Field(None, description="when it ends, in its zone", examples=["2027-01-04T06:00"])
    cron: Cron | None = Field(None, description="when it begins, again and again", examples=["0 16 * * 5"])
    duration: Hold | None = Field(
        None, description="how long it lasts from each beginning on, in whole minutes", examples=["64h"]
    )
    zone: Zone = Field("UTC", description="time zone of its times", examples=["Europe/Berlin"])
    reason: Line = Field(description="why", examples=["peak season"])

    @model_validator(mode="after")
    def complete(self) -> Self:
        """Check that both ends are set, and in this order."""
        values = {"from": self.start, "to": self.to, "cron": self.cron, "duration": self.duration}
        for key, partner in _PARTNERS:
            if values[key] is not None and values[partner] is None:
                example = type(self).model_fields[partner if partner != "from" else "start"].examples
                raise _mistake(key, f"`{key}` needs `{partner}`", f"add `{partner}: {(example or [''])[0]}`")
        if self.start is not None and self.to is not None and self.to <= self.start:
            hint = (
                f"write `from: {self.to}` and `to: {self.start}`"
                if self.to < self.start
                else "write a later `to`"
            )
            raise _mistake("to", f"this freeze ends at {self.to}, and begins at {self.start}", hint)
        if self.duration is not None and (self.duration < _MINUTE or self.duration % _MINUTE):
            minutes = max(1, round(self.duration / _MINUTE))
            raise _mistake("duration", "a freeze lasts whole minutes", f"write `duration: {minutes}m`")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = super().__get_pydantic_json_schema__(core, handler)
        schema["dependentRequired"] = {key: [partner] for key, partner in _PARTNERS}
        return schema


def _mistake(key: str, says: str, hint: str) -> PydanticCustomError:
    return PydanticCustomError("order", "{says}", {"says": says, "hint": hint, "key": key})
