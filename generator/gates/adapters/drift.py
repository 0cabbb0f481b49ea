"""Drift of inputs, feature by feature: an effect must be both large enough to matter and significant.

Pass when the effect is at most its floor, on enough rows to detect a larger one; fail when it exceeds the floor and
is significant after Bonferroni's correction, when a column breaks the schema, or when many more values are missing;
inconclusive otherwise.
"""

from __future__ import annotations

from typing import Any

from generator.gates.adapters import Outcome, Task
from generator.gates.measures import measure
from generator.spec.evidence import Measure
from generator.spec.gate_tools.base import Statistic
from generator.spec.gates import DriftGate
from generator.stats.drift import association_critical, ks_critical, psi_critical

_SMALLEST_EXPECTED = 5.0


def run(task: Task) -> Outcome:
    """Compare every feature of both windows."""
    gate = task.spec(DriftGate)
    (reference, first), (current, second) = task.inputs.windows(gate.drift)
    config = {
        "reference": str(reference),
        "current": str(current),
        "features": gate.drift.features,
        "tool": gate.tool,
        "alpha": gate.alpha,
    }
    report = task.report(gate.needs.programs[0], config)
    return Outcome.of(report, "data", (first, second), measures_from_report(gate, report.content))


def measures_from_report(gate: DriftGate, report: dict[str, Any]) -> tuple[Measure, ...]:
    """Return a measure of each feature, in the order of the spec."""
    dates = {
        f"{window} {end}": day
        for window, days in report.get("dates", {}).items()
        for end, day in zip(("from", "to"), days, strict=False)
    }
    features = report["features"]
    return tuple(_feature(gate, name, features.get(name, {}), dates) for name in gate.drift.features)


def _feature(gate: DriftGate, name: str, found: dict[str, Any], dates: dict[str, str]) -> Measure:
    test, floor = gate.test, gate.floor
    if "break" in found:
        return measure(f"{name}: schema violations", 1, "atMost", 0, remark=found["break"])
    reference_rows, current_rows = found.get("rows", (0, 0))
    samples = {"reference": reference_rows, "current": current_rows}
    missing_before, missing_now = found.get("missing", (0.0, 0.0))
    if missing_now - missing_before >= floor:
        more = missing_now - missing_before
        return measure(f"{name}: more missing values", more, "atMost", floor, samples=samples)
    if found.get("distance") is None or (found.get("p") is None and test.statistic != "index"):
        doubt = f"`{name}` contains {found.get('kind', 'nothing')}, which {gate.tool} does not compare"
        return measure(name, None, "atMost", floor, doubt=doubt, samples=samples)
    alpha = gate.alpha / len(gate.drift.features)
    smallest = _smallest_significant(test.statistic, found, reference_rows, current_rows, alpha)
    significant = found["distance"] > smallest if test.statistic == "index" else found["p"] < alpha
    doubt = _doubt(found, floor, smallest, significant=significant)
    details: dict[str, float | str] = {**dates, "level": alpha}
    details |= {key: found[key] for key in ("p", "bins", "categories") if found.get(key) is not None}
    return measure(name, found["distance"], "atMost", floor, samples=samples, details=details, doubt=doubt)


def _smallest_significant(statistic: Statistic, found: dict[str, Any], n: int, m: int, alpha: float) -> float:
    """Return the smallest effect that would be significant on n and m rows."""
    if statistic == "index":
        return psi_critical(max(2, found["bins"]), n, m, alpha)
    if statistic == "association":
        return association_critical(max(2, found["categories"]), n, m, alpha)
    return ks_critical(n, m, alpha)


def _doubt(found: dict[str, Any], floor: float, smallest: float, *, significant: bool) -> str:
    """Return why the result can't be trusted; a significant effect above the floor always can."""
    if found["distance"] > floor and significant:
        return ""
    if (
        found.get("smallestExpected", _SMALLEST_EXPECTED) < _SMALLEST_EXPECTED
        and found.get("categories", 2) > 1
    ):
        return "a category has fewer than five expected rows"
    if smallest > floor:
        return f"with so few rows only an effect above {smallest:.3g} would be significant"
    return ""
