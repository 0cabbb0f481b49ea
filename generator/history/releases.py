"""What git says was live: the versions of one model on the branch that Argo CD syncs, in order.

Git knows what was asked of the cluster and when it was merged. It does not know how far a rollout came: an aborted one
is live here until somebody reverts it, which is what `sluice revert` is for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from generator.history.git import Change, Commit, Git
from generator.plan.entries import PLATFORM, SPECS
from generator.source.reader import parse

_TRAILER: Final = re.compile(
    r"^((?:Approved|Reviewed|Acked|Signed-off)-by): *(.+)$", re.MULTILINE | re.IGNORECASE
)
_INPUT: Final = re.compile(rb"^# input lock sha256:([0-9a-f]{64})$", re.MULTILINE)
_SPEC, _LOCK, _EVIDENCE = ".yaml", ".lock.yaml", ".evidence.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate had found, as the evidence says."""

    gate: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver that was in force."""

    gate: str
    reason: str
    approved_by: str
    until: str


@dataclass(frozen=True, slots=True)
class Release:
    """A version of a model that git asked for, from one change to the next version.

    Args:
        name: team/model, as it was called then.
        version: of the model.
        digest: of its files.
        resolved: the immutable reference.
        image: digest of its image; empty when it was named by tag.
        since: when it was merged (UTC).
        until: when another version was, or the model went away; None when it is the newest.
        change: what brought it.
        commit: the last commit (hex) that asked for it, of the time that is asked about.
        brought: the commits that a merge brought in with it.
        later: changes of its files that left the version alone.
        approvals: what the messages say: trailer and name.
        verdicts: of its gates.
        evidence_fits: whether the evidence was about this very digest; None when there was none.
        waivers: in force at the end of the time that is asked about.
        rendered: environments whose bundle was rendered from this very lock.
        roles: who had to approve during the rollout, by role; git does not know who did.
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
    evidence_fits: bool | None = None
    waivers: tuple[Waived, ...] = ()
    rendered: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Touch:
    """A change of the files of a model, which was called so after it."""

    change: Change
    name: str


@dataclass
class _Period:
    """A release that is being put together."""

    first: _Touch
    lock: dict[str, Any]
    touches: list[_Touch] = field(default_factory=list)
    until: dt.datetime | None = None


@dataclass
class History:
    """The changes of one branch.

    Args:
        git: the repository.
        changes: all that touched `specs/`, oldest first.
        steps: from when on each commit counted, oldest first.
    """

    git: Git
    changes: Sequence[Change]
    steps: Mapping[str, dt.datetime]

    @staticmethod
    def of(git: Git, revision: str) -> History:
        """The history that ends at a revision."""
        steps = git.steps(revision)
        return History(git, git.changes(steps, SPECS), steps)

    def names(self, start: dt.datetime, end: dt.datetime) -> list[str]:
        """Models that git knew at some moment from `start` to before `end`, sorted."""
        held: set[str] = set()
        found: set[str] = set()
        for change in self.changes:
            if change.since >= end:
                break
            if change.since > start:
                found |= held
            for file in change.files:
                held.discard(_model(file.before, _LOCK) if file.before != file.after else "")
                held.add(_model(file.after, _LOCK))
        return sorted((found | held) - {""})

    def releases(self, name: str, *, end: dt.datetime | None = None) -> list[Release]:
        """The versions of a model, oldest first.

        Args:
            name: team/model, as it is called at the end.
            end: changes from then on do not count, except that they end the last version.
        """
        touches = self._touches(name, end)
        locks = self.git.read((touch.change.commit.sha, _path(touch.name, _LOCK)) for touch in touches)
        periods: list[_Period] = []
        for touch in touches:
            lock = _lock(locks.get((touch.change.commit.sha, _path(touch.name, _LOCK))))
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
            self._release(period, end) for period in periods if end is None or period.first.change.since < end
        ]

    def _touches(self, name: str, end: dt.datetime | None) -> list[_Touch]:
        """Changes of a model's files, oldest first, through its renames."""
        found, called = [], name
        later = [change for change in self.changes if end is not None and change.since >= end]
        for change in reversed(self.changes[: len(self.changes) - len(later)]):
            own = {_path(called, suffix) for suffix in (_SPEC, _LOCK, _EVIDENCE)}
            if any(file.before in own or file.after in own for file in change.files):
                found.append(_Touch(change, called))
            called = _before(called, change) or called
        found.reverse()
        return [*found, *self._after(name, later)]

    def _after(self, name: str, later: Sequence[Change]) -> Iterable[_Touch]:
        """Changes beyond the end, until one of the lock."""
        for change in later:
            if any(_path(name, _LOCK) in (file.before, file.after) for file in change.files):
                yield _Touch(change, name)

    def _release(self, period: _Period, end: dt.datetime | None) -> Release:
        first, commit = period.first, period.first.change.commit
        later = tuple(touch.change for touch in period.touches if end is None or touch.change.since < end)
        last = self._last(first.change, period.until, end)
        name = next((t.name for t in reversed(period.touches) if t.change in later), first.name)
        own = [_path(first.name, suffix) for suffix in (_SPEC, _LOCK, _EVIDENCE)]
        brought = tuple(self.git.merged(commit, own))
        read = self.git.read(
            [
                (last, path)
                for path in (*(_path(name, s) for s in (_SPEC, _LOCK, _EVIDENCE)), f"{SPECS}/{PLATFORM}")
            ]
        )
        platform = _plain(read.get((last, f"{SPECS}/{PLATFORM}")))
        verdicts, subject = _evidence(read.get((last, _path(name, _EVIDENCE))))
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
            approvals=tuple(_approvals([commit, *brought])),
            verdicts=verdicts,
            evidence_fits=None if subject is None else subject == period.lock["digest"],
            waivers=tuple(_waivers(platform, name, when)),
            rendered=tuple(self._rendered(last, name, platform, read.get((last, _path(name, _LOCK))))),
            roles=tuple(_roles(_plain(read.get((last, _path(name, _SPEC)))))),
        )

    def _last(self, first: Change, until: dt.datetime | None, end: dt.datetime | None) -> str:
        """The last commit of a period that counts."""
        bounds = [bound for bound in (until, end) if bound is not None]
        inside = [sha for sha, since in self.steps.items() if all(since < bound for bound in bounds)]
        return inside[-1] if inside else first.commit.sha

    def _rendered(
        self, commit: str, name: str, platform: dict[str, Any], lock: bytes | None
    ) -> Iterable[str]:
        spec = _mapping(platform.get("spec"))
        environments = spec.get("environments")
        folder = _mapping(spec.get("git")).get("path") or "rendered"
        if lock is None or not isinstance(environments, dict):
            return []
        ledgers = {env: (commit, f"{folder}/{env}/{name}/.sluice") for env in environments}
        read = self.git.read(ledgers.values())
        digest = hashlib.sha256(lock).hexdigest().encode()
        return [env for env, key in ledgers.items() if digest in _INPUT.findall(read.get(key, b""))]


