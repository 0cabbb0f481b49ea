"""Takes one environment back to the release before: its lock and its release, never those of another environment.

The branch has only files of the team: the lock of the environment, the release in its bundle, and the quarantine of the
model.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.dataclass import dataclass
from generator.history.checkout import worktree
from generator.history.git import Git
from generator.pipeline.atomic_write import write_file
from generator.pipeline.revert import Branch, edit_file, render_checkout
from generator.pipeline.revert_requests import as_code, shortened
from generator.pipeline.selection import select_one
from generator.pipeline.session import Session
from generator.pipeline.terminal import note
from generator.plan.model_files import SIGNATURES, SPECS, ModelFiles
from generator.render.held import is_held
from generator.source.edit import flow
from generator.source.errors import CliError
from generator.source.reader import parse, read
from generator.spec.check import check
from generator.spec.promotion import PromotionFile

if TYPE_CHECKING:
    from generator.pipeline.revert_requests import RevertRequest
    from generator.plan.repository import Repository

_SHORT: Final = 8
_KEY: Final = 19  # the start of a release key, as other commands show it
_BROKEN: Final = "the restored release breaks rules that hold now: see `sluice validate`"


@dataclass(frozen=True, slots=True)
class _Promoted:
    """A release that an environment had.

    Args:
        lock: what `promote` wrote.
        text: the same, as bytes.
        commit: the last commit (hex) with it.
    """

    lock: PromotionFile
    text: bytes
    commit: str


def revert_environment(session: Session, model: str, environment: str, reason: str) -> Branch:
    """Make a branch that takes one environment back to the release before.

    Args:
        session: the repository.
        model: team/model, or its spec.
        environment: a gated environment; others follow the lock that they share.
        reason: why; it is written next to the release key.

    Raises:
        CliError: the environment has no lock, or no earlier release.
        BrokenRulesError: the branch would break rules.
        GitError: git can't read the history, or not make the branch.
    """
    entry = select_one(session, model)
    session.require_platform(environment)
    if not is_gated(session, environment):
        raise CliError(
            f"{environment} requires no other environment, so it has no lock to take back",
            f"`sluice revert {entry.name} --reason TEXT` takes the model back wherever it follows its spec",
        )
    git = Git.at(session.root)
    head = git.commit("HEAD")
    if head is None:
        raise CliError("this repository has no commits yet: there is nothing to revert to")
    releases = list(_releases(git, head, entry, environment))
    if not releases:
        raise CliError(
            f"the last commit has no lock of {entry.name} in {environment}", "nothing was promoted there"
        )
    previous = _previous(git, releases, session.repository, entry, environment)
    return _branch(session, git, entry, environment, (previous, releases[-1]), shortened(reason))


def is_gated(session: Session, environment: str) -> bool:
    """Return whether an environment keeps what was promoted, so that a model can be taken back there alone."""
    found = session.platform.environments.get(environment)
    return found is not None and bool(found.requires)


def revert_notified(session: Session, request: RevertRequest) -> Branch | None:
    """Make the branch for an abort in a gated environment; None if it has another release by now."""
    entry = select_one(session, request.model)
    lock, _ = session.repository.promotion(entry, request.environment)
    if lock is None or lock.model.digest != request.digest:
        note(f"nothing to revert: {request.environment} has another release of {request.model}")
        return None
    return revert_environment(session, request.model, request.environment, request.reason)


def _releases(git: Git, head: str, entry: ModelFiles, environment: str) -> Iterator[_Promoted]:
    """Yield the releases that an environment had, oldest first."""
    file = f"{SPECS}/{entry.team}/{entry.promotion(environment).name}"
    steps = git.steps(head)
    order = list(steps)
    changed = [change.commit.sha for change in git.changes(steps, file)]
    ends = [order[order.index(sha) - 1] for sha in changed[1:]] + [head]
    texts = git.read((sha, file) for sha in changed)
    for sha, end in zip(changed, ends, strict=True):
        text = texts.get((sha, file))
        document = parse(text, file) if text is not None else None
        if text is None or document is None or document.findings:
            continue
        lock, _ = check(PromotionFile, document)
        if lock is not None:
            yield _Promoted(lock, text, end)


def _previous(
    git: Git, releases: list[_Promoted], repository: Repository, entry: ModelFiles, environment: str
) -> _Promoted:
    """Return the newest earlier release that is not in quarantine.

    Raises:
        CliError: there is none.
    """
    rejected, findings = repository.quarantine(entry)
    if findings:
        raise CliError(findings[0].message, findings[0].hint)
    current = releases[-1].lock
    for release in reversed(releases):
        if release.lock.key != current.key and not (rejected and rejected.rejection(release.lock.key)):
            return release
    shallow = " in this shallow clone: `git fetch --unshallow`" if git.shallow else ""
    raise CliError(
        f"git has no release of {entry.name} in {environment} before {current.model.version}{shallow}",
        "promote another version, or remove the model from the repository",
    )


def _branch(
    session: Session,
    git: Git,
    entry: ModelFiles,
    environment: str,
    pair: tuple[_Promoted, _Promoted],
    reason: str,
) -> Branch:
    """Make the branch from the release to restore and the one that is taken back."""
    previous, rejected = pair
    key = rejected.lock.key.removeprefix("sha256:")[:_SHORT]
    name = f"sluice/revert-{entry.team}-{entry.model}-{environment}-{key}"
    now, then = rejected.lock.model.version, previous.lock.model.version
    if now == then:  # another release of the same version, such as one with another setting
        now, then = (f"{one.lock.model.version} ({one.lock.key[:_KEY]})" for one in (rejected, previous))
    title = f"{entry.name} goes back from {now} to {then} in {environment}"
    with worktree(git, _head(git)) as tree:
        there = Session(tree.git.root, session.today)
        inside = replace(entry, spec=there.root / SPECS / entry.team / f"{entry.model}.yaml")
        write_file(inside.promotion(environment), previous.text)
        _restore_signatures(git, previous.commit, inside.promotion(environment), there.root)
        _restore_release(git, previous.commit, there, inside, environment)
        item = _reject(there, inside, environment, rejected.lock, reason)
        render_checkout(there, inside, environment, _BROKEN)
        details = (
            f"the lock of {environment} and its release are those of {previous.commit[:12]}",
            "steps, guards and routes follow the spec; no other environment changes",
        )
        lines = "".join(f"- {line}\n" for line in details)
        commit = tree.commit(
            name,
            f"Take {entry.name} back to version {then} in {environment}\n\n"
            f"Release {rejected.lock.key} (version {now}) is in quarantine now: {as_code(reason)}\n\n{lines}",
        )
    return Branch(name, commit, title, details, item)


def _head(git: Git) -> str:
    return git.ask("rev-parse", "HEAD").strip()


def _restore_signatures(git: Git, commit: str, lock: Path, root: Path) -> None:
    """Restore the signatures of a lock as they were."""
    files = [lock.with_name(lock.name + suffix) for suffix in SIGNATURES]
    named = {file: (commit, file.relative_to(root).as_posix()) for file in files}
    found = git.read(named.values())
    for file, key in named.items():
        content = found.get(key)
        if content is None:
            file.unlink(missing_ok=True)
        else:
            write_file(file, content)


def _restore_release(git: Git, commit: str, there: Session, entry: ModelFiles, environment: str) -> None:
    """Restore the release in the bundle as it was; what governs it is rendered from the spec."""
    path = f"{there.platform_inputs.folder}/{environment}/{entry.name}"
    folder = there.root / path
    for file in folder.iterdir() if folder.is_dir() else ():
        if is_held(file.name):
            file.unlink()
    blobs = [blob for blob in git.tree(commit, [path]) if is_held(blob.path.rpartition("/")[2])]
    for blob, content in zip(blobs, git.contents(blobs), strict=True):
        write_file(there.root / blob.path, content)


def _reject(there: Session, entry: ModelFiles, environment: str, lock: PromotionFile, reason: str) -> str:
    """Add a release to the quarantine of the team; return the new entry."""
    item = {
        "key": lock.key,
        "version": lock.model.version,
        "digest": lock.model.digest,
        "environment": environment,
        "reason": reason,
        "since": there.today.isoformat(),
    }
    path = entry.quarantine
    if not path.exists():
        text = f"schema: sluice/quarantine/v1\nreleases:\n  - {flow(item)}\n"
        write_file(path, text.encode())
        return flow(item)
    document = read(path, there.root)
    wanted: dict[str, Any] = copy.deepcopy(document.data)
    wanted["releases"].append(item)
    edit_file(document, path, wanted, "write `releases` as a list with one entry on each line")
    return flow(item)
