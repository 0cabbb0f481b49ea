"""Bundles that nothing renders any more: find them and delete what Sluice wrote there, and only that."""

from __future__ import annotations

import os
from collections.abc import Collection

from generator.output.bundle import LEDGER, parents
from generator.output.compare import compare_vanished
from generator.output.folder import Folder, open_root
from generator.output.journal import Journal
from generator.output.listing import Listing, listing
from generator.output.lock import Notice, locked
from generator.output.report import WriteReport
from generator.output.write import delete


def orphans(root: str | os.PathLike[str], scope: str, expected: Collection[str]) -> tuple[str, ...]:
    """Find the bundles on disk that are not expected.

    Args:
        root: output root.
        scope: folder below it to look in, such as `production`; empty for everything.
        expected: paths of the bundles that are rendered today, fresh ones included.

    Returns:
        Their paths below the root, sorted.

    Raises:
        OutputError: a folder can't be read.
    """
    top = open_root(root)
    if top is None:
        return ()
    with top:
        return _orphans(_listing(top, scope), expected)


def prune(
    root: str | os.PathLike[str], scope: str, expected: Collection[str], notice: Notice = lambda _: None
) -> WriteReport:
    """Delete the bundles in a scope that are not expected, and the folders that this empties.

    A file goes only if the ledger lists it and it still holds what the ledger says; a folder with anything
    else in it stays. A bundle whose ledger is damaged stays as it is and is reported. Empty folders and
    leftovers of an interrupted run go wherever they are in the scope: an empty folder does not exist for git.
    Call it before `write`, so that a new bundle finds its place free.

    Args:
        root: output root.
        scope: folder below it to work in; empty for everything.
        expected: paths of the bundles to keep.
        notice: told when another run has to be waited for.

    Raises:
        OutputError: the file system refuses; the next run goes on from there.
    """
    journal = Journal()
    if not os.path.lexists(root):
        return journal.report()
    with locked(root, notice) as top:
        found = _listing(top, scope)
        for path in _orphans(found, expected):
            _vanish(top, path, journal)
        delete(top, found.temporaries, (*found.folders, *filter(None, [scope]), *parents(scope)))
    return journal.report()


def _listing(top: Folder, scope: str) -> Listing:
    folder = top.descend(scope)
    if folder is None:
        return Listing()
    with folder:
        return listing(folder, f"{scope}/" if scope else "")


def _orphans(found: Listing, expected: Collection[str]) -> tuple[str, ...]:
    suffix = f"/{LEDGER}"
    bundles = {file.removesuffix(suffix) for file in found.files if file.endswith(suffix)}
    return tuple(sorted(bundles.difference(expected)))


def _vanish(top: Folder, path: str, journal: Journal) -> None:
    folder = top.descend(path)
    if folder is None:
        return
    with folder:
        changes = compare_vanished(folder)
        if changes.finding:
            journal.note_finding(changes)
            return
        journal.note(path, changes)
        delete(folder, (*changes.temporaries, *changes.obsolete), changes.folders)
        folder.remove(LEDGER)
