"""The picture of a release: weights over time, approvals, guards with their masks, and evidence checks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from generator.dataclass import dataclass
from generator.plan.guards import Comparison, Guard
from generator.plan.values import Plan
from generator.report.charts.segments import Segment, segments
from generator.report.charts.svg import Label, Line, Picture, Polygon, Rect, Shape, points
from generator.source.line import visible
from generator.spec.quantities import time_span
from generator.stats.delay import mask_dead_time

WIDE, NARROW = 900.0, 340.0
_TOP, _PANEL, _AXIS, _LANE, _BAR = 26.0, 150.0, 30.0, 30.0, 12.0
_CHARACTER = 6.6  # width of a character of the labels, about
_LINE = 15.0  # height of a line of the labels


@dataclass(frozen=True, slots=True)
class _Frame:
    """The area of the drawing: its edges, and whether names are above their lanes instead of next to them."""

    left: float
    right: float
    narrow: bool

    @property
    def bottom(self) -> float:
        return _TOP + _PANEL


def timeline_picture(plan: Plan, width: float) -> Picture:
    """Draw a plan.

    Args:
        plan: the plan.
        width: width of the picture; names are above their lanes where it is narrow.
    """
    narrow = width < WIDE / 2
    frame = _Frame(12.0 if narrow else 128.0, width - 12.0, narrow)
    cut = segments(plan, frame.left, frame.right - frame.left)
    shapes: list[Shape] = [*_grid(frame, cut), *_weights(frame, cut), *_axis(frame, cut)]
    top = frame.bottom + _AXIS
    for lane in _lanes(plan, cut):
        shapes += lane.shapes(frame, top)
        top += _LANE + (14.0 if narrow else 0.0)
    return Picture(width, top + 6.0, tuple(shapes))


def _height(weight: float) -> float:
    """Return the height of a weight: its square root, so that 1% is visible next to 50%."""
    return _PANEL * math.sqrt(weight / 100)


def _grid(frame: _Frame, cut: Sequence[Segment]) -> Iterator[Shape]:
    for weight in sorted({0, 100, *(segment.weight for segment in cut)}):
        y = frame.bottom - _height(weight)
        yield Line(frame.left, y, frame.right, y, "base" if weight == 0 else "grid")
    if not frame.narrow:
        for row, text in enumerate(("live requests", "to the new", "version")):
            yield Label(0, frame.bottom - 34 + 15 * row, text, "soft" if row else "name")


def _weights(frame: _Frame, cut: Sequence[Segment]) -> Iterator[Shape]:
    for segment in cut:
        yield from _body(frame, segment, frame.bottom - _height(segment.weight))
        yield from _labels(frame, segment)


def _labels(frame: _Frame, segment: Segment) -> Iterator[Shape]:
    """Yield the weight above a segment, and its kind and hold inside it, as far as there is room."""
    middle, room = segment.left + segment.width / 2, segment.width - 6
    top = frame.bottom - _height(segment.weight)
    low = _height(segment.weight) < _LEAST
    weight = f"{segment.weight}%" if segment.weight and segment.kind != "approval" else ""
    words = (_fitting(text, room) for text in (_CALLED.get(segment.kind, ""), segment.label))
    lines = [text for text in words if text]
    together = f"{weight} for {segment.label}"
    if low and weight and lines and len(together) * _CHARACTER <= room:
        weight = together
        lines = []
    if weight and len(weight) * _CHARACTER <= room + 8:
        yield Label(middle, top - 7, weight, "weight-label", "middle")
    bottom = top - 10 if low and segment.weight else frame.bottom
    if low and weight:
        bottom -= 12
    first = bottom - _LINE * len(lines) + 5
    for row, text in enumerate(lines):
        yield Label(middle, first + _LINE * row, text, "soft" if low else "inside", "middle")


_CALLED = {"shadow": "copies", "cohort": "cohort", "smoke": "smoke", "gates": "gates", "watch": "watched"}
_LEAST = 40.0  # a lower body has no room for its text


def _body(frame: _Frame, segment: Segment, top: float) -> Iterator[Shape]:
    css = {
        "approval": "approval",
        "gates": "gates",
        "shadow": "shadow",
        "smoke": "shadow",
        "cohort": "shadow",
    }
    title = visible(segment.text)
    kind = css.get(segment.kind, "weight")
    if kind in {"approval", "gates", "shadow"}:
        yield Rect(segment.left, _TOP, segment.width, _PANEL, kind, title)
    if segment.weight:
        last = "full" if segment.kind in {"promotion", "watch"} else "weight"
        yield Rect(segment.left, top, segment.width, frame.bottom - top, last, title)
    if kind == "approval":
        middle, y = segment.left + segment.width / 2, _TOP + 22
        yield Polygon(
            points((middle, y - 9), (middle + 9, y), (middle, y + 9), (middle - 9, y)), "person", title
        )


def _fitting(text: str, room: float) -> str:
    """Cut a text to the room there is; return nothing where too little of it would remain."""
    most = int(room / _CHARACTER)
    if len(text) <= most:
        return text
    return text[: most - 1] + "…" if most >= 5 else ""


def _axis(frame: _Frame, cut: Sequence[Segment]) -> Iterator[Shape]:
    """Yield the times where segments meet: since the start, or with a plus since the last approval."""
    y, free = frame.bottom, 0.0
    for segment in cut:
        if segment.start_s is None:
            continue
        text = f"{'+' if segment.after else ''}{time_span(segment.start_s)}"
        half = len(text) * _CHARACTER / 2
        x = min(max(segment.left, frame.left + half - 8), frame.right - half)
        yield Line(segment.left, y, segment.left, y + 5, "base")
        if x - half >= free:
            yield Label(x, y + 18, text, "soft", "middle")
            free = x + half + 6


@dataclass(frozen=True, slots=True)
class _Lane:
    """One guard: when it measures, when it is masked, where it needs evidence."""

    name: str
    spans: tuple[tuple[float, float], ...]
    masks: tuple[tuple[float, float], ...]
    asks: tuple[float, ...]
    title: str

    def shapes(self, frame: _Frame, top: float) -> Iterator[Shape]:
        """Yield its shapes."""
        if frame.narrow:
            yield Label(frame.left, top + 10, self.name, "name")
            top += 14
        else:
            yield Label(0, top + 14, _fitting(self.name, frame.left - 12), "name")
        y = top + 4
        yield Line(frame.left, y + _BAR / 2, frame.right, y + _BAR / 2, "grid")
        for left, right in self.spans:
            yield Rect(left, y, max(2.0, right - left), _BAR, "guard", self.title)
        for left, right in self.masks:
            yield Rect(left, y, max(1.0, right - left), _BAR, "mask", "ignored: outcomes still arriving")
        for x in self.asks:
            corners = ((x, y - 3), (x + 9, y + _BAR / 2), (x, y + _BAR + 3), (x - 9, y + _BAR / 2))
            yield Polygon(points(*corners), "ask", "enough evidence?")


def _lanes(plan: Plan, cut: Sequence[Segment]) -> Iterator[_Lane]:
    yield from (_shadow_lane(guard, cut) for guard in plan.shadow_guards)
    lane = _canary_lane if plan.rollout.stage == "canary" else _watch_lane
    yield from (lane(plan, guard, cut) for guard in plan.measured_guards)


def _shadow_lane(guard: Guard, cut: Sequence[Segment]) -> _Lane:
    spans = tuple((s.left, s.right) for s in cut if s.kind == "shadow")
    return _Lane(visible(guard.name), spans, (), (), "measures the copies")


def _watch_lane(plan: Plan, guard: Guard, cut: Sequence[Segment]) -> _Lane:
    found = [s for s in cut if s.kind == "watch"]
    spans = tuple((s.at((s.start_s or 0.0) + guard.first_s(plan.clock)), s.right) for s in found)
    return _Lane(visible(guard.name), spans, (), (), "measures the new version after the switch")


def _canary_lane(plan: Plan, guard: Guard, cut: Sequence[Segment]) -> _Lane:
    """Return its lane: from its first measurement to promotion, approvals included."""
    live = [s for s in cut if s.kind in {"weight", "cohort", "approval"}]
    first = next((index for index, s in enumerate(live) if s.kind != "approval"), None)
    if first is None:
        return _Lane(visible(guard.name), (), (), (), "")
    start = live[first]
    begin = start.at((start.start_s or 0.0) + guard.first_s(plan.clock))
    masked = [s for s in live if s.kind == "weight" and s.lasts_s]
    mask_s = guard.mask_s if isinstance(guard, Comparison) else 0.0
    masks = tuple(_mask(mask_s, s) for s in masked) if mask_s else ()
    asks = tuple(s.right for s in live if guard.name in s.evidence)
    title = f"measures from {time_span(guard.first_s(plan.clock))} until promotion"
    return _Lane(visible(guard.name), ((begin, live[-1].right),), masks, asks, title)


def _mask(mask_s: float, segment: Segment) -> tuple[float, float]:
    start = segment.start_s or 0.0
    return segment.left, segment.at(start + mask_dead_time(mask_s))
