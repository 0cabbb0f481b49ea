"""The evidence document: canonical, sealed by digests, and fully checked when it is read.

A digest covers the canonical JSON of `generator.source.canonical`, which any program can recompute. Reading returns a
document or findings, whatever is in the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from generator.dataclass import dataclass
from generator.gates.errors import describe, first_error
from generator.gates.measures import contains_value, verdict_of, worst
from generator.gates.strict_json import parse_json
from generator.plan.gates import configuration_digest
from generator.plan.values import Gate
from generator.source.canonical import canonical_document, sha256_of
from generator.source.files import LIMIT, RefusedError, bytes_below, is_below
from generator.source.finding import Finding, Place
from generator.source.reader import display
from generator.spec.evidence import EvidenceEntry, EvidenceFile
from generator.spec.gates import RUN, CustomGate

R = TypeVar("R", bound=BaseModel)
_LOCAL: Final = frozenset({"suite", "report"})
_OWN: Final = CustomGate.kind  # its report is a temporary file, and its source names the program
LARGEST_SOURCE: Final = 64 << 20
_RUN_AGAIN: Final = "run `sluice gates run {model}` again; evidence is never edited by hand"


def digest_of(value: Any) -> str:
    """Return `sha256:…` of a plain JSON value."""
    return f"sha256:{sha256_of(value)}"


def configuration(gate: Gate) -> str:
    """Return the digest of a gate's configuration."""
    return configuration_digest(gate.config)


def plain(record: BaseModel) -> dict[str, Any]:
    """Return a record as plain JSON values, under the keys of its file."""
    return record.model_dump(mode="json", by_alias=True, exclude_none=False)


def own_digest(value: dict[str, Any]) -> str:
    """Return the digest of a mapping without its own key `digest`."""
    return digest_of({key: item for key, item in value.items() if key != "digest"})


def sealed(record: R) -> R:
    """Return the record with its key `digest` set to its own digest."""
    return record.model_copy(update={"digest": own_digest(plain(record))})


def evidence_bytes(content: EvidenceFile) -> bytes:
    """Return the bytes of the file."""
    return canonical_document(plain(content)).encode()


def contradictions(content: EvidenceFile) -> Iterator[tuple[str, str]]:
    """Yield the key path and a message for every contradiction in a document."""
    names: set[tuple[str, str]] = set()
    for index, entry in enumerate(content.predicate.gates):
        where = f"predicate.gates[{index}]"
        for sentence in entry_contradictions(entry):
            yield where, sentence
        if (entry.name, entry.configuration) in names:
            yield where, f"the gate `{entry.name}` has two entries"
        names.add((entry.name, entry.configuration))
    keys = content.predicate.gate_keys
    if keys != sorted(set(keys)):
        yield "predicate.gateKeys", "the gate keys are not in order, or one occurs twice"
    entries, created = content.predicate.gates, content.predicate.created
    if entries != sorted(entries, key=lambda entry: (entry.name, entry.configuration)):
        yield "predicate.gates", "the gates are not in order"
    if entries and created.start != min(entry.start for entry in entries):
        yield "predicate.created.start", "it is not the start of the first gate"
    if entries and created.end != max(entry.end for entry in entries):
        yield "predicate.created.end", "it is not the end of the last gate"


def entry_contradictions(entry: EvidenceEntry) -> Iterator[str]:
    """Yield a message for every contradiction in one entry, such as `pass` next to a number that fails."""
    if worst(measure.verdict for measure in entry.measures) != entry.verdict:
        yield f"the verdict of the gate `{entry.name}` does not follow from its measures"
    if entry.end < entry.start:
        yield f"the gate `{entry.name}` ended before it started"
    for measure in entry.measures:
        if not contains_value(measure):
            yield f"the interval of `{measure.name}` of the gate `{entry.name}` does not contain its value"
        if measure.verdict == "pass" and verdict_of(measure) != "pass":
            yield f"`{measure.name}` of the gate `{entry.name}` passed, although its number misses the threshold"


@dataclass
class Evidence:
    """The evidence of one model.

    Args:
        file: path for messages.
        model: team/model, for hints.
        content: the document; None when there is none, or it can't be trusted.
        findings: why it can't be trusted.
        exists: whether there is a file.
        present: current digest of every source in the repository, by path.
        reports: current bytes of every report in the repository, by path.
    """

    file: str
    model: str
    content: EvidenceFile | None = None
    findings: list[Finding] = field(default_factory=list)
    exists: bool = True
    present: dict[str, str] = field(default_factory=dict)
    reports: dict[str, bytes] = field(default_factory=dict)

    def reject(self, code: str, message: str, path: str = "") -> None:
        """Record why it can't be trusted."""
        hint = _RUN_AGAIN.format(model=self.model)
        self.findings.append(Finding(code, "error", message, hint, Place(self.file), path))

    def changed(self, entry: EvidenceEntry, role: str) -> list[str]:
        """Return the paths of an entry's sources whose content in the repository differs from what the gate read."""
        sources = (source for source in entry.sources if source.role == role)
        return [s.path for s in sources if self.present.get(s.path, s.digest) != s.digest]


