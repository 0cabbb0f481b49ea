"""The model's own tests: a JUnit XML report."""

from __future__ import annotations

from generator.gates.adapters import Claim, Expected, ExpectedSource, Outcome, Task, count, sample
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import read_report, text_source
from generator.gates.junit import Junit, parse
from generator.gates.measures import measure
from generator.spec.evidence import Measure
from generator.spec.gates import TestsGate

_RAN, _FAILED = "tests that ran", "tests that failed"


def run(task: Task) -> Outcome:
    """Check that enough tests ran and none of them failed."""
    gate = task.spec(TestsGate)
    path, raw = read_report(task.inputs, gate.junit)
    report = parse(raw)
    task.inputs.check_past(report.latest)
    written = report.written if report.written is not None else path.stat().st_mtime
    binding = task.inputs.bind(report.models, written)
    measures = measures_from_report(gate, report)
    return Outcome("junit", "xml", binding, (text_source("report", gate.junit, raw),), measures)


def expected(claim: Claim) -> Expected:
    """Return what an entry that passed must contain: enough tests ran, and none failed."""
    gate = claim.spec(TestsGate)
    ran, failed = claim.measure(_RAN), claim.measure(_FAILED)
    total, skipped = sample(ran, "tests"), sample(ran, "skipped")
    measures = _counted(gate, total, skipped, count(failed.value, _FAILED))
    source = ExpectedSource("report", gate.junit, None)

    def reread(raw: bytes) -> tuple[list[str], tuple[Measure, ...]]:
        report = parse(raw)
        return report.models, measures_from_report(gate, report)

    return Expected("junit", "xml", frozenset({"digest", "time"}), (source,), measures, reread=reread)


def measures_from_report(gate: TestsGate, report: Junit) -> tuple[Measure, ...]:
    """Return the tests that ran, against `atLeast`, and those that failed.

    Raises:
        NoVerdictError: no test was collected, or all were skipped.
    """
    broken = report.count("failure") + report.count("error")
    return _counted(gate, len(report.cases), report.count("skipped"), broken)


def _counted(gate: TestsGate, total: int, skipped: int, broken: int) -> tuple[Measure, ...]:
    if total == 0:
        raise NoVerdictError("no tests were collected")
    if skipped >= total:
        raise NoVerdictError(f"all {total} tests were skipped")
    samples = {"tests": total, "skipped": skipped}
    return (
        measure(_RAN, total - skipped, "atLeast", gate.at_least, samples=samples),
        measure(_FAILED, broken, "atMost", 0, samples=samples),
    )
