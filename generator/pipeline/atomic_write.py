"""Writes files other than bundles atomically; a refusal of the file system is a clear error.

A killed command leaves a temporary file next to the file that it was writing. The next command that writes into the
folder removes it, and so does `render` in all folders of specs: only while no other command writes there, which a lock
on the folder shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.output.folder import Folder


def write_file(path: Path, data: bytes) -> None:
    """Create or replace one file atomically, with the folders above it.

    Raises:
        CliError: the file system refuses the write.
    """
    write_files(path.parent, {path.name: data})


def write_files(root: Path, files: dict[str, bytes]) -> None:
    """Write files, each atomically, by path below a folder that is created if missing.

    Raises:
        CliError: the file system refuses the write.
    """
    from generator.output.errors import OutputError
    from generator.output.folder import open_root

    try:
        folder = open_root(root, create=True)
        if folder is None:
            raise CliError(f"{root} was deleted during writing")
        with folder:
            for name, data in files.items():
                above, _, last = name.rpartition("/")
                with folder.make(above) as inner:
                    _clear(inner)
                    inner.write(last, data)
    except OutputError as error:
        raise CliError(error.message) from error
    except FileNotFoundError as error:
        raise CliError(f"{root} was deleted during writing") from error


def clear_leftovers(folders: Iterable[Path]) -> None:
    """Remove what killed commands left directly in some folders; a folder that can't be opened is left as it is."""
    from generator.output.errors import OutputError
    from generator.output.folder import open_root

    for path in folders:
        with suppress(OutputError):
            folder = open_root(path)
            if folder is not None:
                with folder:
                    _clear(folder)


def _clear(folder: Folder) -> None:
    """Remove temporary files from a folder unless another command is writing there; then share its lock."""
    from generator.output.platform_support import has_lock, share_lock

    if folder.descriptor >= 0:
        if has_lock(folder.descriptor):
            for name in folder.level().temporaries:
                folder.remove(name)
        share_lock(folder.descriptor)


def existing(root: Path, names: list[str]) -> list[str]:
    """Return the relative paths that already exist, or that can't be created because a file is in the way."""
    return [name for name in names if _taken(root, name)]


def _taken(root: Path, name: str) -> bool:
    parts = name.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts))]
    return os.path.lexists(root / name) or any(
        os.path.lexists(root / folder) and not (root / folder).is_dir() for folder in above
    )