def _path(name: str, suffix: str) -> str:
    return f"{SPECS}/{name}{suffix}"


def _model(path: str | None, suffix: str) -> str:
    """The model that a file of this kind belongs to; empty when it belongs to none."""
    if not path or not path.startswith(f"{SPECS}/") or not path.endswith(suffix):
        return ""
    name = path.removeprefix(f"{SPECS}/").removesuffix(suffix)
    return name if name.count("/") == 1 else ""


def _before(name: str, change: Change) -> str | None:
    """What a model was called before a change; None when it kept its name. The spec's own move counts first."""
    for suffix in (_SPEC, _LOCK):
        for file in change.files:
            if file.after == _path(name, suffix) and file.before and file.before != file.after:
                return _model(file.before, suffix) or None
    return None


def _plain(content: bytes | None) -> dict[str, Any]:
    data = parse(content, "").data if content is not None else None
    return data if isinstance(data, dict) else {}


def _mapping(value: Any) -> dict[str, Any]:
    """A value of a file, as far as it is a mapping."""
    return value if isinstance(value, dict) else {}


def _lock(content: bytes | None) -> dict[str, Any] | None:
    """What a lock says, as far as it can be used; one that cannot be read names no version."""
    model = _plain(content).get("model")
    if not isinstance(model, dict) or not isinstance(model.get("digest"), str):
        return None
    image = _plain(content).get("image")
    named = {key: str(model.get(key, "")) for key in ("version", "digest", "resolved")}
    return {**named, "image": str(image.get("digest", "")) if isinstance(image, dict) else ""}


def _evidence(content: bytes | None) -> tuple[tuple[Verdict, ...], str | None]:
    """Verdicts, and the digest that they are about; None when there is no evidence that can be read."""
    try:
        document = json.loads(content or b"")
        subject = f"sha256:{document['subject'][0]['digest']['sha256']}"
        gates = document["predicate"]["gates"]
        found = [Verdict(str(g["name"]), str(g["verdict"]), str(g["reason"])) for g in gates]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return (), None
    return tuple(found), subject


def _approvals(commits: Iterable[Commit]) -> Iterable[str]:
    found = [
        f"{key.capitalize()}: {who.strip()}" for c in commits for key, who in _TRAILER.findall(c.message)
    ]
    return dict.fromkeys(found)


def _waivers(platform: dict[str, Any], name: str, when: dt.datetime | None) -> Iterable[Waived]:
    """Waivers of a model in force at a moment (the newest, if none is given)."""
    written = _mapping(platform.get("spec")).get("waivers")
    for item in written if isinstance(written, list) else ():
        if not isinstance(item, dict) or item.get("model") != name:
            continue
        until = str(item.get("until", ""))
        if when is None or until >= (when - dt.timedelta(microseconds=1)).date().isoformat():
            yield Waived(str(item.get("gate")), str(item.get("reason")), str(item.get("approvedBy")), until)


def _roles(spec: dict[str, Any]) -> Iterable[str]:
    rollout = _mapping(_mapping(spec.get("spec")).get("rollout"))
    steps = rollout.get("steps")
    asked = (
        [step.get("approve") for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    )
    return [str(role) for role in dict.fromkeys([*asked, rollout.get("approve")]) if role]
