"""Shapes of a picture, and the one place that writes them as SVG."""

from __future__ import annotations

from html import escape
from typing import assert_never

from generator.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle; browsers show `title` when the pointer is on it."""

    x: float
    y: float
    width: float
    height: float
    css: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    css: str


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed polygon; `points` in SVG's notation."""

    points: str
    css: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    css: str = ""
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Polyline:
    """A line through several points, in SVG's notation."""

    points: str
    css: str


Shape = Rect | Line | Polygon | Polyline | Label


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

    @property
    def markup(self) -> str:
        """The shapes as SVG, without the element around them."""
        return "\n".join(map(markup, self.shapes))


def points(*corners: tuple[float, float]) -> str:
    """Return corners in SVG's notation, rounded to a tenth."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def markup(shape: Shape) -> str:
    """Write one shape as SVG; every text is escaped, and equal shapes give equal bytes."""
    match shape:
        case Rect(x, y, width, height, css, title):
            size = _numbers(x=x, y=y, width=width, height=height)
            return f'<rect class="{css}"{size} rx="2">{_title(title)}</rect>'
        case Line(x1, y1, x2, y2, css):
            return f'<line class="{css}"{_numbers(x1=x1, y1=y1, x2=x2, y2=y2)}/>'
        case Polygon(corners, css, title):
            return f'<polygon class="{css}" points="{corners}">{_title(title)}</polygon>'
        case Polyline(corners, css):
            return f'<polyline class="{css}" points="{corners}"/>'
        case Label(x, y, text, css, anchor):
            name = f' class="{css}"' if css else ""
            return f'<text{name}{_numbers(x=x, y=y)} text-anchor="{anchor}">{escape(text)}</text>'
        case _:
            assert_never(shape)


def _numbers(**values: float) -> str:
    return "".join(f' {name}="{value:.1f}"' for name, value in values.items())


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""
