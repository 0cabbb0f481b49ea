"""Collects what git knows of one release: its records, its versions and promotions, and who took it back.

A source that is missing is listed as such; nothing is filled in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from typing import Any

from generator.dataclass import dataclass
from generator.history.checkout import snapshot
from generator.history.git import Change, Git
from generator.history.git_call import GitError
from generator.history.recorded import QUARANTINE, mapping, path_of, plain
from generator.history.releases import History, Release
from generator.pipeline.session import Session
from generator.pipeline.track_record import old_records
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.plan.release_key import release_key
from generator.plan.resolve import Planned
from generator.source.errors import CliError
from generator.spec.release_record import RecordFile


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The entry of a quarantine, and the change that brought it.

    Args:
        item: the entry as it is written.
        at: when the change was merged (UTC).
        change: the change.
    """

    item: dict[str, Any]
    at: dt.datetime
    change: Change

    @property
    def reason(self) -> str:
        """Why it was taken back."""
        return str(self.item.get("reason"))


@dataclass(frozen=True, slots=True)
class Incident:
    """One release that was aborted or taken back.

    Args:
        model: team/model.
        environment: where; empty if git does not know it.
        key: its release key; empty if git does not know it.
        version: version of its model.
        record: of the release in this environment; None without one.
        proofs: its records in other environments.
        taken_back: who took it back; None if a guard or a person only aborted it.
        release: the version in git; None if git does not know it.
        planned: its plan, at the commit of its record or of its version; None without one.
        missing: sources that are missing, as sentences.
        stable_hash: pod-template hash of the release before it; empty if no record has it.
    """

    model: str
    environment: str
    key: str
    version: str
    record: RecordFile | None
    proofs: Sequence[RecordFile]
    taken_back: TakenBack | None
    release: Release | None
    planned: Planned | None
    missing: Sequence[str]
    stable_hash: str = ""

    @property
    def start(self) -> dt.datetime | None:
        """When its first analysis started."""
        return dt.datetime.fromisoformat(self.record.start) if self.record and self.record.start else None

    @property
    def end(self) -> dt.datetime | None:
        """When it was completed or aborted."""
        return dt.datetime.fromisoformat(self.record.end) if self.record else None


@dataclass(slots=True)
class _Search:
    """What is known of a model's releases."""

    git: Git
    commit: str
    name: str
    records: Sequence[RecordFile]
    commits: dict[str, str]
    history: History
    missing: list[str] = field(default_factory=list)


def read_incident(session: Session, entry: ModelFiles, key: str, environment: str) -> Incident:
    """Return the release that a key names, or the newest one that was aborted or taken back.

    Args:
        session: the repository.
        entry: the model.
        key: the start of a release key; empty for the newest incident.
        environment: where; empty for any.

    Raises:
        CliError: there is none.
        GitError: git can't read the history.
    """
    git = Git.at(session.root)
    commit = git.commit("HEAD")
    if commit is None:
        raise CliError("this repository has no commits yet", "make a commit first")
    old, untrusted = old_records(git, commit, entry.name)
    records = sorted((one.content for one in old), key=lambda record: record.end)
    commits = {one.content.digest: one.commit for one in reversed(old)}
    found = _Search(git, commit, entry.name, records, commits, History.of(git, commit))
    if untrusted:
        found.missing.append(f"{untrusted} of its records in git can't be trusted and are left out")
    if git.shallow:
        found.missing.append("this clone is shallow, so its history begins late: `git fetch --unshallow`")
    return _incident(session, entry, found, *_chosen(found, key.removeprefix("sha256:"), environment))


def _chosen(found: _Search, key: str, environment: str) -> tuple[RecordFile | None, TakenBack | None]:
    """Return the record and the quarantine of the release that is meant; one of them may be missing."""
    records = [one for one in found.records if environment in {"", one.subject.environment}]
    taken = list(_taken_back(found))
    if key:
        named = [one for one in records if _starts(one.subject.release_key, key)]
        entries = [one for one in taken if _starts(str(one.item.get("key")), key)]
        record = max(named, key=lambda one: (_is_bad(one, entries), one.end), default=None)
        about = [one for one in taken if record and _is_about(one, record)] or entries
        if record is None and not about:
            hint = f"`sluice audit {found.name}` shows the releases that git knows"
            raise CliError(f"no record and no quarantine of {found.name} has a release key {key}", hint)
        return record, about[-1] if about else None
    newest = max(
        (*((one.end, one, None) for one in records if one.aborted), *_moments(records, taken, environment)),
        key=lambda item: item[0],
        default=None,
    )
    if newest is None:
        hint = "--release KEY names any other release"
        raise CliError(f"no release of {found.name} in git was aborted or taken back", hint)
    _, record, back = newest
    if back is None and record is not None:
        back = next((one for one in reversed(taken) if _is_about(one, record)), None)
    return record, back


