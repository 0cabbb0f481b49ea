"""Colours and bars."""

from __future__ import annotations

import io

import pytest

from generator.pipeline.terminal import has_color, progress


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
