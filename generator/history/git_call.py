"""One call of the git command: no shell or terminal, bounded time and output."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Literal

from generator.dataclass import dataclass
from generator.source.errors import UserError

LIMIT: Final = 1 << 28  # bytes of output
TIMEOUT_S: Final = 600.0
_CHUNK: Final = 1 << 16
_POLL_S: Final = 0.1
# Git sets these for its hooks; they would make git read another repository.
_OF_HOOKS: Final = frozenset({
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
})  # fmt: skip
# No prompts, English messages, no lock files, no lazy download, and no protocol that runs a command (`ext::`).
_ENVIRONMENT: Final = {
    "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
}  # fmt: skip
# Plain output and no process that outlives the call, whatever the user has configured.
_SETTINGS: Final = (
    "-c", "color.ui=never", "-c", "log.showSignature=false",
    "-c", "core.fsmonitor=false", "-c", "maintenance.auto=false",
)  # fmt: skip
_CREDENTIALS: Final = re.compile(r"//[^/\s]*@")
Reason = Literal["not-installed", "no-repository", "unknown", "unreachable", "failed"]


class GitError(UserError):
    """Git can't answer.

    Args:
        message: one sentence; it holds no credentials.
        hint: what to do.
        reason: why, for programs.
    """

    def __init__(self, message: str, hint: str, reason: Reason = "failed") -> None:
        super().__init__(message, hint)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Done:
    """A finished git call: its exit code and output."""

    code: int
    output: bytes
    errors: bytes


def run(root: Path, *arguments: str, given: bytes = b"", timeout_s: float = TIMEOUT_S) -> Done:
    """Run git in a folder. Arguments from users come after `--` or `--end-of-options`, or are hex.

    Raises:
        GitError: git is not installed, prints too much, or does not end in time.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    command = ["git", *_SETTINGS, "-C", str(root), *arguments]
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell
            command,
            bufsize=0,
            env={"GIT_SSH_COMMAND": "ssh -o BatchMode=yes", **kept, **_ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed", "install git", "not-installed") from error
    end = time.monotonic() + timeout_s
    output, errors = (_Reader(pipe, process.kill) for pipe in (process.stdout, process.stderr))
    threading.Thread(target=_write, args=(process.stdin, given), daemon=True).start()
    complete = _ended((output, errors), end)
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(_POLL_S, end - time.monotonic()) if complete else 0)
    complete = complete and process.returncode is not None
    if not complete:
        process.kill()
    code = process.wait()
    if output.overflowed or errors.overflowed:
        raise GitError(f"git {arguments[0]} printed more than {LIMIT >> 20} MiB", "name a smaller part")
    if not complete:
        message = f"git {arguments[0]} did not end within {timeout_s:g} s"
        raise GitError(message, "check the address and the network", "unreachable")
    return Done(code, bytes(output.data), bytes(errors.data))


class _Reader:
    """Reads a pipe to its end in a thread, which also closes it, and kills a program that writes too much.

    After a time-out a child of git may hold the pipe open; the thread then runs until that child ends.
    """

    def __init__(self, pipe: IO[bytes] | None, kill: Callable[[], None]) -> None:
        self.data = bytearray()
        self.overflowed = False
        self.thread = threading.Thread(target=self._read, args=(pipe, kill), daemon=True)
        self.thread.start()

    def _read(self, pipe: IO[bytes], kill: Callable[[], None]) -> None:
        with pipe:
            while chunk := pipe.read(_CHUNK):
                self.data += chunk
                if len(self.data) > LIMIT:
                    self.overflowed = True
                    kill()
                    return


def _ended(readers: Sequence[_Reader], end: float) -> bool:
    """Wait until all output is read, there is too much of it, or the time is up; return whether all is read."""
    for reader in readers:
        while reader.thread.is_alive() and time.monotonic() < end:
            if any(other.overflowed for other in readers):
                return False
            reader.thread.join(_POLL_S)
    return not any(reader.thread.is_alive() for reader in readers)


def _write(pipe: IO[bytes], given: bytes) -> None:
    rest = memoryview(given)
    with suppress(OSError), pipe:  # git may end before it has read everything
        while rest:
            rest = rest[pipe.write(rest) :]


def reason_of(done: Done) -> str:
    """Return git's error message without credentials."""
    lines = done.errors.decode("utf-8", "replace").split("\n")
    fatal = next((line for line in lines if line.startswith(("fatal:", "error:"))), "")
    words = fatal.partition(": ")[2] or next((line for line in reversed(lines) if line.strip()), "").strip()
    return ": " + _CREDENTIALS.sub("//", words)[:200] if words else ""
