"""Guards: tests of a new version while it has traffic. One module for each kind; this one finds them."""

from __future__ import annotations

import pkgutil
from functools import reduce
from importlib import import_module
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Tag

from generator.spec.guards.base import Detect, GaugeGuard, GuardBase, NoData, ParityGuard, RatioGuard

__all__ = ["KINDS", "Detect", "GuardBase", "GuardSpec", "NoData"]


def _kinds() -> dict[str, type[GuardBase]]:
    """Return the guard of every module of this folder, by kind.

    Raises:
        TypeError: a guard is neither a ratio, nor a gauge, nor a parity.
    """
    found: dict[str, type[GuardBase]] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for value in vars(import_module(f"{__name__}.{module}")).values():
            if isinstance(value, type) and issubclass(value, GuardBase) and "kind" in vars(value):
                if not issubclass(value, RatioGuard | GaugeGuard | ParityGuard):
                    raise TypeError(
                        f"{value.__name__} is neither a RatioGuard, nor a GaugeGuard, nor a ParityGuard"
                    )
                found[value.kind] = value
    return found


KINDS: dict[str, type[GuardBase]] = _kinds()


def _tag(value: Any) -> str | None:
    if isinstance(value, GuardBase):
        return value.tag
    if not isinstance(value, dict):
        return None
    return next((kind.tag for kind in KINDS.values() if _is(kind, value)), None)


def _is(kind: type[GuardBase], value: dict[str, Any]) -> bool:
    key, wanted = kind.key
    return key in value and (wanted is None or value[key] == wanted)


def _names() -> str:
    metrics = [wanted for key, wanted in (kind.key for kind in KINDS.values()) if wanted]
    others = [key for key, wanted in (kind.key for kind in KINDS.values()) if wanted is None]
    return f"{', '.join(f'`{key}`' for key in others)} or `metric` ({' or '.join(metrics)})"


_ERROR = f"a guard needs one of these: {_names()}"
if TYPE_CHECKING:
    GuardSpec = RatioGuard | GaugeGuard | ParityGuard
else:
    GuardSpec = Annotated[
        reduce(or_, (Annotated[kind, Tag(kind.tag)] for kind in KINDS.values())),
        Discriminator(_tag, custom_error_type="choice", custom_error_message=_ERROR),
    ]
