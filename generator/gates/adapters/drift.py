"""Drift of inputs, feature by feature: an effect must be both large enough to matter and significant.

Pass when the effect is at most its floor, on enough rows to detect a larger one; fail when it exceeds the floor and
is significant after Bonferroni's correction, when a column breaks the schema, or when many more values are missing;
inconclusive otherwise.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Final

from generator.gates.adapters import Claim, Expected, Outcome, Task, detail, sample
from generator.gates.errors import NoVerdictError
from generator.gates.measures import measure, rounded
from generator.gates.sources import notes_of, read_windows, stated_notes
from generator.spec.evidence import Measure
from generator.spec.gate_tools.base import Statistic
from generator.spec.gates import DriftGate
from generator.stats.binned import association, ks_between, stability_index
from generator.stats.binomial import Interval
from generator.stats.drift import association_critical, ks_critical, psi_critical
from generator.stats.special import gamma_cdf

_SMALLEST_EXPECTED: Final = 5.0
_WINDOWS: Final = ("reference", "current")
_DATES: Final = tuple(f"{window} {end}" for window in _WINDOWS for end in ("from", "to"))
_FEWEST_BINS: Final = 2
_EXACT: Final = 1e-6
_SMALL_X: Final = 0.2
"""Below it the p-value of Kolmogorov and Smirnov is 1 to 12 digits, and its series converges slowly."""


def run(task: Task) -> Outcome:
    """Compare every feature of both windows."""
    gate = task.spec(DriftGate)
    config = {"features": gate.drift.features, "tool": gate.tool, "alpha": gate.alpha}
    with read_windows(task, gate.drift, gate.drift.features) as windows:
        report = task.report(gate.needs.programs[-1], {**config, **windows.config})
    content = {**report.content, "notes": {**windows.notes, **notes_of(report.content)}}
    if windows.counted:
        content["features"] = features_from_counts(gate, report.content["features"])
    _check_dates(_dates_of(content), dt.datetime.now(dt.UTC).date())
    return Outcome.of(report, "data", windows.sources, measures_from_report(gate, content))


def expected(claim: Claim) -> Expected:
    """Return what an entry that passed must contain: every feature, on enough rows."""
    gate = claim.spec(DriftGate)
    stated = [claim.measure(name) for name in gate.drift.features]
    dates = {key: _date(one, key) for one in stated[:1] for key in _DATES if key in one.details}
    notes = stated_notes(stated[0]) if gate.needs.engine else {}
    _check_dates(dates, dt.date.fromisoformat(claim.entry.end[:10]))
    report = {one.name: _reported(gate, one) for one in stated}
    measures = tuple(_feature(gate, name, found, dates | notes) for name, found in report.items())
    sources = tuple(map(claim.locked, (gate.drift.reference, gate.drift.current)))
    return Expected.by(gate.needs.programs[-1], {"data"}, sources, measures)


def features_from_counts(gate: DriftGate, counted: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what a tool would report of each feature, from the counts of an engine."""
    return {name: _from_counts(gate, found) for name, found in counted.items()}


