"""The linter: the shape of objects, rules on trees, and conditions of metrics. Other packages import it from here only.

Modules are loaded on first use: `check` loads the tables of kinds, `verify` everything.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from generator.lint.conditions import MeasurementPhase, measure_result, measure_vector
    from generator.lint.controller import VERSIONS, Controller, go_duration, pause_seconds, supported
    from generator.lint.differences import FieldChange, field_changes
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
    from generator.lint.objects import Object, as_int, as_list, as_map, as_text, each, selects, value_at
    from generator.lint.placement import Objects
    from generator.lint.releases import Release, Stage, TreeMetric, TreeReleases, read_objects, read_releases
    from generator.lint.rollout import Rollout
    from generator.lint.tree import read_tree
    from generator.lint.verification import Check, Verification, Violation, verify

_MODULES: Final = {
    "conditions": ("MeasurementPhase", "measure_result", "measure_vector"),
    "controller": ("VERSIONS", "Controller", "go_duration", "pause_seconds", "supported"),
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
    "differences": ("FieldChange", "field_changes"),
    "kinds": ("check",),
    "objects": ("Object", "as_int", "as_list", "as_map", "as_text", "each", "selects", "value_at"),
    "placement": ("Objects",),
    "releases": ("Release", "Stage", "TreeMetric", "TreeReleases", "read_objects", "read_releases"),
    "rollout": ("Rollout",),
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
    "FieldChange",
    "MeasurementPhase",
    "Object",
    "Objects",
    "Problem",
    "Release",
    "Repair",
    "Rollout",
    "Stage",
    "TreeMetric",
    "TreeReleases",
    "Verification",
    "Violation",
    "as_int",
    "as_list",
    "as_map",
    "as_text",
    "check",
    "check_of",
    "declare",
    "each",
    "field_changes",
    "go_duration",
    "load",
    "measure_result",
    "measure_vector",
    "pause_seconds",
    "read_objects",
    "read_releases",
    "read_tree",
    "rule",
    "run",
    "selects",
    "supported",
    "to_finding",
    "value_at",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import an exported name from its module when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
