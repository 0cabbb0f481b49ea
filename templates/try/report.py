"""What a trial found, and why something failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

SCHEMA = "sluice/try/v1"
LINES = 12  # of a log
MIB = 2**20
OTHER_VERSION = "InconsistentVersionWarning"

CAUSES = (  # what a log says, and what to do
    (
        r"No module named '(?!numpy\._core)([\w.]+)'",
        "the model needs {0}: add it with the version it was trained with to `service.requirements`",
    ),
    (
        r"No matching distribution found for (\S+)|because (\S+==\S+) was not found|there is no version of (\S+==\S+)",
        "no index has it: correct the version in `service.requirements`",
    ),
    (
        r"Found unknown categories",
        "the warm-up sends made-up texts: list the allowed `values` of the column, or give it an `example`",
    ),
    (
        r"ufunc 'isnan' not supported|could not convert string to float|pandas dtypes must be int, float or bool",
        "the model needs named or typed columns: declare them in `service.inputs`",
    ),
    (
        r"contains no such model",
        "`model.framework` does not fit the files of the model: see what the artifact holds",
    ),
    (
        r"files that can be the model",
        "name the file of the model as `model.file`",
    ),
    (
        r"trained with (\d+) columns, the spec declares (\d+)",
        "declare the columns that the model was trained with, in their order, in `service.inputs`",
    ),
    (
        r"Can't get attribute '\w+' on <module '(?:__main__|_bentoml_impl)",
        "the pickle needs code of the program that trained it: move that into a module, and use `framework: custom`",
    ),
    (
        r"'(\w+)' object has no attribute 'predict'",
        "the model is a {0} without `predict`: load it in a class of your own, with `framework: custom`",
    ),
    (
        r"InconsistentVersionWarning|Can't get attribute|has no attribute '_|incompatible dtype|numpy\._core",
        "the model was trained with other versions: pin those in `service.requirements`",
    ),
    (
        r"[Uu]ntrusted",
        "skops loads trusted types only: save the model with `skops_trusted_types`, or use `framework: mlflow`",
    ),
    (
        r"sets neither categories nor entities",
        "the service would answer nothing: return what you need from a class of your own, with `framework: custom`",
    ),
    (
        r"FileNotFoundError|No such file or directory",
        "see what the artifact holds: the model looks for another file",
    ),
    (
        r"No active process found for watcher",
        "its process ended without a word: the model ends it, or it was killed because memory ran out",
    ),
    (r"not ready in", "raise `service.startup`, or load less when the service starts"),
    (r"declare the inputs", "declare the columns in `service.inputs`"),
    (
        r"invalid load key|KeyError: \d+$|UnpicklingError|not a ZIP|Protobuf parsing failed|Model format error",
        "the file is damaged, or `model.framework` is not the one that wrote it",
    ),
    (
        r"has the SHA-256|refused: ",
        "the artifact is not the one that the lock pins: name the right one, or run `sluice pin`",
    ),
    (
        r"never one of `service.positive`|`service.positive` lists",
        "set `service.positive` to the answers that count as positive",
    ),
    (
        r"Environment variable ['\"]?(\w+)|KeyError: '([A-Z][A-Z0-9_]+)'",
        "the model reads an environment variable that is not set here: export it, or declare it in `service.env`",
    ),
    (
        r"Permission denied|Read-only file system",
        "the container's file system is read-only except for /tmp: write there",
    ),
    (
        r"MemoryError|Cannot allocate memory|std::bad_alloc",
        "the model does not fit into this machine's memory",
    ),
    (
        r"Name or service not known|Connection refused|Temporary failure in name resolution",
        "the model connects to another service when it starts: pods reach only what `egress` allows",
    ),
)


@dataclass
class Problem:
    """Something that would stop a release, or that a guard would take for a bad model."""

    stage: str
    message: str
    hint: str = ""
    log: list[str] = field(default_factory=list)


@dataclass
class Setting:
    """A value to set in the spec, and why."""

    key: str
    value: str
    reason: str


@dataclass
class Load:
    """What some clients measured that each send one request after the other."""

    clients: int
    rows: int
    requests: int
    failed: int
    rows_per_s: float
    p50_s: float
    p99_s: float
    cpu_s: float | None


@dataclass
class Report:
    """All that was found; times in seconds, memory in bytes."""

    model: str
    schema: str = SCHEMA
    ok: bool = False
    startup_s: float | None = None
    memory_at_start: int | None = None
    memory_at_most: int | None = None
    sent: dict[str, int] = field(default_factory=dict)
    series: dict[str, int] = field(default_factory=dict)
    load: list[Load] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def wrong(self, stage: str, message: str, hint: str = "", log: list[str] | None = None) -> None:
        """Add a problem."""
        self.problems.append(Problem(stage, message, hint, log or []))

    def set(self, key: str, value: str, reason: str) -> None:
        """Add a value to set."""
        self.settings.append(Setting(key, value, reason))


def cause(text: str, only: str = "") -> tuple[str, str]:
    """Return the line of a log that says why, and what to do about it.

    Args:
        text: the log.
        only: a part of that line, if it is known.
    """
    shown = [line.strip() for line in text.splitlines() if line.strip() and only in line]
    for pattern, hint in CAUSES:
        found = [match for match in (re.search(pattern, line) for line in shown) if match]
        if found:
            return found[-1].string, hint.format(*filter(None, found[-1].groups()))
    errors = [line for line in shown if re.match(r"[\w.]*(Error|Exception|Exit)\b|error: |refused: ", line)]
    return (errors or shown or ["it left no log"])[-1], ""


def tail(text: str) -> list[str]:
    """Return the last lines of a log."""
    return [line.rstrip()[:400] for line in text.splitlines() if line.strip()][-LINES:]


def mebibytes(count: float) -> str:
    """Return a number of bytes as a Kubernetes quantity."""
    return f"{count / MIB:.0f}Mi"


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds."""
    return f"{seconds * 1000:.3g} ms"


def lines(facts: dict, report: Report) -> Iterator[str]:
    """Yield the report for people."""
    yield f"{report.model}: {'nothing is wrong' if report.ok else 'it would fail'}"
    if report.startup_s:
        yield f"  start-up  {report.startup_s:.1f} s; `service.startup` allows {facts['startup_s']:g} s"
    if report.memory_at_start and report.memory_at_most:
        at_start, at_most = mebibytes(report.memory_at_start), mebibytes(report.memory_at_most)
        yield f"  memory    {at_start} at the start, {at_most} under load; the limit is {mebibytes(facts['memory'])}"
    if report.sent:
        sent = (f"{what}: {count}" for what, count in report.sent.items())
        yield f"  requests  {', '.join(sent)}"
    if report.series:
        yield f"  metrics   {report.series['there']} of {report.series['queried']} series that guards query"
    for load in report.load:
        shape = f"{load.clients} client{'s' * (load.clients > 1)}, {load.rows} row{'s' * (load.rows > 1)} a request"
        times = f"p50 {milliseconds(load.p50_s)}, p99 {milliseconds(load.p99_s)}"
        yield f"  load      {shape}: {load.rows_per_s:g} rows/s, {times}"
    for setting in report.settings:
        yield f"  set       {setting.key}: {setting.value}  ({setting.reason})"
    for note in report.notes:
        yield f"  note      {note}"
    for problem in report.problems:
        yield f"error ({problem.stage}): {problem.message}"
        if problem.hint:
            yield f"  = hint: {problem.hint}"
        yield from (f"  | {line}" for line in problem.log)
