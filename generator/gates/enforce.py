"""Decides whether evidence allows rendering a plan: it must exist, match the model, be recent, and pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Final

from generator.gates.compare import key_for, mismatches, report_mismatches
from generator.gates.document import Evidence, configuration
from generator.plan.resolve import Planned
from generator.plan.values import Gate, Plan
from generator.source.finding import Finding, Place, Severity
from generator.spec.evidence import EvidenceEntry, EvidenceFile, Verdict

_SHOWN: Final = 12
_SKEW: Final = dt.timedelta(minutes=10)
_VERBS: Final[dict[Verdict, str]] = {"pass": "passed", "fail": "failed", "inconclusive": "is inconclusive"}


def evidence_findings(
    planned: Planned, evidence: Evidence, today: dt.date, others: Iterable[Plan] = ()
) -> list[Finding]:
    """Return why a plan may not be rendered, and which waivers allow it; nothing for tiers without `git` in `evidence`.

    Args:
        planned: the plan; its lock is valid.
        evidence: the evidence next to the spec.
        today: decides which waivers and which evidence have expired.
        others: the plans of the model in other environments, whose gates the evidence may cover as well.
    """
    plan = planned.plan
    if "git" not in plan.enforcement or not plan.gates:
        return []
    if evidence.findings:
        return list(evidence.findings)
    return sorted(_Enforcement(planned, evidence, today, tuple(others)).findings(), key=Finding.sort_key)


def verdict_findings(entries: Iterable[EvidenceEntry], evidence: Evidence) -> list[Finding]:
    """Return one finding per gate that just ran, for reports that also list passes."""
    codes: dict[Verdict, tuple[str, Severity]] = {
        "pass": ("EVID113", "info"),
        "fail": ("EVID108", "error"),
        "inconclusive": ("EVID109", "error"),
    }
    found = []
    for entry in entries:
        code, severity = codes[entry.verdict]
        hint = f"fix the cause, then: sluice gates run {evidence.model} --gate {entry.name}"
        if entry.verdict == "pass":
            hint = ""
        message = f"the gate `{entry.name}` {_VERBS[entry.verdict]}: {entry.reason}"
        found.append(Finding(code, severity, message, hint, Place(evidence.file), entry.name))
    return found


def future_findings(evidence: Evidence, now: dt.datetime) -> list[Finding]:
    """Return a finding for each gate that ended after this moment.

    Only for `gates check`: rendering reads no clock, and compares days.
    """
    found = []
    latest = (now + _SKEW).astimezone(dt.UTC)
    for entry in evidence.content.predicate.gates if evidence.content else ():
        if dt.datetime.fromisoformat(entry.end) > latest:
            message = (
                f"the evidence of the gate `{entry.name}`: it ended on {entry.end}, which is in the future"
            )
            hint = f"rerun it: sluice gates run {evidence.model} --gate {entry.name}"
            found.append(Finding("EVID114", "error", message, hint, Place(evidence.file), entry.name))
    return found


def report_findings(evidence: Evidence, plans: Iterable[Plan]) -> list[Finding]:
    """Return a finding for each report in the repository that contradicts the evidence, or is not what the gate read.

    Only for `gates check`: reports come and go with every run of a pipeline, and rendering must not depend on them.
    """
    found = []
    for entry in evidence.content.predicate.gates if evidence.content else ():
        for path in evidence.changed(entry, "report"):
            message = f"{path} changed after the gate `{entry.name}` had read it"
            hint = f"rerun it: sluice gates run {evidence.model} --gate {entry.name}"
            found.append(Finding("EVID112", "error", message, hint, Place(evidence.file), entry.name))
    for plan in plans:
        for gate in plan.gates:
            found += _reread(evidence, plan, gate)
    return found


def _reread(evidence: Evidence, plan: Plan, gate: Gate) -> Iterator[Finding]:
    """Yield a finding for what a passed gate's report in the repository does not say."""
    content = evidence.content
    for entry in content.predicate.gates if content else ():
        if (entry.name, entry.configuration, entry.verdict) != (gate.name, configuration(gate), "pass"):
            continue
        path = next((source.path for source in entry.sources if source.role == "report"), "")
        trusted = content and not any(mismatches(plan, gate, entry, content.predicate.sluice))
        if not trusted or path not in evidence.reports or evidence.changed(entry, "report"):
            continue
        for sentence in report_mismatches(plan, gate, entry, evidence.reports[path]):
            message = f"the evidence of the gate `{gate.name}`: {sentence}"
            hint = f"rerun it: sluice gates run {evidence.model} --gate {gate.name}"
            yield Finding("EVID114", "error", message, hint, Place(evidence.file), gate.name)


