"""The table of all codes that a user can meet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Final

from generator.lint.engine import CODES, Code, declare, load

_PACKAGES: Final = ("generator.rules", "generator.lint.rollouts")
"""Packages of rules."""

_MODULES: Final = (
    "generator.cluster.pins.errors",
    "generator.lint.kinds.codes",
    "generator.odds.replay.codes",
)
"""Modules outside of them that declare codes where they are raised."""


@cache
def all_codes() -> Mapping[str, Code]:
    """Return every code of the program, sorted."""
    for package in _PACKAGES:
        load(package)
    for module in _MODULES:
        import_module(module)
    _declare_tree_rules()
    return MappingProxyType(dict(sorted(CODES.items())))


def _declare_tree_rules() -> None:
    """Rules on trees, until they are registered with the engine."""
    from generator.lint.rollouts.registry import RULES

    for rule in RULES.values():
        why = f"{' '.join((rule.check.__doc__ or '').split())} Source: {rule.origin}."
        declare(Code(rule.code, rule.severity, rule.title, why, rule.hint))
