"""Attributions: whether the model still decides for the same reasons, from SHAP values of samples of both windows."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from generator.gates.adapters import Claim, Expected, ExpectedSource, Outcome, Task, sample
from generator.gates.errors import NoVerdictError
from generator.gates.measures import measure
from generator.gates.sources import read_windows, stated_notes
from generator.spec.evidence import Measure
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.gates import ExplainGate
from generator.stats.binomial import Interval

_FEWEST: Final = 20
_NAME: Final = "attribution distance"
_WINDOWS: Final = ("reference", "current")
_EXPLAINER: Final = re.compile(r"[A-Za-z]{1,40}")
_TREES: Final = ("TreeExplainer", frozenset({"xgboost", "lightgbm"}))
_SUM: Final = 1e-6


def run(task: Task) -> Outcome:
    """Compute attributions for samples of both windows with the locked model."""
    gate, framework = task.spec(ExplainGate), task.release.framework
    model, artifact = task.inputs.artifact()
    if framework not in FRAMEWORKS or not FRAMEWORKS[framework].attributed:
        raise NoVerdictError(f"attributions of {framework} models are not supported; use a custom gate")
    config = {
        "model": str(model),
        "framework": framework,
        "rows": gate.rows,
        "seed": gate.seed,
    }
    with read_windows(task, gate.explain, ()) as windows:
        report = task.report(gate.needs.programs[-1], {**config, **windows.config})
    found = measure_from_report(gate, {**report.content, "notes": windows.notes})
    return Outcome.of(report, "digest", (artifact, *windows.sources), (found,))


def expected(claim: Claim) -> Expected:
    """Return what an entry that passed must contain; the distance follows from the attributions of both windows."""
    gate = claim.spec(ExplainGate)
    stated = claim.measure(_NAME)
    if stated.interval is None:
        raise NoVerdictError(f"`{_NAME}` has no interval")
    rows = {window: sample(stated, window) for window in _WINDOWS}
    if max(rows.values()) > gate.rows:
        raise NoVerdictError(f"it used more rows than the {gate.rows:,} of the spec")
    report = {
        "low": stated.interval.low,
        "high": stated.interval.high,
        "rows": rows,
        "distance": _distance(stated),
        "features": stated.parts,
        "explainer": _explainer(stated, claim.framework),
        "notes": stated_notes(stated),
    }
    sources = (
        ExpectedSource("model", *claim.model),
        *map(claim.locked, (gate.explain.reference, gate.explain.current)),
    )
    measures = (measure_from_report(gate, report),)
    return Expected.by(gate.needs.programs[-1], {"digest"}, sources, measures)


def _distance(stated: Measure) -> float:
    """Return half the L1 distance between the attributions of both windows, each of which adds up to 1."""
    if not stated.parts or any(part.keys() != set(_WINDOWS) for part in stated.parts.values()):
        raise NoVerdictError("it lacks attributions of both windows")
    shares = [[part[window] for part in stated.parts.values()] for window in _WINDOWS]
    if any(min(window) < 0 or abs(sum(window) - 1) > _SUM for window in shares):
        raise NoVerdictError("its attributions do not add up to 1")
    return math.fsum(abs(one - other) for one, other in zip(*shares, strict=True)) / 2


def _explainer(stated: Measure, framework: str) -> str:
    """Return the explainer, which is that of trees for models of trees."""
    found = stated.details.get("explainer")
    explainer, frameworks = _TREES
    if not isinstance(found, str) or not _EXPLAINER.fullmatch(found):
        raise NoVerdictError("it does not name its explainer")
    if framework in frameworks and found != explainer:
        raise NoVerdictError(f"models of {framework} are explained by {explainer}, not {found}")
    return found


def measure_from_report(gate: ExplainGate, report: dict[str, Any]) -> Measure:
    """Return the distance between both windows."""
    interval = None
    if report["low"] is not None and report["high"] is not None:
        interval = Interval(report["low"], report["high"])
    few = min(report["rows"].values()) < _FEWEST
    return measure(
        _NAME,
        report["distance"],
        "atMost",
        gate.at_most,
        interval=interval,
        samples={**report["rows"], "seed": gate.seed},
        parts=report["features"],
        details={**report.get("notes", {}), "explainer": report["explainer"]},
        doubt=f"a window has fewer than {_FEWEST} rows" if few else "",
    )
