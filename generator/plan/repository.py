"""A repository: its models, its platform and its locks, read and validated."""

from __future__ import annotations

import os
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from generator.dataclass import dataclass
from generator.plan.model_files import (
    PLATFORM,
    SPECS,
    ModelFiles,
    discover,
    find_root,
    folder_in_git,
    quarantined,
)
from generator.plan.packages import PackageList, PackageListError, read_packages
from generator.source.document import Document
from generator.source.files import has_link, text_of
from generator.source.finding import Finding, Place
from generator.source.reader import display, read
from generator.spec.check import check, refused
from generator.spec.lock import LockFile
from generator.spec.platform import PlatformFile, PlatformSpec

if TYPE_CHECKING:
    from generator.spec.calibration import CalibrationFile
    from generator.spec.promotion import PromotionFile
    from generator.spec.quarantine import QuarantineFile

__all__ = ["ModelFiles", "Repository", "find_root"]


@dataclass
class Repository:
    """A folder with `specs/`.

    Args:
        root: the folder.
        platform_bytes: the content of the platform file, if it was read before; then it is not read again.
        findings: findings about the repository itself: stray files, the platform.
    """

    root: Path
    platform_bytes: bytes | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def specs(self) -> Path:
        """The folder of the specs."""
        return self.root / SPECS

    @cached_property
    def folder_in_git(self) -> str | None:
        """The path of the folder below the top of its git work tree; see `folder_in_git`."""
        return folder_in_git(self.root)

    @cached_property
    def entries(self) -> tuple[ModelFiles, ...]:
        """All models, sorted."""
        entries, findings = discover(self.root)
        self.findings += findings
        return entries

    def entry(self, team: str, model: str) -> ModelFiles:
        """Return the files of one model."""
        return ModelFiles(team, model, self.specs / team / f"{model}.yaml")

    @cached_property
    def platform_document(self) -> Document:
        """The platform as written."""
        return read(self.specs / PLATFORM, self.root, self.platform_bytes)

    @cached_property
    def platform(self) -> PlatformSpec | None:
        """The platform; None, with findings, when it can't be used."""
        self.findings += refused(PlatformFile, self.platform_document)
        if self.platform_document.findings:
            return None
        file, findings = check(PlatformFile, self.platform_document)
        self.findings += findings
        return file.spec if file else None

    def packages(self, entry: ModelFiles) -> tuple[PackageList | None, list[Finding]]:
        """Return the pinned packages of a model's service, and a finding for a file that is not a list of them."""
        if not os.path.lexists(entry.packages):
            return None, []
        try:
            linked = has_link(self.root, entry.packages)
            return read_packages("" if linked else text_of(entry.packages) or ""), []
        except PackageListError as error:
            place = Place(display(entry.packages, self.root), error.line)
            hint = f"run `sluice pin --packages {entry.name}`, which writes this file"
            message = (
                "a link leads to this file, so another folder decides what is installed"
                if linked
                else str(error)
            )
            return None, [Finding("LOCK211", "error", message, hint, place)]

    def lock(self, entry: ModelFiles) -> tuple[Document, LockFile | None, list[Finding]]:
        """Return the lock of a model as written and validated, and its findings; None for a missing or invalid lock."""
        if not os.path.lexists(entry.lock):
            return Document(display(entry.lock, self.root)), None, []
        document = read(entry.lock, self.root)
        if document.findings:
            return document, None, document.findings
        lock, findings = check(LockFile, document)
        document.findings += findings
        return document, lock, findings

    def promotion(self, entry: ModelFiles, environment: str) -> tuple[PromotionFile | None, list[Finding]]:
        """Return the lock of a model in one environment, and its findings; None for a missing or invalid lock."""
        path = entry.promotion(environment)
        if not os.path.lexists(path):
            return None, []
        from generator.spec.promotion import PromotionFile

        document = read(path, self.root)
        return (None, document.findings) if document.findings else check(PromotionFile, document)

    def quarantine(self, entry: ModelFiles) -> tuple[QuarantineFile | None, list[Finding]]:
        """Return the rejected releases of a model, and findings about the file; None for a missing or invalid one."""
        if not os.path.lexists(entry.quarantine):
            return None, []
        from generator.spec.quarantine import QuarantineFile

        document = read(entry.quarantine, self.root)
        return (None, document.findings) if document.findings else check(QuarantineFile, document)

    @cached_property
    def _quarantined(self) -> list[ModelFiles]:
        return quarantined(self.root)

    def quarantines(self, entry: ModelFiles) -> list[ModelFiles]:
        """Return a model, and those of its team that have a quarantine: the model may have had another name."""
        return [entry, *(other for other in self._quarantined if other.team == entry.team and other != entry)]

    def calibration(self, entry: ModelFiles) -> tuple[CalibrationFile | None, list[Finding]]:
        """Return the calibration of a model, and findings about the file; None for a missing or invalid file."""
        if not os.path.lexists(entry.calibration):
            return None, []
        from generator.source.canonical import sha256_of
        from generator.spec.calibration import CalibrationFile

        document = read(entry.calibration, self.root)
        if document.findings:
            return None, document.findings
        found, findings = check(CalibrationFile, document)
        if found is None:
            return None, findings
        rest = {key: value for key, value in document.data.items() if key != "digest"}
        if sha256_of(rest, lenient=True) == found.digest and found.model == entry.name:
            return found, findings
        hint = f"run `sluice calibrate {entry.name}`, which writes this file"
        message = f"this is not what `sluice calibrate` wrote for {entry.name}"
        return None, [document.finding("LOCK213", ("digest",), message, hint)]
