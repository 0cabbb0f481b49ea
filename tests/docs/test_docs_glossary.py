"""The glossary defines every word of the vocabulary, each of them once."""

from __future__ import annotations

import re
from collections import Counter

from tests.docs.pages import ROOT

VOCABULARY = set(
    re.findall(
        r"\w+",
        """
    spec platform environment tier ceiling lock template override waiver quarantine weight step hold cohort shadow
    approval watch promote abort rollback revert champion gate guard comparison limit parity measurement verdict evidence
    outcome baseline detect mask finding severity rule code problem odds power caught risk interval plan bundle bento
    ledger digest stale edited orphaned foreign
""",
    )
)
PHRASES = (
    "gate key",
    "evidence check",
    "first release",
    "false rollback",
    "exposed requests",
    "planned requests",
)


def defined() -> list[str]:
    """Return the words of the first columns."""
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    return [word.strip().strip("`") for row in rows if row != "word" for word in row.split(",")]


def test_every_word_of_the_vocabulary_is_defined():
    assert VOCABULARY | set(PHRASES) <= set(defined())


def test_no_word_is_defined_twice():
    assert [word for word, times in Counter(defined()).items() if times > 1] == []


def test_definitions_are_sentences():
    for row in re.findall(r"^\| .+ \| (.+) \|$", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE):
        assert row == "meaning" or row.endswith("."), row
