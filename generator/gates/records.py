"""Records of releases: read strictly, and compared with what an environment requires.

Absence reads as no: what a record does not say, it does not prove.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from generator.dataclass import dataclass
from generator.gates.document import bytes_of, own_digest, plain, sealed
from generator.gates.errors import describe, first_error
from generator.gates.strict_json import parse_json
from generator.source.canonical import canonical_document
from generator.source.finding import Finding, Place
from generator.source.reader import display
from generator.spec.quantities import minutes_up, share_down, time_span
from generator.spec.release_record import RecordFile, RecordVerdict

LEAST_POWER: Final = 0.5
"""Power below which a release counts as weak, if the platform does not require more."""
SKEW_S: Final = 600.0
"""Seconds that the clocks of two machines may differ by."""
_AGAIN: Final = (
    "run `sluice record {model} --env {environment} --cluster` again; a record is never edited by hand"
)
_CONFLICT: Final = (b"<<<<<<< ", b">>>>>>> ")
_BAD: Final = frozenset({"Failed", "Error"})
_ACCEPTED: Final = {
    "passed": frozenset({"passed"}),
    "weak": frozenset({"passed", "weak"}),
    "any": frozenset({"passed", "weak", "inconclusive"}),
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a record must show.

    Args:
        verdict: `passed`, or also `weak`, or any that is not an abort.
        min_power: the least power with the traffic that came (0..1); 0 for none.
        soak_s: seconds since the end of the release.
        max_age_s: largest number of seconds since its end; None for no limit.
    """

    verdict: Literal["passed", "weak", "any"] = "passed"
    min_power: float = 0.0
    soak_s: float = 0.0
    max_age_s: float | None = None


@dataclass(slots=True)
class ReadRecord:
    """A record next to a spec.

    Args:
        file: path for messages.
        model: team/model, for hints.
        content: the record; None when there is none, or it can't be trusted.
        findings: why it can't be trusted.
        exists: whether there is a file.
        environment: the environment that it must be about, for hints.
    """

    file: str
    model: str
    content: RecordFile | None = None
    findings: list[Finding] = field(default_factory=list)
    exists: bool = True
    environment: str = ""

    def reject(self, code: str, message: str, path: str = "") -> None:
        """Add why it can't be trusted."""
        hint = _AGAIN.format(model=self.model, environment=self.environment or "ENVIRONMENT")
        self.findings.append(Finding(code, "error", message, hint, Place(self.file), path))


def record_bytes(content: RecordFile) -> bytes:
    """Return the bytes of the file."""
    return canonical_document(plain(content)).encode()


def read_record(path: Path, root: Path, model: str, environment: str) -> ReadRecord:
    """Read the record in a file.

    Args:
        path: the file.
        root: the repository; the path is shown relative to it.
        model: team/model that it must be about.
        environment: the environment that it must be about.
    """
    record = ReadRecord(display(path, root), model, environment=environment)
    raw = bytes_of(record, "RECD101", path, root)
    return record if raw is None else parse_record(raw, record, environment)


def parse_record(raw: bytes, record: ReadRecord, environment: str) -> ReadRecord:
    """Fill in content or findings from the bytes of a file."""
    record.environment = environment
    if any(line.startswith(_CONFLICT) for line in raw.splitlines()):
        record.reject("RECD101", "this file has the markers of a merge conflict")
        return record
    try:
        data = parse_json(raw)
        content = RecordFile.model_validate(data)
    except ValidationError as error:
        record.reject("RECD101", f"this is not a valid record: {describe(error)}", first_error(error)[0])
        return record
    except ValueError as error:
        record.reject("RECD101", f"this file is not valid JSON (truncated?): {error}")
        return record
    if own_digest(data) != content.digest:
        record.reject("RECD102", "this record was changed after it was written")
    elif canonical_document(data).encode() != raw:
        record.reject("RECD101", "this file does not have the format that Sluice writes")
    for where, sentence in () if record.findings else contradictions(content, record.model, environment):
        record.reject("RECD103", sentence, where)
    if not record.findings:
        record.content = content
    return record


def contradictions(content: RecordFile, model: str, environment: str) -> Iterator[tuple[str, str]]:
    """Yield the key path and a message for everything in a record that the rest of it, or its name, contradicts."""
    subject = content.subject
    verdict, reasons = verdict_of(content)
    if (subject.model, subject.environment) != (model, environment):
        message = f"it is about {subject.model} in {subject.environment}, not about {model} in {environment}"
        yield "subject", message
    if (content.verdict, content.reasons) != (verdict, list(reasons)):
        yield "verdict", f"the verdict does not follow from the rest: that is {verdict}"
    yield from _contradictions_of_end(content)
    yield from _contradictions_of_runs(content)
    if content.power.seen != min(content.power.by_guard.values(), default=None):
        yield "power.seen", "it is not the smallest power among the guards"


def _contradictions_of_end(content: RecordFile) -> Iterator[tuple[str, str]]:
    if content.start and content.end < content.start:
        yield "end", "the release ended before it started"
    if content.first_release != (content.rollout.revision == 1):
        yield "firstRelease", "a first release has revision 1, and no other has"
    if content.aborted and content.current:
        yield "current", "an aborted release does not serve all requests"
    if content.phase != ("Degraded" if content.aborted else "Healthy"):
        yield "phase", "the phase does not fit how it ended"


