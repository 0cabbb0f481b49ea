"""Finds what is below the output root outside the bundles that are rendered today: nothing there proves itself."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection
from dataclasses import field
from functools import cached_property

from generator.dataclass import dataclass
from generator.output.bundle import LEDGER, is_note, parents
from generator.output.folder import Folder, Listing, is_too_deep, open_root


@dataclass
class Survey:
    """What is below the output root, outside the expected bundles; paths are relative to the root.

    Args:
        expected: paths of the bundles that are rendered today; they are compared one by one, not here.
        orphans: other folders with a ledger, sorted.
        foreign: files, links and other entries outside all bundles.
        notes: files outside all bundles that may stay there.
        temporaries: leftovers of an interrupted run, outside all bundles.
        empty: folders that hold nothing.
    """

    expected: Collection[str] = frozenset()
    orphans: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    temporaries: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    @property
    def untidy(self) -> bool:
        """Whether there is anything that `prune` deletes."""
        return bool(self.orphans or self.temporaries or self.empty)

    def inside(self, path: str) -> frozenset[str]:
        """Return the bundles inside the folder of an orphan, relative to it: its ledger has no say about them."""
        return self._nested.get(path, frozenset())

    @cached_property
    def _nested(self) -> dict[str, frozenset[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        outer = set(self.orphans)
        for path in {*self.expected, *self.orphans} if outer else ():
            for above in outer.intersection(parents(path)):
                found[above].add(path[len(above) + 1 :])
        return {above: frozenset(paths) for above, paths in found.items()}


def survey(root: str | os.PathLike[str], scope: str, expected: Collection[str]) -> Survey:
    """List everything below the output root that is not in an expected bundle.

    Args:
        root: output root.
        scope: folder below it to look in, such as `production`; empty for everything.
        expected: paths of the bundles that are rendered today, fresh ones included.

    Raises:
        OutputError: a folder can't be read.
    """
    found = Survey(expected)
    top = open_root(root)
    if top is None:
        return found
    with top:
        folder = top.descend(scope)
        if folder is not None:
            with folder:
                _search(folder, scope, found)
    found.orphans.sort()
    return found


def _search(folder: Folder, path: str, found: Survey, *, in_orphan: bool = False) -> None:
    """Add what is below a folder. Expected bundles are not searched; in an orphan only other bundles count."""
    level = folder.level(f"{path}/" if path else "")
    if path and f"{path}/{LEDGER}" in level.files:
        found.orphans.append(path)
        in_orphan = True
    if not in_orphan:
        _add_loose(level, path, found)
    for inner in sorted(level.folders):
        if is_too_deep(inner):
            found.foreign.append(inner)
            continue
        child = folder.child(inner.rpartition("/")[2]) if inner not in found.expected else None
        if child is not None:
            with child:
                _search(child, inner, found, in_orphan=in_orphan)


def _add_loose(level: Listing, path: str, found: Survey) -> None:
    notes = set(filter(is_note, level.files))
    found.notes += notes
    found.foreign += (level.files - notes) | level.others
    found.temporaries += level.temporaries
    if path and not (level.files or level.others or level.temporaries or level.folders):
        found.empty.append(path)
