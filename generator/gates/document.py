"""Reads evidence: whatever the file holds, the answer is a document or findings, never a traceback."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.gates.canonical import canonical_text, own_digest, plain
from generator.gates.consistency import contradictions
from generator.gates.form import first_flaw, flaw_text
from generator.source.files import RefusedError, regular_bytes
from generator.source.finding import Finding, Place
from generator.source.reader import display
from generator.spec.evidence import Entry, EvidenceFile

_LOCAL = {"suite", "report"}
AGAIN = "run `sluice gates run {model}` again; evidence is never edited by hand"


@dataclass
class Evidence:
    """The evidence of one model.

    Args:
        file: path as the user knows it.
        model: team/model, for hints.
        content: what it says; None when there is none, or it can't be believed.
        findings: why it can't be believed.
        exists: whether there is a file.
        present: digest, as it is now, of every source that lies in the repository, by its path.
    """

    file: str
    model: str
    content: EvidenceFile | None = None
    findings: list[Finding] = field(default_factory=list)
    exists: bool = True
    present: dict[str, str] = field(default_factory=dict)

    def refuse(self, code: str, message: str, path: str = "") -> None:
        """Note why this can't be believed."""
        hint = AGAIN.format(model=self.model)
        self.findings.append(Finding(code, "error", message, hint, Place(self.file), path))


def read_evidence(path: Path, root: Path, model: str) -> Evidence:
    """The evidence in a file.

    Args:
        path: the file.
        root: the repository; the path is shown relative to it.
        model: team/model.
    """
    evidence = Evidence(display(path, root), model)
    try:
        raw = regular_bytes(path)
    except FileNotFoundError:
        evidence.exists = False
        return evidence
    except RefusedError as error:
        evidence.refuse("EVID101", str(error.args[1]))
        return evidence
    except OSError as error:
        evidence.refuse("EVID101", f"this file can't be read: {error.strerror}")
        return evidence
    parse_evidence(raw, evidence)
    if evidence.content is not None:
        evidence.present = _present(evidence.content, (path.parent, root))
    return evidence


def changed(entry: Entry, evidence: Evidence, role: str) -> list[str]:
    """Paths of an entry's sources that the repository holds with another content than was judged."""
    sources = (source for source in entry.sources if source.role == role)
    return [s.path for s in sources if evidence.present.get(s.path, s.digest) != s.digest]


def parse_evidence(raw: bytes, evidence: Evidence) -> None:
    """Fill in content or findings from the bytes of a file."""
    data = _json(raw, evidence)
    if data is None:
        return
    content = _content(data, evidence)
    if content is None:
        return
    _digests(data, evidence)
    if not evidence.findings and canonical_text(data).encode() != raw:
        evidence.refuse("EVID101", "this file is not in the form that it was written in")
    for where, said in contradictions(content):
        evidence.refuse("EVID103", said, where)
    if not evidence.findings:
        evidence.content = content


def _present(content: EvidenceFile, folders: tuple[Path, ...]) -> dict[str, str]:
    """Looked for where gates look, but for what was only named on the command line."""
    names = {
        source.path for entry in content.predicate.gates for source in entry.sources if source.role in _LOCAL
    }
    out = {}
    for name in names:
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is not None:
            out[name] = f"sha256:{hashlib.sha256(found.read_bytes()).hexdigest()}"
    return out


def _json(raw: bytes, evidence: Evidence) -> dict[str, Any] | None:
    try:
        data = json.loads(raw, object_pairs_hook=_once, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        said = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        evidence.refuse("EVID101", f"this file is no JSON document, or only a part of one: {said}")
        return None
    if not isinstance(data, dict):
        evidence.refuse("EVID101", "this is no evidence document")
        return None
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key stands twice")
    return out


def _not_a_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _content(data: Any, evidence: Evidence) -> EvidenceFile | None:
    from pydantic import ValidationError

    try:
        return EvidenceFile.model_validate(data)
    except ValidationError as error:
        where, _ = first_flaw(error)
        evidence.refuse("EVID101", f"this is no evidence document: {flaw_text(error)}", where)
        return None


def _digests(data: dict[str, Any], evidence: Evidence) -> None:
    """Every entry and the whole carry the digest of what they say."""
    for index, entry in enumerate(data["predicate"]["gates"]):
        if own_digest(entry) != entry["digest"]:
            message = f"what is written about the gate `{entry['name']}` was changed after it was judged"
            evidence.refuse("EVID102", message, f"predicate.gates[{index}]")
    if not evidence.findings and own_digest(data) != data["digest"]:
        evidence.refuse("EVID102", "this document was changed after it was written")


def written(content: EvidenceFile) -> bytes:
    """The bytes of the file."""
    return canonical_text(plain(content)).encode()
