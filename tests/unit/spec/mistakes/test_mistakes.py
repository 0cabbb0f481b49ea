"""Mistakes of people in a hurry: one finding each, where it was made, with the author's own text put right."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from generator.pipeline.evaluate import findings_of
from generator.pipeline.selection import Selection
from generator.pipeline.session import Session
from generator.source.finding import Finding
from tests.unit.spec.mistakes.base import LOCK, PLATFORM, SPEC
from tests.unit.spec.mistakes.cases import MISTAKES, Mistake
from tests.unit.spec.mistakes.regulated_base import FILES as REGULATED_FILES
from tests.unit.spec.mistakes.regulated_base import LOCKS as REGULATED_LOCKS
from tests.unit.spec.mistakes.regulated_cases import REGULATED

TODAY = dt.date(2026, 11, 29)
LOCKS = {"specs/shop/churn.lock.yaml": LOCK}
FILES = {"spec": ("specs/shop/churn.yaml", SPEC), "platform": ("specs/platform.yaml", PLATFORM)}


def findings(
    root: Path,
    mistake: Mistake | None = None,
    files: dict[str, tuple[str, str]] = FILES,
    locks: dict[str, str] = LOCKS,
) -> list[Finding]:
    for kind, (name, right) in files.items():
        text = right
        if mistake is not None and kind == mistake.file:
            assert mistake.old in right
            text = right.replace(mistake.old, mistake.new, 1)
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, text in locks.items():
        (root / name).write_text(text, encoding="utf-8")
    session = Session(root, TODAY)
    found = findings_of(session, Selection(session.entries, everything=True))
    return [
        each for each in found if each.code not in {"CAN109", "PROM103"}
    ]  # about environments, with any text


def test_without_a_mistake_there_is_no_finding(tmp_path):
    assert findings(tmp_path) == []


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=[f"{number}-{m.new.strip()[:40]!a}" for number, m in enumerate(MISTAKES)]
)
def test_one_mistake_one_finding_with_its_repair(mistake, tmp_path):
    found = findings(tmp_path, mistake)
    assert [(f.code, f.place.line, f.place.column) for f in found] == [
        (mistake.code, mistake.line, mistake.column)
    ]
    (finding,) = found
    assert finding.place.file == FILES[mistake.file][0]
    assert mistake.says in f"{finding.message} {finding.hint}"


def test_without_a_mistake_the_regulated_files_have_no_finding(tmp_path):
    assert findings(tmp_path, None, REGULATED_FILES, REGULATED_LOCKS) == []


@pytest.mark.parametrize(
    "mistake", REGULATED, ids=[f"{number}-{m.new.strip()[:40]!a}" for number, m in enumerate(REGULATED)]
)
def test_one_mistake_one_finding_in_other_layouts(mistake, tmp_path):
    (finding,) = findings(tmp_path, mistake, REGULATED_FILES, REGULATED_LOCKS)
    assert (finding.code, finding.place.line, finding.place.column) == (
        mistake.code,
        mistake.line,
        mistake.column,
    )
    assert finding.place.file == REGULATED_FILES[mistake.file][0]
    assert mistake.says in f"{finding.message} {finding.hint}"


# What no message may hold: a regular expression, Python's words, a field that is called by its index.
_NOT_WORDS = re.compile(r"\^\(|\(\?|\[A-Za-z|\{\d+,\d+\}|field `\d+`|None\b|\bdict\b|\bstr\b|NoneType|<class")


def test_messages_are_for_people(tmp_path):
    every = [findings(tmp_path, mistake) for mistake in MISTAKES[::7]]
    every += [findings(tmp_path, mistake, REGULATED_FILES, REGULATED_LOCKS) for mistake in REGULATED[::7]]
    for found in every:
        for finding in found:
            text = f"{finding.message} {finding.hint}"
            assert not _NOT_WORDS.search(text), text
            assert not finding.message.endswith(".")
            assert "  " not in finding.message.replace("`", "")


@pytest.mark.parametrize("spec", ["[]", "[a]", "[{tier: standard}]"])
def test_what_belongs_below_a_list_is_reported_and_the_list_too(spec, tmp_path):
    """`spec:` is a list: `rollout` can't be moved into it."""
    findings(tmp_path)
    head, _, _ = SPEC.partition("spec:")
    (tmp_path / FILES["spec"][0]).write_text(f"{head}spec: {spec}\nrollout: {{strategy: canary}}\n")
    session = Session(tmp_path, TODAY)
    found = findings_of(session, Selection(session.entries, everything=True))
    assert [(f.code, f.place.line) for f in found if f.place.file == FILES["spec"][0]] == [
        ("SPEC104", 4),
        ("SPEC102", 5),
    ]
