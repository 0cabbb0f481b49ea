"""A replayed release as one SVG: the weights, and each guard's number against its bound."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from generator.dataclass import dataclass
from generator.odds.replay.walk import Course, HeldWeight, Measurement, Schedule
from generator.promql.event_share import EventShare
from generator.promql.metric import Metric
from generator.report.charts.svg import Label, Line, Picture, Polygon, Polyline, Rect, Shape, points
from generator.spec.quantities import time_span

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 860.0, 130.0, 30.0, 64.0, 44.0
_PANEL, _GAP = 96.0, 22.0
_TICKS: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_MOST_TICKS = 12
# Readable on white and on black; browsers apply the second set also inside <img>. Not all viewers know variables.
_STYLE: Final = """\
svg{font:12px system-ui,"DejaVu Sans",sans-serif}
text{fill:#1f2328}.soft{fill:#656d76}.title{font-size:15px;font-weight:600}.boundary{fill:#bc4c00}
.axis{stroke:#d0d7de}.weight{fill:#ddf4ff;stroke:#0969da;stroke-width:1.5}.mask{fill:#8c959f;fill-opacity:.2}
.planned{fill:none;stroke:#8c959f;stroke-dasharray:2 3}
.value{fill:none;stroke:#0969da;stroke-width:1.8}.bound{stroke:#bc4c00;stroke-width:1.5;stroke-dasharray:5 4}
line.bad{stroke:#cf222e;stroke-width:1.5}text.bad{fill:#cf222e}
line.good{stroke:#1a7f37;stroke-width:1.5}text.good{fill:#1a7f37}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.soft{fill:#9198a1}.boundary{fill:#db6d28}
.axis{stroke:#3d444d}.weight{fill:#12324f;stroke:#4493f8}.mask{fill:#9198a1}
.value{stroke:#4493f8}.bound{stroke:#db6d28}
line.bad{stroke:#f85149}text.bad{fill:#f85149}line.good{stroke:#3fb950}text.good{fill:#3fb950}}"""


def replay_picture(title: str, schedule: Schedule, course: Course) -> str:
    """Draw a release as SVG; equal inputs give equal bytes.

    Args:
        title: its title.
        schedule: what is measured, and when.
        course: its course.
    """
    panels = schedule.background
    height = _TOP + (len(panels) + 1) * (_PANEL + _GAP) + _BOTTOM
    scale = _Scale(max(schedule.held_s, course.at_s, 1.0))
    shapes = [Label(_LEFT, 24, title, "title"), *_weights(scale, schedule, course)]
    for row, metric in enumerate(panels, 1):
        shapes += _guard(_Frame(scale, _TOP + row * (_PANEL + _GAP)), metric, course)
    shapes += [*_axis(scale, height - _BOTTOM), *_mark(scale, course, height - _BOTTOM)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img">'
    about = f"<title>{escape(title)}</title><desc>{escape(_end(course))}</desc><style>{_STYLE}</style>"
    return f"{head}\n{about}\n{Picture(_WIDTH, height, tuple(shapes)).markup}\n</svg>\n"


@dataclass(frozen=True, slots=True)
class _Scale:
    """The horizontal scale."""

    last_s: float

    def x(self, at_s: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(1.0, at_s / self.last_s)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A panel: its top edge, and the values at its bottom and top."""

    scale: _Scale
    top: float
    low: float = 0.0
    high: float = 1.0

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return self.top + _PANEL * (self.high - inside) / (self.high - self.low)

    def points(self, values: Sequence[tuple[float, float]]) -> str:
        return points(*((self.scale.x(at), self.y(value)) for at, value in values))

    def level(self, value: float, css: str) -> Line:
        return Line(_LEFT, self.y(value), _WIDTH - _RIGHT, self.y(value), css)


def _weights(scale: _Scale, schedule: Schedule, course: Course) -> Iterator[Shape]:
    """Yield the canary's weight as steps: dotted as planned, filled as it was."""
    planned = tuple(_planned(schedule))
    frame = _Frame(scale, _TOP, 0.0, 1.2 * max((held.weight for held in planned), default=1))
    yield Label(12, _TOP + 14, "canary weight")
    yield frame.level(0.0, "axis")
    for css, steps in (("planned", planned), ("weight", course.held)):
        for held in steps:
            left, right, weight = held.start_s, held.end_s, held.weight
            corners = [(left, 0.0), (left, weight), (right, weight), (right, 0.0)]
            yield Polygon(frame.points(corners), css)
    for held in planned:
        yield Label(scale.x(held.start_s) + 4, frame.y(held.weight) - 4, f"{held.weight}%", "soft")


def _planned(schedule: Schedule) -> Iterator[HeldWeight]:
    start = 0.0
    for stage in schedule.stages:
        yield HeldWeight(stage.weight, start, start + stage.hold_s, stage.step)
        start += stage.hold_s


def _guard(frame: _Frame, metric: Metric, course: Course) -> Iterator[Shape]:
    measurements = [m for m in course.measurements if m.metric == metric.name and m.kind == metric.kind]
    values = [(m.at_s, m.result[0]) for m in measurements if m.result and math.isfinite(m.result[0])]
    low, high = _range(metric, [value for _, value in values])
    frame = _Frame(frame.scale, frame.top, low, high)
    yield Label(12, frame.top + 14, metric.name)
    yield Label(12, frame.top + 32, _bound(metric), "boundary")
    yield Label(12, frame.top + 48, _last(measurements), "soft")
    yield from _masks(frame, metric, course)
    yield frame.level(low, "axis")
    yield frame.level(metric.bound, "bound")
    yield Polyline(frame.points(values), "value")


def _bound(metric: Metric) -> str:
    return f"{'rolls back at' if metric.kind != 'limit' else 'limit'} {metric.bound:.3g}"


def _last(measurements: Sequence[Measurement]) -> str:
    result = next((measurement.result for measurement in reversed(measurements) if measurement.result), ())
    return f"last {result[0]:.3g}" if result else "no data"


def _range(metric: Metric, values: Sequence[float]) -> tuple[float, float]:
    """Return a range with margins around bound and values; a falling statistic is cut at twice its bound below 0."""
    high = max(*values, metric.bound, 0.0) if values else max(metric.bound, 0.0)
    low = min([*values, metric.bound, 0.0])
    if metric.kind == "sequential":
        low = max(low, -2 * metric.bound)
    air = 0.08 * (high - low or 1.0)
    return low - (air if low < 0 else 0.0), high + air


def _masks(frame: _Frame, metric: Metric, course: Course) -> Iterator[Shape]:
    """Yield the times after a change of the weight that the mask ignores."""
    mask = metric.statistic.mask if isinstance(metric.statistic, EventShare) else None
    weight = None
    for held in course.held:
        if mask and held.weight != weight:
            x = frame.scale.x(held.start_s)
            width = frame.scale.x(min(held.start_s + 2 * mask.lookback_s, course.at_s)) - x
            yield Rect(x, frame.top, max(0.0, width), _PANEL, "mask", "ignored: outcomes still arriving")
        weight = held.weight


def _axis(scale: _Scale, y: float) -> Iterator[Shape]:
    step = next((tick for tick in _TICKS if scale.last_s / tick <= _MOST_TICKS), _TICKS[-1])
    for at in range(0, int(scale.last_s) + 1, step):
        x = scale.x(at)
        yield Line(x, y - 4, x, y, "axis")
        yield Label(x, y + 16, time_span(at), "soft", "middle")
    yield Label(_WIDTH - _RIGHT, y + 34, "since the first weight", "soft", "end")


def _mark(scale: _Scale, course: Course, bottom: float) -> Iterator[Shape]:
    """Yield the mark of its end."""
    x = scale.x(course.at_s)
    css = "bad" if course.outcome in {"aborted", "paused"} else "good"
    yield Line(x, _TOP - 14, x, bottom, css)
    anchor = "end" if x > _WIDTH / 2 else "start"
    yield Label(x, _TOP - 18, _end(course), css, anchor)


def _end(course: Course) -> str:
    by = f" by {course.guard}" if course.guard else ""
    return f"{course.outcome}{by} after {time_span(round(course.at_s))}"
