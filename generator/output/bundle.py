"""A bundle: the rendered files of one folder, and the names such files may have."""

from __future__ import annotations

import re
from collections.abc import Mapping

from generator.dataclass import dataclass

LEDGER = ".sluice"

_SEGMENT = r"(?!\.\.?(?:/|\Z)|(?i:\.git(?:/|\Z)|\.sluice))[A-Za-z0-9._+@=-]+"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INPUT = re.compile(r"[A-Za-z0-9._/@+:=-]+")
_NOTE = re.compile(r"[^.].*\.(?:md|txt)|thumbs\.db|desktop\.ini|\.ds_store|\.gitkeep", re.IGNORECASE)

is_path = _PATH.fullmatch
"""Match a relative path that is safe on every file system and in `sha256sum` format.

Plain ASCII, forward slashes, no `.` or `..`, nothing of git's, and no name that Sluice reserves.
"""
is_digest = _DIGEST.fullmatch
is_input = _INPUT.fullmatch


@dataclass(frozen=True, slots=True)
class Bundle:
    """The rendered files of one plan.

    Args:
        path: folder below the output root, with forward slashes, such as `production/shop/recommender`.
        files: name inside the folder (it may contain `/`) to text; LF only, with a final newline.
        inputs: name of an input to the SHA-256 of its content, in hex.
        closed: whether a build copies everything in the folder, so that not even a note may be added.
        bare: whether the ledger names no inputs, so that it changes only with the files.

    Raises:
        ValueError: a name or a text breaks these rules, which is a bug of the renderer.
    """

    path: str
    files: Mapping[str, str]
    inputs: Mapping[str, str]
    closed: bool = False
    bare: bool = False

    def __post_init__(self) -> None:
        if not is_path(self.path):
            raise ValueError(f"not a path for a bundle: {self.path!r}")
        if not self.files:
            raise ValueError(f"{self.path}: a bundle without files")
        _refuse_bad_inputs(self.path, self.inputs)
        for name, text in self.files.items():
            _refuse_bad_file(f"{self.path}/{name}", name, text)
        _refuse_clashes(self.path, self.files)


def _refuse_bad_inputs(path: str, inputs: Mapping[str, str]) -> None:
    for name, digest in inputs.items():
        if not is_input(name) or not is_digest(digest):
            raise ValueError(f"{path}: not an input with a SHA-256: {name!r}: {digest!r}")


def _refuse_bad_file(label: str, name: str, text: str) -> None:
    if not is_path(name):
        raise ValueError(f"{label}: not a name for a rendered file")
    if "\r" in text or not text.endswith("\n"):
        raise ValueError(f"{label}: lines must end with LF, the last one too")


def _refuse_clashes(path: str, files: Mapping[str, str]) -> None:
    """Refuse names that differ only in case, and a file with the name of a folder."""
    names = {name.casefold() for name in files}
    if len(names) < len(files):
        raise ValueError(f"{path}: two names differ only in case")
    for name in names:
        if any(parent in names for parent in parents(name)):
            raise ValueError(f"{path}: {name} lies inside another file")


def is_note(path: str) -> bool:
    """Check whether a regular file is a note of people, which no tool reads: `README.md`, `NOTES.txt`.

    Argo CD 3.6, reposerver/repository/repository.go, reads `.yaml`, `.yml`, `.json` and `.jsonnet`; other names
    (`kustomization.yaml`, `Chart.yaml`, `.argocd-source.yaml`, `.helmignore`, files of plugins) change how it reads a
    folder. So the list of notes is short, and everything else is not a note. Files of desktops count as notes.
    """
    return path.isprintable() and _NOTE.fullmatch(path.rpartition("/")[2]) is not None


def parents(path: str) -> list[str]:
    """List the folders above a relative path, the nearest first."""
    found = []
    while "/" in path:
        path = path.rpartition("/")[0]
        found.append(path)
    return found
