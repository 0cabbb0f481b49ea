"""What `sluice doctor` found, as text and as JSON (`sluice/doctor/v1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, TypedDict

from generator.cluster.diagnosis import Diagnosis
from generator.report.tables import Screen, Table, shell_lines
from generator.spec.quantities import plural

SCHEMA: Final = "sluice/doctor/v1"


class DiagnosisRecord(TypedDict):
    """One thing that was looked at."""

    scope: Annotated[str, "`repository`, `machine`, or the name of an environment"]
    state: Literal["fine", "lacks", "unknown"]
    message: str
    code: Annotated[str | None, "of what is missing; `sluice explain CODE` explains it"]
    severity: Literal["error", "warning", "info"] | None
    command: Annotated[str | None, "fixes it, or shows more"]
    place: Annotated[str | None, "the file that asks for it"]


class DoctorDocument(TypedDict):
    """Everything that was looked at."""

    schema: Literal["sluice/doctor/v1"]
    ok: Annotated[bool, "nothing with the severity error is missing, and every question has an answer"]
    diagnoses: list[DiagnosisRecord]


def as_json(found: Sequence[Diagnosis]) -> str:
    """Return the document."""
    document = DoctorDocument(
        schema="sluice/doctor/v1",
        ok=not any(one.severity == "error" for one in found),
        diagnoses=[
            DiagnosisRecord(
                scope=one.scope,
                state=one.state,
                message=one.message,
                code=one.code or None,
                severity=one.severity,
                command=one.command or None,
                place=one.place or None,
            )
            for one in found
        ],
    )
    return json.dumps(document, indent=2) + "\n"


def text(found: Sequence[Diagnosis], screen: Screen) -> str:
    """Return one block for the repository, the machine and each environment, and a last line with the numbers."""
    scopes = dict.fromkeys(one.scope for one in found)
    blocks = [
        "".join(f"{line}\n" for line in _block(scope, [one for one in found if one.scope == scope], screen))
        for scope in scopes
    ]
    missing = sum(one.state == "lacks" for one in found)
    unknown = sum(one.state == "unknown" for one in found)
    last = f"{plural(missing, 'problem')}, {plural(unknown, 'question')} without an answer"
    return "\n".join([*blocks, f"{last}\n"])


def _block(scope: str, found: Sequence[Diagnosis], screen: Screen) -> Iterator[str]:
    yield from screen.title(scope)
    for one in found:
        word = {"fine": "ok", "unknown": "?"}.get(one.state, one.severity or "")
        code = f"{one.code} " if one.code else ""
        yield from screen.body([Table.of([(f"{word:<7}", f"{code}{one.message}")])])
        if one.place:
            yield from screen.body([Table.of([(" " * 7, one.place)])])
        if one.command:
            yield from shell_lines(one.command, screen.limit or 10_000, " " * 11)
