"""Unified difference between a tree and what would be rendered, in the form that `git apply` takes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from generator.output.bundle import Bundle
from generator.output.survey import survey

_SHOWN = {"create", "update", "overwrite", "delete"}


def diff(
    root: str | os.PathLike[str], bundles: Iterable[Bundle], *, orphaned: Iterable[str] = ()
) -> Iterator[str]:
    r"""Yield the lines of the difference, each ended by LF; ledgers are left out, they say nothing new.

    Bytes that are not UTF-8 are shown as `\ufffd`.

    Args:
        root: output root.
        bundles: bundles as they would be written, shown in this order.
        orphaned: paths of bundles that nothing renders any more, as `orphans` found them.

    Raises:
        OutputError: something can't be read.
    """
    for path, changes, read in survey(root, bundles, orphaned):
        for name, action in changes.actions.items():
            if action in _SHOWN:
                yield from _file_diff(f"{path}/{name}", read(name), changes.wanted.get(name))


def _file_diff(path: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    from difflib import unified_diff

    before = "/dev/null" if old is None else f"a/{path}"
    after = "/dev/null" if new is None else f"b/{path}"
    for line in unified_diff(_lines(old), _lines(new), before, after):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(data: bytes | None) -> list[str]:
    """Split at LF and nowhere else, as the tools that read a difference do."""
    return [line.decode(errors="replace") for line in re.findall(rb"[^\n]*\n|[^\n]+", data or b"")]
