"""Every claim of docs/security.md names the tests that show it, each by its path, and these tests exist."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

SECTIONS = ("What is in git", "CI", "Evidence and records", "Ceilings", "Input", "In the cluster")
_TEST = re.compile(r"`(tests/[\w/.-]+\.py)(?:::(\w+))?`")


def claims() -> list[tuple[str, str]]:
    """Return (section, text) of every bullet in the sections with claims."""
    page = (ROOT / "docs/security.md").read_text()
    found = []
    for section in SECTIONS:
        _, heading, rest = page.partition(f"\n## {section}\n")
        assert heading, f"docs/security.md has no section {section!r}"
        bullets = re.split(r"^- ", rest.partition("\n## ")[0], flags=re.MULTILINE)[1:]
        found += [(section, " ".join(bullet.split())) for bullet in bullets]
    return found


def test_every_claim_names_its_tests():
    for section, claim in claims():
        _, _, named = re.split(r" (Tests?): (?=`tests/)", claim, maxsplit=1)
        assert re.fullmatch(rf"{_TEST.pattern}(, {_TEST.pattern})*\.", named), f"{section}: {claim}"


def test_the_named_tests_exist():
    missing = []
    for _, claim in claims():
        for path, name in _TEST.findall(claim):
            file = ROOT / path
            text = file.read_text() if file.is_file() else ""
            if not re.search(rf"^def {f'{name}(?=[(])' if name else 'test_'}", text, re.MULTILINE):
                missing.append(f"{path}::{name}")
    assert not missing