def _from_counts(gate: DriftGate, found: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a feature from the counts of an engine: its distance, and the bound of its error."""
    counts = found.get("cells") or list(found.get("categories", {}).values())
    rows = [sum(count[window] for count in counts) for window in (0, 1)]
    gone = found.get("missingRows", [0, 0])
    shares = [missing / (missing + n) if missing + n else 0.0 for missing, n in zip(gone, rows, strict=True)]
    out: dict[str, Any] = {key: found[key] for key in ("kind", "break") if key in found} | {
        "rows": rows,
        "missing": shares,
    }
    if not min(rows):
        return out
    statistic = gate.test.statistic
    if statistic == "index":
        index, bins = stability_index(found["cells"])
        return {**out, "distance": index, "bins": bins}
    if statistic == "association":
        distance, smallest = association(found["categories"])
        out |= {"distance": distance, "categories": len(counts), "smallestExpected": smallest}
    else:
        out["distance"], out["upper"] = ks_between(found["cells"])
    out["p"], _ = _significance(gate, rounded(out["distance"]) or 0.0, rows, out)
    return out


def _reported(gate: DriftGate, stated: Measure) -> dict[str, Any]:
    """Return what the tool reported about a feature.

    Raises:
        NoVerdictError: a number is missing, or contradicts the others.
    """
    rows = [sample(stated, window) for window in _WINDOWS]
    found: dict[str, Any] = {"distance": stated.value, "rows": rows}
    if min(rows) < 1 or stated.value is None or stated.value < 0:
        raise NoVerdictError(f"`{stated.name}` has no rows, or a distance below 0")
    if gate.rows is not None and min(rows) > gate.rows:
        raise NoVerdictError(f"`{stated.name}` has {min(rows):,} rows; the spec has `rows: {gate.rows}`")
    if stated.interval is not None and gate.needs.engine:
        found["upper"] = stated.interval.high
    statistic = gate.test.statistic
    if statistic == "index":
        bins = detail(stated, "bins")
        if bins != int(bins) or bins < 1:
            raise NoVerdictError(f"`{stated.name}` has an impossible number of bins")
        return {**found, "bins": int(bins)}
    if statistic == "association":
        found |= {key: detail(stated, key) for key in ("categories", "smallestExpected")}
    found["p"] = detail(stated, "p")
    usual, tolerance = _significance(gate, stated.value, rows, found)
    if not 0 <= found["p"] <= 1 or abs(found["p"] - usual) > tolerance:
        raise NoVerdictError(f"the p-value of `{stated.name}` does not follow from its distance and rows")
    return found


def _significance(
    gate: DriftGate, distance: float, rows: list[int], found: dict[str, Any]
) -> tuple[float, float]:
    """Return the p-value that follows from a distance, and its tolerance.

    Pearson's test is exact. Tools use different approximations of Kolmogorov's and Smirnov's test: on few rows they
    differ from the limiting distribution by up to 0.5 / sqrt(effective rows).
    """
    n, m = rows
    effective = n * m / (n + m)
    if gate.test.statistic == "association":
        if found["categories"] < _FEWEST_BINS:
            return 1.0, 0.0
        return 1.0 - gamma_cdf(distance**2 * 4 * effective / 2, (found["categories"] - 1) / 2), _EXACT
    x = distance * math.sqrt(effective)
    tail = 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 101))
    return (min(1.0, max(0.0, tail)) if x > _SMALL_X else 1.0), 0.5 / math.sqrt(effective)


def _dates_of(report: dict[str, Any]) -> dict[str, str]:
    """Return the first and the last day of each window that has dates."""
    return {
        f"{window} {end}": day
        for window, days in report.get("dates", {}).items()
        for end, day in zip(("from", "to"), days, strict=False)
    }


def _check_dates(dates: dict[str, str], last: dt.date) -> None:
    """Check that windows begin before they end, and end before the gate did (in whatever time zone).

    Raises:
        NoVerdictError: one does not.
    """
    latest = (last + dt.timedelta(days=1)).isoformat()
    for window in _WINDOWS:
        start, end = dates.get(f"{window} from", ""), dates.get(f"{window} to", "")
        if start > end > "":
            raise NoVerdictError(f"the {window} window ends on {end}, before it starts on {start}")
        if max(start, end) > latest:
            raise NoVerdictError(f"the {window} window has rows of {max(start, end)}, which is in the future")


def _date(stated: Measure, key: str) -> str:
    """Return a date among the details of a measure.

    Raises:
        NoVerdictError: it is not a date.
    """
    found = stated.details[key]
    try:
        return dt.date.fromisoformat(found).isoformat() if isinstance(found, str) else ""
    except ValueError as error:
        raise NoVerdictError(f"`{key}` of `{stated.name}` is not a date") from error


def measures_from_report(gate: DriftGate, report: dict[str, Any]) -> tuple[Measure, ...]:
    """Return a measure of each feature, in the order of the spec."""
    dates = {**_dates_of(report), **report.get("notes", {})}
    features = report["features"]
    return tuple(_feature(gate, name, features.get(name, {}), dates) for name in gate.drift.features)


def _feature(gate: DriftGate, name: str, found: dict[str, Any], dates: Mapping[str, float | str]) -> Measure:
    test, floor = gate.test, gate.floor
    if "break" in found:
        return measure(f"{name}: schema violations", 1, "atMost", 0, remark=found["break"])
    reference_rows, current_rows = found.get("rows", (0, 0))
    samples = {"reference": reference_rows, "current": current_rows}
    missing_before, missing_now = found.get("missing", (0.0, 0.0))
    if missing_now - missing_before > floor:
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
    counted = ("p", "bins", "categories", "smallestExpected")
    details |= {key: found[key] for key in counted if found.get(key) is not None}
    interval = Interval(found["distance"], found["upper"]) if "upper" in found else None
    return measure(
        name,
        found["distance"],
        "atMost",
        floor,
        interval=interval,
        samples=samples,
        details=details,
        doubt=doubt,
    )


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
