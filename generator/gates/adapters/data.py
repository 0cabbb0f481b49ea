"""Checks data with a Great Expectations suite, which must be evaluated in full and met."""

from __future__ import annotations

from typing import Any

from generator.gates.adapters import Claim, Expected, ExpectedSource, Outcome, Task, count, sample
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import source_of
from generator.gates.measures import measure
from generator.gates.sources import notes_of, read_sources, stated_notes
from generator.plan.gates import suite_digest
from generator.spec.evidence import Measure
from generator.spec.gate_data import named
from generator.spec.gate_tools import ENGINE
from generator.spec.gates import DataGate

_SHOWN = 5
_EVALUATED, _UNMET = "expectations evaluated", "expectations not met"


def run(task: Task) -> Outcome:
    """Evaluate the suite over the data set."""
    gate = task.spec(DataGate)
    suite = task.inputs.file(gate.data.suite)
    source = source_of("suite", gate.data.suite, suite)
    if source.digest != (suite_digest(task.gate) or source.digest):
        raise NoVerdictError(
            f"{gate.data.suite} is not the suite of the repository: its digest is {source.digest[:19]}…"
        )
    program, current = gate.needs.programs[-1], gate.data.current
    config: dict[str, Any] = {"suite": str(suite)}
    if not gate.needs.engine and program.tool != ENGINE:
        path, data = task.inputs.data(named(current))
        report = task.report(program, {**config, "current": str(path)})
        return Outcome.of(report, "data", (data, source), measures_from_report(report.content))
    with read_sources(task, {"current": current}, ()) as found:
        report = task.report(program, {**config, **found.config, "source": found.config["current"]})
    notes = {**found.notes, **notes_of(report.content)}
    measures = measures_from_report({**report.content, "notes": notes})
    return Outcome.of(report, "data", (*found.sources, source), measures)


def expected(claim: Claim) -> Expected:
    """Return what an entry that passed must contain: every expectation was met."""
    gate = claim.spec(DataGate)
    evaluated, unmet = claim.measure(_EVALUATED), claim.measure(_UNMET)
    report = {
        "rows": sample(evaluated, "rows"),
        "evaluated": count(evaluated.value, _EVALUATED),
        "unsuccessful": count(unmet.value, _UNMET),
        "success": True,
        "unmet": (),
        "notes": stated_notes(evaluated),
    }
    suite = ExpectedSource("suite", gate.data.suite, suite_digest(claim.gate))
    sources = (claim.locked(gate.data.current), suite)
    return Expected.by(gate.needs.programs[-1], {"data"}, sources, measures_from_report(report))


def measures_from_report(report: dict[str, Any]) -> tuple[Measure, ...]:
    """Return the expectations that were evaluated, and those that were not met.

    Raises:
        NoVerdictError: nothing was evaluated, or the report contradicts itself.
    """
    evaluated, unsuccessful, unmet = report["evaluated"], report["unsuccessful"], report["unmet"]
    if evaluated < 1:
        raise NoVerdictError("the suite has no expectations")
    if report["rows"] < 1 or unsuccessful > evaluated:
        raise NoVerdictError("the validation contradicts itself: it has no rows, or too few expectations")
    if report["success"] != (unsuccessful == 0) or unsuccessful != len(unmet):
        raise NoVerdictError(
            "the validation contradicts itself: its success does not follow from its statistics"
        )
    samples = {"rows": report["rows"], "expectations": evaluated}
    parts = {
        _label(item): {"unexpected": item["unexpected"], "raised": int(item["raised"])} for item in unmet
    }
    named = ", ".join(list(parts)[:_SHOWN])
    return (
        measure(_EVALUATED, evaluated, "atLeast", 1, samples=samples, details=report.get("notes")),
        measure(_UNMET, unsuccessful, "atMost", 0, samples=samples, parts=parts, remark=named),
    )


def _label(item: dict[str, Any]) -> str:
    return f"{item['type']}({item['column']})"
