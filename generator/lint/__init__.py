"""The linter: the shape of objects, rules on trees, and conditions of metrics. Other packages import it from here only.

Modules are loaded on first use: `check` loads the tables of kinds, `verify` everything.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from generator.lint.conditions import MeasurementPhase, measure_result, measure_vector
    from generator.lint.controller import VERSIONS, Controller, supported
    from generator.lint.engine import (
        CODES,
        Code,
        Problem,
        Repair,
        check_of,
        declare,
        load,
        rule,
        run,
        to_finding,
    )
    from generator.lint.kinds import check
    from generator.lint.objects import Object, as_map, each
    from generator.lint.releases import Release, Stage, TreeMetric, TreeReleases, read_releases
    from generator.lint.tree import read_tree
    from generator.lint.verification import Check, Verification, Violation, verify

_MODULES: Final = {
    "conditions": ("MeasurementPhase", "measure_result", "measure_vector"),
    "controller": ("VERSIONS", "Controller", "supported"),
    "engine": (
        "CODES",
        "Code",
        "Problem",
        "Repair",
        "check_of",
        "declare",
        "load",
        "rule",
        "run",
        "to_finding",
    ),
    "kinds": ("check",),
    "objects": ("Object", "as_map", "each"),
    "releases": ("Release", "Stage", "TreeMetric", "TreeReleases", "read_releases"),
    "tree": ("read_tree",),
    "verification": ("Check", "Verification", "Violation", "verify"),
}
_HOMES: Final = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "CODES",
    "VERSIONS",
    "Check",
    "Code",
    "Controller",
    "MeasurementPhase",
    "Object",
    "Problem",
    "Release",
    "Repair",
    "Stage",
    "TreeMetric",
    "TreeReleases",
    "Verification",
    "Violation",
    "as_map",
    "check",
    "check_of",
    "declare",
    "each",
    "load",
    "measure_result",
    "measure_vector",
    "read_releases",
    "read_tree",
    "rule",
    "run",
    "supported",
    "to_finding",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import an exported name from its module when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
