"""What stops a promotion that is proven, and the check of a change that promotes: both read the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from generator.dataclass import dataclass
from generator.plan.freezes import frozen
from generator.plan.model_files import ModelFiles
from generator.source.errors import CliError
from generator.source.finding import Finding, Place
from generator.source.reader import display

if TYPE_CHECKING:
    from generator.history.git import Git
    from generator.pipeline.session import Session
    from generator.plan.repository import Repository
    from generator.plan.values import Plan
    from generator.spec.platform import PlatformSpec
    from generator.spec.promotion import PromotionFile
    from generator.spec.quarantine import QuarantineFile

_AGAIN = "run `sluice promote {model} --to {environment}` and `sluice render` again"


def rejected(repository: Repository, entry: ModelFiles, key: str, digest: str = "") -> str:
    """Return why a release is in quarantine; empty if it is not.

    What was rejected under another name of the team counts, too: a model may have been renamed.

    Args:
        repository: has the quarantine of each model.
        entry: the model.
        key: the release key.
        digest: of its model, where another release of a rejected model counts, too.

    Raises:
        CliError: the quarantine can't be read.
    """
    files: dict[ModelFiles, QuarantineFile] = {}
    for other in repository.quarantines(entry):
        file, findings = repository.quarantine(other)
        if findings:
            raise CliError(f"{findings[0].place.file}: {findings[0].message}", findings[0].hint)
        if file is not None:
            files[other] = file
    for file in files.values():
        item = file.rejection(key)
        if item is not None:
            since = f"since {item.since}, taken back from {item.environment}: {item.reason}"
            return f"this release is in quarantine {since}"
    for other, file in files.items():
        item = file.rejection_of_model(digest)
        if item is not None:
            called = "" if other == entry else f" of {other.name}"
            return (
                f"another release of this model (version {item.version}{called}) is in quarantine since {item.since}, "
                f"taken back from {item.environment}: {item.reason}"
            )
    return ""


def obstacles(
    repository: Repository,
    platform: PlatformSpec,
    entry: ModelFiles,
    target: tuple[str, str, str],
    now: dt.datetime,
) -> tuple[str, ...]:
    """Return why nothing may be promoted now, whatever the records show.

    Args:
        repository: has the quarantine of the model.
        platform: has the freezes.
        entry: the model.
        target: the environment, the key of the release that is to go there, and the digest of its model, which is
            empty if there is a reason to try that model again.
        now: with its zone.
    """
    environment, key, digest = target
    found = (rejected(repository, entry, key, digest), frozen(platform, environment, now))
    return tuple(reason for reason in found if reason)


@dataclass(frozen=True, slots=True)
class _Change:
    """The lock of one model in one environment, which a change writes.

    Args:
        entry: the model.
        environment: a gated one.
        file: path of the lock.
        before: its bytes in the revision; None for none.
        after: its bytes now.
    """

    entry: ModelFiles
    environment: str
    file: str
    before: bytes | None
    after: bytes

    def lock_before(self) -> PromotionFile | None:
        """Return the lock in the revision; None for a missing or invalid one."""
        from generator.source.reader import parse
        from generator.spec.check import check
        from generator.spec.promotion import PromotionFile

        document = parse(self.before or b"", self.file)
        return None if document.findings or not self.before else check(PromotionFile, document)[0]


def check_promotions(session: Session, revision: str, now: dt.datetime) -> list[Finding]:
    """Return why promotions of a change may not be merged now; a revert always may.

    Args:
        session: the work tree.
        revision: the branch that the change goes to.
        now: with its zone.

    Raises:
        CliError: there is no such revision.
        GitError: git can't read it.
    """
    from generator.history.git import Git
    from generator.pipeline.taken_away import taken_away

    git = Git.at(session.root)
    commit = git.commit(revision)
    if commit is None:
        raise CliError(f"this repository has no revision `{revision}`", "check the name, or `git fetch` it")
    changes = list(_changes(session, git, commit))
    found = [finding for change in changes for finding in _check(session, git, commit, change, now)]
    found += taken_away(session, git, commit)
    return [*found, *_unjudged_locks(session, git, commit), *_overtaken(session, git, commit)]


def _overtaken(session: Session, git: Git, commit: str) -> Iterator[Finding]:
    """Yield the releases that a change would replace although `order: finish-first` lets them finish."""
    targets = {
        (target, first)
        for target, environment in session.require_platform().environments.items()
        for first, proof in environment.proofs.items()
        if proof.order == "finish-first"
    }
    if not targets:
        return
    from generator.history.checkout import snapshot

    with snapshot(git, commit) as folder:
        before = replace(session, root=folder)
        for entry in before.entries:
            now = next((one for one in session.entries if one.name == entry.name), None)
            if now is None or _files(entry) == _files(now):
                continue
            keys, after = _keys(before, entry), _keys(session, now)
            for target, first in sorted(targets):
                key = keys.get(first)
                if key and key != after.get(first, key) and _is_under_way(session, now, key, (first, target)):
                    message = f"{now.name}: its release in {first} ({key[:19]}) has not finished its way to {target}"
                    hint = f"wait, or take it back: `sluice revert {now.name} --reason TEXT`"
                    yield Finding(
                        "PROM107", "error", message, hint, Place(display(now.spec, session.root), 1)
                    )


def _files(entry: ModelFiles) -> list[bytes | None]:
    """Return the files of a model that decide what runs."""
    return [
        path.read_bytes() if path.is_file() else None for path in (entry.spec, entry.lock, entry.packages)
    ]


def _keys(session: Session, entry: ModelFiles) -> dict[str, str]:
    """Return the release key of a model in each environment."""
    from generator.plan.release_key import release_key

    return {one.plan.identity.environment: release_key(one.plan) for one in session.resolve(entry).plans}


def _is_under_way(session: Session, entry: ModelFiles, key: str, way: tuple[str, str]) -> bool:
    """Return whether a release is neither promoted, nor aborted, nor taken back."""
    from generator.gates.records import read_record

    first, target = way
    lock, _ = session.repository.promotion(entry, target)
    if (lock is not None and lock.key == key) or rejected(session.repository, entry, key):
        return False
    record = read_record(entry.record(first), session.root, entry.name, first).content
    return record is None or record.subject.release_key != key or record.verdict != "aborted"


def _changes(session: Session, git: Git, commit: str) -> Iterator[_Change]:
    platform = session.require_platform()
    gated = [name for name, environment in platform.environments.items() if environment.requires]
    locks = {
        (entry, name): display(entry.promotion(name), session.root)
        for entry in session.entries
        for name in gated
    }
    before = git.read((commit, file) for file in locks.values())
    for (entry, name), file in locks.items():
        path = Path(entry.promotion(name))
        after = path.read_bytes() if path.is_file() else None
        if after is not None and after != before.get((commit, file)):
            yield _Change(entry, name, file, before.get((commit, file)), after)


def _check(session: Session, git: Git, commit: str, change: _Change, now: dt.datetime) -> Iterator[Finding]:
    lock, findings = session.repository.promotion(change.entry, change.environment)
    if lock is None:
        yield from findings
        return
    place = Place(change.file, 1)
    hint = _AGAIN.format(model=change.entry.name, environment=change.environment)
    reverts = _was_there(git, commit, change)
    old = change.lock_before()
    known = reverts or (old is not None and old.key == lock.key)
    again = "" if lock.reason or known else lock.model.digest
    banned = rejected(session.repository, change.entry, lock.key, again)
    if banned:
        yield Finding("PROM106", "error", banned, "promote another release", place)
    if reverts:
        return
    freeze = frozen(session.platform, change.environment, now)
    if freeze:
        yield Finding(
            "PROM106", "error", freeze, "merge this when the freeze is over; a revert may go out", place
        )
    from generator.pipeline.approval import unapproved

    yield from unapproved(session, git, commit, (change.entry, change.environment, change.file), lock)
    for reason in _unproven(session, git, commit, change, now):
        yield Finding(
            "PROM106", "error", f"{change.entry.name} in {change.environment}: {reason}", hint, place
        )


def _was_there(git: Git, commit: str, change: _Change) -> bool:
    """Return whether the branch had exactly this lock before."""
    return change.after in _versions(git, commit, change.file)


def _versions(git: Git, commit: str, file: str) -> list[bytes]:
    """Return the contents that a file had on a branch."""
    commits = [step.commit.sha for step in git.changes(git.steps(commit), file)]
    return list(git.read((sha, file) for sha in commits).values())


def _commits_of(git: Git, change: str) -> list[tuple[str, str]]:
    """Return the commits of a change that have other locks than a parent, each with one of their files.

    Both sides of a merge count, and what a merge itself changed.
    """
    shown = ("-m", "--full-history", "--no-renames", "--no-ext-diff", "--name-only", "--relative")
    out = git.ask("log", *shown, "--format=%x00%H", change, "--", "*.lock.yaml")
    parts = [part.splitlines() for part in out.split("\0")[1:]]
    return list(dict.fromkeys((lines[0], name) for lines in parts for name in lines[1:] if name))


def _unjudged_locks(session: Session, git: Git, commit: str) -> Iterator[Finding]:
    """Yield the locks that only earlier commits of a change have: merged commit by commit, they were on the branch.

    Nothing judges them, and a later change could bring one back as if it were a revert.
    """
    platform = session.require_platform()
    gated = [name for name, environment in platform.environments.items() if environment.requires]
    entries = {
        display(entry.promotion(name), session.root): (entry.name, name)
        for entry in session.entries
        for name in gated
    }
    for sha, file in _commits_of(git, f"{commit}..HEAD"):
        if file not in entries:
            continue
        path = session.root / file
        text = git.read([(sha, file)]).get((sha, file))
        now = path.read_bytes() if path.is_file() else None
        if text is None or text == now or text in _versions(git, commit, file):
            continue
        if now != git.read([("HEAD", file)]).get(("HEAD", file)):
            continue  # someone is still working on it
        model, environment = entries[file]
        message = (
            f"the commit {sha[:12]} of this change has another lock of {model} in {environment}: merged as it is, it "
            "would count as one that the branch had"
        )
        hint = "make one commit of this change: squash its commits"
        yield Finding("PROM106", "error", message, hint, Place(file))


def _unproven(session: Session, git: Git, commit: str, change: _Change, now: dt.datetime) -> Iterator[str]:
    """Yield why a lock is not what `promote` would write now."""
    from generator.pipeline.promote import hot_fix_reasons, proof_of, release_of

    lock, _ = session.repository.promotion(change.entry, change.environment)
    plans = session.resolve(change.entry).plans
    planned = next((one for one in plans if one.plan.identity.environment == change.environment), None)
    if lock is None or planned is None:
        yield "it can't be planned"
        return
    if not lock.records and lock.hotfix is None:
        if change.before is not None or not _adopts(git, commit, planned.plan, lock.held):
            yield "the lock names neither a record nor a hot fix"
        return
    given = release_of(session, planned)
    if given != lock.model_dump(mode="json", include=set(given), exclude_none=True):
        yield "the lock is about another release than the spec gives"
        return
    old = change.lock_before()
    if old is not None and (old.key, old.records, old.hotfix) == (lock.key, lock.records, lock.hotfix):
        return  # the release is the same; the environment gives it other resources
    if lock.hotfix is not None:
        yield from hot_fix_reasons(planned, lock, now)
        return
    try:
        records = proof_of(session, change.entry, planned, now)
    except CliError as error:
        yield error.message
        return
    if {name: record.model_dump(mode="json") for name, record in lock.records.items()} != dict(records):
        yield "the lock names other records than those next to the spec"


def _adopts(git: Git, commit: str, plan: Plan, held: str) -> bool:
    """Return whether a lock is about the release that the branch has in git already."""
    from generator.render.held import held_digest, is_held

    folder = f"{plan.delivery.folder}/{plan.identity.path}"
    blobs = [blob for blob in git.tree(commit, [folder]) if is_held(blob.path.rpartition("/")[2])]
    files: Mapping[str, str] = {
        blob.path.rpartition("/")[2]: content.decode()
        for blob, content in zip(blobs, git.contents(blobs), strict=True)
    }
    return bool(files) and held_digest(files) == held
