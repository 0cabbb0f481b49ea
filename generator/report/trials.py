"""The document that `sluice try --format json` prints, as `templates/try/report.py` writes it."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict


class TrialProblem(TypedDict):
    """Something that would stop a release: the stage where it shows, what to do, and the last lines of the log."""

    stage: Literal["fetch", "install", "import", "build", "start", "requests", "metrics", "measure"]
    message: str
    hint: str
    log: Annotated[list[str], "the last lines"]


class TrialSetting(TypedDict):
    """A value to set in the spec, and why."""

    key: str
    value: str
    reason: str


class TrialLoad(TypedDict):
    """What some clients measured that each sent one request after the other; `cpu_s` is of one request."""

    clients: int
    rows: int
    requests: int
    failed: int
    rows_per_s: float
    p50_s: float
    p99_s: float
    cpu_s: float | None


class TrialDocument(TypedDict):
    """A trial of one service; memory in bytes, null where it was not measured."""

    model: str
    schema: Literal["sluice/try/v1"]
    ok: bool
    startup_s: float | None
    memory_at_start: int | None
    memory_at_most: int | None
    sent: Annotated[
        dict[str, int], "requests by what they are: examples, corner cases, bad requests, outcomes"
    ]
    series: Annotated[dict[str, int], "series that guards query, and how many of them the service exports"]
    load: list[TrialLoad]
    problems: list[TrialProblem]
    settings: list[TrialSetting]
    notes: list[str]
