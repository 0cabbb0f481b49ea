"""Selects the models that the arguments of a command name."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from generator.dataclass import dataclass
from generator.pipeline.session import Session
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.source.errors import CliError

_SHOWN = 8
_REVISION = re.compile(r"(?:HEAD|main|master|trunk|develop)(?:[~^@].*)?|origin/\S+|refs/\S+|[0-9a-f]{7,40}")
NO_MODELS = f"there are no models in {SPECS}/; `sluice new TEAM/MODEL` writes the first spec"


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected models.

    Args:
        entries: sorted, each once.
        everything: the whole repository: nothing was named, or files that all models share.
    """

    entries: tuple[ModelFiles, ...]
    everything: bool


def select(session: Session, paths: Sequence[str]) -> Selection:
    """Return the models that PATH arguments name.

    A path may be a spec, its lock or its evidence, a team's folder, `specs/`, the platform (all models), or
    `team/model`, or a team's name.

    Raises:
        CliError: a path selects nothing.
    """
    specs = _slashed(os.path.realpath(session.root / SPECS))
    if not paths or any(not _targets(path).isdisjoint(_shared(specs)) for path in paths):
        return Selection(session.entries, everything=True)
    chosen = {entry for path in paths for entry in _named(session, path)}
    return Selection(tuple(sorted(chosen)), everything=False)


def select_one(session: Session, path: str) -> ModelFiles:
    """Return the one model that a path names.

    Raises:
        CliError: it names none, or several.
    """
    entries = _named(session, path)
    if len(entries) > 1:
        raise CliError(
            f"{path} names {len(entries)} models; name one: {', '.join(entry.name for entry in entries[:5])}"
        )
    return entries[0]


def one_environment(session: Session, name: str | None) -> str:
    """Return the environment whose cluster is queried: the named one, or the only one.

    Raises:
        CliError: there is none of that name, or there are several.
    """
    platform = session.repository.platform
    known = list(platform.environments) if platform else []
    if name is None and len(known) == 1:
        return known[0]
    if name is None:
        raise CliError(f"choose the environment of the cluster with --env: {', '.join(known)}")
    if name not in known:
        from generator.source.suggest import did_you_mean

        raise CliError(f"there is no environment {name}; {did_you_mean(name, known)}")
    return name


def gaps(session: Session) -> list[str]:
    """Return why a list of all models may be incomplete: what can't be read, and that there is no model at all."""
    unread = [
        f"{finding.place.file}: {finding.message}"
        for finding in session.strays
        if finding.severity == "error"
    ]
    return unread or ([] if session.entries else [NO_MODELS])


def _named(session: Session, path: str) -> list[ModelFiles]:
    targets, specs = _targets(path), _slashed(os.path.realpath(session.root / SPECS))
    by_path = [entry for entry in session.entries if _covers(targets, specs, entry)]
    by_name = [entry for entry in session.entries if _slashed(path).rstrip("/") in {entry.name, entry.team}]
    found = by_path or by_name
    if not found:
        raise CliError(_nothing(session, path))
    return found


def _covers(targets: set[str], specs: str, entry: ModelFiles) -> bool:
    """Return whether one of these absolute paths belongs to the model, or to all models."""
    team = f"{specs}/{entry.team}"
    own = {f"{team}/{file.name}" for file in (entry.spec, entry.lock, entry.evidence)}
    return not targets.isdisjoint(own | {team} | _shared(specs))


def _shared(specs: str) -> set[str]:
    """Return the paths that all models share."""
    return {specs, os.path.dirname(specs), f"{specs}/{PLATFORM}"}  # noqa: PTH120 - plain text


def _targets(path: str) -> set[str]:
    """Return the absolute paths that an argument may mean."""
    found = {_real(path), os.path.realpath(path)} if os.path.isdir(path) else {_real(path)}  # noqa: PTH112
    return set(map(_slashed, found))


def _slashed(path: str) -> str:
    """Return a path with forward slashes, also on Windows."""
    return path.replace(os.sep, "/")


def _real(path: str | Path) -> str:
    """Return an absolute path with links resolved in its folders, but not in its last part."""
    head, tail = os.path.split(os.path.abspath(path))  # noqa: PTH100 - plain text, as fast as can be
    return os.path.join(os.path.realpath(head), tail)  # noqa: PTH118 - the same


def _nothing(session: Session, path: str) -> str:
    from generator.source.suggest import nearest

    wanted = path.removeprefix("./").removeprefix(f"{SPECS}/")
    for finding in session.strays:
        file = finding.place.file.removeprefix(f"{SPECS}/")
        if wanted.rpartition(".")[0] in {file.rpartition(".")[0], file} or wanted in {
            file,
            file.rpartition(".")[0],
        }:
            return f"{finding.place.file}: {finding.message}; {finding.hint}"

    if path in session.platform_inputs.names("environments"):
        return f"`{path}` is an environment, not a model: write `--env {path}`"
    head, _, tail = path.rstrip("/").rpartition("/")
    if tail in session.platform_inputs.names("environments") and any(e.name == head for e in session.entries):
        return f"no spec matches {path}; an environment is an option: `{head} --env {tail}`"
    if "," in path:
        return f"no spec matches {path}; separate models by blanks: {' '.join(filter(None, path.split(',')))}"
    if _REVISION.fullmatch(path):
        return f"`{path}` is a revision of git, not a model: `plan` and `diff` have `--against {path}`"
    if re.match(r"\w+:\w", path):
        # A reference to a model's content, in the place of the model's name.
        plain = re.split(r"[:/@]+", path)[1]
    else:
        plain = re.sub(r"(?:\.lock)?\.ya?ml$", "", path.removeprefix("./"))
    known = {name for entry in session.entries for name in (entry.name, f"{SPECS}/{entry.name}.yaml")}
    near = nearest(path.removeprefix("./"), known, 3) or nearest(plain, known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"models here: {_some(session.entries)}"
    return f"no spec matches {path}; {hint}"


def _some(entries: tuple[ModelFiles, ...]) -> str:
    names = [entry.name for entry in entries]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none; `sluice new TEAM/MODEL` writes one") + more
