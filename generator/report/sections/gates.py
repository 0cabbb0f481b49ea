"""The results of gates as a table: one line for each measure, with a bar of its value and threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.report.tables import Screen, Table
from generator.source.line import visible
from generator.spec.evidence import EvidenceEntry, Measure

_CELLS = 16
_SIGNS = {"atLeast": "≥", "atMost": "≤"}
_SGR = {"pass": "32", "fail": "1;31", "inconclusive": "1;33"}
_NAME = 48


def gates_table(entries: Sequence[EvidenceEntry], screen: Screen) -> Iterator[str]:
    """Yield the lines of the table, and below it the reason of every gate that did not pass."""
    rows: list[tuple[str, ...]] = [("gate", "measured", "value", "limit", "", "verdict")]
    for entry in entries:
        rows += list(_rows(entry))
    for line in Table.of(rows, drop=(4,)).lines(screen.limit):
        yield _painted(line) if screen.color else line
    others = [entry for entry in entries if entry.verdict != "pass"]
    if others:
        yield ""
    yield from screen.body((f"{e.name} ({e.verdict}): {visible(e.reason)}" for e in others), "")


def bar(measure: Measure) -> str:
    """Draw the value as filled cells from 0 and the threshold as a mark; empty without a value."""
    if measure.value is None:
        return ""
    low = min(0.0, measure.value, measure.threshold)
    high = max(0.0, measure.value, measure.threshold)
    span = (high - low) * 1.2 or 1.0
    filled = round((measure.value - low) / span * _CELLS)
    mark = min(_CELLS - 1, round((measure.threshold - low) / span * _CELLS))
    cells = ["█" if index < filled else "░" for index in range(_CELLS)]
    cells[mark] = "│"
    return "".join(cells)


def _rows(entry: EvidenceEntry) -> Iterator[tuple[str, ...]]:
    if not entry.measures:
        yield entry.name, entry.tool, "-", "", "", entry.verdict
    for measure in entry.measures:
        value = "-" if measure.value is None else f"{measure.value:.4g}"
        if measure.interval:
            value += f" ({measure.interval.low:.3g} to {measure.interval.high:.3g})"
        limit = f"{_SIGNS[measure.bound]} {measure.threshold:.4g}"
        yield entry.name, visible(measure.name)[:_NAME], value, limit, bar(measure), measure.verdict


def _painted(line: str) -> str:
    verdict = line.rpartition(" ")[2]
    sgr = _SGR.get(verdict)
    return f"{line.removesuffix(verdict)}\x1b[{sgr}m{verdict}\x1b[0m" if sgr else line
