"""All output passes through one function, so that names and texts of others control neither a terminal nor a runner."""

from __future__ import annotations

import ast
import io
import re

import pytest

from generator.pipeline.terminal import Guarded, safe
from tests.system.repositories import CHECKOUT

DANGEROUS = [
    *(chr(code) for code in (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0))),
    *"\xad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\U000e0041",
]


@pytest.mark.parametrize("character", DANGEROUS, ids=ascii)
def test_a_character_that_controls_or_hides_is_spelled_out(character):
    text = safe(f"a{character}b")
    assert text.isascii()
    assert re.fullmatch(r"a\\[uU][0-9a-f]{4,8}b", text)


@pytest.mark.parametrize(
    "line",
    [
        "::error::x",
        "  ::error::x",
        "a\n::set-output name=x::y",
        "\t::stop-commands::x",
        "a ##[add-mask]x",
        "##vso[x]",
        "##teamcity[x]",
    ],
)
def test_a_command_for_a_runner_is_broken(line):
    shown = safe(line)
    assert not re.search(r"^\s*::|##\[|##vso\[|##teamcity\[", shown, re.MULTILINE)
    assert shown.replace(" ", "") == line.replace(" ", "")
    assert (safe(line, commands=True) == line) == ("##" not in line)


def test_bytes_of_a_name_that_are_not_utf8_can_be_written():
    assert safe("specs/\udcff.yaml") == "specs/\\udcff.yaml"


@pytest.mark.parametrize(
    "text", ["", "a\nb\tc\n", "std::vector", "a::b", "## title", "#[x]", "é 漢字 😀 ±", "a: :b", "http://x"]
)
def test_usual_text_is_not_changed(text):
    assert safe(text) == text


def test_colors_stay_where_they_are_shown_and_no_other_sequence_does():
    assert safe("\x1b[1;31mx\x1b[0m", colors=True) == "\x1b[1;31mx\x1b[0m"
    assert safe("\x1b[1;31mx\x1b[0m") == "\\u001b[1;31mx\\u001b[0m"
    assert safe("\x1b[2Jx\x1b]0;y\x07", colors=True) == "\\u001b[2Jx\\u001b]0;y\\u0007"


def test_a_guarded_stream_writes_safe_text_and_is_a_stream_otherwise():
    inner = io.StringIO()
    stream = Guarded(inner)
    assert stream.write("a\x1b[31m\n") == 7
    stream.writelines(["::error::x\n", "b\n"])
    stream.flush()
    assert inner.getvalue() == "a\\u001b[31m\n: :error::x\nb\n"
    assert not stream.isatty()


def test_nothing_prints_but_the_functions_of_the_terminal():
    """`emit`, `emit_messages` and `note` are the only way to write to the streams of the program."""
    root = CHECKOUT / "generator"
    found = {file.relative_to(root).as_posix() for file in root.rglob("*.py") if _prints(file.read_text())}
    assert found == {"pipeline/terminal.py"}


def _prints(module: str) -> bool:
    calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(module)) if isinstance(node, ast.Call)]
    return any(re.fullmatch(r"print|click\.s?echo|sys\.std(out|err)\.write(lines)?", call) for call in calls)
