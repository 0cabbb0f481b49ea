"""Fairness over sensitive attributes: Fairlearn or Aequitas measures, intervals of all pairs of groups decide.

What those libraries let pass is caught here: one group only, labels other than 0 and 1, groups of a few rows. Tables
have the columns `label`, `prediction` and the attributes; a column `model` names the model by its digest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from generator.gates.environments import Tool
from generator.gates.inputs import source_of
from generator.gates.measures import measure
from generator.gates.outcome import NoVerdictError, Outcome
from generator.gates.task import Task
from generator.spec.evidence import Bound, Measure
from generator.stats.binomial import Interval
from generator.stats.fairness import largest_difference, smallest_ratio

Groups = dict[str, dict[str, int]]
ALPHA = 0.05
_SAME = 1e-9


def tools(task: Task) -> tuple[Tool, ...]:
    """The library that the gate names."""
    return (task.tool(task.config["tool"]),)


def judge(task: Task) -> Outcome:
    """The measure of each attribute."""
    (tool,) = tools(task)
    names: dict[str, Path] = {}
    sources = []
    if "data" in task.config:
        path, source = task.inputs.data(task.config["data"])
        names[str(path)] = path
        sources.append(source)
    else:
        names |= {str(path): path for path in task.inputs.tables(task.gate.name)}
    if not names:
        raise NoVerdictError("there are no predictions; name a table: --predictions FILE")
    config = {"files": list(names), "sensitive": task.config["sensitive"], "measure": task.config["fairness"]}
    report = task.run(tool, config)
    path = names[report["file"]]
    if not sources:
        sources.append(source_of("predictions", path.name, path))
    binding = task.inputs.bind(report["models"], path.stat().st_mtime)
    found = tuple(judged(task.config, name, item) for name, item in report["attributes"].items())
    return Outcome(report["tool"], report["version"], binding, tuple(sources), found, tool.digest)


def judged(config: dict[str, Any], name: str, report: dict[str, Any]) -> Measure:
    """One attribute: the library's value, and the interval of all pairs of groups.

    Args:
        config: the gate's configuration.
        name: the attribute.
        report: `value` by the library, `binary`, and counts of `groups`.
    """
    groups: Groups = report["groups"]
    bound, limit = _limit(config)
    small = sorted(group for group, counts in groups.items() if counts["rows"] < config["minGroup"])
    counted = {group: counts for group, counts in groups.items() if group not in small}
    doubt = _doubt(config, report, counted)
    if len(counted) < 2 or not report["binary"]:
        return measure(name, None, bound, limit, doubt=doubt, samples=_rows(groups))
    value, interval = estimate(config["fairness"], counted)
    found = _measured(config, name, report, value, interval, doubt)
    if small and found.verdict == "pass":
        # Small groups can't fail a gate by chance, but neither are they waved through.
        doubt = f"groups below {config['minGroup']} rows can't be judged: {', '.join(small)}"
        return _measured(config, name, report, value, interval, doubt)
    return found


def _measured(
    config: dict[str, Any],
    name: str,
    report: dict[str, Any],
    value: float | None,
    interval: Interval,
    doubt: str,
) -> Measure:
    bound, limit = _limit(config)
    return measure(
        name,
        value,
        bound,
        limit,
        interval=interval,
        samples=_rows(report["groups"]),
        parts=_parts(report["groups"], config["fairness"]),
        details={config["tool"]: report["value"]} if report["value"] is not None else {},
        doubt=doubt,
    )


def _limit(config: dict[str, Any]) -> tuple[Bound, float]:
    return ("atLeast", config["atLeast"]) if "atLeast" in config else ("atMost", config["atMost"])


def estimate(wanted: str, groups: Groups) -> tuple[float | None, Interval]:
    """Value and simultaneous interval of a measure, from counts of at least two groups."""
    rates = {name: (c["selected"], c["rows"]) for name, c in groups.items()}
    if wanted == "demographic-parity-difference":
        return _difference(rates, ALPHA)
    if wanted == "demographic-parity-ratio":
        return smallest_ratio(rates, alpha=ALPHA)
    parts = [
        _difference({n: (c["truePositives"], c["positives"]) for n, c in groups.items()}, ALPHA / 2),
        _difference(
            {n: (c["falsePositives"], c["rows"] - c["positives"]) for n, c in groups.items()}, ALPHA / 2
        ),
    ]
    if any(value is None for value, _ in parts):
        return None, Interval(0.0, 1.0)
    low = max(interval.low for _, interval in parts)
    high = max(interval.high for _, interval in parts)
    return max(value for value, _ in parts if value is not None), Interval(low, high)


def _difference(rates: dict[str, tuple[int, int]], alpha: float) -> tuple[float | None, Interval]:
    """Return the largest difference of two groups' rates; None where a group has no rows."""
    if any(rows == 0 for _, rows in rates.values()):
        return None, Interval(0.0, 1.0)
    return largest_difference(rates, alpha=alpha)


def _doubt(config: dict[str, Any], report: dict[str, Any], counted: Groups) -> str:
    """Why nothing that the library says is to be believed."""
    if not report["binary"]:
        return "labels and predictions must be 0 or 1: the library counts 1 alone"
    if len(counted) < 2:
        return f"fewer than two groups have {config['minGroup']} rows: nothing to compare"
    value, _ = estimate(config["fairness"], report["groups"])
    if value is None:
        return "a group has no rows of a label, or nobody is selected"
    if report["value"] is None or abs(report["value"] - value) > _SAME:
        return f"{config['tool']} says {report['value']}, its own counts say {value:.6g}"
    return ""


def _rows(groups: Groups) -> dict[str, int]:
    return {name: counts["rows"] for name, counts in groups.items()}


def _parts(groups: Groups, wanted: str) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    for name, c in groups.items():
        out[name] = {"rows": c["rows"], "selected": c["selected"], "rate": c["selected"] / c["rows"]}
        if wanted == "equalised-odds-difference":
            negatives = c["rows"] - c["positives"]
            out[name] |= {"positives": c["positives"]}
            out[name] |= {"truePositiveRate": c["truePositives"] / c["positives"]} if c["positives"] else {}
            out[name] |= {"falsePositiveRate": c["falsePositives"] / negatives} if negatives else {}
    return out
