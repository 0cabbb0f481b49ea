"""The base of all records in files: strict, closed, camelCase.

Modules that define records do not postpone annotations: pydantic would compile each one at every start.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


class Record(BaseModel):
    """A mapping with known keys; unknown ones are errors.

    Defaults that are records are made with `model_construct()`: `Risk()` would build the validator of `Risk` alone
    whenever its module is imported, and the validator of the whole file contains it anyway.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        defer_build=True,
        use_attribute_docstrings=False,
    )


class Choice(Record):
    """A record with keys that exclude or replace each other."""

    one_of: ClassVar[tuple[str, ...]] = ()
    """Exactly one of these keys must be set (Python names; files and the schema have their aliases)."""
    any_of: ClassVar[tuple[str, ...]] = ()
    """At least one of these keys must be set."""

    @model_validator(mode="after")
    def choose(self) -> Self:
        """Count the keys that are set."""
        if self.one_of and sum(getattr(self, key) is not None for key in self.one_of) != 1:
            keys = self._keys(self.one_of)
            says = f"exactly one of {_listed(keys)} is needed here"
            raise PydanticCustomError("one_of", "{says}", {"says": says, "keys": keys})
        if self.any_of and all(getattr(self, key) is None for key in self.any_of):
            keys = self._keys(self.any_of)
            says = f"at least one of {_listed(keys)} is needed here"
            raise PydanticCustomError("any_of", "{says}", {"says": says, "keys": keys})
        return self

    @classmethod
    def _keys(cls, names: tuple[str, ...]) -> list[str]:
        """Return the keys of a file that belong to these Python names."""
        return [cls.model_fields[name].alias or to_camel(name) for name in names]

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        for keyword, names in (("oneOf", cls.one_of), ("anyOf", cls.any_of)):
            if names:
                schema[keyword] = [{"required": [key]} for key in cls._keys(names)]
        return schema


def _listed(keys: list[str]) -> str:
    return " or ".join(f"`{key}`" for key in keys)


def by_key(label: str, **tags: str) -> Callable[[Any], str | None]:
    """Return a discriminator: the first of these keys in a mapping decides its kind.

    Args:
        label: name of such a mapping in messages.
        **tags: key -> name of the kind, in order of precedence.
    """

    def discriminate(value: Any) -> str | None:
        if isinstance(value, dict):
            return next((tag for key, tag in tags.items() if key in value), None)
        return getattr(type(value), "tag", None)

    discriminate.__name__ = label
    return discriminate
