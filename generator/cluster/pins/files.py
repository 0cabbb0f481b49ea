"""Data sets that are files or folders of the GitOps repository itself."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from generator.cluster.pins.errors import MALFORMED, UNKNOWN, PinError
from generator.cluster.pins.reference import SHORT, Content, PinContext, Reference, Resolution
from generator.source.content import PATTERN, partitions, path_digest
from generator.spec.gate_data import UNHASHED


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Hash a path of the repository; its content is its identity.

    Raises:
        PinError: there is no such path, or it leaves the repository.
        ContentError: its content has no digest.
    """
    if reference.text.startswith(UNHASHED):
        return _named(reference)
    path = below(context.root, reference.text, reference.shown)
    if PATTERN.search(reference.text):
        files, digest = partitions(context.root, reference.text, reference.shown)
        if not all(file.resolve().is_relative_to(context.root.resolve()) for file in files):
            raise PinError(
                MALFORMED, f"{reference.shown} leads through a link out of the repository", "copy the data"
            )
        return _resolution(reference, Content(digest, "the repository"))
    if not path.exists():
        message = f"{reference.shown} does not exist in this repository"
        raise PinError(UNKNOWN, message, "correct the path, or commit the file")
    if not path.resolve().is_relative_to(context.root.resolve()):
        raise PinError(MALFORMED, f"{reference.shown} is a link that leaves the repository", "copy the data")
    return _resolution(reference, Content(path_digest(path, reference.shown), "the repository"))


def _named(reference: Reference) -> Resolution:
    """Pin a name with a version, a table or a query: the digest proves what was named, not which rows came back."""
    digest = hashlib.sha256(reference.text.encode()).hexdigest()
    unbound = reference.text.startswith(("table:", "query:"))
    by = "its text; the rows are unbound" if unbound else "its text, which names a version of the table"
    return _resolution(reference, Content(f"sha256:{digest}", by))


def _resolution(reference: Reference, content: Content) -> Resolution:
    digest = content.digest.removeprefix("sha256:")
    return Resolution(f"{reference.text}#sha256={digest}", digest[:SHORT], lambda: content)


def below(root: Path, path: str, shown: str) -> Path:
    """Return a path of the repository.

    Raises:
        PinError: it is not relative, or leads above the repository.
    """
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts:
        raise PinError(
            MALFORMED, f"{shown} is not a path inside the repository", "for example data/train.parquet"
        )
    return root / parts
