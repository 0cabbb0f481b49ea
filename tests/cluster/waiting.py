"""Waiting for an event by asking for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")


class TooLateError(Exception):
    """The event did not come in time."""


def until(what: str, probe: Callable[[], T], seconds: float, every: float = 0.1) -> T:
    """The first true answer of a probe.

    Args:
        what: the event, for the error.
        probe: is asked again and again; an OSError is a no.
        seconds: how long.
        every: seconds between two questions.

    Raises:
        TooLateError: there was no true answer in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer, error = probe(), ""
        except OSError as failed:
            answer, error = None, f" ({failed})"
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TooLateError(f"{what} did not come within {seconds:g} s{error}")
        Event().wait(every)


def pause(seconds: float) -> None:
    """Let time pass: where that nothing happens is what is to be seen."""
    Event().wait(seconds)
