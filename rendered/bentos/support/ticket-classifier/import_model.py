"""Import the downloaded artifact of the model into the local model store, if it is the pinned one.

    python import_model.py ARTIFACT

ARTIFACT is a file or a folder: a model that BentoML exported, an MLflow model, or the model file itself. Nothing of it
is loaded before its SHA-256 was compared. Links, names with control characters, and a file that starts like a listing
are refused. The digest of a folder is that of its listing, which this command prints:

    (cd ARTIFACT && find . -type f | cut -c3- | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum -- | sha256sum)
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path

import bentoml

TAG = 'ticket_classifier:7'
SHA256 = 'fa316cfdbbf5cc3cf0537d3736edd3baac6644960b2012e30fa3b4afdc5e572c'
# Controls, line ends, writing directions, bytes that are not UTF-8, and the backslash, which sha256sum escapes.
UNSAFE = r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\\]"
# How a listing starts: a file with this start could have the digest of a folder.
LISTED = rb"[0-9a-f]{64}  "


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(artifact: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's listing in the format of sha256sum, sorted by path.

    Raises:
        ValueError: there is no file, a link or a device, which no digest covers, or a name or a file that could stand
            for another artifact.
    """
    if artifact.is_file():
        with artifact.open("rb") as stream:
            if re.match(LISTED, stream.read(66)):
                raise ValueError(f"{artifact.name} starts like a listing of sha256sum")
        return file_digest(artifact)
    paths = sorted(artifact.rglob("*"), key=lambda path: os.fsencode(path.relative_to(artifact).as_posix()))
    if odd := next((path for path in paths if path.is_symlink() or not (path.is_file() or path.is_dir())), None):
        raise ValueError(f"{ascii(str(odd))} is neither a file nor a folder")
    names = [path.relative_to(artifact).as_posix() for path in paths if path.is_file()]
    if not names:
        raise ValueError(f"{artifact} contains no file")
    if odd := next((name for name in names if re.search(UNSAFE, name)), None):
        raise ValueError(f"the name {ascii(odd)} has a control character or a backslash")
    lines = [f"{file_digest(artifact / name)}  {name}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def store(artifact: Path) -> None:
    """Import what BentoML exported; copy anything else as it is, under the pinned tag.

    Raises:
        ValueError: the export has another tag.
    """
    if artifact.suffix == ".bentomodel" or (artifact / "model.yaml").is_file():
        form = {"input_format": "folder"} if artifact.is_dir() else {}
        imported = bentoml.models.import_model(str(artifact), **form)
        if str(imported.tag) != TAG:
            bentoml.models.delete(imported.tag)
            raise ValueError(f"the artifact contains {imported.tag}, not {TAG}")
        return
    with bentoml.models.create(TAG, metadata={"sha256": SHA256}) as model:
        if artifact.is_dir():
            shutil.copytree(artifact, model.path, dirs_exist_ok=True)
        else:
            shutil.copy(artifact, model.path)


def main(arguments: list[str]) -> str | None:
    """Import the artifact that is named. Return what is wrong, or None."""
    if len(arguments) != 1:
        return "usage: python import_model.py ARTIFACT"
    artifact = Path(arguments[0])
    try:
        found = digest(artifact)
        if found != SHA256:
            return f"refused: {artifact} has the SHA-256 {found}, the lock pins {SHA256}"
        store(artifact)
    except (OSError, ValueError, bentoml.exceptions.BentoMLException) as error:
        return f"refused: {error}"
    print(f"imported {TAG}")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
