"""The repository that people commit to: which files there are, read and validated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from generator.source.document import Document
from generator.source.finding import Finding, Place
from generator.source.reader import display, read
from generator.spec.check import check
from generator.spec.lock import LockFile
from generator.spec.platform import PlatformFile, PlatformSpec

PLATFORM = "platform.yaml"
_SPEC, _LOCK, _EVIDENCE = ".yaml", ".lock.yaml", ".evidence.json"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """The files of one model."""

    team: str
    model: str
    spec: Path

    @property
    def name(self) -> str:
        """Team and model, as people say it."""
        return f"{self.team}/{self.model}"

    @property
    def lock(self) -> Path:
        """The lock beside the spec."""
        return self.spec.with_name(self.model + _LOCK)

    @property
    def evidence(self) -> Path:
        """What the gates left."""
        return self.spec.with_name(self.model + _EVIDENCE)


@dataclass
class Repository:
    """A folder with `specs/`.

    Args:
        root: the folder.
    """

    root: Path
    findings: list[Finding] = field(default_factory=list)

    @property
    def specs(self) -> Path:
        """Where specs are committed."""
        return self.root / "specs"

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """All models, sorted; whatever else lies in the folder and looks like a spec is a finding."""
        return tuple(sorted(self._discover()))

    def _discover(self) -> Iterator[Entry]:
        for team in _children(self.specs):
            if team.is_dir():
                yield from self._team(team)
            elif team.name.endswith((_SPEC, ".yml")) and team.name != PLATFORM:
                self._stray(
                    Path(team.path), "a model's spec belongs in its team's folder", "move it to specs/<team>/"
                )

    def _team(self, team: os.DirEntry[str]) -> Iterator[Entry]:
        names = {item.name for item in _children(team.path)}
        for name in sorted(names):
            path = Path(team.path, name)
            if name.endswith((_LOCK, _EVIDENCE)):
                suffix = _LOCK if name.endswith(_LOCK) else _EVIDENCE
                if name.removesuffix(suffix) + _SPEC not in names:
                    self._stray(
                        path, "there is no spec beside this file", "remove it, or bring the spec back"
                    )
            elif name.endswith(_SPEC):
                yield Entry(team.name, name.removesuffix(_SPEC), path)
            elif name.endswith(".yml"):
                self._stray(path, "a spec ends in .yaml", "rename it")

    def _stray(self, path: Path, message: str, hint: str) -> None:
        self.findings.append(Finding("REF210", "error", message, hint, Place(display(path, self.root))))

    @cached_property
    def platform_document(self) -> Document:
        """The platform as written."""
        return read(self.specs / PLATFORM, self.root)

    @cached_property
    def platform(self) -> PlatformSpec | None:
        """The platform; None, with findings, when it can't be used."""
        self.findings += self.platform_document.findings
        if self.platform_document.findings:
            return None
        file, findings = check(PlatformFile, self.platform_document)
        self.findings += findings
        return file.spec if file else None

    def lock(self, entry: Entry) -> tuple[Document, LockFile | None, list[Finding]]:
        """The lock of a model; absent is no finding here."""
        if not os.path.lexists(entry.lock):
            return Document(display(entry.lock, self.root)), None, []
        document = read(entry.lock, self.root)
        if document.findings:
            return document, None, document.findings
        lock, findings = check(LockFile, document)
        document.findings += findings
        return document, lock, findings


def _children(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as items:
        return sorted((item for item in items if not item.name.startswith(".")), key=lambda item: item.name)


def find_root(start: Path) -> Path | None:
    """The nearest folder, from `start` upwards, that holds `specs/platform.yaml`."""
    for folder in (start, *start.parents):
        if (folder / "specs" / PLATFORM).exists():
            return folder
    return None
