"""Every claim of docs/security.md names the tests that show it, and these tests exist."""

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


def test_every_claim_names_its_tests_or_is_not_proved():
    for section, claim in claims():
        named = " Test: `" in claim or " Tests: `" in claim
        unproved = claim.endswith("*Not proved.*")
        assert named != unproved, f"{section}: {claim}"


def test_the_named_tests_exist():
    missing = []
    for _, claim in claims():
        for path, name in _TEST.findall(claim):
            file = ROOT / path
            if not file.is_file() or (name and f"def {name}(" not in file.read_text()):
                missing.append(f"{path}::{name}")
    assert not missing
