"""Is a bundle up to date? Answered from its ledger and its files, before anything is rendered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from generator import __version__
from generator.output.bundle import LEDGER
from generator.output.compare import read_ledger
from generator.output.folder import Folder, open_root
from generator.output.ledger import Ledger
from generator.output.listing import Listing, listing


@dataclass(frozen=True, slots=True)
class Probe:
    """What one look at a bundle on disk has shown.

    Args:
        path: the bundle.
        reason: why it has to be rendered, for people; empty when it is fresh.
        files: how many files a fresh bundle holds, its ledger included.
        foreign: paths below the output root of files in it that Sluice did not write, sorted.
    """

    path: str
    reason: str
    files: int = 0
    foreign: tuple[str, ...] = ()

    @property
    def fresh(self) -> bool:
        """Whether rendering it again would change nothing."""
        return not self.reason


def probe(root: str | os.PathLike[str], path: str, inputs: Mapping[str, str]) -> Probe:
    """Look whether a bundle was rendered from these inputs by this version and has not been touched since.

    Every file is read and hashed: a time stamp proves nothing after a `git checkout`.

    Args:
        root: output root.
        path: bundle below it.
        inputs: name of each input to its SHA-256, as the bundle would have them.

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
        return _probe(folder, path, inputs)


def _probe(folder: Folder, path: str, inputs: Mapping[str, str]) -> Probe:
    found = listing(folder)
    data, ledger = read_ledger(folder, found)
    if data is None:
        return Probe(path, "it was never rendered")
    if not isinstance(ledger, Ledger):
        return Probe(path, "its ledger is damaged")
    reason = _ledger_reason(ledger, inputs) or _file_reason(folder, ledger, found)
    foreign = (found.files | found.others) - ledger.files.keys() - {LEDGER}
    return Probe(path, reason, len(ledger.files) + 1, tuple(f"{path}/{name}" for name in sorted(foreign)))


def _ledger_reason(ledger: Ledger, inputs: Mapping[str, str]) -> str:
    if not ledger.finished:
        return "a run was interrupted"
    if ledger.version != __version__:
        return f"rendered by {ledger.version}, this is {__version__}"
    names = {*ledger.inputs, *inputs}
    changed = sorted(name for name in names if ledger.inputs.get(name) != inputs.get(name))
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
