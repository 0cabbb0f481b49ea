"""One line of text: nothing in it hides, and no Python writes another one."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.source.line import one_line
from generator.spec.types import LINE

EVERY = [chr(code) for code in range(0x110000)]


def test_which_characters_stay_is_no_matter_of_the_interpreter():
    """Their number is fixed; and Unicode 3.2, which every Python has, knew most of those that go."""
    gone = {character for character in EVERY if one_line(f"a{character}b") == "a b"}
    assert len(gone) == 143_817
    hiding = {
        c for c in EVERY if unicodedata.ucd_3_2_0.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}
    }
    assert hiding - gone == set()
    assert not gone & set("aß中한😀é-„“…\ufffd\u0301")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n b\t\tc ", "a b c"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("user\u202egnp.exe", "user gnp.exe"),
        ("\ud800", ""),
        (
            "\U0001fae8 \U0001cc00",
            "\U0001fae8 \U0001cc00",
        ),  # of Unicode 15 and 16: some Pythons do not know them
    ],
)
def test_lines(text, line):
    assert one_line(text) == line


@given(st.text())
def test_it_is_a_line_of_a_spec_and_stays_one(text):
    line = one_line(text)
    assert one_line(line) == line
    assert not line or re.fullmatch(LINE.replace("{1,500}", "+"), line)
