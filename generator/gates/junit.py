"""Reads JUnit XML reports, whose dialects differ: what is unknown in a report makes it inconclusive.

The format has no standard. Elements, and the places in which they may be, are those that pytest, Maven Surefire,
Gradle, GoogleTest, Jest, Node.js and go-junit-report write. A count of a suite, or of the whole report, must be
explained by elements below it. Document types are refused, and with them all entities.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import field
from typing import Final
from xml.parsers import expat  # document types are refused below

from generator.dataclass import dataclass
from generator.gates.errors import NoVerdictError
from generator.gates.metrics_file import letters

PROPERTY: Final = "sluice.model"
_OUTCOMES: Final = ("failure", "error", "skipped")
_TEXTS: Final = frozenset({"system-out", "system-err"})
_CHILDREN: Final = {
    "": frozenset({"testsuites", "testsuite"}),
    "testsuites": frozenset({"testsuite", "testcase", "properties"}) | _TEXTS,
    "testsuite": frozenset({"testsuite", "testcase", "properties"}) | _TEXTS,
    "testcase": frozenset({*_OUTCOMES, "properties"}) | _TEXTS,
    "properties": frozenset({"property"}),
}
_COUNTS: Final = {
    "failures": "failure",
    "errors": "error",
    "skipped": "skipped",
    "disabled": "disabled",
    "tests": "",
}
_PASSED: Final = "passed"
_NEUTRAL: Final = frozenset(
    {"id", "assertions", "time", "timestamp", "line", "version", "retries", "iterations", "seed"}
    | {"random_seed", "package", "file", "group", "duration", "uuid", "port", "timeout"}
)
"""Attributes of suites that may be numbers without counting something that went wrong."""
_STATES: Final = frozenset(
    {"status", "result", "outcome", "state", "verdict", "conclusion", "success", "successful", "completed"}
    | {"executed", "ran", "run", "passed"}
)
"""Attributes that say how a case, or a whole suite, ended."""
_RAN: Final = frozenset(
    {"", "run", "passed", "pass", "success", "successful", "ok", "completed", "executed", "true"}
)
_NOT_RUN: Final = frozenset({"notrun", "suppressed", "skipped", "disabled", "ignored", "pending", "todo"})
_BROKEN: Final = re.compile(r"fail|error|broken|crash|abort|skip|not_?run|ignored|disabled", re.IGNORECASE)
"""Names of attributes for what went wrong or did not run."""
_NOTHING: Final = re.compile(r"(?:0+(?:\.0*)?|false|no|none)?", re.IGNORECASE)
_FARTHEST_EAST_S: Final = 14 * 3600
_NUMBER: Final = re.compile(r"[-+]?\d[\d.,_]*")


@dataclass
class Suite:
    """A suite, or the whole report.

    Args:
        name: its name, for messages.
        claimed: its counts by attribute.
        own: number of elements directly in it: of each outcome, of cases that did not run, and of cases under the
            empty name.
        below: the same in suites inside it.
    """

    name: str
    claimed: dict[str, int] = field(default_factory=dict)
    own: Counter[str] = field(default_factory=Counter)
    below: Counter[str] = field(default_factory=Counter)

    def check(self) -> None:
        """Check that elements explain every count; suites count those of suites inside them, or only their own.

        Raises:
            NoVerdictError: they do not.
        """
        total = self.own + self.below
        for attribute, claimed in self.claimed.items():
            outcome = _COUNTS.get(attribute, attribute)
            if attribute == "disabled" and claimed <= total["disabled"] + total["skipped"]:
                continue
            # pytest counts a test that passes and then can't be torn down twice.
            if attribute == "tests" and total[""] < claimed <= total[""] + total["error"]:
                continue
            if claimed not in {total[outcome], self.own[outcome]}:
                holds = f"holds {total[outcome]}"
                raise NoVerdictError(f"the report counts {claimed} {attribute} in {self.name} but {holds}")


@dataclass
class Junit:
    """A report: every case once.

    Args:
        cases: outcome by class and name of the case; `pass` unless an element or an attribute says otherwise.
        models: digests that properties name.
        written: when the first suite ran, seconds since 1970; None when the report has no time.
        latest: when the last suite ran at the earliest, in whatever time zone.
    """

    cases: dict[tuple[str, str], str] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    written: float | None = None
    latest: float = 0.0

    def count(self, outcome: str) -> int:
        """Return the number of cases with an outcome."""
        return sum(found == outcome for found in self.cases.values())


def parse(raw: bytes) -> Junit:
    """Return the cases of a report.

    Raises:
        NoVerdictError: it is not JUnit XML, is cut off, contradicts itself, or contains something unknown.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(raw, True)
    except (
        expat.ExpatError,
        ValueError,
        LookupError,
    ) as error:  # LookupError: a codec that is not one of text
        raise NoVerdictError(f"the report is not valid JUnit XML (truncated?): {error}") from error
    return reader.report


