"""The walk from a record to the record that a location inside it speaks of."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator, Tag

from generator.source.document import Path

_UNIONS = (Union, types.UnionType)


def locate(record: type[BaseModel], loc: Iterable[str | int]) -> tuple[Path, type[BaseModel] | None]:
    """Pydantic's location without the names of union members, and the record that owns its last key."""
    path, owner, _ = _walk(record, loc)
    return path, owner


def kinds_at(record: type[BaseModel], loc: Iterable[str | int]) -> tuple[Discriminator, dict[str, Any]]:
    """How kinds are told apart at a location where there are several, and the record of each by its tag."""
    annotation = _walk(record, loc)[2]
    members = {tag: model(option) for option in options(annotation) for tag in _tags(option)}
    return _discriminator(annotation), members


def aliases(record: type[BaseModel]) -> set[str]:
    """The keys of a record, as people write them."""
    return {info.alias or name for name, info in record.model_fields.items()}


def options(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, seen through Annotated and Optional."""
    if get_origin(annotation) is Annotated:
        inner = get_args(annotation)[0]
        return options(inner) if get_origin(inner) in _UNIONS else (annotation,)
    if get_origin(annotation) in _UNIONS:
        return tuple(option for member in get_args(annotation) for option in options(member))
    return (annotation,)


def model(annotation: Any) -> type[BaseModel] | None:
    """The first record among the members of a union."""
    for option in options(annotation):
        bare = get_args(option)[0] if get_origin(option) is Annotated else option
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            return bare
    return None


def _walk(record: type[BaseModel], loc: Iterable[str | int]) -> tuple[Path, type[BaseModel] | None, Any]:
    path: list[str | int] = []
    owner: type[BaseModel] | None = record
    annotation: Any = record
    for part in loc:
        member = next((get_args(o)[0] for o in options(annotation) if part in _tags(o)), None)
        if member is not None:
            annotation = member
            continue
        owner = model(annotation)
        annotation = _field(owner, part) if owner else _inner(annotation, part)
        path.append(part)
    return tuple(path), owner, annotation


def _tags(option: Any) -> list[str]:
    metadata = get_args(option)[1:] if get_origin(option) is Annotated else ()
    return [item.tag for item in metadata if isinstance(item, Tag)]


def _discriminator(annotation: Any) -> Discriminator:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        found = next((item for item in metadata if isinstance(item, Discriminator)), None)
        return found or _discriminator(inner)
    return next(_discriminator(o) for o in get_args(annotation) if get_origin(o) is Annotated)


def _field(record: type[BaseModel], alias: str | int) -> Any:
    for name, info in record.model_fields.items():
        if (info.alias or name) == alias:
            metadata = tuple(info.metadata)
            return Annotated[info.annotation, *metadata] if metadata else info.annotation
    return None


def _inner(annotation: Any, part: str | int) -> Any:
    wanted = list if isinstance(part, int) else dict
    for option in options(annotation):
        bare = get_args(option)[0] if get_origin(option) is Annotated else option
        if get_origin(bare) is wanted:
            return get_args(bare)[-1]
    return None
