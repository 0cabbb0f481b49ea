"""The files of a repository: which models there are. Light on purpose: an unchanged repository needs no more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.source.finding import Finding, Place

SPECS, PLATFORM = "specs", "platform.yaml"
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


def find_root(start: Path) -> Path | None:
    """The nearest folder, from `start` upwards, that holds `specs/platform.yaml`."""
    for folder in (start, *start.parents):
        if (folder / SPECS / PLATFORM).exists():
            return folder
    return None


def discover(root: Path) -> tuple[tuple[Entry, ...], list[Finding]]:
    """All models below `specs/`, sorted; whatever else lies there and looks like a spec is a finding."""
    findings: list[Finding] = []
    try:
        return tuple(sorted(_walk(root / SPECS, findings))), findings
    except OSError as error:
        place = Place(SPECS)
        message = f"this folder can't be read: {error.strerror}"
        return (), [
            *findings,
            Finding("SRC101", "error", message, "check the path and its permissions", place),
        ]


def _walk(specs: Path, findings: list[Finding]) -> Iterator[Entry]:
    for item in _children(specs):
        if item.is_dir():
            yield from _team(item, findings)
        elif item.is_symlink() and not Path(item.path).exists():
            place = Place(f"{SPECS}/{item.name}")
            findings.append(
                Finding("SRC101", "error", "this link leads nowhere", "mend it, or remove it", place)
            )
        elif item.name.endswith((_SPEC, ".yml")) and item.name != PLATFORM:
            place = Place(f"{SPECS}/{item.name}")
            message = "a model's spec belongs in its team's folder"
            findings.append(Finding("REF210", "error", message, f"move it to {SPECS}/<team>/", place))


def _team(team: os.DirEntry[str], findings: list[Finding]) -> Iterator[Entry]:
    names = {item.name for item in _children(team.path)}
    for name in sorted(names):
        place = Place(f"{SPECS}/{team.name}/{name}")
        if name.endswith((_LOCK, _EVIDENCE)):
            suffix = _LOCK if name.endswith(_LOCK) else _EVIDENCE
            if name.removesuffix(suffix) + _SPEC not in names:
                message = "there is no spec beside this file"
                findings.append(
                    Finding("REF210", "error", message, "remove it, or bring the spec back", place)
                )
        elif name.endswith(_SPEC):
            yield Entry(team.name, name.removesuffix(_SPEC), Path(team.path, name))
        elif name.endswith(".yml"):
            findings.append(Finding("REF210", "error", "a spec ends in .yaml", "rename it", place))


def _children(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as items:
        return sorted((item for item in items if not item.name.startswith(".")), key=lambda item: item.name)
