"""The report of `make test-world`: `docs/world-report.json` holds the runs, `docs/world-report.md` shows them.

A run keeps the git object name of every covered file, so that a rebase, a shallow clone or uncommitted changes at the time of
the run don't hide what has changed since.
"""

from __future__ import annotations

import datetime
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from tests.world.scenario import ROOT

SCHEMA: Final = "sluice/world-report/v1"
DOCS: Final = ROOT / "docs"
_LENGTH: Final = 12  # hex digits of an object name: enough to see a change


@dataclass(frozen=True)
class Run:
    """One run of one scenario.

    Args:
        title: of the scenario.
        outcome: `passed` or `failed`.
        error: why it failed; empty if it passed.
        date: of its end, YYYY-MM-DD in UTC.
        commit: that was checked out.
        uncommitted: covered files that differed from that commit.
        seconds: it took.
        machine: system, processors and memory.
        versions: by program or package.
        figures: value by what it is.
        files: git object name of each covered file.
    """

    title: str
    outcome: str
    error: str
    date: str
    commit: str
    uncommitted: Sequence[str]
    seconds: int
    machine: str
    versions: Mapping[str, str]
    figures: Mapping[str, str | float]
    files: Mapping[str, str] = field(repr=False)

    def changed(self, covers: Iterable[str], root: Path = ROOT) -> list[str]:
        """Return the covered files that are not what this run had: edited, new or gone."""
        now = covered_files(covers, root)
        return sorted(path for path in now | dict(self.files) if now.get(path) != self.files.get(path))


def covered_files(covers: Iterable[str], root: Path = ROOT) -> dict[str, str]:
    """Return the git object name of every file of the work tree below these paths.

    Raises:
        ValueError: there is no file below one of them.
    """
    found: dict[str, str] = {}
    for path in covers:
        listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", path)
        files = [file for file in listed.split("\0") if file and (root / file).is_file()]
        if not files:
            raise ValueError(f"no file is covered by {path}")
        objects = git(root, "hash-object", "--stdin-paths", text="".join(f"{file}\n" for file in files))
        found |= dict(zip(files, (name[:_LENGTH] for name in objects.split()), strict=True))
    return dict(sorted(found.items()))


def uncommitted(covers: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the covered files that differ from the commit that is checked out."""
    lines = git(root, "status", "--porcelain", "--untracked-files=all", "--", *covers).splitlines()
    return sorted(line[3:] for line in lines)


def git(root: Path, *arguments: str, text: str = "") -> str:
    """Run git at the root and return what it prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, input=text, capture_output=True, text=True, check=True
    )
    return done.stdout


def read(docs: Path = DOCS) -> dict[str, Run]:
    """Return the last run of each scenario that has one.

    Args:
        docs: folder of the report.

    Raises:
        ValueError: the file has another format.
    """
    file = docs / "world-report.json"
    if not file.exists():
        return {}
    document = json.loads(file.read_text(encoding="utf-8"))
    if document.get("schema") != SCHEMA:
        raise ValueError(f"{file.name} is not a {SCHEMA}")
    return {name: Run(**run) for name, run in document["scenarios"].items()}


def write(runs: Mapping[str, Run], docs: Path = DOCS) -> None:
    """Write both files."""
    document = {"schema": SCHEMA, "scenarios": {name: asdict(runs[name]) for name in sorted(runs)}}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    (docs / "world-report.json").write_text(text, encoding="utf-8")
    (docs / "world-report.md").write_text(markdown(runs), encoding="utf-8")


_HEAD = """\
# World report

`make test-world` runs what needs further programs or more time than CI has, and writes this page and
[world-report.json](world-report.json). `make test-world S=name` runs one scenario. CI prints the age of each run and
the covered files that have changed since.
"""


def markdown(runs: Mapping[str, Run]) -> str:
    """Return the text of the page."""
    return "\n".join([_HEAD, *(_section(name, runs[name]) for name in sorted(runs))])


def _section(name: str, run: Run) -> str:
    commit = f"commit {run.commit[:_LENGTH]}"
    if run.uncommitted:
        commit += f" with {count(len(run.uncommitted), 'uncommitted file')}"
    versions = ", ".join(f"{program} {version}" for program, version in run.versions.items())
    lines = [
        f"## {name}",
        "",
        f"{run.title}. **{run.outcome.capitalize()}** on {run.date} after {run.seconds:,} s: {commit}, {run.machine}.",
        f"Versions: {versions}. It covers {count(len(run.files), 'file')}.",
    ]
    if run.error:
        lines += ["", f"Error: `{run.error}`"]
    if run.figures:
        lines += ["", "| figure | value |", "|---|---|"]
        lines += [f"| {what} | {_figure(value)} |" for what, value in run.figures.items()]
    return "\n".join([*lines, ""])


def _figure(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def status(
    covers: Mapping[str, Sequence[str]], runs: Mapping[str, Run], today: datetime.date, root: Path = ROOT
) -> str:
    """Return what CI prints: of each scenario its last run, its age, and the covered files that have changed since.

    Args:
        covers: covered paths by scenario.
        runs: the report.
        today: the day of the reader.
        root: of the checkout.
    """
    lines = [f"make test-world: {count(len(covers), 'scenario')}, last runs in docs/world-report.md"]
    for name in sorted(covers):
        lines += [f"  {line}" for line in _status(name, covers[name], runs.get(name), today, root)]
    lines += [
        f"  {name}: in the report, but no longer a scenario" for name in sorted(set(runs) - set(covers))
    ]
    return "\n".join(lines)


def _status(name: str, covers: Sequence[str], run: Run | None, today: datetime.date, root: Path) -> list[str]:
    if run is None:
        return [f"{name}: never run"]
    age = (today - datetime.date.fromisoformat(run.date)).days
    when = "today" if age == 0 else f"{count(age, 'day')} ago"
    last = f"{name}: {run.outcome} {when} ({run.date}, commit {run.commit[:_LENGTH]})"
    changed = run.changed(covers, root)
    if not changed:
        return [f"{last}; no covered file has changed since"]
    files: defaultdict[str, list[str]] = defaultdict(list)
    for path in changed:
        files[PurePosixPath(path).parent.as_posix()].append(PurePosixPath(path).name)
    verb = "has" if len(changed) == 1 else "have"
    return [
        f"{last}; {count(len(changed), 'covered file')} {verb} changed since:",
        *(f"  {folder}: {', '.join(found)}" for folder, found in files.items()),
    ]


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
