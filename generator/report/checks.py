"""Whether files are what Sluice renders, as JSON (`sluice/check/v1`): `render`, `ci` and `codeowners` with --check."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, TypedDict

from generator.report.formats.findings_json import Count, FindingRecord, finding_record
from generator.source.finding import Finding

State = Literal["missing", "stale", "edited", "orphaned", "foreign", "note", "not-compared"]


class CheckedFile(TypedDict):
    """A file or folder that is not as it is rendered."""

    path: Annotated[str, "Below the top of the git repository; absolute where --output is outside of it."]
    state: Annotated[
        State,
        "`missing`, `stale` (of an older render) and `edited` files would be written, `orphaned` ones deleted; "
        "`foreign`: nothing renders it; `note`: it may stay; `not-compared`: its model has errors.",
    ]


class CheckDocument(TypedDict):
    """What a check of files found."""

    schema: Literal["sluice/check/v1"]
    ok: Annotated[bool, "Everything was compared and is up to date; the exit code is 0."]
    compared: Annotated[Count, "How many files are up to date."]
    files: Annotated[list[CheckedFile], "All others, by path."]
    problems: Annotated[list[str], "What else is wrong with the files, as sentences."]
    findings: Annotated[list[FindingRecord], "Of specs, and of ledgers that are damaged."]


def as_json(
    states: Mapping[str, State],
    *,
    ok: bool,
    compared: int,
    problems: Sequence[str] = (),
    findings: Iterable[Finding] = (),
) -> str:
    """Return the document.

    Args:
        states: the files that are not as they are rendered, by path.
        ok: the exit code is 0.
        compared: how many files are up to date.
        problems: what else is wrong, as sentences.
        findings: of specs and ledgers.
    """
    document = CheckDocument(
        schema="sluice/check/v1",
        ok=ok,
        compared=compared,
        files=[CheckedFile(path=path, state=state) for path, state in sorted(states.items())],
        problems=list(problems),
        findings=[finding_record(finding) for finding in findings],
    )
    return json.dumps(document, indent=2) + "\n"