class Sealed(Protocol):
    """A document in a file that may be missing, or that can't be trusted."""

    exists: bool

    def reject(self, code: str, message: str, path: str = "") -> None:
        """Add why it can't be trusted."""


def bytes_of(document: Sealed, code: str, path: Path, root: Path) -> bytes | None:
    """Return the bytes of a document's file; None if it is missing or, with a finding of this code, unreadable."""
    try:
        return bytes_below(root, path, LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        document.exists = False
    except RefusedError as error:
        document.reject(code, str(error.args[1]))
    except OSError as error:
        document.reject(code, f"this file can't be read: {error.strerror}")
    return None


def read_evidence(path: Path, root: Path, model: str) -> Evidence:
    """Read the evidence in a file.

    Args:
        path: the file.
        root: the repository; the path is shown relative to it.
        model: team/model.
    """
    evidence = Evidence(display(path, root), model)
    raw = bytes_of(evidence, "EVID101", path, root)
    if raw is None:
        return evidence
    parse_evidence(raw, evidence)
    if evidence.content is not None:
        _read_sources(evidence, evidence.content, path.parent, root)
    return evidence


def parse_evidence(raw: bytes, evidence: Evidence) -> None:
    """Fill in content or findings from the bytes of a file."""
    data = _json(raw, evidence)
    if data is None:
        return
    content = _content(data, evidence)
    if content is None:
        return
    _check_digests(data, evidence)
    if not evidence.findings and canonical_document(data).encode() != raw:
        evidence.reject("EVID101", "this file does not have the format that Sluice writes")
    for where, sentence in contradictions(content):
        evidence.reject("EVID103", sentence, where)
    if not evidence.findings:
        evidence.content = content


def _read_sources(evidence: Evidence, content: EvidenceFile, folder: Path, root: Path) -> None:
    """Read the digests of suites and reports in the places where gates search for them: next to the spec, then below.

    A source that is not a regular file there is refused whatever it contains, and without reading it.
    """
    for index, entry in enumerate(content.predicate.gates):
        for source in entry.sources:
            if source.role not in _LOCAL or entry.kind == _OWN or source.path.startswith(RUN):
                continue
            try:
                raw = _source(source.path, folder, root)
            except (RefusedError, OSError):
                message = f"a source of the gate `{entry.name}` is not a regular file below the repository: "
                message += source.path
                evidence.reject("EVID114", message, f"predicate.gates[{index}].sources")
                continue
            if raw is not None and source.role == "report":
                evidence.reports[source.path] = raw
            if raw is not None:
                evidence.present[source.path] = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if evidence.findings:
        evidence.content = None


def _source(name: str, folder: Path, root: Path) -> bytes | None:
    """Return the bytes of a source; None when the repository does not have it.

    Raises:
        RefusedError: it is not a regular file below the repository, or too large.
        OSError: it can't be read.
    """
    if not is_below(name):
        raise RefusedError("SRC102", "this file is not below the repository", "")
    for path in (folder / name, root / name):
        try:
            return bytes_below(root, path, LARGEST_SOURCE)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def _json(raw: bytes, evidence: Evidence) -> dict[str, Any] | None:
    try:
        data = parse_json(raw)
    except ValueError as error:
        evidence.reject("EVID101", f"this file is not valid JSON (truncated?): {error}")
        return None
    if not isinstance(data, dict):
        evidence.reject("EVID101", "this is not an evidence document")
        return None
    return data


def _content(data: Any, evidence: Evidence) -> EvidenceFile | None:
    try:
        return EvidenceFile.model_validate(data)
    except ValidationError as error:
        where, _ = first_error(error)
        evidence.reject("EVID101", f"this is not a valid evidence document: {describe(error)}", where)
        return None


def _check_digests(data: dict[str, Any], evidence: Evidence) -> None:
    """Check the digests of every entry and of the whole document."""
    for index, entry in enumerate(data["predicate"]["gates"]):
        if own_digest(entry) != entry["digest"]:
            message = f"the entry of the gate `{entry['name']}` was changed after it was written"
            evidence.reject("EVID102", message, f"predicate.gates[{index}]")
    if not evidence.findings and own_digest(data) != data["digest"]:
        evidence.reject("EVID102", "this document was changed after it was written")
