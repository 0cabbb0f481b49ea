"""Writes bundles and deletes those that are no longer rendered: only what differs, each file atomically.

The next run repairs what a killed run left. One writer works at a time: it locks the output root itself, which leaves
no
file behind.

For one bundle the order is: a ledger of everything the folder may hold from now on, the files, the deletions,
the ledger of what it holds. So ownership is on disk from before the first write to after the last deletion.
Only files that are in the way of a new one are deleted before it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from generator.output.bundle import LEDGER, Bundle, parents
from generator.output.compare import Changes, compare
from generator.output.errors import OutputError
from generator.output.folder import Folder, Listing, open_root
from generator.output.ledger import union
from generator.output.platform_support import BY_DESCRIPTOR, try_lock, wait_for_lock
from generator.output.report import Journal, WriteReport
from generator.output.survey import survey

_ATTEMPTS: Final = 10
Notice = Callable[[str], None]
"""Receives a sentence for the user while a call is still running."""


def write(
    root: str | os.PathLike[str], bundles: Iterable[Bundle], notice: Notice = lambda _: None
) -> WriteReport:
    """Make each bundle's folder hold the bundle.

    Files that already hold the right bytes are not touched. Files of an older render that are no longer rendered are
    deleted if unchanged, and kept if they were edited. Files that Sluice did
    not write are left alone, and reported unless they are notes.

    Args:
        root: output root, created if missing.
        bundles: what to write; it may be a generator, each bundle is written as it comes.
        notice: receives a sentence when the call waits for another run.

    Raises:
        OutputError: the file system refuses an operation; what was written stays, and the next run continues.
        ValueError: one bundle lies inside another, which is a bug of the caller.
    """
    with locked(root, notice) as top:
        writer = Writer(top)
        for bundle in bundles:
            writer.write(bundle)
        return writer.report()


class Writer:
    """Writes bundles into an open root, in the process that holds its lock or in a child of it.

    Args:
        top: the output root.
    """

    def __init__(self, top: Folder) -> None:
        self._top = top
        self._journal = Journal()
        self._seen: dict[str, bool] = {}

    def write(self, bundle: Bundle) -> None:
        """Make the folder of one bundle hold it; see the function `write`."""
        _refuse_nesting(bundle.path, self._seen)
        _write_bundle(self._top, bundle, self._journal)

    def report(self) -> WriteReport:
        """Return what was written so far."""
        return self._journal.report()


def _refuse_nesting(path: str, seen: dict[str, bool]) -> None:
    """Refuse bundles inside each other; `seen` has True for a bundle and False for a folder above one."""
    above = parents(path)
    if path in seen or any(seen.get(parent) for parent in above):
        raise ValueError(f"{path}: a bundle twice, or one inside another")
    seen[path] = True
    seen.update(dict.fromkeys(above, False))


def _write_bundle(top: Folder, bundle: Bundle, journal: Journal) -> None:
    for _ in range(_ATTEMPTS):
        # Without locks another run may delete our temporary file or an empty folder: try again.
        with suppress(FileNotFoundError):
            with top.make(bundle.path) as folder:
                changes = compare(folder, bundle)
                journal.note(bundle.path, changes)
                _apply(folder, changes)
                journal.note_rendered(changes)
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
        folder.write(LEDGER, changes.sealed)


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


def prune(
    root: str | os.PathLike[str], scope: str, expected: Collection[str], notice: Notice = lambda _: None
) -> WriteReport:
    """Delete the bundles in a scope that are not expected, and the folders that this empties.

    A file is deleted only if the ledger lists it with its current hash; a folder with anything else in it stays. A
    bundle with a damaged ledger stays as it is and is reported. Empty folders and leftovers of an interrupted run are
    deleted everywhere in the scope: git does not track empty folders. Call it before `write`, so that the place of a
    new bundle is free.

    Args:
        root: output root.
        scope: folder below it to work in; empty for everything.
        expected: paths of the bundles to keep.
        notice: receives a sentence when the call waits for another run.

    Raises:
        OutputError: the file system refuses an operation; the next run continues from there.
    """
    journal = Journal()
    if not os.path.lexists(root):
        return journal.report()
    with locked(root, notice) as top:
        outside = survey(root, scope, expected)
        found = _listing(top, scope)
        for path in reversed(outside.orphans):
            _vanish(top, path, outside.inside(path), journal)
        delete(top, found.temporaries, (*found.folders, *filter(None, [scope]), *parents(scope)))
    return journal.report()


def _listing(top: Folder, scope: str) -> Listing:
    folder = top.descend(scope)
    if folder is None:
        return Listing()
    with folder:
        return folder.listing(f"{scope}/" if scope else "")


def _vanish(top: Folder, path: str, inside: frozenset[str], journal: Journal) -> None:
    folder = top.descend(path)
    if folder is None:
        return
    with folder:
        changes = compare(folder, None, inside)
        if changes.finding:
            journal.note_finding(changes)
            journal.note_foreign(f"{path}/{LEDGER}")
            return
        journal.note(path, changes)
        delete(folder, (*changes.temporaries, *changes.obsolete), changes.folders)
        folder.remove(LEDGER)


@contextmanager
def locked(root: str | os.PathLike[str], notice: Notice) -> Iterator[Folder]:
    """Open the output root (created if missing) and hold its lock.

    Raises:
        OutputError: the root can't be opened or created.
    """
    folder = _open(root)
    while True:
        with folder:
            if not try_lock(folder.descriptor):
                notice(f"waiting: another sluice is writing {folder.path}")
                wait_for_lock(folder.descriptor)
            if _is_at(folder, root):
                yield folder
                return
        folder = _open(root)  # the root was replaced while this process waited


def _open(root: str | os.PathLike[str]) -> Folder:
    folder = open_root(root, create=True)
    if folder is None:
        raise OutputError(f"can't open {root}: it was deleted as soon as it was created")
    return folder


def _is_at(folder: Folder, root: str | os.PathLike[str]) -> bool:
    if not BY_DESCRIPTOR:
        return True
    try:
        return os.path.samestat(os.fstat(folder.descriptor), os.stat(root))  # noqa: PTH116 - see open_root
    except FileNotFoundError:
        return False
