"""Whether evidence lets a plan be rendered: it must be there, about this model and configuration, recent, and pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Final

from generator.gates.canonical import configuration
from generator.gates.document import Evidence, changed
from generator.plan.resolve import Planned
from generator.plan.values import Gate
from generator.source.finding import Finding, Place, Severity
from generator.spec.evidence import Entry, Verdict

CODES: Final = {
    "EVID101": "the evidence can't be read as it was written",
    "EVID102": "the evidence was changed after it was made",
    "EVID103": "the evidence contradicts itself",
    "EVID104": "there is no evidence",
    "EVID105": "the evidence is about another model",
    "EVID106": "the evidence is about other data",
    "EVID107": "a gate was not judged with this configuration",
    "EVID108": "a gate failed",
    "EVID109": "a gate is inconclusive",
    "EVID110": "the evidence is too old",
    "EVID111": "a gate is waived",
    "EVID112": "a report changed after it was judged",
    "EVID113": "a gate passed",
}
"""Every code of this module and of `generator.gates.document`, with what it finds."""

_SAID: Final[dict[Verdict, str]] = {"pass": "passed", "fail": "failed", "inconclusive": "is inconclusive"}


def evidence_findings(planned: Planned, evidence: Evidence, today: dt.date) -> list[Finding]:
    """Why a plan may not be rendered, and which waivers let it be; nothing for tiers without `git` in `evidence`.

    Args:
        planned: the plan; its lock is valid.
        evidence: the evidence beside the spec.
        today: waivers end, evidence ages.
    """
    plan = planned.plan
    if "git" not in plan.enforcement or not plan.gates:
        return []
    if evidence.findings:
        return list(evidence.findings)
    return sorted(_Judge(planned, evidence, today).findings(), key=Finding.sort_key)


def verdict_findings(entries: Iterable[Entry], evidence: Evidence) -> list[Finding]:
    """What gates just said, one finding a gate: for reports that name what passed as well."""
    codes: dict[Verdict, tuple[str, Severity]] = {
        "pass": ("EVID113", "info"),
        "fail": ("EVID108", "error"),
        "inconclusive": ("EVID109", "error"),
    }
    found = []
    for entry in entries:
        code, severity = codes[entry.verdict]
        hint = (
            ""
            if severity == "info"
            else f"then run it: sluice gates run {evidence.model} --gate {entry.name}"
        )
        message = f"the gate `{entry.name}` {_SAID[entry.verdict]}: {entry.reason}"
        found.append(Finding(code, severity, message, hint, Place(evidence.file), entry.name))
    return found


def report_findings(evidence: Evidence) -> list[Finding]:
    """Reports that lie in the repository with another content than was judged.

    Only `gates check` asks: reports come and go with every run of a pipeline, and rendering must not depend on them.
    """
    found = []
    for entry in evidence.content.predicate.gates if evidence.content else ():
        for path in changed(entry, evidence, "report"):
            message = f"the gate `{entry.name}` was judged from {path}, which has changed since"
            hint = f"run it: sluice gates run {evidence.model} --gate {entry.name}"
            found.append(Finding("EVID112", "error", message, hint, Place(evidence.file), entry.name))
    return found


class _Judge:
    """One plan and its evidence."""

    def __init__(self, planned: Planned, evidence: Evidence, today: dt.date) -> None:
        self.planned = planned
        self.plan = planned.plan
        self.evidence = evidence
        self.today = today
        self.longest_days = planned.written.platform.tiers[self.plan.identity.tier].requires.evidence_age

    def findings(self) -> Iterator[Finding]:
        """Everything, one finding a gate at most once the document is about this model and these data."""
        if self.evidence.content is None:
            unwaived = [gate for gate in self.plan.gates if not self._waived(gate)]
            if unwaived:
                names = ", ".join(f"`{gate.name}`" for gate in unwaived)
                yield self._finding("EVID104", f"nothing was judged yet: {names}")
            yield from (
                self._info(gate, "it was not judged") for gate in self.plan.gates if self._waived(gate)
            )
            return
        yield from self._whole() or self._gates()

    def _whole(self) -> list[Finding]:
        """What is wrong with the document as a whole."""
        content = self.evidence.content
        if content is None:
            return []
        subject = content.subject[0]
        name = f"{self.plan.identity.team}/{self.plan.identity.model}"
        if f"sha256:{subject.digest.sha256}" != self.plan.version.digest or subject.name != name:
            said = f"it judges sha256:{subject.digest.sha256[:12]}…, the lock pins {self.plan.version.digest[:19]}…"
            return [self._finding("EVID105", said if subject.name == name else f"it is about {subject.name}")]
        lock = self.planned.written.lock
        locked = {ref: data.digest for ref, data in lock.data.items()} if lock else {}
        if content.predicate.data != locked:
            refs = sorted(
                ref
                for ref in {*content.predicate.data, *locked}
                if content.predicate.data.get(ref) != locked.get(ref)
            )
            return [self._finding("EVID106", f"other data were locked since: {', '.join(refs)}")]
        return []

    def _gates(self) -> Iterator[Finding]:
        content = self.evidence.content
        found = {(e.name, e.configuration): e for e in content.predicate.gates} if content else {}
        for gate in self.plan.gates:
            problem = self._problem(gate, found.get((gate.name, configuration(gate))))
            if problem is None:
                continue
            code, said = problem
            yield self._info(gate, said) if self._waived(gate) else self._finding(code, said, gate)

    def _problem(self, gate: Gate, entry: Entry | None) -> tuple[str, str] | None:
        if entry is None:
            return "EVID107", self._unjudged(gate)
        if entry.verdict != "pass":
            code = "EVID108" if entry.verdict == "fail" else "EVID109"
            return code, f"the gate `{gate.name}` {_SAID[entry.verdict]}: {entry.reason}"
        said = self._age(entry)
        return ("EVID110", f"the gate `{gate.name}` was judged {said}") if said else None

    def _unjudged(self, gate: Gate) -> str:
        content = self.evidence.content
        others = [entry for entry in content.predicate.gates if entry.name == gate.name] if content else []
        suites = [path for entry in others for path in changed(entry, self.evidence, "suite")]
        if suites:
            return f"the gate `{gate.name}` was judged before {suites[0]} changed"
        return f"the gate `{gate.name}` was not judged as it is configured now"

    def _age(self, entry: Entry) -> str:
        """Why a verdict does not count any more, or not yet; empty when it does."""
        age = (self.today - dt.date.fromisoformat(entry.end[:10])).days
        if self.longest_days is None or -1 <= age <= self.longest_days:  # a day apart: clocks differ
            return ""
        if age < 0:
            return f"on {entry.end[:10]}, which is still to come"
        return f"{age} days ago; the tier `{self.plan.identity.tier}` lets it count for {self.longest_days}"

    def _waived(self, gate: Gate) -> bool:
        return gate.waiver is not None and gate.waiver.until >= self.today.isoformat()

    def _info(self, gate: Gate, said: str) -> Finding:
        waiver = gate.waiver
        until = f"`{waiver.approved_by}` approved it until {waiver.until}: {waiver.reason}" if waiver else ""
        message = f"the gate `{gate.name}` is waived: {said}"
        return self._finding("EVID111", message, gate, severity="info", hint=until)

    def _finding(
        self,
        code: str,
        message: str,
        gate: Gate | None = None,
        *,
        severity: Severity = "error",
        hint: str = "",
    ) -> Finding:
        model = f"{self.plan.identity.team}/{self.plan.identity.model}"
        only = f" --gate {gate.name}" if gate else ""
        again = hint or f"run it: sluice gates run {model}{only}"
        return Finding(code, severity, message, again, Place(self.evidence.file), gate.name if gate else "")
