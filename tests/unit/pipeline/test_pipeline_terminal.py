"""Colours and bars."""

from __future__ import annotations

import io

import pytest

from generator.pipeline.terminal import emit_page, emit_paged, has_color, progress
from generator.source.errors import CliError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize(
    ("variables", "stream", "expected"),
    [
        ({}, Terminal(), True),
        ({}, io.StringIO(), False),
        ({"TERM": "dumb"}, Terminal(), False),
        ({"NO_COLOR": "1"}, Terminal(), False),
        ({"NO_COLOR": ""}, Terminal(), True),
        ({"FORCE_COLOR": "1"}, io.StringIO(), True),
        ({"FORCE_COLOR": "0"}, io.StringIO(), False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, Terminal(), False),
        ({"CLICOLOR_FORCE": "1"}, io.StringIO(), True),
        ({"CLICOLOR_FORCE": "0"}, io.StringIO(), False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, Terminal(), False),
        ({"CLICOLOR": "0"}, Terminal(), False),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, Terminal(), True),
    ],
)
def test_colour(monkeypatch, variables, stream, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert has_color(stream) is expected


@pytest.mark.parametrize("count", [3, 80])
def test_a_bar_is_shown_for_long_work_on_a_terminal_only(monkeypatch, count):
    for stream, shows in ((Terminal(), count == 80), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        with progress(range(count), count, "Checking") as items:
            assert list(items) == list(range(count))
        assert ("Checking" in stream.getvalue()) is shows


LONG = "a line\n" * 200


@pytest.mark.parametrize(
    ("stream", "text", "paged"),
    [(Terminal, LONG, True), (Terminal, "a line\n", False), (io.StringIO, LONG, False)],
)
def test_only_long_text_on_a_terminal_goes_through_the_pager(monkeypatch, tmp_path, stream, text, paged):
    shown, file = stream(), tmp_path / "shown"
    monkeypatch.setattr("sys.stdout", shown)
    monkeypatch.setenv("PAGER", "cat")
    monkeypatch.setenv("SLUICE_PAGER", f"tee '{file}'")
    emit_paged(text)
    assert (file.read_text() if paged else shown.getvalue()) == text
    assert file.exists() is paged


@pytest.mark.parametrize(
    "variables",
    [{"PAGER": "cat"}, {"SLUICE_PAGER": ""}, {"SLUICE_PAGER": "'"}, {"SLUICE_PAGER": "there-is-no-such-pager"}, {"TERM": "dumb"}],
)  # fmt: skip
def test_without_a_pager_the_text_is_written(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    shown = Terminal()
    monkeypatch.setattr("sys.stdout", shown)
    emit_paged(LONG)
    assert shown.getvalue() == LONG


def test_a_page_never_floods_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdout", Terminal())
    with pytest.raises(CliError, match="write it to a file"):
        emit_page("<!doctype html>")
    monkeypatch.setattr("sys.stdout", io.StringIO())
    emit_page("<!doctype html>")
