"""The page of the track record: a picture of promises against what was seen, and a row for each group of releases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from generator.odds.track_record import Past, Rate, TrackRecord
from generator.render.environment import Templates
from generator.report.charts.calibration import Point, calibration_picture
from generator.report.track_record import (
    counted,
    exposed,
    false_rollbacks,
    harms,
    hours,
    seen,
    until_an_abort,
)
from generator.spec.quantities import minutes_up, plural, share_down, share_up

TEMPLATE = "pages/track-record.html.j2"
_HEADINGS = {"team": "By team", "tier": "By tier", "guard": "By guard", "promise": "By promise"}


def track_record_page(name: str, past: Past, records: Sequence[TrackRecord], templates: Templates) -> str:
    """Return the page as HTML.

    Args:
        name: of the platform.
        past: what git knows.
        records: of all releases first, then of each group.
        templates: the templates.
    """
    (whole, *groups) = records
    by_kind = {
        kind: [one for one in groups if one.kind == kind]
        for kind in _HEADINGS
        if any(one.kind == kind for one in groups)
    }
    ends = [release.end[:10] for release in past.releases]
    context = {
        "name": name,
        "span": f"{min(ends)} to {max(ends)}" if ends else "",
        "untrusted": plural(past.untrusted, "record") if past.untrusted else "",
        "tiles": _tiles(whole),
        "whole": _row(whole),
        "pictures": _pictures(by_kind.get("promise") or [whole], whole),
        "groups": [
            {"kind": kind, "heading": _HEADINGS[kind], "rows": [_row(one) for one in some]}
            for kind, some in by_kind.items()
        ],
        "broken": [one.name for one in records if one.broken],
        "doubted": [one.name for one in records if one.stopped.off],
    }
    return templates.render(TEMPLATE, context)


def _tiles(record: TrackRecord) -> list[tuple[str, str]]:
    rate = record.false_rollbacks
    return [
        ("releases", f"{record.releases:,}"),
        ("false rollbacks", "none known" if rate.seen is None else share_up(rate.seen)),
        ("promised", "nothing" if rate.promised is None else share_up(rate.promised)),
        ("harms that got through", f"{record.got_through:,}"),
        ("time to a rollback", "none yet" if record.rollback_s is None else minutes_up(record.rollback_s)),
        ("hours of steps", minutes_up(record.steps_s) if record.steps_s else "none"),
        ("hours of waiting", minutes_up(record.waited_s) if record.waits else "none"),
    ]


def _pictures(promises: Sequence[TrackRecord], whole: TrackRecord) -> list[dict[str, Any]]:
    drawn: list[tuple[str, list[Point]]] = [
        (
            "False rollbacks, promised against seen",
            _points(promises, lambda one: one.false_rollbacks, share_up),
        ),
        ("Harms stopped, promised against seen", _points([whole], lambda one: one.stopped, share_down)),
    ]
    return [
        {"title": title, "picture": calibration_picture(points), "points": [point.title for point in points]}
        for title, points in drawn
        if points
    ]


def _points(
    records: Sequence[TrackRecord], of: Callable[[TrackRecord], Rate], shown: Callable[[float], str]
) -> list[Point]:
    found = []
    for record in records:
        rate = of(record)
        if rate.promised is None or rate.seen is None or rate.interval is None:
            continue
        title = f"promised {shown(rate.promised)}, {seen(rate)}, {rate.cases:,} of {rate.trials:,}"
        found.append(Point(rate.promised, rate.seen, rate.interval, rate.off, title))
    return found


def _row(record: TrackRecord) -> dict[str, Any]:
    return {
        "label": record.label or "all releases",
        "counted": counted(record),
        "false": false_rollbacks(record),
        "bar": _bar(record.false_rollbacks),
        "broken": record.broken,
        "harms": harms(record),
        "rollback": until_an_abort(record),
        "exposed": exposed(record),
        "hours": hours(record),
    }


def _bar(rate: Rate) -> dict[str, str]:
    """Return where a bar shows what was seen, its interval and the promise, in percent."""
    if rate.seen is None or rate.interval is None or not rate.promised:
        return {}
    most = max(4 * rate.promised, 1.1 * rate.seen)

    def at(share: float) -> float:
        return min(100.0, 100 * share / most)

    low, high = at(rate.interval.low), at(rate.interval.high)
    return {
        "seen": f"{at(rate.seen):.1f}",
        "low": f"{low:.1f}",
        "width": f"{high - low:.1f}",
        "promised": f"{at(rate.promised):.1f}",
    }
