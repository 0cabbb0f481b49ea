"""The decorator `dataclass` of the standard library, with frozen classes that take a third of the time to make.

The standard library compiles six methods for each frozen class, which took a fifth of the CPU of a short command.
Here only `__init__` is compiled; the classes share the other methods. Everything else is as usual: `fields`, `replace`,
`asdict`, `match`, pickling, and what type checkers know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, **options: bool
    ) -> Any:
        """Make a dataclass. Classes that are not frozen, or have rare options, come from the standard library."""

        def make(body: type) -> type:
            if not frozen or not options.keys() <= {"kw_only"}:
                return dataclasses.dataclass(body, frozen=frozen, slots=slots, **options)
            if body.__doc__ is None:
                body.__doc__ = body.__name__  # else the standard library tokenizes a signature for it
            made = dataclasses.dataclass(body, init=False, repr=False, eq=False, slots=slots, **options)
            methods = {"__init__": _initializer(made), **_comparisons(made), **_FROZEN}
            if slots:
                methods |= _PICKLED
            for name in methods.keys() - vars(body).keys():
                setattr(made, name, methods[name])
            return made

        return make if cls is None else make(cls)


__all__ = ["dataclass"]


def _initializer(made: type) -> Callable[..., None]:
    """Compile `__init__`, whose parameters differ from class to class."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    ordered, named, lines = ["self"], ["*"], []
    for field in dataclasses.fields(made):
        parameter = value = field.name
        if field.default_factory is not MISSING:
            names[f"_make_{value}"] = field.default_factory
            parameter, value = f"{value}=_missing", f"_make_{value}() if {value} is _missing else {value}"
        elif field.default is not MISSING:
            names[f"_default_{value}"] = field.default
            parameter = f"{value}=_default_{value}"
        (named if field.kw_only else ordered).append(parameter)
        lines.append(f" _set(self, {field.name!r}, {value})")
    if hasattr(made, "__post_init__"):
        lines.append(" self.__post_init__()")
    signature = ", ".join(ordered + named if len(named) > 1 else ordered)
    body = "\n".join(lines) or " pass"
    exec(f"def __init__({signature}):\n{body}", names)  # noqa: S102 - as the standard library does
    initializer: Callable[..., None] = names["__init__"]
    initializer.__qualname__ = f"{made.__qualname__}.__init__"
    return initializer


def _comparisons(made: type) -> dict[str, Callable[..., Any]]:
    """Return `__eq__` and `__hash__`: equal are instances of one class with equal values."""
    values = _getter([field.name for field in dataclasses.fields(made) if field.compare])

    def equals(self: Any, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": equals, "__hash__": hashed}


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that returns the values of these attributes."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda made: tuple(getattr(made, name) for name in names)


def _repr(self: Any) -> str:
    shown = (
        f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr
    )
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_set(self: Any, name: str, value: object) -> None:
    del self, value
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: Any, name: str) -> None:
    del self
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: Sequence[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


_FROZEN = {"__repr__": _repr, "__setattr__": _refuse_set, "__delattr__": _refuse_delete}
_PICKLED = {"__getstate__": _state, "__setstate__": _restore}