def _contradictions_of_runs(content: RecordFile) -> Iterator[tuple[str, str]]:
    if content.runs != sorted(content.runs, key=lambda run: (run.start, run.name)):
        yield "runs", "the AnalysisRuns are not in order of time"
    if content.start != (content.runs[0].start if content.runs else None):
        yield "start", "it is not the start of the first AnalysisRun"
    skipped = content.steps.skipped
    if skipped != sorted(set(skipped)) or any(step >= content.steps.planned for step in skipped):
        yield "steps.skipped", "the skipped steps are not steps of this release, in order"
    if content.steps.promote_full and not skipped:
        yield "steps.promoteFull", "no step was skipped"


def verdict_of(content: RecordFile) -> tuple[RecordVerdict, tuple[str, ...]]:
    """Return the verdict of a release, and why it is not `passed`; the keys `verdict` and `reasons` are not read."""
    if content.aborted:
        ended = (f"{m.name}: {m.verdict}" for run in content.runs for m in run.metrics if m.verdict in _BAD)
        because = "; ".join(dict.fromkeys(ended))
        return "aborted", (f"it was aborted ({because})"[:500] if because else "it was aborted",)
    undecided = [run.name for run in content.runs if run.verdict == "Inconclusive"]
    if undecided:
        return "inconclusive", tuple(f"the AnalysisRun {name} was inconclusive" for name in undecided)
    reasons = (*_analysed(content), *_completed(content), *_powerful(content))
    return ("weak" if reasons else "passed"), reasons


def _analysed(content: RecordFile) -> Iterator[str]:
    """Yield why the analysis of a completed release proves little."""
    if content.first_release:
        yield "it was the first release: the controller skips steps and analysis"
    elif not any(metric.measurements for run in content.runs for metric in run.metrics):
        yield "nothing was analysed"
    for run in content.runs:
        if run.verdict in _BAD:
            yield f"the AnalysisRun {run.name} ended as {run.verdict}, and the release went on"
        for metric in run.metrics:
            if not metric.measurements:
                yield f"{metric.name} in the AnalysisRun {run.name} measured nothing"


def _completed(content: RecordFile) -> Iterator[str]:
    """Yield how a person cut a completed release short."""
    if content.steps.promote_full:
        yield "the rest of its steps was skipped at once (promote --full)"
    elif content.steps.skipped:
        yield f"steps were skipped or cut short: {', '.join(map(str, content.steps.skipped))}"[:500]


def _powerful(content: RecordFile) -> Iterator[str]:
    """Yield why a harmful version might have passed as well."""
    power = content.power
    if power.seen is not None and power.seen < power.least:
        yield f"its power with the traffic that came is {share_down(power.seen)}, less than {share_down(power.least)}"
    elif power.unknown and not content.first_release:
        yield f"its power is unknown: {power.unknown}"[:500]


def reasons_against(
    record: RecordFile | None, key: str, requirement: Requirement, now: dt.datetime
) -> tuple[str, ...]:
    """Return why a record does not prove a release; empty if it does.

    Args:
        record: the record; None if there is none that can be trusted.
        key: the release key that is to be proven.
        requirement: what the record must show.
        now: the current time, with a time zone.
    """
    if record is None:
        return ("there is no record",)
    return tuple(_against(record, key, requirement, now))


def _against(record: RecordFile, key: str, requirement: Requirement, now: dt.datetime) -> Iterator[str]:
    if not key or record.subject.release_key != key:
        has = record.subject.release_key or "none"
        yield f"the record is about another release: its key is {_short(has)}, not {_short(key)}"
    if not record.current and not record.aborted:
        yield "the release had been replaced when it was recorded"
    if record.verdict not in _ACCEPTED[requirement.verdict]:
        because = f" ({'; '.join(record.reasons)})" if record.reasons else ""
        yield f"its verdict is {record.verdict}{because}"
    if requirement.min_power and (record.power.seen is None or record.power.seen < requirement.min_power):
        seen = "unknown" if record.power.seen is None else share_down(record.power.seen)
        yield f"its power with the traffic that came is {seen}, and {share_down(requirement.min_power)} is required"
    age_s = (now - dt.datetime.fromisoformat(record.end)).total_seconds()
    if age_s < -SKEW_S:
        yield f"it ended on {record.end}, which is in the future"
    elif requirement.soak_s and age_s < requirement.soak_s:
        yield f"its soak of {time_span(requirement.soak_s)} ends in {minutes_up(requirement.soak_s - age_s)}"
    if requirement.max_age_s is not None and age_s > requirement.max_age_s:
        yield f"it ended {minutes_up(age_s)} ago, and may be at most {time_span(requirement.max_age_s)} old"


def _short(digest: str) -> str:
    return digest[:19]


def sealed_record(fields: dict[str, Any]) -> RecordFile:
    """Return a record with its verdict, its reasons and its digest.

    Args:
        fields: everything else, by the keys of the file.
    """
    whole = {
        "schema": "sluice/record/v1",
        **fields,
        "verdict": "passed",
        "reasons": [],
        "digest": "sha256:" + "0" * 64,
    }
    draft = RecordFile.model_validate(whole)
    verdict, reasons = verdict_of(draft)
    return sealed(draft.model_copy(update={"verdict": verdict, "reasons": list(reasons)}))
