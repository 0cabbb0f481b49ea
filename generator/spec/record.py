"""The base of everything people write: strict, closed, camelCase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

T = TypeVar("T", bound=BaseModel)


class Record(BaseModel):
    """A mapping with known keys; unknown ones are errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        defer_build=True,
        use_attribute_docstrings=False,
    )


def _present(record: BaseModel, keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if getattr(record, key) is not None]


def one_of(*keys: str) -> tuple[Any, dict[str, Any]]:
    """The validator and the schema of "exactly one of these keys".

    The keys are Python names; the schema speaks of their camelCase aliases.
    """
    names = [to_camel(key) for key in keys]

    def check(self: T) -> T:
        found = _present(self, keys)
        if len(found) != 1:
            said = " or ".join(f"`{name}`" for name in names)
            raise PydanticCustomError(
                "one_of", "{says}", {"says": f"exactly one of {said} belongs here", "example": ""}
            )
        return self

    return model_validator(mode="after")(check), {"oneOf": [{"required": [name]} for name in names]}


def any_of(*keys: str) -> tuple[Any, dict[str, Any]]:
    """The validator and the schema of "at least one of these keys"."""
    names = [to_camel(key) for key in keys]

    def check(self: T) -> T:
        if not _present(self, keys):
            said = " or ".join(f"`{name}`" for name in names)
            raise PydanticCustomError(
                "any_of", "{says}", {"says": f"at least one of {said} belongs here", "example": ""}
            )
        return self

    return model_validator(mode="after")(check), {"anyOf": [{"required": [name]} for name in names]}


def by_key(label: str, **tags: str) -> Callable[[Any], str | None]:
    """A discriminator: the first of these keys that a mapping has names its kind.

    Args:
        label: what such a mapping is called in messages.
        **tags: key -> name of the kind, in order of precedence.
    """

    def discriminate(value: Any) -> str | None:  # noqa: ANN401 - pydantic hands over anything
        if isinstance(value, dict):
            return next((tag for key, tag in tags.items() if key in value), None)
        return getattr(type(value), "tag", None)

    discriminate.__name__ = label
    return discriminate
