"""Attributions: whether the model still decides for the same reasons, by SHAP over samples of both windows."""

from __future__ import annotations

from typing import Any

from generator.gates.environments import Tool
from generator.gates.measures import measure
from generator.gates.outcome import NoVerdictError, Outcome
from generator.gates.task import Task
from generator.spec.evidence import Measure
from generator.stats.binomial import Interval

_FEWEST = 20


def tools(task: Task) -> tuple[Tool, ...]:
    """SHAP."""
    return (task.tool("shap"),)


def judge(task: Task) -> Outcome:
    """Attribute samples of both windows by the model of the lock."""
    (tool,) = tools(task)
    windows = task.config["explain"]
    model, artifact = task.inputs.artifact()
    (reference, first), (current, second) = task.inputs.windows(windows)
    framework = task.release.framework
    if framework not in {"sklearn", "xgboost", "lightgbm"}:
        raise NoVerdictError(f"attributions of {framework} models are not supported; use a custom gate")
    config = {
        "model": str(model),
        "framework": framework,
        "reference": str(reference),
        "current": str(current),
        "rows": task.config["rows"],
        "seed": task.config["seed"],
    }
    report = task.run(tool, config)
    found = judged(task.config, report)
    return Outcome(
        report["tool"], report["version"], "digest", (artifact, first, second), (found,), tool.digest
    )


def judged(config: dict[str, Any], report: dict[str, Any]) -> Measure:
    """What a report says of the distance between both windows."""
    interval = None
    if report["low"] is not None and report["high"] is not None:
        interval = Interval(report["low"], report["high"])
    few = min(report["rows"].values()) < _FEWEST
    return measure(
        "attribution distance",
        report["distance"],
        "atMost",
        config["atMost"],
        interval=interval,
        samples={**report["rows"], "seed": config["seed"]},
        parts=report["features"],
        details={"explainer": report["explainer"]},
        doubt=f"a window has fewer than {_FEWEST} rows" if few else "",
    )
