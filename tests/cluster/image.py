"""Container images without a registry and without a daemon: docker archives made of layers that are plain tar files."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """An image.

    Args:
        name: with its tag, exactly as a pod names it.
        layers: uncompressed tar files, lowest first.
        config: container configuration as in the image specification: Entrypoint, Cmd, User, WorkingDir.
        env: environment variables.
    """

    name: str
    layers: tuple[Path, ...]
    config: Mapping[str, object] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


def layer_of_files(target: Path, files: Mapping[str, Path]) -> Path:
    """A layer of single files by their path in the image."""
    with tarfile.open(target, "w") as tar:
        for name, source in sorted(files.items()):
            _add(tar, source, name, 0)
    return target


def layer_of_folder(target: Path, folder: Path, below: str, owner: int = 0) -> Path:
    """A layer that holds a folder.

    Args:
        target: the tar file.
        folder: its content.
        below: its path in the image, without a leading slash.
        owner: user and group of everything in it.
    """
    with tarfile.open(target, "w") as tar:
        for parent in reversed(PurePosixPath(below).parents):
            if str(parent) != ".":
                _add_folder(tar, str(parent), 0)
        _add_folder(tar, below, owner)
        for path in sorted(folder.rglob("*")):
            _add(tar, path, f"{below}/{path.relative_to(folder).as_posix()}", owner)
    return target


def archive(target: Path, images: Sequence[Image]) -> Path:
    """A docker archive of some images; layers that they share are in it once."""
    digests = {layer: _digest(layer) for image in images for layer in image.layers}
    manifest = []
    with tarfile.open(target, "w") as tar:
        for digest, layer in {digest: layer for layer, digest in digests.items()}.items():
            tar.add(layer, arcname=f"{digest}.tar")
        for image in images:
            layers = [digests[layer] for layer in image.layers]
            config = json.dumps(_config(image, layers)).encode()
            name = f"{hashlib.sha256(config).hexdigest()}.json"
            _add_text(tar, name, config)
            manifest.append(
                {"Config": name, "RepoTags": [image.name], "Layers": [f"{layer}.tar" for layer in layers]}
            )
        _add_text(tar, "manifest.json", json.dumps(manifest).encode())
    return target


def _config(image: Image, layers: Sequence[str]) -> dict[str, object]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}" for layer in layers]},
        "config": {**image.config, "Env": [PATH, *(f"{key}={value}" for key, value in image.env.items())]},
    }


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _add(tar: tarfile.TarFile, source: Path, name: str, owner: int) -> None:
    entry = tar.gettarinfo(str(source), name)
    entry.uid = entry.gid = owner
    entry.uname = entry.gname = ""
    entry.mtime = 0
    if entry.isreg():
        with source.open("rb") as stream:
            tar.addfile(entry, stream)
    else:
        tar.addfile(entry)


def _add_folder(tar: tarfile.TarFile, name: str, owner: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, owner, owner
    tar.addfile(entry)


def _add_text(tar: tarfile.TarFile, name: str, text: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text)
    tar.addfile(entry, io.BytesIO(text))
