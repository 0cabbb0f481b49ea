"""Finds the files of gates, and checks that they are those of the lock.

A path that a gate names is searched in this order: `--data NAME=FILE`, the folder of `--from`, next to the spec, the
root of the repository. `dvc:path` is that path, then DVC's local cache through `path.dvc`. An address (`s3://`,
`https://`) is searched below `addresses/` in the folder of `--from`, where `gates stage` puts it, and otherwise has
to be given with `--data`: gates read files and download nothing. A name can't lead out of these folders, and in the
repository no link leads to a file, except to data that DVC has checked out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import time
from collections import Counter
from dataclasses import field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from generator.dataclass import dataclass
from generator.gates.errors import NoVerdictError, describe
from generator.source.content import PATTERN, ContentError, joint_path_digest, partitions, path_digest
from generator.source.files import RefusedError, has_link, is_below, regular_bytes
from generator.source.reader import read
from generator.spec.evidence import Binding, Source
from generator.spec.gate_data import named
from generator.spec.gates import Windows
from generator.spec.lock import LockFile

_TABLES: Final = ("predictions.parquet", "predictions.csv")
_LARGEST_REPORT: Final = 64 << 20
_SKEW_S: Final = 600
_MD5: Final = re.compile(r"[0-9a-f]{32}(?:\.dir)?")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files of one run.

    Args:
        root: the repository.
        spec: the spec's file.
        lock: the locked references.
        folder: that of `--from`.
        given: file by the name that a gate uses for it.
        predictions: tables of predictions by gate; those under the empty name are for all.
        model: the model's file or folder.
        advice: what to do about a missing file; `{name}` is its name.
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
        """Return the file for a name.

        Raises:
            NoVerdictError: there is none.
        """
        if name in self.given:
            return _existing(self.given[name], name)
        path = place(name)
        if not is_below(path):
            raise NoVerdictError(
                f"{name} is not a path below the repository; {self.advice.format(name=name)}"
            )
        if self.folder is not None and (self.folder / path).is_file():
            return self.folder / path
        linked = name.startswith("dvc:")
        for folder in () if "://" in name else (self.spec.parent, self.root):
            if (folder / path).is_file():
                if not linked and has_link(self.root, folder / path):
                    raise NoVerdictError(f"{name} is reached through a link; {self.advice.format(name=name)}")
                return folder / path
        cached = self._dvc(path) if linked else None
        if cached is None:
            raise NoVerdictError(f"{name} is missing; {self.advice.format(name=name)}")
        return cached

    def data(self, ref: str) -> tuple[Path, Source]:
        """Return a data set, which must be the locked one.

        Raises:
            NoVerdictError: it is missing, or its bytes are not those of the lock.
        """
        path = self.file(ref)
        source = Source(role="data", path=ref, digest=f"sha256:{tree_digest(path)}")
        self._check_locked(source)
        return path, source

    def partitions(self, ref: str) -> tuple[list[Path], Source]:
        """Return the files of a data set of one or more files, which must be the locked ones.

        Raises:
            NoVerdictError: there are none, two have the same content, one is reached through a link, or their bytes are
                not those of the lock.
        """
        name, root = place(ref), self.root_of(ref)
        if root is None:
            path, source = self.data(ref)
            return [path], source
        try:
            files, digest = partitions(root, name, ref)
        except ContentError as error:
            raise NoVerdictError(error.message) from error
        if root != self.folder and any(has_link(self.root, file) for file in files):
            raise NoVerdictError(f"{ref} is reached through a link; {self.advice.format(name=ref)}")
        repeated = [digest for digest, count in Counter(files.values()).items() if count > 1]
        if repeated:
            raise NoVerdictError(f"{ref} has the same file twice (sha256 {repeated[0][:12]}…)")
        source = Source(role="data", path=ref, digest=digest)
        self._check_locked(source)
        return list(files), source

    def snapshot(self, name: str) -> str:
        """Return where a version of a table is: its address, or the path of its folder or metadata file.

        Raises:
            NoVerdictError: it is missing, is not below the repository, or is reached through a link.
        """
        path, _, version = name.rpartition("@")
        if "://" in path:
            return name
        for folder in (self.folder, self.spec.parent, self.root) if is_below(path) else ():
            if folder is not None and (folder / path).exists():
                if folder != self.folder and has_link(self.root, folder / path):
                    raise NoVerdictError(f"{path} is reached through a link")
                return f"{folder / path}@{version}"
        raise NoVerdictError(f"{path} is missing")

    def root_of(self, ref: str) -> Path | None:
        """Return the folder below which a data set is a folder or a pattern; None for a file."""
        name = place(ref)
        for folder in (
            () if ref in self.given or not is_below(name) else (self.folder, self.spec.parent, self.root)
        ):
            if folder is not None and _matches(folder, name):
                return folder
        return None

    def _check_locked(self, source: Source) -> None:
        locked = self.lock.data.get(source.path)
        if locked is not None and locked.digest != source.digest:
            raise NoVerdictError(
                f"{source.path} is not the locked data set: its digest is {source.digest[:19]}…"
            )

    def windows(self, windows: Windows) -> tuple[tuple[Path, Source], tuple[Path, Source]]:
        """Return the reference and the current window of a gate.

        Raises:
            NoVerdictError: as `data`; or both have the same content, so the comparison would be empty.
        """
        reference, current = self.data(named(windows.reference)), self.data(named(windows.current))
        if reference[1].digest == current[1].digest:
            raise NoVerdictError("both windows are the same file: nothing was compared")
        return reference, current

    def tables(self, gate: str) -> tuple[Path, ...]:
        """Return the tables of predictions for a gate; there may be none."""
        own = self.predictions.get(gate) or self.predictions.get("", ())
        if own:
            return tuple(_existing(path, "--predictions") for path in own)
        if self.folder is None:
            return ()
        return tuple(path for path in (self.folder / name for name in _TABLES) if path.is_file())

    def artifact(self) -> tuple[Path, Source]:
        """Return the model itself, which must be the locked one.

        Raises:
            NoVerdictError: it was not given, or its bytes are not those of the lock.
        """
        if self.model is None or not self.model.exists():
            raise NoVerdictError("this gate needs the model itself: --model FILE_OR_FOLDER")
        names = ("model", *self.lock.references) if self.lock.references else ()
        digest = f"sha256:{tree_digest(self.model, names)}"
        if digest != self.lock.model.digest:
            raise NoVerdictError(f"{self.model.name} is not the locked model: its digest is {digest[:19]}…")
        return self.model, Source(role="model", path=self.lock.model.resolved, digest=digest)

    def bind(self, models: list[str], written: float) -> Binding:
        """Return how a report is tied to the model: by the digest that it names, or because it is newer than the lock.

        Args:
            models: the digests that the report names.
            written: when it was written, seconds since 1970.

        Raises:
            NoVerdictError: it is about another model, or may be.
        """
        digest = self.lock.model.digest
        if models:
            unknown = next((name for name in models if not _DIGEST.fullmatch(name)), None)
            if unknown is not None:
                raise NoVerdictError(
                    f"the report names its model in an unknown form, {unknown[:19]!r}: write sha256:…"
                )
            if set(models) != {digest}:
                raise NoVerdictError(f"the report is about another model: it names {models[0][:19]}")
            return "digest"
        if written < _locked_at(self.lock):
            raise NoVerdictError("the report does not name its model, and is older than the lock")
        self.check_past(written)
        return "time"

    def check_past(self, written: float) -> None:
        """Check that a report was written in the past.

        Args:
            written: when it was written, seconds since 1970.

        Raises:
            NoVerdictError: it was not.
        """
        if written > time.time() + _SKEW_S:
            raise NoVerdictError("the report has a time in the future")

    def _dvc(self, path: str) -> Path | None:
        """Return the file in DVC's cache that `path.dvc` points at."""
        pointer = self.root / f"{path}.dvc"
        if not pointer.is_file():
            return None
        data = read(pointer, self.root).data
        outs = data.get("outs") if isinstance(data, dict) else None
        md5 = outs[0].get("md5") if isinstance(outs, list) and outs and isinstance(outs[0], dict) else None
        if not isinstance(md5, str) or not _MD5.fullmatch(md5):
            return None
        found = self.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
        return found if found.is_file() else None