def _moments(
    records: Sequence[RecordFile], taken: Sequence[TakenBack], environment: str
) -> Iterator[tuple[str, RecordFile | None, TakenBack | None]]:
    """Yield when releases were taken back, with their newest record."""
    for one in taken:
        if environment in {"", one.item.get("environment") or environment}:
            about = [record for record in records if _is_about(one, record)]
            yield one.at.isoformat(), about[-1] if about else None, one


def _starts(whole: str, key: str) -> bool:
    return whole.removeprefix("sha256:").startswith(key)


def _is_bad(record: RecordFile, entries: Sequence[TakenBack]) -> bool:
    return record.aborted or any(_is_about(one, record) for one in entries)


def _is_about(one: TakenBack, record: RecordFile) -> bool:
    item, subject = one.item, record.subject
    if item.get("key"):
        return (item["key"], item.get("environment")) == (subject.release_key, subject.environment)
    return item.get("digest") == subject.model_digest


def _taken_back(found: _Search) -> Iterator[TakenBack]:
    """Yield the entries of both quarantines with the first change that had them, oldest first."""
    own, platform = path_of(found.name, QUARANTINE), f"{SPECS}/{PLATFORM}"
    wanted = [
        (change, file.after)
        for change in found.history.changes
        for file in change.files
        if file.after in {own, platform}
    ]
    texts = found.git.read((change.commit.sha, path) for change, path in wanted if path)
    seen: list[dict[str, Any]] = []
    for change, path in wanted:
        whole = plain(texts.get((change.commit.sha, path or "")))
        items = whole.get("releases") if path == own else mapping(whole.get("spec")).get("quarantine")
        for item in items if isinstance(items, list) else ():
            if not isinstance(item, dict) or (path == platform and item.get("model") != found.name):
                continue
            # A release from quarantine only adds a key to the entry.
            same = {key: value for key, value in item.items() if key != "released"}
            if same not in seen:
                seen.append(same)
                yield TakenBack(item, change.since, change)


def _incident(
    session: Session,
    entry: ModelFiles,
    found: _Search,
    record: RecordFile | None,
    back: TakenBack | None,
) -> Incident:
    item = back.item if back else {}
    key = record.subject.release_key if record else str(item.get("key") or "")
    environment = record.subject.environment if record else str(item.get("environment") or "")
    if record is None:
        found.missing.append(
            "git has no record of this release: what the guards saw, when it ended and who was exposed is not known"
        )
    releases = found.history.releases(found.name)
    digest = record.subject.model_digest if record else str(item.get("digest") or "")
    version = record.subject.version if record else str(item.get("version") or "")
    release = next((one for one in reversed(releases) if _is_version(one, digest, version)), None)
    if release is None:
        found.missing.append("git has no lock of this version: who merged it, and when, is not known")
    planned = _planned(session, entry, found, record, release, environment)
    return Incident(
        found.name,
        environment or (planned.plan.identity.environment if planned else ""),
        key,
        version or (release.version if release else ""),
        record,
        [one for one in found.records if key and one.subject.release_key == key and one != record],
        back,
        release,
        planned,
        found.missing,
        _stable_hash(found.records, record),
    )


def _stable_hash(records: Sequence[RecordFile], record: RecordFile | None) -> str:
    """Return the pods that the release was compared with: those of the newest one that was completed before it."""
    before = [
        one.rollout.pod_hash
        for one in records
        if record and not one.aborted and one.rollout.uid == record.rollout.uid and one.end < record.end
    ]
    return before[-1] if before else ""


def _is_version(release: Release, digest: str, version: str) -> bool:
    return digest in {release.digest, ""} and version in {release.version, ""}


def _planned(
    session: Session,
    entry: ModelFiles,
    found: _Search,
    record: RecordFile | None,
    release: Release | None,
    environment: str,
) -> Planned | None:
    """Return the plan of the release from the commits that may have it; the one with its key if there is one."""
    commits = [found.commits[record.digest]] if record else []
    commits += [release.change.commit.sha, release.commit] if release else []
    day = dt.date.fromisoformat(record.end[:10]) if record else session.today
    key, other = record.subject.release_key if record else "", None
    for commit in dict.fromkeys(commits):
        plans = _plans_at(replace(session, today=day), found.git, commit, entry.name)
        planned = next((one for one in plans if one.plan.identity.environment == environment), None)
        planned = planned or (plans[-1] if plans and not environment else None)
        if planned and (not key or release_key(planned.plan) == key):
            return planned
        other = other or planned
    if other is None:
        found.missing.append(
            "no commit has a spec of this release that can be planned: its plan is not known"
        )
    else:
        found.missing.append(
            "no commit has the spec that ran: the plan below is the nearest, and its guards, steps and odds may differ"
        )
    return other


def _plans_at(session: Session, git: Git, commit: str, name: str) -> list[Planned]:
    try:
        with snapshot(git, commit) as folder:
            there = replace(session, root=folder)
            if there.repository.platform is None:
                return []
            entry = next((one for one in there.entries if one.name == name), None)
            return list(there.resolve(entry).plans) if entry else []
    except GitError:
        return []
