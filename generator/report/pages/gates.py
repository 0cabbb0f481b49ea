"""Gates with their evidence, for the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generator.gates.gate_status import GateStatus
from generator.spec.evidence import Measure

_SIGNS = {"atLeast": "≥", "atMost": "≤"}
_MOST = 12  # measures of one gate that a page shows
_AIR = 1.15


def gate_rows(found: Sequence[GateStatus]) -> list[dict[str, Any]]:
    """Return one row for each gate, with its measures."""
    return [_row(status) for status in found]


def _row(status: GateStatus) -> dict[str, Any]:
    gate, entry = status.gate, status.entry
    measures = list(entry.measures) if entry else []
    # What decides comes first: the worst verdicts, then as they were written.
    worst = sorted(measures, key=lambda m: {"fail": 0, "inconclusive": 1}.get(m.verdict, 2))
    waiver = gate.waiver
    return {
        "name": gate.name,
        "kind": gate.kind,
        "tool": f"{entry.tool} {entry.tool_version}" if entry else gate.tool,
        "state": status.state,
        "said": status.reason,
        "day": entry.end[:10] if entry else "",
        "binding": entry.binding if entry else "",
        "waiver": f"waived {waiver.terms}" if waiver else "",
        "measures": [_measure(measure) for measure in worst[:_MOST]],
        "more": max(0, len(measures) - _MOST),
    }


def _measure(measure: Measure) -> dict[str, Any]:
    low = measure.interval.low if measure.interval else None
    high = measure.interval.high if measure.interval else None
    known = [v for v in (measure.value, measure.threshold, low, high, 0.0) if v is not None]
    bottom, top = min(known), max(known)
    span = ((top - bottom) or 1.0) * _AIR

    def at(value: float) -> str:
        return f"{(value - bottom) / span * 100:.1f}"

    samples = ", ".join(f"{count:,} {what}".replace(",", " ") for what, count in measure.samples.items())
    return {
        "name": measure.name,
        "value": "no value" if measure.value is None else f"{measure.value:.4g}",
        "interval": f"{low:.3g} to {high:.3g}" if low is not None and high is not None else "",
        "limit": f"{_SIGNS[measure.bound]} {measure.threshold:.4g}",
        "verdict": measure.verdict,
        "reason": measure.reason,
        "samples": samples,
        "bar": None if measure.value is None else at(measure.value),
        "mark": at(measure.threshold),
        "band": (at(low), f"{(high - low) / span * 100:.1f}")
        if low is not None and high is not None
        else None,
    }
