"""The files of a repository, by model. It imports little: for an unchanged repository nothing else is needed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from generator.dataclass import dataclass
from generator.source.files import raw
from generator.source.finding import Finding, Place
from generator.source.line import argument

SPECS, PLATFORM = "specs", "platform.yaml"
CODEOWNERS: Final = (
    "CODEOWNERS",
    ".github/CODEOWNERS",
    ".gitlab/CODEOWNERS",
    ".gitea/CODEOWNERS",
    "docs/CODEOWNERS",
)
"""Where hosts look for the owners of files. Each host has another order and reads only the first one that it finds."""
_SPEC, _LOCK, _EVIDENCE, _PACKAGES = ".yaml", ".lock.yaml", ".evidence.json", ".requirements.txt"
_CALIBRATION, _QUARANTINE = ".calibration.yaml", ".quarantine.yaml"
_RECORD = ".record.json"
_OF_ONE_ENVIRONMENT = 3
"""Dots in the name of a model's file about one environment: `churn.staging.record.json`."""
_BESIDE = (_LOCK, _EVIDENCE, _PACKAGES, _CALIBRATION, _QUARANTINE)
_SPEC_LIKE = re.compile(r"\.(?:ya?ml|json|yaml\.txt|yml\.txt|yaml\.j2|yaml\.tmpl|yaml\.tpl)$")
_TEAM = re.compile(r"\bteam:\s*[\"']?([a-z][a-z0-9-]*)")


@dataclass(frozen=True, slots=True, order=True)
class ModelFiles:
    """The files of one model."""

    team: str
    model: str
    spec: Path

    @property
    def name(self) -> str:
        """Team and model, such as `shop/churn`."""
        return f"{self.team}/{self.model}"

    @property
    def lock(self) -> Path:
        """The lock next to the spec."""
        return self.spec.with_name(self.model + _LOCK)

    def promotion(self, environment: str) -> Path:
        """The lock of the model in one environment, which `sluice promote` wrote."""
        return self.spec.with_name(f"{self.model}.{environment}{_LOCK}")

    @property
    def packages(self) -> Path:
        """The packages of the service with their hashes, which `sluice pin --packages` writes."""
        return self.spec.with_name(self.model + _PACKAGES)

    @property
    def evidence(self) -> Path:
        """The evidence that the gates wrote."""
        return self.spec.with_name(self.model + _EVIDENCE)

    def record(self, environment: str) -> Path:
        """The record of the last release in an environment, which `sluice record` wrote."""
        return self.spec.with_name(f"{self.model}.{environment}{_RECORD}")

    @property
    def calibration(self) -> Path:
        """What the model's history says, which `sluice calibrate` wrote."""
        return self.spec.with_name(self.model + _CALIBRATION)

    @property
    def quarantine(self) -> Path:
        """The releases that were taken back, which `sluice revert --env` wrote."""
        return self.spec.with_name(self.model + _QUARANTINE)


SIGNATURES: Final = (".sig", ".dsse.json", ".sigstore.json")
"""What the signatures of a document end in: SSH, DSSE, Sigstore."""


def quarantined(root: Path) -> list[ModelFiles]:
    """Return the models that have a quarantine, sorted; the spec of some may be gone or have another name."""
    found = (root / SPECS).glob(f"*/[!.]*{_QUARANTINE}")
    return sorted(
        ModelFiles(path.parent.name, name, path.with_name(name + _SPEC))
        for path in found
        for name in [path.name.removesuffix(_QUARANTINE)]
    )


def is_quarantine(path: str) -> bool:
    """Return whether a path below the repository is where a model's quarantine belongs."""
    return path.count("/") == 2 and path.endswith(_QUARANTINE)


def find_root(start: Path) -> Path | None:
    """Return the nearest folder, from `start` upwards, with a `specs/platform.yaml`; None when there is none."""
    for folder in (start, *start.parents):
        if (folder / SPECS / PLATFORM).exists():
            return folder
    return None


