"""Frameworks: how the service of a model loads it. One descriptor per module; this one finds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from generator.source.discovery import discover
from generator.spec.frameworks.base import Framework

__all__ = ["FRAMEWORKS", "Framework", "FrameworkName"]

FRAMEWORKS: Final[Mapping[str, Framework]] = {
    framework.name: framework for framework in discover(__name__, __path__, Framework, frozenset({"base"}))
}
"""Every framework by the name that specs use."""

if TYPE_CHECKING:
    FrameworkName = str
else:
    FrameworkName = Literal[tuple(FRAMEWORKS)]
