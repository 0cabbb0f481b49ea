"""Find stiff wording in code, templates and documents: `python -m tests.tools.words [PATH …]`; `make lint` runs it.

Each habit is a pattern, and a suggestion what to write instead. A line that needs the words is in `ALLOWED`, and a
folder that is not checked is in `NOT_CHECKED`, each with its reason.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PLACES = (
    "generator",
    "templates",
    "docs",
    "tests",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Makefile",
)
SUFFIXES = {".py", ".j2", ".md", ".sh", ""}
NOT_CHECKED = {
    "docs/pictures/": "drawn by programs",
    "docs/schema/": "written from descriptions under generator/, which are checked",
    "generator/pins/": "lists of packages",
    "tests/golden/": "rendered from templates, which are checked",
    "tests/tools/words.py": "has the patterns",
    "templates/gates/": "a change of a script makes the evidence of gates outdated, as it should; reword with the next one",
}


class Habit(NamedTuple):
    """A pattern of stiff wording, and what to write instead."""

    pattern: re.Pattern[str]
    instead: str


def _habit(pattern: str, instead: str) -> Habit:
    return Habit(re.compile(pattern, re.IGNORECASE), instead)


HABITS = (
    _habit(
        r"(?<!there )\b(is|are|was|were|be) no (?!longer|more\b|less\b|fewer|later|older|newer|earlier|worse|better|one\b)[a-z]",
        "is not a …, unknown …, invalid …",
    ),
    _habit(
        r"\b(is|are|was|were|be|been|being) told\b|(?<!can't )\btell(s|ing)? (of|what|which|whether|how|why|who)\b",
        "shows, reports, prints, describes",
    ),
    _habit(
        r"\b(is|are|was|were|be) asked (for|of|about|to)\b|\basks (whether|what|which|of)\b|\bask(s|ed)? for data\b",
        "requested, queried, required, checks whether",
    ),
    _habit(r"\bmend(s|ed|ing)?\b", "fix"),
    _habit(
        r"\b(no|any|some)body\b|\bsomebody\b|\bwhoever\b|\bwhomever\b",
        "the passive, or the role: the reviewer, a user",
    ),
    _habit(r"\bseldom\b", "rarely"),
    _habit(r"\bof (its|their|his|her) own\b", "its own …, separate"),
    _habit(
        r"\b(stands|stand|lies|lie) (in|at|on|beside|below|above|there|here|twice|behind)\b(?! for\b)",
        "is in, are in",
    ),
    _habit(r"\bbeside(s)?\b", "next to, with, besides → also"),
    _habit(r"\bthereby\b|\btherein\b|\bthereof\b|\bwhereby\b|\bhenceforth\b|\bwhom\b", "plain words"),
    _habit(r"\bnothing is not right\b|\bnot right here\b", "invalid value, missing value"),
    _habit(r"\bcomes? to nothing\b|\bwhat .{1,40} (comes|came) to\b", "the result of"),
    _habit(r"\bjudged again\b", "evaluated, checked"),
    _habit(
        r"\bfact sheets?\b|(?-i:\bDESIGN\b)|\b(statistics|argo-rollouts|gitops|testbed|runtime|generators)\.md (section )?\d",
        "the paper, or the project, version and file",
    ),
    _habit(r"\bmost of all\b|\bas it were\b|\bso to speak\b|\blest\b|\balbeit\b", "plain words"),
)
# Parts of lines that need the words, with the reason.
ALLOWED = {"mlflow:ranker@nobody": "an alias that does not exist"}


class Found(NamedTuple):
    """A place with a habit."""

    file: str
    line: int
    words: str
    instead: str


def files(places: Sequence[str]) -> Iterator[Path]:
    """Yield the checked files below some paths."""
    names = subprocess.run(["git", "ls-files", *places], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in names.stdout.splitlines():
        path = ROOT / name
        if path.suffix in SUFFIXES and not name.startswith(tuple(NOT_CHECKED)) and path.is_file():
            yield path


def found_in(text: str, file: str) -> Iterator[Found]:
    """Yield the habits in a text, line by line."""
    for number, line in enumerate(text.splitlines(), 1):
        for habit in HABITS:
            for match in habit.pattern.finditer(line):
                if not any(piece in line for piece in ALLOWED):
                    yield Found(file, number, match[0], habit.instead)


def main(places: Sequence[str]) -> int:
    """Print every habit; return 1 if there are any."""
    found = [
        each
        for path in files(places or PLACES)
        for each in found_in(path.read_text(), path.relative_to(ROOT).as_posix())
    ]
    for each in found:
        print(f"{each.file}:{each.line}: “{each.words}”: write {each.instead}")
    print(f"{len(found)} places to rewrite" if found else "no habits of wording found")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