def read_report(inputs: Inputs, name: str) -> tuple[Path, bytes]:
    """Return the file and the bytes of a report.

    Raises:
        NoVerdictError: it is missing, too large, or can't be read.
    """
    path = inputs.file(name)
    try:
        return path, regular_bytes(path, _LARGEST_REPORT)
    except RefusedError as error:
        raise NoVerdictError(f"{name}: {error.args[1]}") from error
    except OSError as error:
        raise NoVerdictError(f"{name} can't be read: {error.strerror}") from error


def place(name: str) -> str:
    """Return the path of a name below a folder: without `dvc:`, and with `addresses/` for an address."""
    _, found, address = name.partition("://")
    return f"addresses/{address}" if found else name.removeprefix("dvc:")


def source_of(role: str, name: str, path: Path) -> Source:
    """Record a file as a source of the entry.

    Raises:
        NoVerdictError: it can't be read, or its name can't be part of evidence.
    """
    try:
        return Source.model_validate({"role": role, "path": name, "digest": f"sha256:{file_digest(path)}"})
    except ValidationError as error:
        raise NoVerdictError(f"the name of a file can't be part of evidence: {describe(error)}") from error


def text_source(role: str, name: str, text: str | bytes) -> Source:
    """Record a text as a source of the entry."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    digest = hashlib.sha256(raw).hexdigest()
    return Source.model_validate({"role": role, "path": name, "digest": f"sha256:{digest}"})


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's content.

    Raises:
        NoVerdictError: it can't be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise NoVerdictError(f"{path.name} can't be read: {error.strerror}") from error


def tree_digest(path: Path, names: tuple[str, ...] = ()) -> str:
    """Return the SHA-256 (hex) of a file, or of a folder's `sha256sum` listing, as models are pinned.

    Args:
        path: the file or folder.
        names: of the models in it, where a service has several.

    Raises:
        NoVerdictError: it can't be read, or could stand for another artifact.
    """
    try:
        found = joint_path_digest(path, names) if names else path_digest(path, path.name)
        return found.removeprefix("sha256:")
    except ContentError as error:
        raise NoVerdictError(error.message) from error


def _matches(folder: Path, name: str) -> bool:
    if PATTERN.search(name):
        return next(folder.glob(name), None) is not None
    return (folder / name).is_dir()


def _existing(path: Path, name: str) -> Path:
    if not path.is_file():
        raise NoVerdictError(f"{name}: no file {path.name}")
    return path


def _locked_at(lock: LockFile) -> float:
    try:
        at = dt.datetime.fromisoformat(lock.model.at)
    except ValueError as error:
        raise NoVerdictError(
            "the report does not name its model, and the lock has no valid time to compare with"
        ) from error
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()
