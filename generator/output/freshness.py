"""Decides from a bundle's ledger, its files and a stamp whether it is up to date, before anything is rendered.

A ledger records which inputs and files belong together, but not that this code renders these files from these inputs:
people edit ledgers, and every version of Sluice may render something else. So whenever a bundle is rendered, to write
it or to check it, the stamp records the path and the bytes of its ledger, and the inputs that the ledger does not
name, together with a digest of the code. Stamps are in the user's cache outside git, one file per output root. A
bundle without a record is rendered and compared.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Container, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from generator.dataclass import dataclass
from generator.output.bundle import LEDGER, is_note
from generator.output.errors import OutputError
from generator.output.folder import Folder, Listing, open_root
from generator.output.ledger import KEY_LENGTH, known_files, ledger_key, names_inputs
from generator.source.cache import cache_folder

_MAGIC: Final = b"sluice stamp 1\n"
_SEAL: Final = 32
_KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class FreshBundle:
    """A bundle that need not be rendered: how many files it has, with its ledger, and the ledger's key."""

    files: int
    key: bytes


def probe(
    top: Folder | None,
    path: str,
    inputs: Mapping[str, str],
    known: Container[bytes],
    *,
    closed: bool = False,
    bare: bool = False,
) -> FreshBundle | None:
    """Check whether a bundle was rendered from these inputs by this code and has not been touched since.

    Every file is read and hashed: a time stamp proves nothing after a `git checkout`.

    Args:
        top: the output root; None when there is none.
        path: bundle below it.
        inputs: name to SHA-256 of each input that is known before rendering.
        known: keys of the ledgers that this code rendered or checked.
        closed: see `Bundle`.
        bare: see `Bundle`.

    Returns:
        The bundle, or None when it has to be rendered.

    Raises:
        OutputError: something can't be read, or a link or a file is in the place of a folder.
    """
    folder = top.descend(path) if top else None
    if folder is None:
        return None
    with folder:
        data = folder.read(LEDGER)
        key = ledger_key(path, data or b"", inputs if bare else {})
        if data is None or key not in known or not (bare or names_inputs(data, inputs)):
            return None
        files, found = known_files(data), folder.listing()
        if not found.files.issuperset(files) or _has_more(found, files.keys() | {LEDGER}, closed=closed):
            return None
        for name, digest in files.items():
            content = folder.read(name)
            if content is None or sha256(content).hexdigest() != digest:
                return None
        return FreshBundle(len(files) + 1, key)


def names_other_inputs(top: Folder | None, path: str, inputs: Mapping[str, str]) -> bool:
    """Check whether a bundle was rendered from other inputs, by its own ledger: then at least that is out of date.

    Raises:
        OutputError: something can't be read, or a link or a file is in the place of a folder.
    """
    folder = top.descend(path) if top else None
    if folder is None:
        return False
    with folder:
        data = folder.read(LEDGER)
        return data is not None and not names_inputs(data, inputs)


def _has_more(found: Listing, own: Collection[str], *, closed: bool) -> bool:
    """Check whether a folder holds more than its bundle and notes: writing reports it, or removes leftovers."""
    others = found.files.difference(own)
    return bool(
        found.others
        or found.temporaries
        or (others and (closed or not all(map(is_note, others))))
        or found.empty_folders()
    )


@dataclass(frozen=True, slots=True)
class Stamp:
    """The known ledgers of one tree.

    Args:
        file: its file; None without a cache, when nothing is ever known.
        code: digest (hex) of the code and the templates.
        keys: of the ledgers that this code rendered or checked.
    """

    file: Path | None
    code: str
    keys: frozenset[bytes]

    @classmethod
    def read(cls, root: str | os.PathLike[str], code: str) -> Self:
        """Read the stamp of an output root; it is empty if missing, damaged, or written by other code."""
        folder = cache_folder("stamps")
        if folder is None:
            return cls(None, code, frozenset())
        file = folder / sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:32]
        try:
            return cls(file, code, frozenset(_parsed(file.read_bytes(), code)))
        except OSError:
            return cls(file, code, frozenset())

    def save(self, keys: Collection[bytes]) -> None:
        """Replace the keys atomically; a cache that can't be written to is left as it is."""
        if self.file is None or self.keys == keys:
            return
        body = _head(self.code) + b"".join(sorted(keys))
        with suppress(OutputError, OSError):
            top = open_root(self.file.parent)
            if top is not None:
                with top:
                    top.write(self.file.name, body + sha256(body).digest())
            _forget(self.file.parent)


def _head(code: str) -> bytes:
    return _MAGIC + code.encode() + b"\n"


def _parsed(data: bytes, code: str) -> Iterable[bytes]:
    head, body = _head(code), data[:-_SEAL]
    if not body.startswith(head) or sha256(body).digest() != data[-_SEAL:]:
        return ()
    return (body[start : start + KEY_LENGTH] for start in range(len(head), len(body), KEY_LENGTH))


def _forget(folder: Path) -> None:
    """Keep only the newest stamps: tests leave many whose output roots are gone."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.stat().st_mtime, reverse=True)
    for entry in found[_KEPT:]:
        os.unlink(entry)  # noqa: PTH108 - an entry is not a Path
