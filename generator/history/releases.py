"""The versions of one model in git, on the branch that Argo CD syncs, in order.

Git knows what was merged and when, and what records say. Without a record it does not know how far a rollout came: an
aborted one is here until it is reverted, which is what `sluice revert` is for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from generator.dataclass import dataclass
from generator.history.gated import Entered, Recorded, promotions, recorded
from generator.history.git import Change, Commit, Git
from generator.history.recorded import (
    EVIDENCE,
    LOCK,
    SPEC,
    Verdict,
    Waived,
    approvals,
    evidence_of,
    lock_of,
    mapping,
    model_of,
    name_before,
    path_of,
    plain,
    roles,
    waivers,
)
from generator.plan.inputs import gated, plain_environments
from generator.plan.model_files import PLATFORM, SPECS
from generator.spec.signers import SignedBy

_INPUT: Final = re.compile(rb"^# input lock sha256:([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Release:
    """A version of a model in git, from the change that brought it to the next version.

    Args:
        name: team/model, its name at that time.
        version: of the model.
        digest: of its files.
        resolved: the immutable reference.
        image: digest of its image; empty when it was named by tag.
        since: when it was merged (UTC).
        until: when another version was merged, or the model was removed; None when it is the newest.
        change: the step that brought it.
        commit: the last commit (hex) with this version in the requested time.
        brought: the commits that a merge brought in with it.
        later: changes of its files that kept the version.
        approvals: from the commit messages: trailer and name.
        verdicts: of its gates.
        signed: the valid signatures of its evidence, its lock and its promotions.
        evidence_fits: whether the evidence was about this digest; None when there was none.
        waivers: in force at the end of the requested time.
        rendered: environments whose bundle was rendered from this lock, or that it was promoted to.
        entered: when it entered environments that require others.
        records: what the records of its releases say.
        roles: the roles that had to approve during the rollout; git does not know who did.
    """

    name: str
    version: str
    digest: str
    resolved: str
    image: str
    since: dt.datetime
    until: dt.datetime | None
    change: Change
    commit: str
    brought: tuple[Commit, ...] = ()
    later: tuple[Change, ...] = ()
    approvals: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    signed: tuple[SignedBy, ...] = ()
    evidence_fits: bool | None = None
    waivers: tuple[Waived, ...] = ()
    rendered: tuple[str, ...] = ()
    entered: tuple[Entered, ...] = ()
    records: tuple[Recorded, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Touch:
    """A change of a model's files, with the model's name after it."""

    change: Change
    name: str


@dataclass
class _Period:
    """A release under construction."""

    first: _Touch
    lock: dict[str, Any]
    touches: list[_Touch] = field(default_factory=list)
    until: dt.datetime | None = None


@dataclass
class History:
    """The changes of one branch.

    Args:
        git: the repository.
        changes: those that touched `specs/`, oldest first.
        steps: when each commit took effect, oldest first.
    """

    git: Git
    changes: Sequence[Change]
    steps: Mapping[str, dt.datetime]

    @staticmethod
    def of(git: Git, revision: str) -> History:
        """Return the history that ends at a revision."""
        steps = git.steps(revision)
        return History(git, git.changes(steps, SPECS), steps)

    def names(self, start: dt.datetime, end: dt.datetime) -> list[str]:
        """Return the models that existed at some moment from `start` to before `end`, sorted."""
        held: set[str] = set()
        found: set[str] = set()
        for change in self.changes:
            if change.since >= end:
                break
            if change.since > start:
                found |= held
            for file in change.files:
                held.discard(model_of(file.before, LOCK) if file.before != file.after else "")
                held.add(model_of(file.after, LOCK))
        return sorted((found | held) - {""})

    def releases(self, name: str, *, end: dt.datetime | None = None) -> list[Release]:
        """Return the versions of a model, oldest first.

        Args:
            name: team/model, its name at the end.
            end: later changes do not count, except that they end the last version.
        """
        touches = self._touches(name, end)
        entered = promotions(self, name)
        locks = self.git.read((touch.change.commit.sha, path_of(touch.name, LOCK)) for touch in touches)
        periods: list[_Period] = []
        for touch in touches:
            lock = lock_of(locks.get((touch.change.commit.sha, path_of(touch.name, LOCK))))
            current = periods[-1] if periods and periods[-1].until is None else None
            if current is not None and lock is not None and lock["digest"] == current.lock["digest"]:
                current.touches.append(touch)
                current.lock = lock
                continue
            if current is not None:
                current.until = touch.change.since
            if lock is not None:
                periods.append(_Period(touch, lock))
        return [
            self._release(period, end, entered)
            for period in periods
            if end is None or period.first.change.since < end
        ]

    def _touches(self, name: str, end: dt.datetime | None) -> list[_Touch]:
        """Return the changes of a model's files, oldest first, across renames."""
        found, called = [], name
        later = [change for change in self.changes if end is not None and change.since >= end]
        for change in reversed(self.changes[: len(self.changes) - len(later)]):
            own = {path_of(called, suffix) for suffix in (SPEC, LOCK, EVIDENCE)}
            if any(file.before in own or file.after in own for file in change.files):
                found.append(_Touch(change, called))
            called = name_before(called, change) or called
        found.reverse()
        return [*found, *self._after(name, later)]

    def _after(self, name: str, later: Sequence[Change]) -> Iterable[_Touch]:
        """Return the changes after the end, up to the first one of the lock."""
        for change in later:
            if any(path_of(name, LOCK) in (file.before, file.after) for file in change.files):
                yield _Touch(change, name)

    def _release(self, period: _Period, end: dt.datetime | None, entered: Sequence[Entered]) -> Release:
        first, commit = period.first, period.first.change.commit
        later = tuple(touch.change for touch in period.touches if end is None or touch.change.since < end)
        last = self._last(first.change, period.until, end)
        name = next((t.name for t in reversed(period.touches) if t.change in later), first.name)
        own = [path_of(first.name, suffix) for suffix in (SPEC, LOCK, EVIDENCE)]
        brought = tuple(self.git.merged(commit, own))
        read = self.git.read(
            [
                (last, path)
                for path in (*(path_of(name, s) for s in (SPEC, LOCK, EVIDENCE)), f"{SPECS}/{PLATFORM}")
            ]
        )
        platform = plain(read.get((last, f"{SPECS}/{PLATFORM}")))
        verdicts, subject = evidence_of(read.get((last, path_of(name, EVIDENCE))))
        own_entries = [
            one for one in entered if one.digest == period.lock["digest"] and (end is None or one.since < end)
        ]
        records = recorded(self.git, last, name, plain_environments(mapping(platform.get("spec"))))
        until = period.until
        when = min(end, until) if end and until else end or until
        return Release(
            name=name,
            version=period.lock["version"],
            digest=period.lock["digest"],
            resolved=period.lock["resolved"],
            image=period.lock["image"],
            since=first.change.since,
            until=until,
            change=first.change,
            commit=last,
            brought=brought,
            later=later,
            approvals=tuple(approvals([commit, *brought])),
            verdicts=verdicts,
            evidence_fits=None if subject is None else subject == period.lock["digest"],
            waivers=tuple(waivers(platform, name, when)),
            rendered=tuple(
                self._rendered(last, name, platform, read.get((last, path_of(name, LOCK))), own_entries)
            ),
            entered=tuple(own_entries),
            records=tuple(one for one in records if one.digest == period.lock["digest"]),
            roles=tuple(roles(plain(read.get((last, path_of(name, SPEC)))))),
        )

    def _last(self, first: Change, until: dt.datetime | None, end: dt.datetime | None) -> str:
        """Return the last commit of a period."""
        bounds = [bound for bound in (until, end) if bound is not None]
        inside = [sha for sha, since in self.steps.items() if all(since < bound for bound in bounds)]
        return inside[-1] if inside else first.commit.sha

    def _rendered(
        self,
        commit: str,
        name: str,
        platform: dict[str, Any],
        lock: bytes | None,
        entered: Sequence[Entered],
    ) -> Iterable[str]:
        spec = mapping(platform.get("spec"))
        environments = plain_environments(spec)
        folder = mapping(spec.get("git")).get("path") or "rendered"
        if lock is None:
            return []
        ledgers = {env: (commit, f"{folder}/{env}/{name}/.sluice") for env in environments}
        read = self.git.read(ledgers.values())
        digest = hashlib.sha256(lock).hexdigest().encode()
        # A gated environment keeps its release while the lock names another version.
        promoted, keeps = {one.environment for one in entered}, gated(environments)
        return [
            env
            for env, key in ledgers.items()
            if digest in _INPUT.findall(read.get(key, b"")) and (env not in keeps or env in promoted)
        ]
