"""Compares a tree with what would be rendered, without writing: a report, or a diff for `git apply`."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final

from generator.output.bundle import LEDGER, Bundle
from generator.output.compare import Action, Changes, compare
from generator.output.errors import BlockedError
from generator.output.folder import Folder, open_root
from generator.output.report import CheckReport, in_order
from generator.output.survey import Survey
from generator.source.line import visible

_Reader = Callable[[str], bytes | None]
_KINDS: Final[dict[Action, str]] = {
    "create": "missing",
    "update": "stale",
    "overwrite": "edited",
    "keep": "edited",
    "delete": "orphaned",
    "foreign": "foreign",
    "note": "notes",
}
_SHOWN: Final[set[Action]] = {"create", "update", "overwrite", "delete"}


def check(
    root: str | os.PathLike[str], bundles: Iterable[Bundle], outside: Survey | None = None
) -> CheckReport:
    """Compare a tree, byte by byte, with what would be rendered.

    Args:
        root: output root.
        bundles: the bundles as they would be written.
        outside: what else is below the root; None to leave that out.

    Raises:
        OutputError: something can't be read.
    """
    outside = outside or Survey()
    names: defaultdict[str, list[str]] = defaultdict(list)
    names["foreign"] += outside.foreign
    names["notes"] += outside.notes
    names["orphaned"] += (*outside.temporaries, *_as_folders(outside.empty))
    findings, keys = [], []
    for path, changes, _ in _compared(root, bundles, outside):
        for name, action in (*changes.actions.items(), (LEDGER, changes.ledger)):
            names[_KINDS.get(action, "identical")].append(f"{path}/{name}")
        names["orphaned"] += (
            f"{path}/{name}" for name in (*changes.temporaries, *_as_folders(changes.empty))
        )
        if changes.finding:
            findings.append(changes.finding)
        if changes.settled:
            keys.append(changes.key)
    listed = {kind: tuple(sorted(names[kind])) for kind in dict.fromkeys(_KINDS.values())}
    return CheckReport(**listed, findings=in_order(findings), files=len(names["identical"]), keys=tuple(keys))


def diff(
    root: str | os.PathLike[str], bundles: Iterable[Bundle], outside: Survey | None = None
) -> Iterator[str]:
    r"""Yield the lines of the diff, each ending in LF; ledgers are left out because they add nothing.

    Bytes that are not UTF-8 are shown as `\ufffd`.

    Args:
        root: output root.
        bundles: bundles as they would be written, shown in this order.
        outside: what else is below the root; of it, files of bundles that are no longer rendered are shown.

    Raises:
        OutputError: something can't be read.
    """
    for path, changes, read in _compared(root, bundles, outside or Survey()):
        for name, action in changes.actions.items():
            if action in _SHOWN:
                old = None if action == "create" else read(name)
                yield from _file_diff(visible(f"{path}/{name}"), old, changes.wanted.get(name))


def _compared(
    root: str | os.PathLike[str], bundles: Iterable[Bundle], outside: Survey
) -> Iterator[tuple[str, Changes, _Reader]]:
    """Yield each bundle's path, its change, and a reader of its files that is valid until the next one."""
    for bundle in bundles:
        yield from _compared_one(root, bundle.path, bundle)
    for path in outside.orphans:
        yield from _compared_one(root, path, None, outside.inside(path))


def _compared_one(
    root: str | os.PathLike[str], path: str, bundle: Bundle | None, skip: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Changes, _Reader]]:
    folder = _folder_of(root, path)
    if folder is not None:
        with folder:
            yield path, compare(folder, bundle, skip), folder.read
    elif bundle:
        yield path, compare(None, bundle), lambda _: None


def _folder_of(root: str | os.PathLike[str], path: str) -> Folder | None:
    """Open the folder of a bundle; None when there is none, or a link or a file has its name (the survey finds it)."""
    top = open_root(root)
    if top is None:
        return None
    with top, suppress(BlockedError):
        return top.descend(path)
    return None


def _as_folders(paths: Iterable[str]) -> Iterator[str]:
    return (f"{path}/" for path in paths)


def _file_diff(path: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    from difflib import unified_diff

    before = "/dev/null" if old is None else f"a/{path}"
    after = "/dev/null" if new is None else f"b/{path}"
    for line in unified_diff(_lines(old), _lines(new), before, after):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(data: bytes | None) -> list[str]:
    """Split at LF only, as the tools that read diffs do."""
    return [line.decode(errors="replace") for line in re.findall(rb"[^\n]*\n|[^\n]+", data or b"")]
