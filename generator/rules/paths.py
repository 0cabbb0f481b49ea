"""Where things stand in a merged spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from generator.rules.registry import Context
from generator.source.document import Path
from generator.spec.rollout import Canary

ROLLOUT: Final[Path] = ("spec", "rollout")
GUARDS: Final[Path] = (*ROLLOUT, "guards")
STEPS: Final[Path] = (*ROLLOUT, "steps")
SHADOW: Final[Path] = (*ROLLOUT, "shadow")
GATES: Final[Path] = ("spec", "gates")
LOCK_IMAGE: Final[Path] = ("image",)


def written_guards(context: Context) -> Iterator[tuple[Path, list[Any]]]:
    """The lists of guards of a spec, as written: that of the rollout and that of its shadow."""
    rollout = context.spec.rollout
    yield GUARDS, list(rollout.guards)
    if isinstance(rollout, Canary) and rollout.shadow:
        yield (*SHADOW, "guards"), list(rollout.shadow.guards)


def weight_steps(context: Context) -> list[int]:
    """Positions of the steps that have a weight; empty for a blue-green."""
    rollout = context.spec.rollout
    if not isinstance(rollout, Canary):
        return []
    return [index for index, step in enumerate(rollout.steps) if hasattr(step, "weight")]
