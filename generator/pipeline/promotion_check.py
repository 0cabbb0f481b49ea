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
    from generator.spec.release_record import RecordFile

_AGAIN = "run `sluice promote {model} --to {environment}` and `sluice render` again"


def rejected(repository: Repository, entry: ModelFiles, key: str, digest: str = "") -> str:
    """Return why a release is in quarantine; empty if it is not.

    Args:
        repository: has the quarantine.
        entry: the model.
        key: the release key.
        digest: of its model, where another release of a rejected model counts, too.

    Raises:
        CliError: the quarantine can't be read.
    """
    file, findings = repository.quarantine(entry)
    if findings:
        raise CliError(f"{findings[0].place.file}: {findings[0].message}", findings[0].hint)
    item = file.rejection(key) if file else None
    if item is None:
        other = file.rejection_of_model(digest) if file else None
        if other is None:
            return ""
        return (
            f"another release of this model (version {other.version}) is in quarantine since {other.since}, taken back "
            f"from {other.environment}: {other.reason}"
        )
    return (
        f"this release is in quarantine since {item.since}, taken back from {item.environment}: {item.reason}"
    )


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

    git = Git.at(session.root)
    commit = git.commit(revision)
    if commit is None:
        raise CliError(f"this repository has no revision `{revision}`", "check the name, or `git fetch` it")
    changes = list(_changes(session, git, commit))
    found = [finding for change in changes for finding in _check(session, git, commit, change, now)]
    return [*found, *_taken_away(session, git, commit), *_overtaken(session, git, commit)]


def _taken_away(session: Session, git: Git, commit: str) -> Iterator[Finding]:
    """Yield what a change takes away of the evidence against releases: quarantine entries, and newer records."""
    own = {
        display(path, session.root): (entry, name, path)
        for entry in session.entries
        for name, path in (
            ("", entry.quarantine),
            *((name, entry.record(name)) for name in session.require_platform().environments),
        )
    }
    before = git.read((commit, file) for file in own)
    for file, (entry, name, path) in own.items():
        old, now = before.get((commit, file)), path.read_bytes() if path.is_file() else None
        if old == now:
            continue
        if not name:
            yield from _left_quarantine(session, entry, file, old)
        elif now is not None:
            yield from _older_record(git, commit, file, (entry.name, name), now)


def _left_quarantine(session: Session, entry: ModelFiles, file: str, old: bytes | None) -> Iterator[Finding]:
    from generator.source.reader import parse
    from generator.spec.check import check
    from generator.spec.quarantine import QuarantineFile

    document = parse(old or b"", file)
    before = None if document.findings or not old else check(QuarantineFile, document)[0]
    kept, _ = session.repository.quarantine(entry)
    left = [item.model_copy(update={"released": None}) for item in (kept.releases if kept else ())]
    for item in before.releases if before else ():
        if item.model_copy(update={"released": None}) not in left:
            message = f"the release {item.key[:19]} of {entry.name} was taken out of quarantine"
            hint = "restore its entry; `released: {by, reason, at}` in it lets the release come back"
            yield Finding("PROM110", "error", message, hint, Place(file))


def _older_record(
    git: Git, commit: str, file: str, subject: tuple[str, str], now: bytes
) -> Iterator[Finding]:
    """Yield a finding about a record that is older than one that the branch has, or had."""
    from generator.gates.records import ReadRecord, parse_record

    model, environment = subject
    found = parse_record(now, ReadRecord(file, model), environment).content
    if found is None:
        return  # what can't be read proves nothing
    steps = git.steps(commit)
    shas = [step.commit.sha for step in git.changes(steps, file)]
    for text in git.read((sha, file) for sha in shas).values():
        other = parse_record(text, ReadRecord(file, model), environment).content
        if other is not None and _is_later(other, found):
            message = f"this record is older than one that git has: it ended on {found.end}, and that on {other.end}"
            yield Finding("PROM110", "error", message, f"run `sluice record {model}` again", Place(file))
            return


def _is_later(one: RecordFile, other: RecordFile) -> bool:
    """Return whether a release ended after another one; revisions count where they are of one Rollout."""
    if one.rollout.uid == other.rollout.uid:
        return one.rollout.revision > other.rollout.revision
    return one.end > other.end


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
    yield from _unapproved(session, git, commit, change, lock)
    for reason in _unproven(session, git, commit, change, now):
        yield Finding(
            "PROM106", "error", f"{change.entry.name} in {change.environment}: {reason}", hint, place
        )


def _unapproved(
    session: Session, git: Git, commit: str, change: _Change, lock: PromotionFile
) -> Iterator[Finding]:
    """Yield a finding if the tier requires a named approval of a promotion, and it has none.

    Signers are those that the branch lists already, so a change can't approve itself.
    """
    plans = session.resolve(change.entry).plans
    if not plans or not (lock.records or lock.hotfix):
        return
    from generator.gates.signatures import check_signatures, promotion_documents

    tier, now = plans[0].plan.identity.tier, session.require_platform()
    before = _platform_before(git, commit) or now
    required = [one.tiers[tier].promotions.signed_by for one in (before, now) if tier in one.tiers]
    roles = list(dict.fromkeys(role for listed in required for role in listed))
    if not roles:
        return
    signers = [signer for signer in before.signers if signer in now.signers]
    problems: list[Finding] = []
    for document in promotion_documents(change.entry, session.root, [change.environment]):
        checked = check_signatures(document, signers)
        if any(signed.role in roles for signed in checked.valid):
            return
        problems += checked.problems
    name, where = change.entry.name, change.environment
    message = f"the tier `{tier}` requires that {' or '.join(roles)} signs a promotion of {name} to {where}"
    if problems:
        message += f"; {problems[0].message}"
    hint = f"`sluice gates sign {name} --document promotion --env {where} --key KEY`, and push the signature"
    yield Finding("PROM109", "error", message, hint, Place(change.file, 1))


def _platform_before(git: Git, commit: str) -> PlatformSpec | None:
    """Return the platform in a revision; None for a missing or invalid one."""
    from generator.plan.model_files import PLATFORM, SPECS
    from generator.source.reader import parse
    from generator.spec.check import check
    from generator.spec.platform import PlatformFile

    file = f"{SPECS}/{PLATFORM}"
    document = parse(git.read([(commit, file)]).get((commit, file), b""), file)
    found = None if document.findings else check(PlatformFile, document)[0]
    return found.spec if found else None


def _was_there(git: Git, commit: str, change: _Change) -> bool:
    """Return whether the branch had exactly this lock before."""
    steps = git.steps(commit)
    commits = [step.commit.sha for step in git.changes(steps, change.file)]
    return change.after in git.read((sha, change.file) for sha in commits).values()


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
