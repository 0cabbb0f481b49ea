"""The track record in words: as text, as JSON, and as the cells of the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from generator.odds.track_record import Past, PastRelease, Rate, TrackRecord
from generator.source.line import visible
from generator.spec.quantities import count_up, minutes_up, plural, share_down, share_up

SCHEMA: Final = "sluice/track-record/v1"
BROKEN: Final = "the promise is broken"
DOUBTED: Final = (
    "fewer than promised: the harms were smaller or other ones than guards detect, or the promise is wrong"
)


def table(records: Sequence[TrackRecord]) -> str:
    """Return one paragraph of lines for each group of releases."""
    return "".join(f"{line}\n" for record in records for line in _lines(record))


def _lines(record: TrackRecord) -> Iterator[str]:
    yield f"{visible(record.name)}: {counted(record)}"
    for label, words in (
        ("false rollbacks", false_rollbacks(record)),
        ("harms", harms(record)),
        ("until an abort", until_an_abort(record)),
        ("requests to aborted versions", exposed(record)),
        ("time", hours(record)),
    ):
        if words:
            yield f"  {label}: {words}"


def counted(record: TrackRecord) -> str:
    """Describe how many releases there were, and how they ended."""
    by_hand = f" ({record.by_hand} by hand)" if record.by_hand else ""
    words = f"{plural(record.releases, 'release')}, {record.aborted} aborted{by_hand}"
    missing = f"; {record.unrecorded} taken back without a record" if record.unrecorded else ""
    return f"{words}{missing}"


def false_rollbacks(record: TrackRecord) -> str:
    """Compare false rollbacks with their promise; empty if no release is known to be good."""
    rate = record.false_rollbacks
    if rate.seen is None:
        return ""
    # The plan promises for all its guards together.
    most = "at most " if record.kind == "guard" and rate.promised is not None else ""
    promised = "nothing promised" if rate.promised is None else f"promised {most}{share_up(rate.promised)}"
    return f"{promised}, {seen(rate)}{f': {BROKEN}' if rate.off else ''}"


def seen(rate: Rate) -> str:
    """Format what was seen with its interval, rounded outwards; empty without trials."""
    if rate.seen is None or rate.interval is None:
        return ""
    span = f"{share_down(rate.interval.low)} to {share_up(rate.interval.high)}"
    return f"seen {share_up(rate.seen)} ({span})"


def harms(record: TrackRecord) -> str:
    """Describe which harms were stopped and which got through; empty if none is known."""
    rate = record.stopped
    if not rate.trials:
        return ""
    if record.kind == "guard":
        return f"{rate.cases} stopped, as far as is known"
    exposed = record.through_exposed
    requests = f", with {plural(exposed, 'request')} up to their last check" if exposed is not None else ""
    through = f"{record.got_through} got through{requests if record.got_through else ''}"
    promised = "" if rate.promised is None else f"; promised to stop {share_down(rate.promised)}"
    return f"{rate.cases} stopped, {through}{promised}, {seen(rate)}{f': {DOUBTED}' if rate.off else ''}"


def until_an_abort(record: TrackRecord) -> str:
    """Describe the time to a rollback; empty without one."""
    if record.rollback_s is None or record.rollback_p90_s is None:
        return ""
    return f"{minutes_up(record.rollback_s)} on average, 9 of 10 within {minutes_up(record.rollback_p90_s)}"


def exposed(record: TrackRecord) -> str:
    """Describe how many requests aborted versions got; empty without aborts."""
    if not record.aborted:
        return ""
    if record.exposed is None or record.exposed_most is None:
        return "unknown"
    promised = record.promised_exposed
    words = "" if promised is None else f", promised {count_up(promised)} on average for a bad version"
    return f"{count_up(record.exposed)} on average, {count_up(record.exposed_most)} at most{words}"


def hours(record: TrackRecord) -> str:
    """Describe what the holds cost: the steps of completed releases, and waits for gated environments."""
    parts = [f"{minutes_up(record.steps_s)} in the steps of completed releases"] if record.steps_s else []
    if record.waits:
        mean = minutes_up(record.waited_s / record.waits)
        waited = f"{minutes_up(record.waited_s)} from proof to {plural(record.waits, 'promotion')}"
        parts.append(f"{waited}, {mean} each")
    return "; ".join(parts)


def document(past: Past, records: Sequence[TrackRecord]) -> str:
    """Return the track record as JSON (`sluice/track-record/v1`): shares are fractions, times seconds."""
    whole = {
        "schema": SCHEMA,
        "untrusted_records": past.untrusted,
        "groups": [_plain(record) for record in records],
    }
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def _plain(record: TrackRecord) -> dict[str, Any]:
    return {
        "kind": record.kind,
        "label": record.label,
        "releases": record.releases,
        "aborted": record.aborted,
        "aborted_by_hand": record.by_hand,
        "taken_back_without_record": record.unrecorded,
        "false_rollbacks": {**_rate(record.false_rollbacks), "broken": record.broken},
        "harms": {
            **_rate(record.stopped),
            "got_through": record.got_through,
            "got_through_exposed": record.through_exposed,
            "doubted": record.stopped.off,
        },
        "rollback_mean_s": record.rollback_s,
        "rollback_p90_s": record.rollback_p90_s,
        "exposed_mean": record.exposed,
        "exposed_most": record.exposed_most,
        "exposed_promised": record.promised_exposed,
        "steps_s": record.steps_s,
        "promotions": record.waits,
        "waited_s": record.waited_s,
    }


def _rate(rate: Rate) -> dict[str, Any]:
    interval = rate.interval
    return {
        "count": rate.cases,
        "among": rate.trials,
        "promised": rate.promised,
        "seen": rate.seen,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
    }


def ended(release: PastRelease) -> str:
    """Describe how one release ended."""
    how = f"aborted by {', '.join(release.guards) or 'a person'}" if release.aborted else "completed"
    return f"{release.environment}: {how}, {release.end[:10]}"
