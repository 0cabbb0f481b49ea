"""The versions on a branch at some moment, or ever."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from generator.dataclass import dataclass
from generator.history.git import Git
from generator.history.releases import History, Release
from generator.source.errors import UserError
from generator.source.suggest import did_you_mean

_DAY: Final = dt.timedelta(days=1)
_SHORTEST: Final = dt.timedelta(microseconds=1)
_SUFFIX: Final = re.compile(r"(\.lock\.yaml|\.evidence\.json|\.yaml)$")
_EVER: Final = (dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC))


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time (UTC): from its first moment to before its last."""

    start: dt.datetime
    end: dt.datetime

    @staticmethod
    def of(text: str) -> Span:
        """Return the time span of a date: a whole day, or one moment; in UTC unless it has an offset.

        Raises:
            UserError: it is not a date.
        """
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                day = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
                return Span(day, day + _DAY)
            moment = dt.datetime.fromisoformat(text)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
            return Span(moment, moment + _SHORTEST)
        except (ValueError, OverflowError) as error:
            hint = "for example 2026-11-25, or 2026-11-25T09:30:00+01:00"
            raise UserError(f"`{text}` is not a date", hint) from error

    def __str__(self) -> str:
        whole_day = self.end - self.start == _DAY
        return f"on {self.start:%Y-%m-%d}" if whole_day else f"at {self.start:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Branch:
    """The commit that an audit ends at.

    Args:
        commit: hex.
        missing: the branch when it does not exist here and the checked-out commit is used instead; else empty.
    """

    commit: str
    missing: str = ""

    @staticmethod
    def of(git: Git, given: str | None, usual: str) -> Branch:
        """Return the tip of a branch, local or remote; without either, the checked-out commit for the default branch.

        Args:
            git: the repository.
            given: the branch that the user names.
            usual: the branch that Argo CD syncs.

        Raises:
            UserError: the branch does not exist, or the repository has no commit.
        """
        name = given or usual
        for revision in (f"refs/heads/{name}", f"refs/remotes/origin/{name}", given or ""):
            commit = git.commit(revision) if revision else None
            if commit is not None:
                return Branch(commit)
        if given:
            raise UserError(f"no branch `{given}` in this repository", "see `git branch --all`")
        commit = git.commit("HEAD")
        if commit is None:
            raise UserError("this repository has no commits yet", "make a commit first")
        return Branch(commit, name)


def releases_in_git(history: History, model: str | None, span: Span | None) -> list[Release]:
    """Return the versions that were in git on the branch.

    Args:
        history: of the branch.
        model: team/model, or the path of one of its files; None for all models.
        span: the time; None for all versions of the model.

    Raises:
        UserError: there was none, or git does not know the model or the time.
    """
    name = None if model is None else _SUFFIX.sub("", model.removeprefix("./").removeprefix("specs/"))
    if span is None:
        found = history.releases(name or "")
    else:
        _check_known(history, span)
        names = [name] if name else history.names(span.start, span.end)
        every = [release for known in names for release in history.releases(known, end=span.end)]
        found = [release for release in every if _lasts(release, span.start)]
    if not found:
        raise _nothing(history, name, span)
    return found


def _lasts(release: Release, start: dt.datetime) -> bool:
    """Return whether a version was in git after a moment: as the newest, or as what a gated environment kept."""
    ends = (release.until, *(one.until for one in release.entered))
    return any(until is None or until > start for until in ends)


def _check_known(history: History, span: Span) -> None:
    """Raise UserError if a shallow clone begins after the requested time."""
    if history.git.shallow and (not history.changes or span.start < history.changes[0].since):
        message = f"this shallow clone begins after {span.start:%Y-%m-%d %H:%M} UTC"
        raise UserError(message, "run `git fetch --unshallow`")


def _nothing(history: History, name: str | None, span: Span | None) -> UserError:
    when = f" {span}" if span else ""
    if name is None:
        return UserError(f"no model was in git{when}")
    known = history.names(*_EVER)
    if name in known:
        return UserError(f"{name} was not in git{when}")
    return UserError(f"no commit has a model {name}", did_you_mean(name, known))
