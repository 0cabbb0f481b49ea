"""What a change takes away of what speaks against releases: entries of quarantines, and newer records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from generator.gates.records import ReadRecord, parse_record
from generator.plan.model_files import SPECS, is_quarantine
from generator.source.finding import Finding, Place
from generator.source.reader import display, parse
from generator.spec.check import check
from generator.spec.quarantine import QuarantineFile, RejectedRelease

if TYPE_CHECKING:
    from generator.history.git import Git
    from generator.pipeline.session import Session
    from generator.spec.release_record import RecordFile


def taken_away(session: Session, git: Git, commit: str) -> Iterator[Finding]:
    """Yield what a change takes away of the evidence against releases: quarantine entries, and newer records."""
    yield from _left_quarantine(session, git, commit)
    own = {
        display(path, session.root): (entry.name, name, path)
        for entry in session.entries
        for name in session.require_platform().environments
        for path in [entry.record(name)]
    }
    before = git.read((commit, file) for file in own)
    for file, (model, name, path) in own.items():
        old, now = before.get((commit, file)), path.read_bytes() if path.is_file() else None
        if now is not None and old != now:
            yield from _older_record(git, commit, file, (model, name), now)


def _left_quarantine(session: Session, git: Git, commit: str) -> Iterator[Finding]:
    """Yield the entries of the branch that no quarantine of the team has now; a model may go, its entries stay."""
    files = [blob.path for blob in git.tree(commit, [SPECS]) if is_quarantine(blob.path)]
    before = git.read((commit, file) for file in files)
    for file in files:
        path, old = session.root / file, before.get((commit, file), b"")
        if path.is_file() and path.read_bytes() == old:
            continue
        entry = session.repository.entry(path.parent.name, path.name.partition(".")[0])
        kept = [
            item.model_copy(update={"released": None})
            for other in session.repository.quarantines(entry)
            for item in _rejected_releases(session.repository.quarantine(other)[0])
        ]
        document = parse(old, file)
        for item in _rejected_releases(None if document.findings else check(QuarantineFile, document)[0]):
            if item.model_copy(update={"released": None}) not in kept:
                message = f"the release {item.key[:19]} of {entry.name} was taken out of quarantine"
                hint = "restore its entry; `released: {by, reason, at}` in it lets the release come back"
                yield Finding("PROM110", "error", message, hint, Place(file))


def _rejected_releases(file: QuarantineFile | None) -> list[RejectedRelease]:
    return file.releases if file else []


def _older_record(
    git: Git, commit: str, file: str, subject: tuple[str, str], now: bytes
) -> Iterator[Finding]:
    """Yield a finding about a record that is older than one that the branch has, or had."""
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
