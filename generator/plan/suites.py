"""Expectation suites: files of the repository that are part of a gate's configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from generator.plan.entries import Entry


def suite_digests(entry: Entry, paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Path and `sha256:…` of each suite that lies in the repository, sorted: beside the spec, else at the root.

    A suite that lies elsewhere is given to the gates when they run, and evidence names its digest.
    """
    found = ((path, _digest(entry, path)) for path in sorted(set(paths)))
    return tuple((path, f"sha256:{digest}") for path, digest in found if digest)


def _digest(entry: Entry, path: str) -> str:
    """Digest (hex) of the first of both files; empty where there is none that can be read."""
    folders = (entry.spec.parent, entry.spec.parents[2])
    file = next((folder / path for folder in folders if (folder / path).is_file()), None)
    if file is None:
        return ""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
