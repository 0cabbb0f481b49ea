"""Every code of the code base has its page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.report.codes import all_codes, pages

PACKAGE = Path(__file__).parents[3] / "generator"
_CODE = re.compile(r"[\"']([A-Z]{3,5}[0-9]{3})[\"']")


def _codes() -> dict[str, str]:
    return {
        code: path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        for code in _CODE.findall(path.read_text(encoding="utf-8"))
        if not _declares(path)
    }


def _declares(path: Path) -> bool:
    """Whether a module only declares codes that are raised elsewhere."""
    return path.parent.name == "rules" and path.name.startswith("codes_")


def test_every_code_has_an_entry():
    codes = _codes()
    assert len(codes) > 150
    assert {code: file for code, file in codes.items() if code not in all_codes()} == {}


def test_no_entry_without_a_code():
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if not _declares(path))
    assert [code for code in all_codes() if code not in text] == []


@pytest.mark.parametrize("code", sorted(all_codes()))
def test_an_entry_says_something(code):
    entry = all_codes()[code]
    assert entry.code == code
    assert entry.severity in {"error", "warning", "info"}
    for text in (entry.title, entry.why, entry.remedy):
        assert len(text) > 5
        assert text == text.strip()
    assert entry.why[-1] == entry.remedy[-1] == "."


def test_the_pages_are_those_of_the_codes():
    folder = PACKAGE.parent / "docs" / "codes"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    assert written == pages(), "run: sluice explain --write docs/codes"
