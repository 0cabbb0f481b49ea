"""Write bundles: only what differs, each file in one step; the next run repairs what a kill left.

For one bundle the order is: a ledger of everything the folder may hold from now on, the files, the deletions,
the ledger of what it holds. So ownership is on disk from before the first write to after the last deletion.
Only what is in the way of a new file is deleted before it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from generator.output.bundle import LEDGER, Bundle, parents
from generator.output.compare import Changes, compare
from generator.output.errors import OutputError
from generator.output.folder import Folder
from generator.output.journal import Journal
from generator.output.ledger import union
from generator.output.lock import Notice, locked
from generator.output.report import WriteReport

_ATTEMPTS = 10


def write(
    root: str | os.PathLike[str], bundles: Iterable[Bundle], notice: Notice = lambda _: None
) -> WriteReport:
    """Make each bundle's folder hold the bundle.

    Files that already hold the right bytes are not touched. Files that an older render wrote and this one
    does not are deleted if they still hold what it wrote, and kept if they were edited. Files that Sluice did
    not write are left alone.

    Args:
        root: output root, made if missing.
        bundles: what to write; it may be a generator, each bundle is written as it comes.
        notice: told when another run has to be waited for.

    Raises:
        OutputError: the file system refuses; what was written stays, and the next run goes on.
        ValueError: one bundle lies inside another, which is a bug of the caller.
    """
    with locked(root, notice) as top:
        return write_within(top, bundles)


def write_within(top: Folder, bundles: Iterable[Bundle]) -> WriteReport:
    """The same in an open root, for whoever holds its lock or works for who does."""
    journal = Journal()
    seen: dict[str, bool] = {}
    for bundle in bundles:
        _refuse_nesting(bundle.path, seen)
        _write_bundle(top, bundle, journal)
    return journal.report()


def _refuse_nesting(path: str, seen: dict[str, bool]) -> None:
    """Keep bundles apart; `seen` holds True for a bundle and False for a folder above one."""
    above = parents(path)
    if path in seen or any(seen.get(parent) for parent in above):
        raise ValueError(f"{path}: a bundle twice, or one inside another")
    seen[path] = True
    seen.update(dict.fromkeys(above, False))


def _write_bundle(top: Folder, bundle: Bundle, journal: Journal) -> None:
    for _ in range(_ATTEMPTS):
        # Without locks another run may sweep our temporary file or an empty folder: look again and go on.
        with suppress(FileNotFoundError):
            with top.make(bundle.path) as folder:
                changes = compare(folder, bundle)
                journal.note(bundle.path, changes)
                _apply(folder, changes)
                journal.note_rendered(bundle.path, changes)
            return
    raise OutputError(f"can't write {top.path}/{bundle.path}: another program keeps deleting it")


def _apply(folder: Folder, changes: Changes) -> None:
    if changes.settled:
        return
    coming = union(changes.recorded, changes.record)
    if coming.files != changes.recorded.files:
        folder.write(LEDGER, coming.encode())
    first = _in_the_way(changes)
    delete(folder, (*changes.temporaries, *first), changes.folders)
    for name, data in changes.wanted.items():
        if changes.actions[name] != "identical":
            folder.write(name, data)
    rest = [name for name in changes.obsolete if name not in first]
    delete(folder, rest, sorted({parent for name in rest for parent in parents(name)}, reverse=True))
    if changes.ledger != "identical":
        folder.write(LEDGER, changes.record.encode())


def _in_the_way(changes: Changes) -> set[str]:
    """Find the obsolete files whose name a folder needs, or whose folder has the name of a file."""
    above = {parent for name in changes.wanted for parent in parents(name)}
    wanted = changes.wanted.keys()
    return {name for name in changes.obsolete if name in above or not wanted.isdisjoint(parents(name))}


def delete(folder: Folder, files: Iterable[str], folders: Iterable[str]) -> None:
    """Delete files, then those of the folders that are empty.

    Args:
        folder: the open folder of a bundle; the names are relative to it.
        files: what to delete.
        folders: what to delete if it is empty, each after those inside it.

    Raises:
        OutputError: something can't be removed.
    """
    for name in files:
        folder.remove(name)
    for name in folders:
        folder.remove_empty(name)