class _Reader:
    """A parser target that builds the report."""

    def __init__(self) -> None:
        self.report = Junit()
        self.path: list[str] = []
        self.suites: list[Suite] = []
        self.case: tuple[str, str] | None = None
        self.unexplained = ""
        self.went_wrong = False

    def doctype(self, *_: object) -> None:
        """Refuse document types: entities can expand without end, and a report needs none."""
        raise NoVerdictError("the report declares a document type; JUnit XML has none")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle an opening tag."""
        parent = self.path[-1] if self.path else ""
        if name not in _CHILDREN.get(parent, frozenset()):
            where = f"in <{parent}>" if parent else "at the top"
            raise NoVerdictError(
                f"the report is not JUnit XML that is known: it has <{_shown(name)}> {where}"
            )
        self.path.append(name)
        if name in {"testsuites", "testsuite"}:
            self._suite(name, attributes)
        elif name == "testcase":
            self._case(attributes)
        elif name in _OUTCOMES:
            self._outcome(name)
        elif name == "property":
            self._property(attributes)

    def text(self, content: str) -> None:
        """Refuse text between elements: it may say how a test ended."""
        parent = self.path[-1] if self.path else ""
        if parent in _CHILDREN and content.strip():
            raise NoVerdictError(f"the report has text in <{parent}>: {_shown(content.strip())}")

    def end(self, name: str) -> None:
        """Handle a closing tag."""
        self.path.pop()
        if name == "testcase":
            if self.unexplained:
                raise NoVerdictError(
                    f"a test has the state `{_shown(self.unexplained)}`, and no element explains it"
                )
            self.suites[-1].own[_PASSED] += not self.went_wrong
            self.case = None
        elif name in {"testsuites", "testsuite"}:
            suite = self.suites.pop()
            suite.check()
            if self.suites:
                self.suites[-1].below += suite.own + suite.below

    def _suite(self, name: str, attributes: dict[str, str]) -> None:
        shown = attributes.get("name", "")
        suite = Suite(f"the suite `{_shown(shown)}`" if shown else f"<{name}>")
        for key, text in attributes.items():
            known = _count_name(key)
            if known:
                suite.claimed[known] = _whole(key, text)
            elif not _is_neutral(key) and _is_unknown_count(key, text):
                raise NoVerdictError(f"{suite.name} has an unknown count: {_shown(key)}={_shown(text)}")
            elif key.casefold() in _STATES and text.casefold() not in _RAN:
                raise NoVerdictError(f"{suite.name} has the state {_shown(key)}={_shown(text)}")
        if "timestamp" in attributes:
            written, earliest = _moment(attributes["timestamp"])
            self.report.written = min(written, self.report.written or written)
            self.report.latest = max(earliest, self.report.latest)
        self.suites.append(suite)

    def _case(self, attributes: dict[str, str]) -> None:
        self.case = (attributes.get("classname", ""), attributes.get("name", ""))
        self.suites[-1].own[""] += 1
        self.report.cases.setdefault(self.case, "pass")
        states = {_state(key, text) for key, text in attributes.items() if key.casefold() in _STATES}
        unknown = states - _RAN - _NOT_RUN
        for key, text in attributes.items():
            if not _is_neutral(key) and key.casefold() not in _STATES and _BROKEN.search(key):
                unknown |= set() if _NOTHING.fullmatch(text) else {f"{key}={text}"}
        self.unexplained = ", ".join(sorted(unknown))
        self.went_wrong = bool(states & _NOT_RUN)
        if self.went_wrong:
            self.suites[-1].own["disabled"] += 1
            self._record("skipped")

    def _outcome(self, name: str) -> None:
        self.suites[-1].own[name] += 1
        # A test that failed is not explained by being skipped.
        if name != "skipped" or not _BROKEN.search(self.unexplained):
            self.unexplained = ""
        self.went_wrong = True
        self._record(name)

    def _record(self, outcome: str) -> None:
        """Keep the worst outcome of a case; a case that fails and then can't be torn down has two."""
        if self.case is not None:
            known = self.report.cases[self.case]
            self.report.cases[self.case] = min(known, outcome, key=(*_OUTCOMES, "pass").index)

    def _property(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        if unknown := attributes.keys() - {"name", "value"}:
            raise NoVerdictError(f"a property has the unknown attribute `{_shown(min(unknown))}`")
        if name != PROPERTY and letters(name).replace(".", "") == PROPERTY.replace(".", ""):
            raise NoVerdictError(f"the report has the property `{_shown(name)}`: is it `{PROPERTY}`?")
        if name == PROPERTY:
            self.report.models.append(attributes.get("value", ""))


def _count_name(key: str) -> str:
    """Return the attribute that a key is, whatever its case; empty for other keys."""
    folded = key.casefold()
    return folded if folded in _COUNTS or folded == _PASSED else ""


def _is_neutral(key: str) -> bool:
    return key.casefold() in _NEUTRAL or key.startswith("xmlns") or key.endswith(("name", "-id"))


def _state(key: str, text: str) -> str:
    """Return the state that an attribute of a case gives."""
    state = text.casefold()
    return "notrun" if key.casefold() in {"executed", "ran", "run"} and state == "false" else state


def _is_unknown_count(key: str, text: str) -> bool:
    """Return whether an attribute of a suite counts something, in whatever form, and it is not nothing."""
    if _BROKEN.search(key):
        return not _NOTHING.fullmatch(text)
    return bool(_NUMBER.fullmatch(text) and text.strip("0.,"))


def _whole(key: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text.strip()):
        raise NoVerdictError(f"the report has {_shown(key)}={_shown(text)}, which is not a count")
    return int(text)


def _moment(text: str) -> tuple[float, float]:
    """Return a time as if it were UTC, and the earliest that it can be, in seconds since 1970."""
    at = dt.datetime.fromisoformat(re.sub(" (?:UTC|GMT)$", "+00:00", text))  # TestNG
    if at.tzinfo:
        return at.timestamp(), at.timestamp()
    utc = at.replace(tzinfo=dt.UTC).timestamp()
    return utc, utc - _FARTHEST_EAST_S


def _shown(text: str) -> str:
    return text[:60]
