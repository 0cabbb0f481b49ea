"""Expectation suites: files of the repository that are part of a gate's configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from generator.plan.entries import Entry


def suite_digests(entry: Entry, paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Path and `sha256:…` of each suite that lies in the repository, sorted: beside the spec, else at the root.

    A suite that lies elsewhere is given to the gates when they run, and evidence names its digest.
    """
    found = ((path, _file(entry, path)) for path in sorted(set(paths)))
    return tuple((path, f"sha256:{_digest(file)}") for path, file in found if file is not None)


def _file(entry: Entry, path: str) -> Path | None:
    folders = (entry.spec.parent, entry.spec.parents[2])
    return next((folder / path for folder in folders if (folder / path).is_file()), None)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
