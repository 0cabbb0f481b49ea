"""The changes that turn a folder into a bundle, computed once for writing, checking and showing them."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import Literal

from generator.dataclass import dataclass
from generator.output.bundle import LEDGER, Bundle, is_note, parents
from generator.output.folder import Folder, Listing
from generator.output.ledger import NOTHING, Ledger, damaged, ledger_key, parse
from generator.source.finding import Finding

Action = Literal["create", "update", "overwrite", "identical", "delete", "keep", "foreign", "note"]
"""The action on a file.

`update` replaces one that Sluice wrote, `overwrite` one that was edited or written by another program; `keep` spares
an edited one that would be deleted; `foreign` is not ours and must not be there; `note` is not ours and may stay.
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes from the folder on disk to a bundle.

    Args:
        actions: name inside the folder to action; sorted by name, without the ledger.
        wanted: name to new content.
        recorded: the ledger on disk; an empty one when it is missing or damaged.
        record: the new ledger; an empty one when the bundle is removed.
        sealed: bytes of the new ledger.
        ledger: what happens to the ledger.
        finding: how the ledger is damaged.
        temporaries: leftovers of an interrupted run.
        folders: folders below this one, each after those inside it.
        empty: those of them that hold nothing; git does not track them, so in a checkout they are submodules.
        key: of the new ledger, for the stamp.
    """

    actions: Mapping[str, Action]
    wanted: Mapping[str, bytes]
    recorded: Ledger
    record: Ledger
    sealed: bytes
    ledger: Action
    finding: Finding | None
    temporaries: tuple[str, ...]
    folders: tuple[str, ...]
    empty: tuple[str, ...] = ()
    key: bytes = b""

    @property
    def settled(self) -> bool:
        """Whether there is nothing to do."""
        idle = {"identical", "foreign", "note"}
        clean = self.ledger == "identical" and not self.temporaries and not self.empty
        return clean and idle.issuperset(self.actions.values())

    @property
    def obsolete(self) -> list[str]:
        """The files to delete."""
        return [name for name, action in self.actions.items() if action == "delete"]


def compare(folder: Folder | None, bundle: Bundle | None, skip: AbstractSet[str] = frozenset()) -> Changes:
    """Compare a folder with the bundle that it should hold.

    Args:
        folder: the open folder; None when there is none.
        bundle: None when it is no longer rendered.
        skip: folders inside it that are other bundles.

    Raises:
        OutputError: something can't be read.
    """
    wanted = {name: text.encode() for name, text in bundle.files.items()} if bundle else {}
    record, sealed, key = NOTHING, b"", b""
    if bundle:
        files = {name: (sha256(data).hexdigest(),) for name, data in wanted.items()}
        record = Ledger(files, {} if bundle.bare else bundle.inputs)
        sealed = record.encode()
        key = ledger_key(bundle.path, sealed, bundle.inputs if bundle.bare else {})
    if folder is None:
        missing: dict[str, Action] = dict.fromkeys(sorted(wanted), "create")
        return Changes(missing, wanted, NOTHING, record, sealed, "create", None, (), (), (), key)
    found = folder.listing(skip=skip)
    data, ledger = read_ledger(folder, found)
    finding = None if isinstance(ledger, Ledger) else ledger
    recorded = ledger if isinstance(ledger, Ledger) else NOTHING
    names = (found.files | found.others | wanted.keys() | recorded.files.keys()) - {LEDGER}
    if skip:
        names = {name for name in names if skip.isdisjoint(parents(name))}
    closed = bundle is not None and bundle.closed
    actions = {
        name: _action(folder, name, found, recorded, wanted.get(name), closed=closed)
        for name in sorted(names)
    }
    if finding:  # without a ledger an older render looks like an edit, and it usually is not one
        actions = {name: "update" if action == "overwrite" else action for name, action in actions.items()}
    return Changes(
        actions={name: action for name, action in actions.items() if action},
        wanted=wanted,
        recorded=recorded,
        record=record,
        sealed=sealed,
        ledger=_ledger_action(data, sealed, finding),
        finding=finding,
        temporaries=tuple(found.temporaries),
        folders=tuple(found.folders),
        empty=tuple(found.empty_folders()),
        key=key,
    )


def contents(bundle: Bundle) -> dict[str, bytes]:
    """Return what the folder of a bundle holds once it is written, by name: its files and the ledger."""
    changes = compare(None, bundle)
    return {**changes.wanted, LEDGER: changes.sealed}


def read_ledger(folder: Folder, found: Listing) -> tuple[bytes | None, Ledger | Finding]:
    """Read the ledger of a folder.

    Returns:
        Its bytes, None when there is none; and its content, or a finding when it is damaged.
    """
    file = f"{folder.path}/{LEDGER}"
    if LEDGER in found.others:
        return b"", damaged(file, "is not a regular file")
    data = folder.read(LEDGER) if LEDGER in found.files else None
    return data, NOTHING if data is None else parse(data, file)


def _action(
    folder: Folder, name: str, found: Listing, recorded: Ledger, wanted: bytes | None, *, closed: bool
) -> Action | None:
    """Return the action for one name; None when it was listed and is already gone."""
    if name not in found.files and name not in found.others:
        return "create" if wanted is not None else None
    known = recorded.files.get(name, ())
    if wanted is None and not known:
        return "note" if name in found.files and is_note(name) and not closed else "foreign"
    data = folder.read(name) if name in found.files else None
    if wanted is not None and data == wanted:
        return "identical"
    written_by_us = data is not None and sha256(data).hexdigest() in known
    if wanted is None:
        return "delete" if written_by_us else "keep"
    return "update" if written_by_us else "overwrite"


def _ledger_action(data: bytes | None, sealed: bytes, finding: Finding | None) -> Action:
    if not sealed:
        return "keep" if finding else "delete"
    if data is None:
        return "create"
    return "identical" if data == sealed else "update"
