"""Is a bundle up to date? Answered from its ledger and its files, before anything is rendered."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from dataclasses import dataclass
from hashlib import sha256

from generator.output.bundle import LEDGER
from generator.output.compare import read_ledger
from generator.output.folder import Folder, open_root
from generator.output.ledger import Ledger
from generator.output.listing import Listing, listing
from generator.output.stamp import ledger_key


@dataclass(frozen=True, slots=True)
class Probe:
    """What one look at a bundle on disk has shown.

    Args:
        path: the bundle.
        reason: why it has to be rendered, for people; empty when it is fresh.
        files: how many files a fresh bundle holds, its ledger included.
        foreign: paths below the output root of files in it that Sluice did not write, sorted.
        key: of its ledger, as stamps keep it.
    """

    path: str
    reason: str
    files: int = 0
    foreign: tuple[str, ...] = ()
    key: bytes = b""

    @property
    def fresh(self) -> bool:
        """Whether rendering it again would change nothing."""
        return not self.reason


def probe(
    root: str | os.PathLike[str], path: str, inputs: Mapping[str, str], known: Container[bytes]
) -> Probe:
    """Check whether a bundle was rendered from these inputs by this code and has not been touched since.

    Every file is read and hashed: a time stamp proves nothing after a `git checkout`.

    Args:
        root: output root.
        path: bundle below it.
        inputs: name to SHA-256 of each input that is known before rendering.
        known: keys of the ledgers that this code rendered or checked.

    Raises:
        OutputError: something can't be read, or a link or a file stands where a folder belongs.
    """
    top = open_root(root)
    if top is None:
        return Probe(path, "it was never rendered")
    with top:
        folder = top.descend(path)
    if folder is None:
        return Probe(path, "it was never rendered")
    with folder:
        return _probe(folder, path, inputs, known)


def _probe(folder: Folder, path: str, inputs: Mapping[str, str], known: Container[bytes]) -> Probe:
    found = listing(folder)
    data, ledger = read_ledger(folder, found)
    if data is None:
        return Probe(path, "it was never rendered")
    if not isinstance(ledger, Ledger):
        return Probe(path, "its ledger is damaged")
    key = ledger_key(path, data)
    reason = _ledger_reason(ledger, inputs)
    if not reason and key not in known:
        reason = "this version of Sluice has not rendered it here yet"
    reason = reason or _file_reason(folder, ledger, found)
    foreign = (found.files | found.others) - ledger.files.keys() - {LEDGER}
    return Probe(
        path, reason, len(ledger.files) + 1, tuple(f"{path}/{name}" for name in sorted(foreign)), key
    )


def _ledger_reason(ledger: Ledger, inputs: Mapping[str, str]) -> str:
    if not ledger.finished:
        return "a run was interrupted"
    changed = sorted(name for name, digest in inputs.items() if ledger.inputs.get(name) != digest)
    return f"changed: {', '.join(changed)}" if changed else ""


def _file_reason(folder: Folder, ledger: Ledger, found: Listing) -> str:
    if found.temporaries:
        return "a run was interrupted"
    for name, digests in ledger.files.items():
        if name not in found.files:
            return f"{name} {'was edited' if name in found.others else 'is missing'}"
        data = folder.read(name)
        if data is None or sha256(data).hexdigest() not in digests:
            return f"{name} was edited"
    return ""
