"""Drift of inputs: an effect that matters AND that chance does not explain, feature by feature.

Pass when the effect keeps to its floor, on rows that would have shown a larger one; fail when it exceeds the floor and
is significant after Bonferroni's correction, when a column breaks the schema, or when many more values are missing;
inconclusive otherwise.
"""

from __future__ import annotations

from typing import Any

from generator.gates.environments import Tool
from generator.gates.measures import measure
from generator.gates.outcome import Outcome
from generator.gates.task import Task
from generator.spec.evidence import Measure
from generator.stats.drift import association_critical, ks_critical, psi_critical

FLOORS = {"ks": 0.1, "alibi-detect": 0.1, "chi2": 0.1, "psi": 0.2}
_SMALLEST_EXPECTED = 5.0


def tools(task: Task) -> tuple[Tool, ...]:
    """SciPy, or the library that the gate names."""
    own = task.config["tool"] == "alibi-detect"
    return (task.tool("alibi-detect") if own else task.tool("scipy", "drift"),)


def judge(task: Task) -> Outcome:
    """Every feature of both windows."""
    (tool,) = tools(task)
    windows = task.config["drift"]
    (reference, first), (current, second) = task.inputs.windows(windows)
    config = {
        "reference": str(reference),
        "current": str(current),
        "features": windows["features"],
        "tool": task.config["tool"],
        "alpha": task.config["alpha"],
    }
    report = task.run(tool, config)
    measures = judged(task.config, report)
    return Outcome(report["tool"], report["version"], "data", (first, second), measures, tool.digest)


def judged(config: dict[str, Any], report: dict[str, Any]) -> tuple[Measure, ...]:
    """What a report of either tool says of each feature, in the order of the spec."""
    names = config["drift"]["features"]
    dates = {
        f"{window} {end}": day
        for window, days in report.get("dates", {}).items()
        for end, day in zip(("from", "to"), days, strict=False)
    }
    return tuple(
        _feature(config, name, report["features"].get(name, {}), len(names), dates) for name in names
    )


def _feature(
    config: dict[str, Any], name: str, found: dict[str, Any], features: int, dates: dict[str, str]
) -> Measure:
    floor = config.get("atMost") or FLOORS[config["tool"]]
    if "break" in found:
        return measure(f"{name}: breaks of the schema", 1, "atMost", 0, remark=found["break"])
    rows = found.get("rows", [0, 0])
    samples = {"reference": rows[0], "current": rows[1]}
    missing = found.get("missing", [0.0, 0.0])
    if missing[1] - missing[0] >= floor:
        return measure(
            f"{name}: more missing values", missing[1] - missing[0], "atMost", floor, samples=samples
        )
    if found.get("distance") is None or (found.get("p") is None and config["tool"] != "psi"):
        doubt = f"`{name}` holds {found.get('kind', 'nothing')}, which {config['tool']} does not compare"
        return measure(name, None, "atMost", floor, doubt=doubt, samples=samples)
    alpha = config["alpha"] / features
    significant, needed = _power(config["tool"], found, rows, alpha)
    doubt = _doubt(found, floor, significant=significant, needed=needed)
    details: dict[str, float | str] = {**dates, "level": alpha}
    details |= {key: found[key] for key in ("p", "bins", "categories") if found.get(key) is not None}
    return measure(name, found["distance"], "atMost", floor, samples=samples, details=details, doubt=doubt)


def _power(tool: str, found: dict[str, Any], rows: list[int], alpha: float) -> tuple[bool, float]:
    """Whether chance does not explain the effect, and the smallest effect that would be significant on these rows."""
    n, m = rows
    if tool == "psi":
        needed = psi_critical(max(2, found["bins"]), n, m, alpha)
        return found["distance"] > needed, needed
    if tool == "chi2":
        needed = association_critical(max(2, found["categories"]), n, m, alpha)
    else:
        needed = ks_critical(n, m, alpha)
    return found["p"] < alpha, needed


def _doubt(found: dict[str, Any], floor: float, *, significant: bool, needed: float) -> str:
    """Why neither a pass nor a failure is to be believed; a significant effect at the floor is not doubted."""
    if found["distance"] > floor and significant:
        return ""
    if (
        found.get("smallestExpected", _SMALLEST_EXPECTED) < _SMALLEST_EXPECTED
        and found.get("categories", 2) > 1
    ):
        return "a category is expected fewer than five times"
    if needed > floor:
        return f"on so few rows only an effect above {needed:.3g} shows"
    return ""
