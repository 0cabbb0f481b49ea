"""Every code of the code base has its page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.lint.kinds.codes import CODES
from generator.lint.rollouts.registry import RULES as BUNDLE_RULES
from generator.rules.catalogue import CATALOGUE
from generator.rules.registry import RULES

PACKAGE = Path(__file__).parents[3] / "generator"
_CODE = re.compile(r"[\"']([A-Z]{3,5}[0-9]{3})[\"']")


def _codes() -> dict[str, str]:
    return {
        code: path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        for code in _CODE.findall(path.read_text(encoding="utf-8"))
        if not path.is_relative_to(PACKAGE / "rules" / "structural.py")
    }


def test_every_code_has_an_entry():
    codes = _codes()
    assert len(codes) > 150
    assert {code: file for code, file in codes.items() if code not in CATALOGUE} == {}


def test_no_entry_without_a_code():
    used = _codes().keys() | CODES.keys() | RULES.keys() | BUNDLE_RULES.keys()
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
        if path.name not in {"structural.py", "rendered.py"}
    )
    assert [code for code in CATALOGUE if code not in used and code not in text] == []


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_an_entry_says_something(code):
    entry = CATALOGUE[code]
    assert entry.code == code
    assert entry.severity in {"error", "warning", "info"}
    for text in (entry.title, entry.why, entry.fix):
        assert len(text) > 5
        assert text == text.strip()
    assert entry.why[-1] == entry.fix[-1] == "."


@pytest.mark.parametrize("code", sorted(CODES))
def test_entries_of_verify_are_as_severe(code):
    assert CATALOGUE[code].severity == CODES[code].severity
