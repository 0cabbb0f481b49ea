"""The timeline of a plan, cut into the segments of its picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from generator.dataclass import dataclass
from generator.plan.timeline import Event, EventKind, approver, timeline
from generator.plan.values import Plan
from generator.spec.quantities import time_span

_SHORTEST, _WAITING = 44.0, 76.0
# Shown next to something else, or only an instant.
_UNDRAWN = frozenset({"evidence", "looks", "preview", "switch", "scale-down"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of time with one state.

    Args:
        kind: what happens.
        label: its name in the picture.
        after: the approval that its seconds count from.
        start_s: seconds since then; None before the clock starts.
        lasts_s: seconds; None when it depends on a person, 0 for the end.
        weight: share of live requests that the new version gets, percent.
        text: one sentence.
        evidence: guards with an evidence check at its end.
        stops: who can stop it.
        left: its left edge in the picture.
        width: its width.
    """

    kind: EventKind
    label: str
    after: str
    start_s: float | None
    lasts_s: float | None
    weight: int
    text: str
    evidence: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    left: float = 0.0
    width: float = 0.0

    @property
    def right(self) -> float:
        """Its right edge in the picture."""
        return self.left + self.width

    def at(self, second: float) -> float:
        """Return the position in the picture of a second within this segment."""
        inside = (second - (self.start_s or 0.0)) / self.lasts_s if self.lasts_s else 0.0
        return self.left + self.width * min(1.0, max(0.0, inside))


def segments(plan: Plan, left: float, width: float) -> tuple[Segment, ...]:
    """Return the segments of a plan, laid out side by side.

    Widths are to scale, except for segments that would be too narrow to see and for approvals, which may last any time.

    Args:
        plan: the plan.
        left: left edge of the first.
        width: width of all together.
    """
    return tuple(_laid(tuple(_cut(timeline(plan).events)), left, width))


def _cut(events: Sequence[Event]) -> Iterator[Segment]:
    weight = 0
    for index, event in enumerate(events):
        weight = event.weight if event.weight is not None else weight
        if event.kind in _UNDRAWN:
            continue
        lasts = None if event.end_s is None or event.start_s is None else event.end_s - event.start_s
        following = events[index + 1] if index + 1 < len(events) else event
        evidence = following.stops if following.kind == "evidence" else ()
        label, shown = _label(event, lasts), weight if event.kind != "gates" else 0
        yield Segment(
            event.kind,
            label,
            event.after,
            event.start_s,
            lasts,
            shown,
            event.text,
            evidence,
            event.stops,
        )


def _label(event: Event, lasts_s: float | None) -> str:
    if event.kind == "approval":
        return approver(event.role)
    return time_span(lasts_s) if lasts_s else ""


def _laid(cut: Sequence[Segment], left: float, width: float) -> Iterator[Segment]:
    """Yield segments with their share of the width, at least the shortest width that can be read."""
    timed = [segment.lasts_s for segment in cut if segment.lasts_s]
    share = width / max(len(cut), 1)
    fixed = min(_WAITING, 0.8 * share) if timed else share
    room = width - fixed * (len(cut) - len(timed))
    shortest = min(_SHORTEST, room / max(len(timed), 1))
    scale = _scale(timed, room, shortest)
    for segment in cut:
        own = max(shortest, segment.lasts_s * scale) if segment.lasts_s else fixed
        yield replace(segment, left=left, width=own)
        left += own


def _scale(timed: Sequence[float], room: float, shortest: float) -> float:
    """Return the width of a second, after segments that are too narrow got the shortest width."""
    long = list(timed)
    while long:
        scale = (room - shortest * (len(timed) - len(long))) / sum(long)
        kept = [lasts for lasts in long if lasts * scale >= shortest]
        if len(kept) == len(long):
            return scale
        long = kept
    return 0.0
