"""Looks up a place of a file in the records of the spec language: its owner and the values that it accepts."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator, Tag, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from generator.dataclass import dataclass
from generator.source.document import Path

_UNIONS = (Union, types.UnionType)
Pattern = tuple[str, ...]
"""A path without user-chosen names: `[]` stands for an index, `{}` for a free key."""


@dataclass(frozen=True, slots=True)
class Target:
    """A place in a file and its record.

    Args:
        path: keys and indexes, without the names of union members.
        pattern: the same without user-chosen names.
        owner: the record that has the last key; None where there is none.
        field: the field that the place belongs to: its own, or that of the list or mapping around it.
        annotation: the type of its values.
    """

    path: Path
    pattern: Pattern
    owner: type[BaseModel] | None
    field: FieldInfo | None
    annotation: Any


@dataclass(frozen=True, slots=True)
class Site:
    """A key of the language.

    Args:
        pattern: of the mapping that it belongs in.
        key: the key.
        field: its definition.
    """

    pattern: Pattern
    key: str
    field: FieldInfo


def locate(record: type[BaseModel], loc: Iterable[str | int]) -> Target:
    """Return the place that a location of pydantic refers to; such locations also name union members."""
    path: list[str | int] = []
    pattern: list[str] = []
    owner: type[BaseModel] | None = record
    field: FieldInfo | None = None
    annotation: Any = record
    for part in loc:
        member = next((_untagged(option) for option in options(annotation) if part in _tags(option)), None)
        if member is not None:
            annotation = member
            continue
        if part == "[key]":
            continue
        owner = model(annotation)
        field = field_of(owner, part) if owner else field
        pattern.append(str(part) if owner else "[]" if isinstance(part, int) else "{}")
        annotation = annotation_of(field) if owner else _inner(annotation, part)
        path.append(part)
    return Target(tuple(path), tuple(pattern), owner, field, annotation)


def kinds_at(record: type[BaseModel], loc: Iterable[str | int]) -> tuple[Discriminator, dict[str, Any]]:
    """Return the discriminator of the kinds at a location, and their records by tag."""
    annotation = locate(record, loc).annotation
    members = {tag: model(option) for option in options(annotation) for tag in _tags(option)}
    return _discriminator(annotation), members


def aliases(record: type[BaseModel]) -> set[str]:
    """Return the keys of a record, as written in files."""
    return {info.alias or name for name, info in record.model_fields.items()}


def fields(record: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a record by key."""
    return {info.alias or name: info for name, info in record.model_fields.items()}


def field_of(record: type[BaseModel], key: str | int) -> FieldInfo | None:
    """Return the field of a key; None for an unknown one."""
    return fields(record).get(str(key))


def annotation_of(field: FieldInfo | None) -> Any:
    """Return the type of a field with its constraints."""
    if field is None:
        return None
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def tagged(annotation: Any) -> dict[str, type[BaseModel]]:
    """Return the records of a union whose members have tags, by tag; empty for any other annotation."""
    found = {tag: model(option) for option in options(annotation) for tag in _tags(option)}
    return {tag: record for tag, record in found.items() if record is not None}


def options(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, inside Annotated and Optional."""
    if get_origin(annotation) is Annotated:
        inner = get_args(annotation)[0]
        return options(inner) if get_origin(inner) in _UNIONS else (annotation,)
    if get_origin(annotation) in _UNIONS:
        return tuple(option for member in get_args(annotation) for option in options(member))
    return (annotation,)


def model(annotation: Any) -> type[BaseModel] | None:
    """Return the first record among the members of a union."""
    return next(iter(models(annotation)), None)


def models(annotation: Any) -> list[type[BaseModel]]:
    """Return the records among the members of a union."""
    return [
        bare
        for bare in map(_bare, options(annotation))
        if isinstance(bare, type) and issubclass(bare, BaseModel)
    ]


def collection(annotation: Any) -> tuple[type, Any] | None:
    """Return `list` or `dict` and its item type if a collection is accepted; None otherwise."""
    for option in options(annotation):
        bare = _bare(option)
        if get_origin(bare) in {list, dict}:
            return get_origin(bare), get_args(bare)[-1]
    return None


def words(annotation: Any) -> tuple[Any, ...]:
    """Return the words of a Literal; empty if any text is accepted."""
    return tuple(
        word
        for option in options(annotation)
        if get_origin(_bare(option)) is Literal
        for word in get_args(_bare(option))
    )


def scalar(annotation: Any) -> type | None:
    """Return `str`, `int`, `float` or `bool` if a plain value of that type is accepted; None otherwise."""
    found = [bare for bare in map(_bare, options(annotation)) if bare in {str, int, float, bool}]
    return found[0] if found else None


def accepts(annotation: Any, value: object) -> bool:
    """Return whether a place accepts a value."""
    if annotation is None or annotation is Any:
        return annotation is Any
    try:
        _adapter(annotation).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return _kept(annotation)
    except TypeError:  # not hashable
        return TypeAdapter(annotation)


@cache
def _kept(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


@cache
def sites(record: type[BaseModel]) -> tuple[Site, ...]:
    """Return every key of a language, by the mapping that it belongs in."""
    return tuple({(site.pattern, site.key): site for site in _sites(record, ())}.values())


def _sites(
    record: type[BaseModel], pattern: Pattern, around: frozenset[type] = frozenset()
) -> Iterator[Site]:
    """Yield the keys of a record and of what it holds; a record inside one of the same kind is not followed."""
    for key, info in fields(record).items():
        yield Site(pattern, key, info)
        yield from _below(annotation_of(info), (*pattern, key), around | {record})


def _below(annotation: Any, pattern: Pattern, around: frozenset[type]) -> Iterator[Site]:
    for record in models(annotation):
        if record not in around:
            yield from _sites(record, pattern, around)
    held = collection(annotation)
    if held is not None:
        yield from _below(held[1], (*pattern, "[]" if held[0] is list else "{}"), around)


def _bare(option: Any) -> Any:
    return get_args(option)[0] if get_origin(option) is Annotated else option


def _tags(option: Any) -> list[str]:
    metadata = get_args(option)[1:] if get_origin(option) is Annotated else ()
    return [item.tag for item in metadata if isinstance(item, Tag)]


def _untagged(option: Any) -> Any:
    """Return a member of a union without its tag, and with everything else that restricts its values."""
    inner, *metadata = get_args(option)
    rest = tuple(item for item in metadata if not isinstance(item, Tag))
    return Annotated[(inner, *rest)] if rest else inner


def _discriminator(annotation: Any) -> Discriminator:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        found = next((item for item in metadata if isinstance(item, Discriminator)), None)
        return found or _discriminator(inner)
    return next(_discriminator(option) for option in get_args(annotation) if get_origin(option) is Annotated)


def _inner(annotation: Any, part: str | int) -> Any:
    held = collection(annotation)
    wanted = list if isinstance(part, int) else dict
    return held[1] if held and held[0] is wanted else None
