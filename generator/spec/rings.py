"""Rings: the clusters of one environment, as environments that require each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from generator.dataclass import dataclass

if TYPE_CHECKING:
    from generator.source.document import Path
    from generator.spec.environment import Environment
    from generator.spec.promotion import Requirements

_OWN = ("server", "router", "domain", "api_server")
"""What a ring may have for itself (Python names)."""


@dataclass(frozen=True, slots=True)
class RingOf:
    """The place of a ring.

    Args:
        environment: the environment that it is part of.
        index: its position there.
    """

    environment: str
    index: int


def ring_name(environment: str, ring: str) -> str:
    """Return the name of a ring as an environment."""
    return f"{environment}-{ring}"


def default_domain(environment: str) -> str:
    """Return the domain of an environment without one, which no public DNS knows."""
    return f"{environment}.models.internal"


def rings_of(written: Mapping[str, Environment]) -> dict[str, RingOf]:
    """Return the place of every ring, by its name as an environment."""
    return {
        ring_name(name, ring.name): RingOf(name, index)
        for name, environment in written.items()
        for index, ring in enumerate(environment.rings or ())
    }


def by_cluster(written: Mapping[str, Environment], rings: Mapping[str, RingOf]) -> dict[str, Environment]:
    """Return the environments with one cluster each: of an environment with rings, these.

    The first ring requires what the environment requires, and each other ring the one before. What requires the
    environment requires its last ring. All rings have the namespaces and the default hosts of their environment.
    """
    last = {place.environment: name for name, place in rings.items()}
    found: dict[str, Environment] = {}
    for name, environment in written.items():
        if environment.rings is None:
            found[name] = _requiring(environment, last)
            continue
        shared = environment.model_copy(
            update={
                "rings": None,
                "domain": environment.domain or default_domain(name),
                "namespace": environment.namespace.replace("{environment}", name),
            }
        )
        requires: Requirements = _requiring(environment, last).requires
        for index, ring in enumerate(environment.rings):
            if index:
                requires = {ring_name(name, environment.rings[index - 1].name): ring}
            own: dict[str, Any] = {key: value for key in _OWN if (value := getattr(ring, key)) is not None}
            found[ring_name(name, ring.name)] = shared.model_copy(update={**own, "requires": requires})
    return found


def where_written(written: Mapping[str, Environment], rings: Mapping[str, RingOf], path: Path) -> Path:
    """Return the path in the platform file of a value of a ring, which may be that of its environment."""
    place = rings.get(str(path[2])) if path[:2] == ("spec", "environments") and len(path) > 2 else None
    if place is None:
        return path
    environment, rest = ("spec", "environments", place.environment), path[3:]
    own = (*environment, "rings", place.index)
    if not rest:
        return own
    listed = written[place.environment].rings or []
    key = "api_server" if rest[0] == "apiServer" else rest[0]
    if key == "requires":
        return (*environment, *rest) if place.index == 0 else own
    return (
        (*own, *rest)
        if key in _OWN and getattr(listed[place.index], str(key)) is not None
        else (*environment, *rest)
    )


def _requiring(environment: Environment, last: Mapping[str, str]) -> Environment:
    """Return an environment that requires the last ring of each environment with rings."""
    requires: Requirements = environment.requires
    if last.keys().isdisjoint(requires):
        return environment
    if isinstance(requires, dict):
        requires = {last.get(name, name): proof for name, proof in requires.items()}
    else:
        requires = [last.get(name, name) for name in requires]
    return environment.model_copy(update={"requires": requires})