def folder_in_git(root: Path) -> str | None:
    """Return the path of a folder below the top of its git work tree; "" for the top, None outside of git."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            return "" if folder == root else root.relative_to(folder).as_posix()
    return None


def folder_above(root: Path, below: str | None) -> Path:
    """Return the folder that a path leads down from to `root`: the top, for a result of `folder_in_git`."""
    return root.parents[below.count("/")] if below else root


def discover(root: Path) -> tuple[tuple[ModelFiles, ...], list[Finding]]:
    """Return all models below `specs/`, sorted, and a finding for each file that looks like a spec and is not read."""
    findings: list[Finding] = []
    try:
        return tuple(sorted(_walk(root / SPECS, findings))), findings
    except OSError as error:
        message = f"this folder can't be read: {error.strerror}"
        hint = "check the path and its permissions"
        return (), [*findings, Finding("SRC101", "error", message, hint, Place(SPECS))]


def _walk(specs: Path, findings: list[Finding]) -> Iterator[ModelFiles]:
    for item in _children(specs):
        if item.is_dir():
            yield from _team(item, findings)
        elif item.is_symlink() and not Path(item.path).exists():
            place = Place(f"{SPECS}/{item.name}")
            findings.append(Finding("SRC101", "error", "this link is broken", "fix or remove it", place))
        elif _looks_like_a_spec(item.name) and item.name != PLATFORM:
            findings.append(_misplaced(f"{SPECS}/{item.name}", Path(item.path)))


def _team(team: os.DirEntry[str], findings: list[Finding]) -> Iterator[ModelFiles]:
    children = _children(team.path)
    names = {item.name for item in children}
    for item in children:
        name, shown = item.name, f"{SPECS}/{team.name}/{item.name}"
        if _signs(name, names):
            continue
        if name.endswith((_RECORD, _LOCK)) and name.count(".") == _OF_ONE_ENVIRONMENT:
            model, _, suffix = name.partition(".")
            if model + _SPEC not in names:
                findings.append(_orphan(shown, f".{suffix}", names))
        elif name.endswith(_BESIDE):
            suffix = next(suffix for suffix in _BESIDE if name.endswith(suffix))
            # A quarantine stays when its model goes or gets another name.
            if suffix != _QUARANTINE and name.removesuffix(suffix) + _SPEC not in names:
                findings.append(_orphan(shown, suffix, names))
        elif name.endswith(_SPEC):
            yield ModelFiles(team.name, name.removesuffix(_SPEC), Path(team.path, name))
        elif item.is_dir():
            findings += _too_deep(item, team.name)
        elif _looks_like_a_spec(name):
            message = f"this file is not read: the name of a spec ends in `{_SPEC}`, in lower case"
            renamed = f"{_stem(name)}{_SPEC}"
            move = f"rename it: `{_moved(shown, f'{SPECS}/{team.name}/{renamed}')}`"
            findings.append(_stray(shown, message, "remove it" if renamed in names else move))


def _signs(name: str, names: set[str]) -> bool:
    """Return whether a file is a signature of a lock, of evidence or of a record next to it."""
    document = next((name.removesuffix(suffix) for suffix in SIGNATURES if name.endswith(suffix)), "")
    return document in names and document.endswith((_LOCK, _EVIDENCE, _RECORD))


def _looks_like_a_spec(name: str) -> bool:
    """Return whether a file may hold a spec, by its name; backup copies of editors do not count."""
    return _SPEC_LIKE.search(name.lower()) is not None


def _stem(name: str) -> str:
    """Return the model name that a misnamed spec probably stands for."""
    return _SPEC_LIKE.sub("", name.lower()).replace("_", "-").replace(" ", "-")


def _misplaced(shown: str, path: Path) -> Finding:
    """Report a spec outside a team's folder; its `team` names the right one."""
    if path.name.lower().startswith("platform."):
        hint = f"rename it: `{_moved(shown, f'{SPECS}/{PLATFORM}')}`, or remove it"
        return _stray(shown, f"this file is not read: the platform is {SPECS}/{PLATFORM}", hint)
    team = _TEAM.search((raw(path) or b"").decode(errors="replace"))
    folder = team[1] if team else "TEAM"
    message = "this file is not read: a model's spec belongs in its team's folder"
    there = f"{SPECS}/{folder}/{_stem(path.name)}{_SPEC}"
    return _stray(shown, message, f"move it: `{_moved(shown, there)}`")


def _orphan(shown: str, suffix: str, names: set[str]) -> Finding:
    """Report a lock or evidence without a spec; if exactly one spec lacks it, that spec was probably renamed."""
    specs = [
        name
        for name in names
        if name.endswith(_SPEC) and not name.endswith((_LOCK, _CALIBRATION, _QUARANTINE))
    ]
    without = [name for name in specs if name.removesuffix(_SPEC) + suffix not in names]
    hint = "remove it, or restore the spec"
    if len(without) == 1:
        folder = shown.rpartition("/")[0]
        right = f"{folder}/{without[0].removesuffix(_SPEC)}{suffix}"
        hint = f"rename it if the spec was: `{_moved(shown, right)}`; else remove it"
    return _stray(shown, "no spec for this file", hint)


def _too_deep(folder: os.DirEntry[str], team: str) -> list[Finding]:
    """Report specs in a folder below a team's folder, which are not read."""
    found = []
    for item in _children(folder.path):
        name, shown = item.name, f"{SPECS}/{team}/{folder.name}/{item.name}"
        if name.lower().endswith((_SPEC, ".yml")) and not name.endswith(
            (_LOCK, _EVIDENCE, _CALIBRATION, _QUARANTINE)
        ):
            message = "this file is not read: specs are in their team's folder, not below it"
            there = f"{SPECS}/{team}/{_stem(name)}{_SPEC}"
            found.append(_stray(shown, message, f"move it: `{_moved(shown, there)}`"))
    return found


def _moved(old: str, new: str) -> str:
    """Return the command that moves a file."""
    return f"git mv {argument(old)} {argument(new)}"


def _stray(shown: str, message: str, hint: str) -> Finding:
    return Finding("REF210", "error", message, hint, Place(shown))


def _children(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as items:
        return sorted((item for item in items if not item.name.startswith(".")), key=lambda item: item.name)
