"""The files of a revert: lock and evidence as they were, the reference back, the bad version in quarantine."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.history.git import Git
from generator.history.releases import Release
from generator.pipeline.atomic_write import write_file
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.source.document import Document
from generator.source.edit import edited, encode, flow
from generator.source.errors import CliError
from generator.source.reader import parse, read


@dataclass(frozen=True, slots=True)
class Back:
    """Where a model goes back to.

    Args:
        git: the repository.
        bad: the version that git asks for now.
        good: the version before.
    """

    git: Git
    bad: Release
    good: Release

    def file(self, suffix: str) -> bytes | None:
        """A file of the good version, as it was."""
        key = (self.good.commit, f"{SPECS}/{self.good.name}{suffix}")
        return self.git.read([key]).get(key)


def restore(back: Back, entry: ModelFiles, *, whole: bool) -> list[str]:
    """Put the files of the good version back.

    Args:
        back: from where to where.
        entry: the model, in the checkout that is changed.
        whole: the whole spec, too, not only its reference.

    Returns:
        What was done, a sentence each.

    Raises:
        CliError: the spec can't be edited without losing something.
    """
    lock, evidence = back.file(".lock.yaml"), back.file(".evidence.json")
    if lock is None:
        raise CliError(f"git has no lock of {back.good.name} at {back.good.commit[:12]}")
    write_file(entry.lock, lock)
    told = [f"the lock is that of {back.good.commit[:12]}"]
    if evidence is not None:
        write_file(entry.evidence, evidence)
        told.append("so is the evidence")
    elif entry.evidence.exists():
        entry.evidence.unlink()
        told.append("the evidence is gone, for there was none then")
    return told + (_whole_spec(back, entry) if whole else _reference(back, entry))


def quarantine(root: Path, bad: Release, reason: str, today: dt.date, running: Sequence[str] = ()) -> str:
    """Add a version to the end of the platform's quarantine; comments and order stay.

    Args:
        root: the checkout that is changed.
        bad: the version.
        reason: one line.
        today: first day.
        running: environments that it may stay in.

    Returns:
        The entry as it is written.

    Raises:
        CliError: the list can't be edited.
    """
    path = root / SPECS / PLATFORM
    document = read(path, root)
    entry: dict[str, Any] = {
        "model": bad.name,
        "digest": bad.digest,
        "reason": reason,
        "since": today.isoformat(),
    }
    if running:
        entry["running"] = list(running)
    wanted: Any = copy.deepcopy(document.data)
    wanted["spec"].setdefault("quarantine", []).append(entry)
    _write(document, path, wanted, f"`spec.quarantine` of {document.file}")
    return flow(entry)


def _whole_spec(back: Back, entry: ModelFiles) -> list[str]:
    spec = back.file(".yaml")
    if spec is None:
        raise CliError(f"git has no spec of {back.good.name} at {back.good.commit[:12]}")
    if entry.name != back.good.name:
        raise CliError(
            f"the model was called {back.good.name} then; its whole spec would not fit its new name"
        )
    write_file(entry.spec, spec)
    return ["so is the whole spec"]


def _reference(back: Back, entry: ModelFiles) -> list[str]:
    """Point the spec at what the old lock was resolved from."""
    old = parse(back.file(".yaml") or b"", "").data
    document = read(entry.spec, entry.spec.parents[2])
    try:
        source, now = dict(old["spec"]["model"]), document.data["spec"]["model"]
        wanted = copy.deepcopy(document.data)
        wanted["spec"]["model"] = {**now, **{key: source[key] for key in ("ref", "sha256") if key in source}}
        if "sha256" not in source:
            wanted["spec"]["model"].pop("sha256", None)
    except (KeyError, TypeError) as error:
        raise CliError(
            f"the spec of {entry.name}, now or at {back.good.commit[:12]}, can't be read"
        ) from error
    if wanted == document.data:
        return [f"the spec still asks for {now['ref']}"]
    hint = f"the reference in {document.file}; --with-spec restores the whole spec"
    _write(document, entry.spec, wanted, hint)
    return [f"the spec asks for {source['ref']} again, and keeps everything else"]


def _write(document: Document, path: Path, wanted: Any, what: str) -> None:
    after = edited(document, wanted)
    if after is None:
        raise CliError(f"no edit that keeps all comments was found for {what}")
    write_file(path, encode(after, path.read_bytes()))
