"""What the terminal can show: its width, colors, a progress bar, and nothing that would control it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO, TypeVar

import click

from generator.source.errors import CliError
from generator.source.line import visible

T = TypeVar("T")
_LINES: Final = 24
_LONG = 50  # fewer items finish before a bar could be read

_HIDDEN: Final = (
    "\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\ud800-\udfff"  # bytes of a name that are not UTF-8, which no stream writes
)
# Controls but tab and line feed, characters that hide or reorder text, and what runners of CI take as a command:
# `::name::` at the start of a line and `##[name]` anywhere (GitHub's runner, ActionCommand.cs), `##vso[` and
# `##teamcity[` of other hosts. Colors are kept where the stream shows them.
_UNSAFE: Final = re.compile(
    rf"(?P<color>\x1b\[[0-9;]*m)|[\x00-\x08\x0b-\x1f{_HIDDEN}]|^(?P<start>[ \t]*):(?=:)|#(?=#(?:\[|vso\[|teamcity\[))",
    re.MULTILINE,
)


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


def safe(text: str, *, colors: bool = False, commands: bool = False) -> str:
    r"""Return text that can't control a terminal or a runner of CI; its line feeds are kept.

    Args:
        text: any text. A name in it must be on one line already: see `visible`.
        colors: keep the sequences that color text.
        commands: keep commands at the start of a line, because they are the result.
    """

    def escaped(found: re.Match[str]) -> str:
        whole = found[0]
        if found["color"]:
            return whole if colors else "\\u001b" + whole[1:]
        if found["start"] is not None:
            return whole if commands else f"{whole} "
        if whole == "#":
            return "# "
        return whole.encode("unicode_escape").decode() if ord(whole) > _BMP else f"\\u{ord(whole):04x}"

    return _UNSAFE.sub(escaped, text)


_BMP: Final = 0xFFFF


class Guarded:
    """A text stream whose output passes through `safe`: standard output and standard error of the program.

    Args:
        stream: the stream that is written to.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text that can't control what shows it."""
        self.stream.write(safe(text, colors=has_color(self.stream)))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several lines."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def guard_streams() -> None:
    """Let everything that this process prints pass through `safe`."""
    for name in ("stdout", "stderr"):
        setattr(sys, name, Guarded(getattr(sys, name)))


def bare(stream: TextIO) -> TextIO:
    """Return the stream that a guarded one writes to."""
    return stream.stream if isinstance(stream, Guarded) else stream


def emit(text: str, *, commands: bool = False) -> None:
    """Write text that has its own line ends and its colors, to standard output.

    Args:
        text: the text; the names in it are on one line.
        commands: it consists of workflow commands for a runner.
    """
    checked = safe(text, colors=True, commands=commands)
    click.echo(checked, file=bare(sys.stdout) if commands else sys.stdout, nl=False, color=True)


def emit_page(page: str) -> None:
    """Write a page of HTML to standard output, never to a terminal, which it would flood.

    Raises:
        CliError: standard output is a terminal.
    """
    if bare(sys.stdout).isatty():
        raise CliError("a page of HTML floods a terminal", "write it to a file: add `> page.html`")
    emit(page)


def emit_paged(text: str) -> None:
    """Write text as `emit` does; on a terminal with fewer lines, through the pager.

    SLUICE_PAGER names it, otherwise PAGER, otherwise it is less. An empty name, `cat` and `--no-pager` turn it off.
    """
    command = _pager() if is_terminal(bare(sys.stdout)) and text.count("\n") >= _height() else []
    if not command or not _through(command, safe(text, colors=has_color(bare(sys.stdout)))):
        emit(text)


def _pager() -> list[str]:
    """Return the command of the pager; empty for none."""
    import shlex

    named = os.environ.get("SLUICE_PAGER", os.environ.get("PAGER", "less"))
    try:
        words = shlex.split(named)
    except ValueError:
        return []
    return [] if words == ["cat"] else words


def _height() -> int:
    try:
        return os.get_terminal_size(bare(sys.stdout).fileno()).lines or _LINES
    except (OSError, ValueError):
        return _LINES


def _through(command: list[str], text: str) -> bool:
    """Show text with a pager; return whether it could be started. Quitting it early is not an error."""
    import subprocess

    # As git does it: quit if it fits, keep colors, leave the text on the screen.
    environment = {"LESS": "FRX", **os.environ}
    try:
        pager = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)  # noqa: S603 - the user's own
    except OSError:
        return False
    with pager, suppress(KeyboardInterrupt):
        pager.communicate(text.encode(errors="backslashreplace"))
    return True


def emit_messages(text: str) -> None:
    """Write text that has its own line ends and its colors, to standard error."""
    click.echo(safe(text, colors=True), file=sys.stderr, nl=False, color=True)


def note(text: str) -> None:
    """Print a remark that is not part of the result, on standard error, on one line."""
    click.echo(visible(text), file=sys.stderr)


def note_for_now(text: str) -> None:
    """Show a line on the terminal that the next note replaces."""
    click.echo(f"{visible(text)}\r", file=bare(sys.stderr), nl=False)


@contextmanager
def progress(items: Iterable[T], count: int, label: str) -> Iterator[Iterator[T]]:
    """Iterate over items, with a progress bar on standard error where there are many and a terminal shows it."""
    if count < _LONG or not is_terminal(sys.stderr):
        yield iter(items)
        return
    with click.progressbar(items, length=count, label=label, file=bare(sys.stderr)) as bar:
        yield iter(bar)


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can do more than print."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
