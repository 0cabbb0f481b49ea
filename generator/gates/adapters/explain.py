"""Attributions: whether the model still decides for the same reasons, from SHAP values of samples of both windows."""

from __future__ import annotations

from typing import Any

from generator.gates.adapters import Outcome, Task
from generator.gates.errors import NoVerdictError
from generator.gates.measures import measure
from generator.spec.evidence import Measure
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.gates import ExplainGate
from generator.stats.binomial import Interval

_FEWEST = 20


def run(task: Task) -> Outcome:
    """Compute attributions for samples of both windows with the locked model."""
    gate, framework = task.spec(ExplainGate), task.release.framework
    model, artifact = task.inputs.artifact()
    (reference, first), (current, second) = task.inputs.windows(gate.explain)
    if not FRAMEWORKS[framework].attributed:
        raise NoVerdictError(f"attributions of {framework} models are not supported; use a custom gate")
    config = {
        "model": str(model),
        "framework": framework,
        "reference": str(reference),
        "current": str(current),
        "rows": gate.rows,
        "seed": gate.seed,
    }
    report = task.report(gate.needs.programs[0], config)
    found = measure_from_report(gate, report.content)
    return Outcome.of(report, "digest", (artifact, first, second), (found,))


def measure_from_report(gate: ExplainGate, report: dict[str, Any]) -> Measure:
    """Return the distance between both windows."""
    interval = None
    if report["low"] is not None and report["high"] is not None:
        interval = Interval(report["low"], report["high"])
    few = min(report["rows"].values()) < _FEWEST
    return measure(
        "attribution distance",
        report["distance"],
        "atMost",
        gate.at_most,
        interval=interval,
        samples={**report["rows"], "seed": gate.seed},
        parts=report["features"],
        details={"explainer": report["explainer"]},
        doubt=f"a window has fewer than {_FEWEST} rows" if few else "",
    )
