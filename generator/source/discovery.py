"""Finds the descriptors that the modules of a package define, so that adding one is adding a file."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import TypeVar

D = TypeVar("D")


def discover(package: str, path: Iterable[str], of: type[D], helpers: frozenset[str]) -> tuple[D, ...]:
    """Return the descriptor of every module of a package, ordered by module name.

    Args:
        package: dotted name of the package.
        path: its `__path__`.
        of: type of the descriptors.
        helpers: modules of the package that define none.

    Raises:
        TypeError: a module defines no descriptor, or several.
    """
    found = []
    for name in sorted(module.name for module in pkgutil.iter_modules(path)):
        if name in helpers:
            continue
        module = import_module(f"{package}.{name}")
        here = [value for value in vars(module).values() if isinstance(value, of)]
        if len(here) != 1:
            raise TypeError(
                f"{package}.{name} defines {len(here)} descriptors of type {of.__name__}, not one"
            )
        found += here
    return tuple(found)
