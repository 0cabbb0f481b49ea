"""Plain data for templates: text, numbers, booleans, lists, mappings, and records without methods.

A template of a pull request is rendered by CI and by reviewers. It may call whatever it can reach, so nothing that
leads to a method, a path or a module is passed to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any, Final

from generator.plan.values import Plan, Routing
from generator.promql.metric import Metric
from generator.render.scalars import Verbatim

SCALARS: Final = frozenset({str, int, float, bool, type(None), Verbatim})
"""The exact types of a single value."""
_HIDDEN: Final[Mapping[type, frozenset[str]]] = {
    Metric: frozenset({"statistic"}),
    Plan: frozenset(
        {"clock", "evidence_guards", "gates", "guards", "measured_guards", "monitoring", "shadow_guards"}
    ),
    Routing: frozenset({"router"}),
}
"""Parts that only other code reads: outputs put what their templates print of them into the context."""


class Fields:
    """Values by name, as attributes. They can't be changed, and there are no methods."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse the change.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"{name} can't be changed")


def plain_context(context: Mapping[str, object]) -> dict[str, Any]:
    """Return the variables of a template as plain data.

    Raises:
        TypeError: one of them is something else, such as a function.
    """
    return {name: plain(value) for name, value in context.items()}


def plain(value: Any) -> Any:
    """Return a value as plain data: dataclasses and models of specs become records of their fields and properties.

    Raises:
        TypeError: it is, or it holds, something else.
    """
    kind: Any = type(value)
    if kind in SCALARS or kind is Fields:
        return value
    if kind is dict:
        return {_key(key): plain(item) for key, item in value.items()}
    if kind is tuple or kind is list:
        return kind([plain(item) for item in value])
    return Fields({name: plain(read(value)) for name, read in _readers(kind)})


def _key(key: object) -> object:
    if type(key) not in SCALARS:
        raise TypeError(f"a key of a template's mapping is not text or a number: {type(key).__name__}")
    return key


@lru_cache(maxsize=256)
def _readers(kind: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Return the names of a type's fields and properties, each with the function that reads it."""
    names = [name for name in dict.fromkeys(_names(kind)) if name not in _HIDDEN.get(kind, ())]
    return tuple((name, attrgetter(name)) for name in names if not name.startswith("_"))


def _names(kind: type) -> Iterator[str]:
    if not (is_dataclass(kind) or hasattr(kind, "model_fields") or hasattr(kind, "_fields")):
        raise TypeError(f"a template can't get a {kind.__module__}.{kind.__qualname__}: it is not plain data")
    if is_dataclass(kind):
        yield from (field.name for field in fields(kind))
    yield from getattr(kind, "model_fields", ())
    yield from getattr(kind, "_fields", ())
    for above in kind.__mro__:
        if above.__module__.startswith("generator."):
            for name, member in vars(above).items():
                if isinstance(member, (property, cached_property)):
                    yield name
