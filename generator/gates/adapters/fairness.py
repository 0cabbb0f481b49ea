"""Fairness over sensitive attributes: a library measures, and the intervals of all pairs of groups decide.

Cases that the libraries accept are inconclusive here: a single group, labels other than 0 and 1, groups with few
rows. Tables
have the columns `label`, `prediction` and the attributes; a column `model` names the model by its digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from generator.gates.adapters import Claim, Expected, ExpectedSource, Outcome, Task, count
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import source_of
from generator.gates.measures import measure
from generator.gates.sources import notes_of, read_sources, stated_notes
from generator.spec.evidence import Bound, Measure
from generator.spec.gate_data import DataSource, named
from generator.spec.gates import FairnessGate
from generator.stats.binomial import Interval
from generator.stats.fairness import largest_difference, smallest_ratio

Groups = dict[str, dict[str, int]]
ALPHA: Final = 0.05
_TOLERANCE: Final = 1e-9
_ODDS: Final = "equalised-odds-difference"
_MOST_GROUPS: Final = 200


def run(task: Task) -> Outcome:
    """Measure each attribute."""
    gate = task.spec(FairnessGate)
    if gate.needs.engine and gate.data is not None:
        return _run_on_source(task, gate, gate.data)
    names: dict[str, Path] = {}
    sources = []
    if gate.data is not None:
        path, source = task.inputs.data(named(gate.data))
        names[str(path)] = path
        sources.append(source)
    else:
        names |= {str(path): path for path in task.inputs.tables(gate.name)}
    if not names:
        raise NoVerdictError("no table of predictions; name one with --predictions FILE")
    config = {"files": list(names), "sensitive": gate.sensitive, "measure": gate.fairness}
    report = task.report(gate.needs.programs[-1], config)
    path = names[report.content["file"]]
    if not sources:
        sources.append(source_of("predictions", path.name, path))
    binding = task.inputs.bind(report.content["models"], path.stat().st_mtime)
    return Outcome.of(report, binding, tuple(sources), _measures(task, gate, report.content, {}))


def _run_on_source(task: Task, gate: FairnessGate, data: str | DataSource) -> Outcome:
    """Measure each attribute of a source, from counts of an engine or from a sample."""
    columns = ["label", "prediction", *gate.sensitive]
    config = {"sensitive": gate.sensitive, "measure": gate.fairness}
    with read_sources(task, {"source": data}, [*columns, "model"], gate.sensitive) as found:
        config |= found.config if found.counted else {"files": [found.config["source"]]}
        report = task.report(gate.needs.programs[-1], config)
    if not report.content["models"]:
        raise NoVerdictError("a source needs the column `model`, with the digest of the model that predicted")
    binding = task.inputs.bind(report.content["models"], 0.0)
    notes = {**found.notes, **notes_of(report.content)}
    return Outcome.of(report, binding, found.sources, _measures(task, gate, report.content, notes))


def _measures(
    task: Task, gate: FairnessGate, report: dict[str, Any], notes: Mapping[str, float | str]
) -> tuple[Measure, ...]:
    attributes = report["attributes"]
    for name, item in attributes.items():
        if item["groups"]:
            _check_groups(name, item["groups"], dict(task.gate.groups).get(name))
    return tuple(
        measure_from_report(gate, name, {**item, "notes": notes}) for name, item in attributes.items()
    )


def expected(claim: Claim) -> Expected:
    """Return what an entry that passed must contain; values and intervals follow from the counts of the groups."""
    gate = claim.spec(FairnessGate)
    declared = dict(claim.gate.groups)
    measures = []
    for name in gate.sensitive:
        stated = claim.measure(name)
        _check_groups(name, stated.parts.keys(), declared.get(name))
        report: dict[str, Any] = {
            "value": stated.details.get(gate.tool),
            "binary": True,
            "groups": _counts(gate, stated),
        }
        report["notes"] = stated_notes(stated) if gate.needs.engine else {}
        measures.append(measure_from_report(gate, name, report))
    source = claim.locked(gate.data) if gate.data else ExpectedSource("predictions", None, None)
    return Expected.by(gate.needs.programs[-1], {"digest", "time"}, (source,), tuple(measures))


def _check_groups(name: str, groups: Collection[str], declared: tuple[str, ...] | None) -> None:
    """Check that the groups of an attribute are those that the platform or the spec declares.

    Raises:
        NoVerdictError: a group is missing or unknown, or there are too many.
    """
    if len(groups) > _MOST_GROUPS:
        raise NoVerdictError(f"`{name}` has {len(groups):,} groups; the most are {_MOST_GROUPS}")
    if declared is None or set(groups) == set(declared):
        return
    missing, unknown = set(declared) - set(groups), set(groups) - set(declared)
    which = f"lacks the group `{min(missing)}`" if missing else f"has the unknown group `{min(unknown)}`"
    raise NoVerdictError(f"`{name}` {which}; its declared groups are {', '.join(declared)}")


def _counts(gate: FairnessGate, stated: Measure) -> Groups:
    """Return the counts of each group, from the numbers in its part.

    Raises:
        NoVerdictError: a number is missing or impossible.
    """
    out: Groups = {}
    for group, part in stated.parts.items():
        rows, selected = (
            count(part.get(key), f"{stated.name}: {group}: {key}") for key in ("rows", "selected")
        )
        positives = count(part.get("positives", 0.0), f"{stated.name}: {group}: positives")
        if not (selected <= rows and positives <= rows and rows):
            raise NoVerdictError(f"the group `{group}` of `{stated.name}` has impossible counts")
        right = round(part.get("truePositiveRate", 0.0) * positives)
        wrong = round(part.get("falsePositiveRate", 0.0) * (rows - positives))
        if gate.fairness == _ODDS and right + wrong != selected:
            raise NoVerdictError(f"the group `{group}` of `{stated.name}` has impossible counts")
        out[group] = {
            "rows": rows,
            "selected": selected,
            "positives": positives,
            "truePositives": right,
            "falsePositives": wrong,
        }
    return out


def measure_from_report(gate: FairnessGate, name: str, report: dict[str, Any]) -> Measure:
    """Return the library's value of one attribute, with the interval of all pairs of groups.

    Args:
        gate: the gate.
        name: the attribute.
        report: `value` by the library, `binary`, counts of `groups`, and `notes` about a source.
    """
    groups: Groups = report["groups"]
    bound, limit = _limit(gate)
    small = sorted(group for group, counts in groups.items() if counts["rows"] < gate.min_group)
    counted = {group: counts for group, counts in groups.items() if group not in small}
    doubt = _doubt(gate, report, counted)
    if len(counted) < 2 or not report["binary"]:
        return measure(
            name, None, bound, limit, doubt=doubt, samples=_rows(groups), details=report.get("notes")
        )
    value, interval = estimate(gate.fairness, counted)
    found = _measured(gate, name, report, value, interval, doubt)
    if small and found.verdict == "pass":
        # Small groups can't fail a gate by chance, but the reason names them.
        doubt = f"groups with fewer than {gate.min_group} rows can't be assessed: {', '.join(small)}"
        return _measured(gate, name, report, value, interval, doubt)
    return found


def _measured(
    gate: FairnessGate,
    name: str,
    report: dict[str, Any],
    value: float | None,
    interval: Interval,
    doubt: str,
) -> Measure:
    bound, limit = _limit(gate)
    notes = dict(report.get("notes", {}))
    return measure(
        name,
        value,
        bound,
        limit,
        interval=interval,
        samples=_rows(report["groups"]),
        parts=_parts(report["groups"], gate.fairness),
        details=notes | ({gate.tool: report["value"]} if report["value"] is not None else {}),
        doubt=doubt,
    )


def _limit(gate: FairnessGate) -> tuple[Bound, float]:
    if gate.at_least is not None:
        return "atLeast", gate.at_least
    return "atMost", gate.at_most or 0.0


def estimate(kind: str, groups: Groups) -> tuple[float | None, Interval]:
    """Return value and simultaneous interval of a fairness measure, from counts of at least two groups.

    There is no value where no row is selected, or all are: groups can't differ in what was not told apart.
    """
    if sum(c["selected"] for c in groups.values()) in (0, sum(c["rows"] for c in groups.values())):
        return None, Interval(0.0, 1.0)
    selected = {name: (c["selected"], c["rows"]) for name, c in groups.items()}
    if kind == "demographic-parity-difference":
        return _difference(selected, ALPHA)
    if kind == "demographic-parity-ratio":
        return smallest_ratio(selected, alpha=ALPHA)
    right = {name: (c["truePositives"], c["positives"]) for name, c in groups.items()}
    wrong = {name: (c["falsePositives"], c["rows"] - c["positives"]) for name, c in groups.items()}
    parts = [_difference(rates, ALPHA / 2) for rates in (right, wrong)]
    values = [value for value, _ in parts if value is not None]
    if len(values) < len(parts):
        return None, Interval(0.0, 1.0)
    low = max(interval.low for _, interval in parts)
    high = max(interval.high for _, interval in parts)
    return max(values), Interval(low, high)


def _difference(rates: dict[str, tuple[int, int]], alpha: float) -> tuple[float | None, Interval]:
    """Return the largest difference of two groups' rates; None where a group has no rows."""
    if any(rows == 0 for _, rows in rates.values()):
        return None, Interval(0.0, 1.0)
    return largest_difference(rates, alpha=alpha)


