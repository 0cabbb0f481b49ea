"""What lies below a folder, sorted by kind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from generator.output.folder import Folder

_TEMPORARY = re.compile(r"\.sluice-[0-9a-f]{16}\.tmp")


@dataclass(slots=True)
class Listing:
    """Paths below a folder.

    Args:
        files: regular files.
        others: links, sockets and the like.
        folders: folders, each after those inside it.
        temporaries: temporary files that an interrupted run left.
    """

    files: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    folders: list[str] = field(default_factory=list)
    temporaries: list[str] = field(default_factory=list)


def listing(folder: Folder, prefix: str = "") -> Listing:
    """List what lies below a folder, down to the bottom, following no link.

    Args:
        folder: the open folder.
        prefix: put before every path; empty, or ending with `/`.

    Raises:
        OutputError: a folder can't be read.
    """
    found = Listing()
    _add(folder, prefix, found)
    return found


def _add(folder: Folder, prefix: str, found: Listing) -> None:
    inner: list[str] = []
    for entry in folder.scan():
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            inner.append(name)
        elif not entry.is_file(follow_symlinks=False):
            found.others.add(prefix + name)
        elif _TEMPORARY.fullmatch(name):
            found.temporaries.append(prefix + name)
        else:
            found.files.add(prefix + name)
    for name in sorted(inner):
        child = folder.child(name)
        if child is not None:
            with child:
                _add(child, f"{prefix}{name}/", found)
            found.folders.append(prefix + name)
