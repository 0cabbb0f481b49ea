"""What the commands share: the repository, its templates, today's date, and the models that were named."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator.plan.entries import PLATFORM, SPECS, Entry, discover, find_root
from generator.source.errors import CliError
from generator.source.finding import Finding

if TYPE_CHECKING:
    from generator.plan.repository import Repository
    from generator.plan.resolve import Resolved
    from generator.render.bento import Bentos
    from generator.render.environment import Templates

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Session:
    """One call of a command.

    Args:
        root: the repository.
        today: waivers and acceptances expire.
    """

    root: Path
    today: dt.date

    @cached_property
    def discovered(self) -> tuple[tuple[Entry, ...], list[Finding]]:
        """All models, and what lies among them and is none."""
        return discover(self.root)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All models, sorted."""
        return self.discovered[0]

    @cached_property
    def repository(self) -> Repository:
        """The repository, read and validated as far as it is asked."""
        from generator.plan.repository import Repository

        return Repository(self.root)

    @cached_property
    def templates(self) -> Templates:
        """Our templates, under those of the repository.

        Raises:
            CliError: a template of the repository can't be read.
        """
        from generator.render.environment import TemplateError, Templates

        templates = Templates(self.root / "templates")
        try:
            templates.check()
        except TemplateError as error:
            raise CliError(str(error)) from error
        return templates

    @cached_property
    def bentos(self) -> Bentos:
        """The rendered services, whose digests are part of image tags."""
        from generator.render.bento import Bentos

        return Bentos(self.templates)

    def resolve(self, entry: Entry) -> Resolved:
        """Plan one model for every environment; the platform must be valid."""
        from generator.plan.resolve import resolve

        return resolve(self.repository, entry, self.bentos.digest)


def open_session(root: Path | None) -> Session:
    """The session in a folder, or in the current one and those above it.

    Raises:
        CliError: there is no repository.
    """
    start = Path(os.path.abspath(root or Path.cwd()))  # noqa: PTH100 - links stay as the user wrote them
    found = find_root(start) if root is None else start if (start / SPECS / PLATFORM).exists() else None
    if found is None:
        where = "here or in any folder above" if root is None else f"in {root}"
        raise CliError(
            f"there is no {SPECS}/{PLATFORM} {where}; `sluice init` makes a repository, --root names one"
        )
    return Session(found, today())


def today() -> dt.date:
    """The date (UTC): SOURCE_DATE_EPOCH if it is set, else the clock's. Only the command line asks.

    Raises:
        CliError: SOURCE_DATE_EPOCH is no time.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return dt.datetime.now(tz=dt.UTC).date()
    try:
        return dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise CliError(f"SOURCE_DATE_EPOCH is no number of seconds since 1970: {epoch!r}") from error


def root_option(command: F) -> F:
    """The option --root, the same for all commands."""
    text = "The repository; default: the nearest folder upwards that holds specs/platform.yaml."
    return click.option("--root", type=click.Path(path_type=Path, file_okay=False), help=text)(command)


@dataclass(frozen=True, slots=True)
class Selection:
    """The models that a command is about.

    Args:
        entries: sorted, each once.
        everything: the whole repository is meant: nothing was named, or what all models share.
    """

    entries: tuple[Entry, ...]
    everything: bool


def select(session: Session, paths: Sequence[str]) -> Selection:
    """The models that PATH arguments name.

    A path may be a spec, its lock or its evidence, a team's folder, `specs/`, the platform (all models), or
    `team/model`, or a team's name.

    Raises:
        CliError: a path selects nothing.
    """
    specs = os.path.realpath(session.root / SPECS)
    if not paths or any(not _targets(path).isdisjoint(_shared(specs)) for path in paths):
        return Selection(session.entries, everything=True)
    chosen = {entry for path in paths for entry in _named(session, path)}
    return Selection(tuple(sorted(chosen)), everything=False)


def select_one(session: Session, path: str) -> Entry:
    """The one model that a path names.

    Raises:
        CliError: it names none, or several.
    """
    entries = _named(session, path)
    if len(entries) > 1:
        raise CliError(
            f"{path} names {len(entries)} models; name one: {', '.join(entry.name for entry in entries[:5])}"
        )
    return entries[0]


def _named(session: Session, path: str) -> list[Entry]:
    targets, specs = _targets(path), os.path.realpath(session.root / SPECS)
    by_path = [entry for entry in session.entries if _covers(targets, specs, entry)]
    by_name = [entry for entry in session.entries if path.rstrip("/") in {entry.name, entry.team}]
    found = by_path or by_name
    if not found:
        raise CliError(_nothing(session, path))
    return found


def _covers(targets: set[str], specs: str, entry: Entry) -> bool:
    """Whether one of these absolute paths is a file or a folder of the model, or what all models share."""
    team = f"{specs}/{entry.team}"
    own = {f"{team}/{file.name}" for file in (entry.spec, entry.lock, entry.evidence)}
    return not targets.isdisjoint(own | {team} | _shared(specs))


def _shared(specs: str) -> set[str]:
    """What all models share."""
    return {specs, os.path.dirname(specs), f"{specs}/{PLATFORM}"}  # noqa: PTH120 - plain text


def _targets(path: str) -> set[str]:
    """The absolute paths that a path stands for."""
    return {_real(path), os.path.realpath(path)} if os.path.isdir(path) else {_real(path)}  # noqa: PTH112


def _real(path: str | Path) -> str:
    """An absolute path with the links of its folders resolved, but not of its last part."""
    head, tail = os.path.split(os.path.abspath(path))  # noqa: PTH100 - plain text, as fast as can be
    return os.path.join(os.path.realpath(head), tail)  # noqa: PTH118 - the same


def _nothing(session: Session, path: str) -> str:
    from generator.source.suggest import nearest

    known = {name for entry in session.entries for name in (entry.name, f"{SPECS}/{entry.name}.yaml")}
    near = nearest(path.removeprefix("./"), known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"models here: {_some(session.entries)}"
    return f"{path} names no spec; {hint}"


def _some(entries: tuple[Entry, ...]) -> str:
    names = [entry.name for entry in entries]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none; `sluice new TEAM/MODEL` writes one") + more


_SHOWN = 8
