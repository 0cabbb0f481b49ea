"""The ledger: `.sluice`, the list of the files of one bundle that Sluice wrote.

    # sluice ledger/v1
    # input spec sha256:1f0c...
    9a2b...  rollout.yaml
    # seal sha256:77d0...

`sha256sum --check .sluice` passes over the comments and verifies the files. The seal is the SHA-256 of every
byte before it. It shows a ledger that was cut short or edited, and one that git merged from two branches
without a conflict: its files were then not rendered from the merged inputs, although each has its recorded hash.

While files are being written the ledger is marked `# unfinished`, names no inputs, and lists each file with every
hash it may have by then, so that a killed run never leaves a file without an owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from generator.dataclass import dataclass
from generator.output.bundle import is_digest, is_input, is_path
from generator.source.finding import Finding, Place

_UNFINISHED = "# unfinished"
_INPUT = "# input "
_SEAL = "# seal sha256:"
_HEADER = "# sluice ledger/v1"
_HEADERS = re.compile(r"# sluice \S+")  # before 0.2 it named the version of Sluice
_SEAL_LENGTH = len(_SEAL) + 64 + 1
_NAME_AT = 64 + 2
KEY_LENGTH = 16
"""Bytes of a key of `ledger_key`."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The content of a ledger.

    Args:
        files: name to the hashes it may have; exactly one once the ledger is finished.
        inputs: name of an input to its SHA-256.
        finished: False while the files are being written.
    """

    files: Mapping[str, tuple[str, ...]]
    inputs: Mapping[str, str]
    finished: bool = True

    def encode(self) -> bytes:
        """Return its text, sorted and sealed."""
        lines = [_HEADER]
        if not self.finished:
            lines.append(_UNFINISHED)
        lines += (f"{_INPUT}{name} sha256:{digest}" for name, digest in sorted(self.inputs.items()))
        lines += (f"{digest}  {name}" for name, digests in sorted(self.files.items()) for digest in digests)
        body = "".join(f"{line}\n" for line in lines)
        seal = sha256(body.encode()).hexdigest()
        return f"{body}{_SEAL}{seal}\n".encode()


NOTHING = Ledger({}, {})
"""The empty ledger of a folder without one."""


class _DamageError(ValueError):
    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


def parse(data: bytes, file: str) -> Ledger | Finding:
    """Read a ledger strictly.

    Args:
        data: content of the file.
        file: its path, for the finding.

    Returns:
        The ledger, or the finding `OUT101` when it is damaged.
    """
    try:
        return _parse(_unsealed(data))
    except _DamageError as damage:
        return damaged(file, str(damage), damage.line)


def names_inputs(data: bytes, inputs: Mapping[str, str]) -> bool:
    """Check whether a ledger that is known to be valid names these inputs with these digests."""
    return all(f"\n{_INPUT}{name} sha256:{digest}\n".encode() in data for name, digest in inputs.items())


def known_files(data: bytes) -> dict[str, str]:
    """Return the SHA-256 of each file in a ledger that is known to be valid, without checking it again."""
    rows = [line for line in data.decode("ascii").split("\n") if line and line[0] != "#"]
    return {row[_NAME_AT:]: row[: _NAME_AT - 2] for row in rows}


def ledger_key(path: str, ledger: bytes, unlisted: Mapping[str, str]) -> bytes:
    """Return the key of a ledger in a stamp: 128 bits of the SHA-256 of a bundle's path, its ledger and its inputs.

    Args:
        path: of the bundle, below the output root.
        ledger: bytes of the ledger.
        unlisted: the inputs that the ledger does not name; name to SHA-256.
    """
    inputs = "".join(f"{name} {digest}\n" for name, digest in sorted(unlisted.items()))
    return sha256(f"{path}\0{inputs}\0".encode() + ledger).digest()[:KEY_LENGTH]


def damaged(file: str, reason: str, line: int = 0) -> Finding:
    """Report a ledger that can't be trusted."""
    return Finding(
        code="OUT101",
        severity="warning",
        message=f"this ledger {reason}, so Sluice does not know which files in its folder it wrote",
        hint="run `sluice render`: it writes a new ledger; old files stay until you remove them",
        place=Place(file, line),
    )


def _unsealed(data: bytes) -> str:
    body, seal = data[:-_SEAL_LENGTH], data[-_SEAL_LENGTH:]
    if seal != f"{_SEAL}{sha256(body).hexdigest()}\n".encode():
        _tell_broken_seal(data)
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise _DamageError("holds something that is not ASCII") from None


def _tell_broken_seal(data: bytes) -> None:
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.startswith((b"<<<<<<<", b"=======", b"|||||||", b">>>>>>>")):
            raise _DamageError("holds merge-conflict markers", number)
    if b"\r" in data:
        raise _DamageError("has CRLF line ends (git's autocrlf?)")
    raise _DamageError("was cut short, edited or merged")


def _parse(body: str) -> Ledger:
    lines = body.split("\n")
    if not _HEADERS.fullmatch(lines[0]) or lines.pop():
        raise _DamageError(f"does not start with `{_HEADER}` or has an unfinished line", 1)
    finished = lines[1:2] != [_UNFINISHED]
    first = 1 if finished else 2
    inputs = _inputs(lines, first)
    files = _files(lines, first + len(inputs), once=finished)
    return Ledger(files, inputs, finished)


def _inputs(lines: list[str], first: int) -> dict[str, str]:
    inputs: dict[str, str] = {}
    for number, line in enumerate(lines[first:], first + 1):
        if not line.startswith(_INPUT):
            break
        name, _, digest = line[len(_INPUT) :].partition(" sha256:")
        if not is_input(name) or not is_digest(digest) or name in inputs:
            raise _DamageError("has an invalid line for an input", number)
        inputs[name] = digest
    return inputs


def _files(lines: list[str], first: int, *, once: bool) -> dict[str, tuple[str, ...]]:
    files: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines[first:], first + 1):
        digest, name = line[:64], line[_NAME_AT:]
        if line[64:_NAME_AT] != "  " or not is_digest(digest) or not is_path(name):
            raise _DamageError("has an invalid line for a file", number)
        if name in files and once:
            raise _DamageError("lists a file twice", number)
        files[name] = (*files.get(name, ()), digest)
    return files


def union(old: Ledger, new: Ledger) -> Ledger:
    """List every hash that a file may have while `new` replaces `old`."""
    names: Iterable[str] = {**old.files, **new.files}
    files = {
        name: tuple(dict.fromkeys((*old.files.get(name, ()), *new.files.get(name, ())))) for name in names
    }
    return Ledger(files, {}, finished=False)
