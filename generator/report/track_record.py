"""The track record as text."""

from __future__ import annotations

from collections.abc import Sequence

from generator.odds.track_record import TrackRecord
from generator.spec.quantities import count_up, minutes_up, plural, share_up


def table(records: Sequence[TrackRecord]) -> str:
    """Return one paragraph of lines for each group of releases."""
    return "".join(f"{line}\n" for record in records for line in _lines(record))


def _lines(record: TrackRecord) -> list[str]:
    lines = [f"{record.name}: {plural(record.releases, 'release')}, {record.aborted} aborted"]
    if record.seen is not None and record.interval is not None:
        promised = "nothing promised" if record.promised is None else f"promised {share_up(record.promised)}"
        seen = f"seen {share_up(record.seen)} ({share_up(record.interval.low)} to {share_up(record.interval.high)})"
        lines.append(
            f"  false rollbacks: {promised}, {seen}{': the promise is broken' if record.broken else ''}"
        )
    elif record.false:
        lines.append(f"  false rollbacks: {record.false} of its aborts")
    if record.rollback_s is not None:
        exposed = "unknown" if record.exposed is None else count_up(record.exposed)
        lines.append(
            f"  until an abort: {minutes_up(record.rollback_s)}, requests to the new version: {exposed}"
        )
    return lines
