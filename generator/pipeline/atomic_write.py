"""Files that commands write beside the bundles: in one step each, and a file system that refuses is a clear error."""

from __future__ import annotations

import os
from pathlib import Path

from generator.source.errors import CliError


def write_file(path: Path, data: bytes) -> None:
    """Replace or make one file in one step, with the folders above it.

    Raises:
        CliError: the file system refuses.
    """
    write_files(path.parent, {path.name: data})


def write_files(root: Path, files: dict[str, bytes]) -> None:
    """Write files, each in one step, by path below a folder that is made if missing.

    Raises:
        CliError: the file system refuses.
    """
    from generator.output.errors import OutputError
    from generator.output.folder import open_root

    try:
        folder = open_root(root, create=True)
        if folder is None:
            raise CliError(f"{root} vanished while it was written to")
        with folder:
            for name, data in files.items():
                folder.write(name, data)
    except OutputError as error:
        raise CliError(error.message) from error
    except FileNotFoundError as error:
        raise CliError(f"{root} vanished while it was written to") from error


def existing(root: Path, names: list[str]) -> list[str]:
    """Those of some relative paths that something already stands at, or that a file above keeps from being made."""
    return [name for name in names if _taken(root, name)]


def _taken(root: Path, name: str) -> bool:
    parts = name.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts))]
    return os.path.lexists(root / name) or any(
        os.path.lexists(root / folder) and not (root / folder).is_dir() for folder in above
    )
