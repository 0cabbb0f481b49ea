"""The model's own tests: a JUnit XML report, read as a stream with document types refused."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from xml.parsers import expat  # document types, and with them all entities, are refused below

from generator.gates.adapters import Outcome, Task
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import source_of
from generator.gates.measures import measure
from generator.spec.evidence import Measure
from generator.spec.gates import TestsGate

PROPERTY = "sluice.model"
_OUTCOMES = ("failure", "error", "skipped")


@dataclass
class Junit:
    """A report: every case once, and the totals that its suites claim.

    Args:
        cases: outcome by class and name of the case; `pass` unless an element says otherwise.
        claimed: attributes of the suites, summed.
        elements: number of elements of each outcome; a case that fails and then can't be torn down has two.
        models: digests that properties name.
        written: when the first suite ran, seconds since 1970; None when the report has no time.
    """

    cases: dict[tuple[str, str], str] = field(default_factory=dict)
    claimed: dict[str, int] = field(default_factory=dict)
    elements: Counter[str] = field(default_factory=Counter)
    models: list[str] = field(default_factory=list)
    written: float | None = None

    def count(self, outcome: str) -> int:
        """Return the number of cases with an outcome."""
        return sum(found == outcome for found in self.cases.values())


def run(task: Task) -> Outcome:
    """Check that enough tests ran and none of them failed."""
    gate = task.spec(TestsGate)
    path = task.inputs.file(gate.junit)
    report = parse(path.read_bytes())
    written = report.written if report.written is not None else path.stat().st_mtime
    binding = task.inputs.bind(report.models, written)
    measures = measures_from_report(gate, report)
    return Outcome("junit", "xml", binding, (source_of("report", gate.junit, path),), measures)


def measures_from_report(gate: TestsGate, report: Junit) -> tuple[Measure, ...]:
    """Return the tests that ran, against `atLeast`, and those that failed.

    Raises:
        NoVerdictError: no test was collected, all were skipped, or the report contradicts itself.
    """
    total, skipped = len(report.cases), report.count("skipped")
    if total == 0:
        raise NoVerdictError("no tests were collected")
    if skipped == total:
        raise NoVerdictError(f"all {total} tests were skipped")
    for outcome, attribute in (("failure", "failures"), ("error", "errors")):
        claimed = report.claimed.get(attribute, 0)
        if claimed != report.elements[outcome]:
            raise NoVerdictError(
                f"the report counts {claimed} {attribute} but holds {report.elements[outcome]}"
            )
    samples = {"tests": total, "skipped": skipped}
    broken = report.count("failure") + report.count("error")
    return (
        measure("tests that ran", total - skipped, "atLeast", gate.at_least, samples=samples),
        measure("tests that failed", broken, "atMost", 0, samples=samples),
    )


def parse(raw: bytes) -> Junit:
    """Return the cases of a report.

    Raises:
        NoVerdictError: it is not JUnit XML, is cut off, or declares a document type.
    """
    report = Junit()
    reader = _Reader(report)
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, ValueError) as error:
        raise NoVerdictError(f"the report is not valid JUnit XML (truncated?): {error}") from error
    if reader.root not in {"testsuites", "testsuite"}:
        raise NoVerdictError(f"the report is not JUnit XML: it starts with <{reader.root}>")
    return report


class _Reader:
    """A parser target that builds the report."""

    def __init__(self, report: Junit) -> None:
        self.report = report
        self.root = ""
        self.case: tuple[str, str] | None = None

    def doctype(self, *_: object) -> None:
        """Refuse document types: entities can expand without end, and a report needs none."""
        raise NoVerdictError("the report declares a document type; JUnit XML has none")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle an opening tag."""
        self.root = self.root or name
        if name == "testsuite":
            self._suite(attributes)
        elif name == "testcase":
            self.case = (attributes.get("classname", ""), attributes.get("name", ""))
            self.report.cases.setdefault(self.case, "pass")
        elif name in _OUTCOMES and self.case is not None:
            self.report.elements[name] += 1
            known = self.report.cases[self.case]
            self.report.cases[self.case] = min(known, name, key=(*_OUTCOMES, "pass").index)
        elif name == "property" and attributes.get("name") == PROPERTY:
            self.report.models.append(attributes.get("value", ""))

    def end(self, name: str) -> None:
        """Handle a closing tag."""
        if name == "testcase":
            self.case = None

    def _suite(self, attributes: dict[str, str]) -> None:
        for key in ("failures", "errors"):
            self.report.claimed[key] = self.report.claimed.get(key, 0) + int(attributes.get(key, 0))
        if self.report.written is None and "timestamp" in attributes:
            at = dt.datetime.fromisoformat(attributes["timestamp"])
            self.report.written = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()
