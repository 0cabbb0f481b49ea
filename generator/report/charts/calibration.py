"""Promised against seen: one point with its interval for each promise, and the line on which both are equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.dataclass import dataclass
from generator.report.charts.svg import Label, Line, Picture, Rect, Shape
from generator.source.line import visible
from generator.stats.binomial import Interval

_WIDTH, _HEIGHT = 420.0, 320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 16.0, 16.0, 44.0
_POINT, _CAP = 7.0, 5.0
_STEPS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
_MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Point:
    """What was promised, what was seen with its interval, whether the promise is off, and words for the pointer."""

    promised: float
    seen: float
    interval: Interval
    off: bool
    title: str


def calibration_picture(points: Sequence[Point]) -> Picture:
    """Draw promises against what was seen; both axes have one scale."""
    low = min((min(p.promised, p.interval.low) for p in points), default=0.0)
    scale = _Scale(
        0.0 if low < 0.5 else max(0.0, 2 * low - 1),
        min(1.0, 1.08 * max((max(p.promised, p.interval.high) for p in points), default=1.0)),
    )
    shapes = [*_axes(scale), *(shape for point in points for shape in _point(scale, point))]
    return Picture(_WIDTH, _HEIGHT, tuple(shapes))


@dataclass(frozen=True, slots=True)
class _Scale:
    """The smallest and largest share of both axes."""

    low: float
    high: float

    def x(self, share: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * self._part(share)

    def y(self, share: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * self._part(share)

    def _part(self, share: float) -> float:
        return (share - self.low) / (self.high - self.low)

    def ticks(self) -> Iterator[float]:
        step = next((s for s in _STEPS if (self.high - self.low) / s <= _MOST_TICKS), _STEPS[-1])
        first = int(self.low / step + 1 - 1e-9)
        yield from (n * step for n in range(first, int(self.high / step + 1e-9) + 1))


def _axes(scale: _Scale) -> Iterator[Shape]:
    for share in scale.ticks():
        yield Line(scale.x(scale.low), scale.y(share), scale.x(scale.high), scale.y(share), "grid")
        yield Label(_LEFT - 8, scale.y(share) + 4, f"{share * 100:g}%", "soft", "end")
        yield Label(scale.x(share), _HEIGHT - _BOTTOM + 18, f"{share * 100:g}%", "soft", "middle")
    low, high = scale.low, scale.high
    yield Line(scale.x(low), scale.y(low), scale.x(high), scale.y(low), "base")
    yield Line(scale.x(low), scale.y(low), scale.x(low), scale.y(high), "base")
    yield Line(scale.x(low), scale.y(low), scale.x(high), scale.y(high), "as-promised")
    yield Label(_WIDTH - _RIGHT, _HEIGHT - 6, "promised", "soft", "end")
    yield Label(_LEFT + 6, _TOP + 6, "seen", "soft")


def _point(scale: _Scale, point: Point) -> Iterator[Shape]:
    x, css = scale.x(point.promised), "off" if point.off else "kept"
    low, high = scale.y(point.interval.low), scale.y(point.interval.high)
    yield Line(x, low, x, high, css)
    yield from (Line(x - _CAP, y, x + _CAP, y, css) for y in (low, high))
    size, y = _POINT, scale.y(point.seen)
    yield Rect(x - size / 2, y - size / 2, size, size, css, visible(point.title))
