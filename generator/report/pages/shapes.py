"""Shapes of a picture; the template writes them and escapes their texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle; browsers show `title` when the pointer is on it."""

    kind: ClassVar[str] = "rect"
    x: float
    y: float
    width: float
    height: float
    css: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    kind: ClassVar[str] = "line"
    x1: float
    y1: float
    x2: float
    y2: float
    css: str


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed polygon; `points` in SVG's notation."""

    kind: ClassVar[str] = "polygon"
    points: str
    css: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text; `anchor` is start, middle or end."""

    kind: ClassVar[str] = "text"
    x: float
    y: float
    text: str
    css: str = ""
    anchor: str = "start"


Shape = Rect | Line | Polygon | Label


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of some size.

    Args:
        width: in its own units, which are pixels at full size.
        height: likewise.
        shapes: in drawing order.
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]


def points(*corners: tuple[float, float]) -> str:
    """Return corners in SVG's notation, rounded to a tenth."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