def _doubt(gate: FairnessGate, report: dict[str, Any], counted: Groups) -> str:
    """Return why the library's value can't be trusted; empty when it can."""
    if not report["binary"]:
        return "labels and predictions must be 0 or 1: the library counts only 1"
    if len(counted) < 2:
        return f"fewer than two groups have {gate.min_group} rows: nothing to compare"
    value, _ = estimate(gate.fairness, report["groups"])
    if value is None:
        return (
            "a group has no rows with one of the labels, or all predictions are the same: nothing to compare"
        )
    if report["value"] is None or abs(report["value"] - value) > _TOLERANCE:
        return f"{gate.tool} reports {report['value']}, but its counts give {value:.6g}"
    return ""


def _rows(groups: Groups) -> dict[str, int]:
    return {name: counts["rows"] for name, counts in groups.items()}


def _parts(groups: Groups, kind: str) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    for name, c in groups.items():
        out[name] = {"rows": c["rows"], "selected": c["selected"], "rate": c["selected"] / c["rows"]}
        if kind == _ODDS:
            negatives = c["rows"] - c["positives"]
            out[name] |= {"positives": c["positives"]}
            out[name] |= {"truePositiveRate": c["truePositives"] / c["positives"]} if c["positives"] else {}
            out[name] |= {"falsePositiveRate": c["falsePositives"] / negatives} if negatives else {}
    return out
