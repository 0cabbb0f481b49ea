"""The bytes of DVC outputs: in a cache, in a remote that is a folder, or still in the work tree.

Layout of DVC 3: `files/md5/<2 hex>/<30 hex>`; a folder is a JSON list of its files, under its MD5 and `.dir`.
"""

from __future__ import annotations

import configparser
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from generator.cluster.pins.digest import listing_digest
from generator.cluster.pins.failure import MISMATCH, NO_CONTENT, PinError
from generator.cluster.pins.git import Git

_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Store:
    """Where the bytes of one output may lie.

    Args:
        folders: caches and remotes, in the order they are asked.
        tree: the output in the work tree; None when there is none.
    """

    folders: tuple[Path, ...]
    tree: Path | None

    @staticmethod
    def of(commit: Git, other: Path | None, path: str) -> Store:
        """The store of a path.

        Args:
            commit: the commit that points at it; its `.dvc/config` names remotes.
            other: work tree of the other repository, if the path is in another and that lies on this machine.
            path: the output, below the work tree.
        """
        root = commit.around.root
        homes = [home for start in (other, root) if start for home in _homes(start)]
        folders = [folder for home in homes for folder in _configured(home)]
        # What another repository's commit says is read too; its relative paths are those of its own work tree.
        said = commit.show(".dvc/config") if commit.folder != root else None
        if said is not None:
            folders += _folders(said.decode("utf-8", "replace"), other / ".dvc" if other else None)
        tree = root / path if commit.folder == root else None
        return Store(tuple(dict.fromkeys(folders)), tree)

    def digest(self, md5: str, what: str) -> str:
        """Digest (`sha256:` and hex) of an output, by its MD5, which is checked on the way.

        Raises:
            PinError: the bytes are not here, or are not those of the MD5.
        """
        if not md5.endswith(".dir"):
            return "sha256:" + self._sha256(md5, self.tree, what)
        try:
            listed = json.loads(self._listing(md5, what))
            files = {str(item["relpath"]): str(item["md5"]) for item in listed}
        except (ValueError, KeyError, TypeError) as error:
            raise PinError(
                MISMATCH, f"the listing of {what} can't be read", "run `dvc pull` again"
            ) from error
        if not files:
            raise PinError(NO_CONTENT, f"{what} holds no file", "check that the data was written")
        return listing_digest(
            {path: self._sha256(part, self.tree and self.tree / path, what) for path, part in files.items()}
        )

    def _listing(self, md5: str, what: str) -> bytes:
        content = self._path(md5, what).read_bytes()
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5.removesuffix(".dir"):
            raise _corrupt(what)
        return content

    def _sha256(self, md5: str, tree: Path | None, what: str) -> str:
        if tree is not None and not self._stored(md5) and tree.is_file():
            found, sha256 = _both(tree)
            if found == md5:
                return sha256
        found, sha256 = _both(self._path(md5, what))
        if found != md5:
            raise _corrupt(what)
        return sha256

    def _path(self, md5: str, what: str) -> Path:
        path = self._stored(md5)
        if path is None:
            message = f"the bytes of {what} (MD5 {md5}) are in no DVC cache and no local remote here"
            raise PinError(NO_CONTENT, message, "run `dvc pull` (or `dvc fetch`) first, then pin")
        return path

    def _stored(self, md5: str) -> Path | None:
        paths = (folder / "files" / "md5" / md5[:2] / md5[2:] for folder in self.folders)
        return next((path for path in paths if path.is_file()), None)


def _corrupt(what: str) -> PinError:
    message = f"the DVC store holds other bytes for {what} than its MD5 says"
    return PinError(MISMATCH, message, "remove them and run `dvc pull` again")


def _both(path: Path) -> tuple[str, str]:
    """MD5 and SHA-256 (hex) of a file, read once."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
    return md5.hexdigest(), sha256.hexdigest()


def _homes(folder: Path) -> list[Path]:
    """The `.dvc` folder of a work tree: here, or in a folder above."""
    found = next((above / ".dvc" for above in (folder, *folder.parents) if (above / ".dvc").is_dir()), None)
    return [found] if found else []


def _configured(home: Path) -> list[Path]:
    texts = []
    for name in ("config", "config.local"):
        file = home / name
        if file.is_file():
            texts.append(file.read_text("utf-8", "replace"))
    return [home / "cache", *(folder for text in texts for folder in _folders(text, home))]


def _folders(text: str, home: Path | None) -> list[Path]:
    """Caches and remotes of a configuration that are folders; relative ones count from the file's folder."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return []
    values = [
        section.get("dir" if name == "cache" else "url", "").strip("'\"").removeprefix("file://")
        for name, section in parser.items()
        if name == "cache" or name.strip("'").startswith("remote ")
    ]
    paths = [Path(value) for value in values if value and "://" not in value]
    return [path if home is None else home / path for path in paths if home or path.is_absolute()]
