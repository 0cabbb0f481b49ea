"""Routers: what splits live requests between two versions. One descriptor a module; this one finds them.

The room is below the spec language and imports nothing of it: the names of routers in specs, and everything else that
depends on a router, are read from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from generator.routers.base import Backend, Route, Router, Traffic, WeightField
from generator.source.discovery import discover

__all__ = [
    "IMPLEMENTATIONS",
    "ROUTERS",
    "Backend",
    "Route",
    "Router",
    "Traffic",
    "WeightField",
]

ROUTERS: Final[Mapping[str, Router]] = {
    router.kind: router
    for router in discover(__name__, __path__, Router, frozenset({"argo_rollouts", "base"}))
}
"""Every router by its kind."""

IMPLEMENTATIONS: Final[tuple[str, ...]] = tuple(
    dict.fromkeys(name for router in ROUTERS.values() for name in router.implementations)
)
"""Programs that implement a router which has several."""
