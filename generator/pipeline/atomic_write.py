"""Writes files other than bundles atomically; a refusal of the file system is a clear error."""

from __future__ import annotations

import os
from pathlib import Path

from generator.source.errors import CliError


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
                folder.write(name, data)
    except OutputError as error:
        raise CliError(error.message) from error
    except FileNotFoundError as error:
        raise CliError(f"{root} was deleted during writing") from error


def existing(root: Path, names: list[str]) -> list[str]:
    """Return the relative paths that already exist, or that can't be created because a file is in the way."""
    return [name for name in names if _taken(root, name)]


def _taken(root: Path, name: str) -> bool:
    parts = name.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts))]
    return os.path.lexists(root / name) or any(
        os.path.lexists(root / folder) and not (root / folder).is_dir() for folder in above
    )
