"""Look at many bundles of a tree, read-only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from generator.output.bundle import Bundle
from generator.output.compare import Changes, compare, compare_missing, compare_vanished
from generator.output.folder import open_root

Read = Callable[[str], bytes | None]
"""Reads a file of the folder at hand; None when it is missing or not a regular file."""


def survey(
    root: str | os.PathLike[str], bundles: Iterable[Bundle], orphaned: Iterable[str]
) -> Iterator[tuple[str, Changes, Read]]:
    """Yield the path of each bundle, what has to happen to it, and a reader that is good until the next one.

    Raises:
        OutputError: something can't be read.
    """
    for bundle in bundles:
        yield from _look(root, bundle.path, bundle)
    for path in orphaned:
        yield from _look(root, path, None)


def _look(
    root: str | os.PathLike[str], path: str, bundle: Bundle | None
) -> Iterator[tuple[str, Changes, Read]]:
    top = open_root(root)
    folder = None
    if top is not None:
        with top:
            folder = top.descend(path)
    if folder is not None:
        with folder:
            yield path, compare(folder, bundle) if bundle else compare_vanished(folder), folder.read
    elif bundle:
        yield path, compare_missing(bundle), lambda _: None
