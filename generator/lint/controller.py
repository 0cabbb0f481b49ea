"""The versions of the Argo Rollouts controller that trees are checked against."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

ControllerVersion: TypeAlias = Literal["1.9", "1.10"]

VERSIONS: Final[tuple[ControllerVersion, ...]] = ("1.9", "1.10")
NEWEST: Final[ControllerVersion] = VERSIONS[-1]
