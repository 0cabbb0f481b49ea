"""Where gates find their files, and whether those are the ones that the lock names.

A path that a gate names is looked for, in this order: what `--data NAME=FILE` says, the folder of `--from`, beside the
spec, the root of the repository. `dvc:path` is looked for as that path, then in DVC's local cache through `path.dvc`.
An address (`s3://`, `https://`) is looked for below `addresses/` in the folder of `--from`, where `gates stage` puts
it, and else has to be given with `--data`: gates read files, they fetch nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generator.gates.outcome import Binding, NoVerdictError
from generator.source.reader import read
from generator.spec.evidence import Source
from generator.spec.lock import LockFile

PREDICTIONS = ("predictions.parquet", "predictions.csv")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files of one run.

    Args:
        root: the repository.
        spec: the spec's file.
        lock: what references were resolved to.
        folder: of `--from`.
        given: file by the name that a gate uses for it.
        predictions: tables of predictions by gate; those under the empty name are for all.
        model: the model's file or folder.
        advice: what to do about a file that is not there, `{name}` its name.
    """

    root: Path
    spec: Path
    lock: LockFile
    folder: Path | None = None
    given: dict[str, Path] = field(default_factory=dict)
    predictions: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    model: Path | None = None
    advice: str = "name its file: --data {name}=FILE"

    def file(self, name: str) -> Path:
        """The file behind a name.

        Raises:
            NoVerdictError: there is none.
        """
        if name in self.given:
            return _there(self.given[name], name)
        path = place(name)
        folders = (self.folder,) if "://" in name else (self.folder, self.spec.parent, self.root)
        for folder in folders:
            if folder is not None and (folder / path).is_file():
                return folder / path
        cached = self._dvc(path) if name.startswith("dvc:") else None
        if cached is None:
            raise NoVerdictError(f"{name} is not here; {self.advice.format(name=name)}")
        return cached

    def data(self, ref: str) -> tuple[Path, Source]:
        """A data set, if it is the one that was locked.

        Raises:
            NoVerdictError: it is not here, or has other bytes than the lock says.
        """
        path = self.file(ref)
        source = source_of("data", ref, path)
        locked = self.lock.data.get(ref)
        if locked is not None and locked.digest != source.digest:
            raise NoVerdictError(f"{ref} is not the data set of the lock: it has {source.digest[:19]}…")
        return path, source

    def windows(self, asked: Mapping[str, str]) -> tuple[tuple[Path, Source], tuple[Path, Source]]:
        """The reference and the current window of a gate.

        Raises:
            NoVerdictError: as `data`; or both are the same bytes, which nothing could ever tell apart.
        """
        reference, current = self.data(asked["reference"]), self.data(asked["current"])
        if reference[1].digest == current[1].digest:
            raise NoVerdictError("both windows are the same file: nothing was compared")
        return reference, current

    def tables(self, gate: str) -> tuple[Path, ...]:
        """Tables of predictions for a gate; none is no mistake here."""
        own = self.predictions.get(gate) or self.predictions.get("", ())
        if own:
            return tuple(_there(path, "--predictions") for path in own)
        folders = [folder for folder in (self.folder,) if folder is not None]
        return tuple(path for folder in folders for name in PREDICTIONS if (path := folder / name).is_file())

    def artifact(self) -> tuple[Path, Source]:
        """The model itself, if it is the one that was locked.

        Raises:
            NoVerdictError: it was not given, or has other bytes than the lock says.
        """
        if self.model is None or not self.model.exists():
            raise NoVerdictError("this gate needs the model itself: --model FILE_OR_FOLDER")
        digest = f"sha256:{tree_digest(self.model)}"
        if digest != self.lock.model.digest:
            raise NoVerdictError(f"{self.model.name} is not the model of the lock: it has {digest[:19]}…")
        return self.model, Source(role="model", path=self.lock.model.resolved, digest=digest)

    def bind(self, models: list[str], written: float) -> Binding:
        """How a report is tied to the model: by the digest that it names, else by being younger than the lock.

        Args:
            models: the digests that the report names.
            written: when it was written, seconds since 1970.

        Raises:
            NoVerdictError: it is about another model, or may be.
        """
        digest = self.lock.model.digest
        if models:
            if set(models) != {digest}:
                raise NoVerdictError(f"the report is about another model: it names {models[0][:19]}")
            return "digest"
        if written < _locked_at(self.lock):
            raise NoVerdictError("the report does not name its model, and is older than the lock")
        return "time"

    def _dvc(self, path: str) -> Path | None:
        """The file in DVC's cache that `path.dvc` points at."""
        pointer = self.root / f"{path}.dvc"
        if not pointer.is_file():
            return None
        data = read(pointer, self.root).data
        outs = data.get("outs") if isinstance(data, dict) else None
        md5 = outs[0].get("md5") if isinstance(outs, list) and outs and isinstance(outs[0], dict) else None
        if not isinstance(md5, str):
            return None
        found = self.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
        return found if found.is_file() else None


def place(name: str) -> str:
    """Where a name is looked for below a folder: `dvc:` left out, an address below `addresses/`."""
    _, found, address = name.partition("://")
    return f"addresses/{address}" if found else name.removeprefix("dvc:")


def source_of(role: str, name: str, path: Path) -> Source:
    """A file that an entry was made from."""
    return Source.model_validate({"role": role, "path": name, "digest": f"sha256:{file_digest(path)}"})


def text_source(role: str, name: str, text: str) -> Source:
    """A text that an entry was made from."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Source.model_validate({"role": role, "path": name, "digest": f"sha256:{digest}"})


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's content.

    Raises:
        NoVerdictError: it can't be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise NoVerdictError(f"{path.name} can't be read: {error.strerror}") from error


def tree_digest(path: Path) -> str:
    """SHA-256 (hex) of a file, or of a folder's listing in the format of sha256sum: as models are pinned."""
    if path.is_file():
        return file_digest(path)
    names = sorted(
        (item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file()), key=os.fsencode
    )
    listing = "".join(f"{file_digest(path / name)}  {name}\n" for name in names)
    return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()


def _there(path: Path, name: str) -> Path:
    if not path.is_file():
        raise NoVerdictError(f"{name}: there is no file {path.name}")
    return path


def _locked_at(lock: LockFile) -> float:
    try:
        at = dt.datetime.fromisoformat(lock.model.at)
    except ValueError as error:
        raise NoVerdictError(
            "the report does not name its model, and the lock has no time to compare with"
        ) from error
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()