class _Enforcement:
    """The findings about one plan and its evidence."""

    def __init__(
        self, planned: Planned, evidence: Evidence, today: dt.date, others: tuple[Plan, ...]
    ) -> None:
        self.planned = planned
        self.plan = planned.plan
        self.plans = (planned.plan, *others)
        self.evidence = evidence
        self.today = today
        self.longest_days = planned.source.platform.tiers[self.plan.identity.tier].requires.evidence_age

    def findings(self) -> Iterator[Finding]:
        """Yield all findings: about the whole document, or else at most one per gate."""
        if self.evidence.content is None:
            unwaived = [gate for gate in self.plan.gates if not self._waived(gate)]
            if unwaived:
                names = ", ".join(f"`{gate.name}`" for gate in unwaived)
                yield self._finding("EVID104", f"no evidence yet for {names}")
            yield from (self._info(gate, "it has not run") for gate in self.plan.gates if self._waived(gate))
            return
        yield from self._whole() or self._gates()

    def _whole(self) -> list[Finding]:
        """Return what is wrong with the document as a whole."""
        content = self.evidence.content
        if content is None:
            return []
        subject = content.subject[0]
        name = f"{self.plan.identity.team}/{self.plan.identity.model}"
        if f"sha256:{subject.digest.sha256}" != self.plan.version.digest or subject.name != name:
            found = f"sha256:{subject.digest.sha256[:12]}…, the lock pins {self.plan.version.digest[:19]}…"
            return [
                self._finding("EVID105", f"it is about {found if subject.name == name else subject.name}")
            ]
        lock = self.planned.source.lock
        locked = {ref: data.digest for ref, data in lock.data.items()} if lock else {}
        if content.predicate.data != locked:
            refs = sorted(
                ref
                for ref in {*content.predicate.data, *locked}
                if content.predicate.data.get(ref) != locked.get(ref)
            )
            return [self._finding("EVID106", f"other data sets were locked since: {', '.join(refs)}")]
        return []

    def _gates(self) -> Iterator[Finding]:
        content = self.evidence.content
        if content is None:
            return
        found = {(e.name, e.configuration): e for e in content.predicate.gates}
        complete = True
        for gate in self.plan.gates:
            entry = found.get((gate.name, configuration(gate)))
            complete = complete and entry is not None
            for sentence in self._mismatches(gate, entry):
                yield self._finding("EVID114", f"the evidence of the gate `{gate.name}`: {sentence}", gate)
            problem = self._problem(gate, entry)
            if problem is None:
                continue
            code, message = problem
            yield self._info(gate, message) if self._waived(gate) else self._finding(code, message, gate)
        if complete:
            yield from self._keys(content)

    def _mismatches(self, gate: Gate, entry: EvidenceEntry | None) -> Iterator[str]:
        content = self.evidence.content
        if entry is None or content is None:
            return
        yield from mismatches(self.plan, gate, entry, content.predicate.sluice)
        days = (self.today - dt.date.fromisoformat(entry.end[:10])).days
        if days < -1:  # one day of tolerance: clocks and time zones differ
            yield f"it ended on {entry.end[:10]}, which is in the future"

    def _keys(self, content: EvidenceFile) -> Iterator[Finding]:
        """Check that the document is for the gates of this model, and for no others."""
        predicate = content.predicate
        known = {(gate.name, configuration(gate)) for plan in self.plans for gate in plan.gates}
        for entry in predicate.gates:
            if (entry.name, entry.configuration) not in known:
                yield self._finding("EVID114", f"the model has no gate `{entry.name}` as in its evidence")
                return
        keys = [key_for(plan, predicate) for plan in self.plans]
        if keys[0] not in predicate.gate_keys or not set(predicate.gate_keys) <= set(keys):
            shown = ", ".join(key[:_SHOWN] for key in predicate.gate_keys)
            message = f"the evidence is for the gate key {shown}, and the gates have {keys[0][:_SHOWN]}"
            yield self._finding("EVID114", message)

    def _problem(self, gate: Gate, entry: EvidenceEntry | None) -> tuple[str, str] | None:
        if entry is None:
            return "EVID107", self._other_configuration(gate)
        if entry.verdict != "pass":
            code = "EVID108" if entry.verdict == "fail" else "EVID109"
            return code, f"the gate `{gate.name}` {_VERBS[entry.verdict]}: {entry.reason}"
        age = self._age(entry)
        return ("EVID110", f"the gate `{gate.name}` ran {age}") if age else None

    def _other_configuration(self, gate: Gate) -> str:
        content = self.evidence.content
        others = [entry for entry in content.predicate.gates if entry.name == gate.name] if content else []
        suites = [path for entry in others for path in self.evidence.changed(entry, "suite")]
        if suites:
            return f"the gate `{gate.name}` ran before {suites[0]} changed"
        return f"the gate `{gate.name}` has not run with its current configuration"

    def _age(self, entry: EvidenceEntry) -> str:
        """Return when the gate ran if its verdict has expired; empty when it counts."""
        age = (self.today - dt.date.fromisoformat(entry.end[:10])).days
        if self.longest_days is None or age <= self.longest_days:
            return ""
        return f"{age} days ago; in the tier `{self.plan.identity.tier}` a verdict counts for {self.longest_days} days"

    def _waived(self, gate: Gate) -> bool:
        return gate.waiver is not None and gate.waiver.until >= self.today.isoformat()

    def _info(self, gate: Gate, reason: str) -> Finding:
        waiver = gate.waiver
        until = ""
        if waiver:
            until = f"approved {waiver.terms}"
        message = f"the gate `{gate.name}` is waived: {reason}"
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
        advice = hint or f"run it: sluice gates run {model}{only}"
        return Finding(code, severity, message, advice, Place(self.evidence.file), gate.name if gate else "")
