"""What the terminal can show: its width, colors, and a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeVar

import click

T = TypeVar("T")
_LONG = 50  # fewer items finish before a bar could be read


def has_color(stream: TextIO) -> bool:
    """Return whether to write colors to a stream.

    NO_COLOR (no-color.org) forbids them. FORCE_COLOR (force-color.org) and CLICOLOR_FORCE (bixense.com/clicolors)
    demand them. Otherwise a terminal gets them unless it is dumb or CLICOLOR is 0.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return os.environ.get("CLICOLOR") != "0" and is_terminal(stream)


def line_width(stream: TextIO) -> int:
    """Return the number of cells that lines may fill: COLUMNS, or the terminal's width, or 80."""
    named = os.environ.get("COLUMNS", "")
    return int(named) if named.isdecimal() and int(named) else terminal_width(stream) or 80


def terminal_width(stream: TextIO) -> int | None:
    """Return the width of a terminal in cells; None for what is not a terminal."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def emit(text: str) -> None:
    """Write text that has its own line ends and its colors, to standard output."""
    click.echo(text, nl=False, color=True)


def note(text: str) -> None:
    """Print a remark that is not part of the result, on standard error."""
    click.echo(text, err=True)


@contextmanager
def progress(items: Iterable[T], count: int, label: str) -> Iterator[Iterator[T]]:
    """Iterate over items, with a progress bar on standard error where there are many and a terminal shows it."""
    if count < _LONG or not is_terminal(sys.stderr):
        yield iter(items)
        return
    with click.progressbar(items, length=count, label=label, file=sys.stderr) as bar:
        yield iter(bar)


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can do more than print."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
