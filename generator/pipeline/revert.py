"""Prepares branches to merge: one reverts a version, one halts it where it runs.

Both put the rejected version into the platform's quarantine and render everything, in a private checkout of the last
commit. Nothing is pushed or merged.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.dataclass import dataclass
from generator.history.checkout import worktree
from generator.history.git import Git
from generator.history.releases import History, Release
from generator.pipeline.atomic_write import write_file
from generator.pipeline.render import plan_render
from generator.pipeline.revert_requests import as_code
from generator.pipeline.selection import select_one
from generator.pipeline.session import Session
from generator.pipeline.stale import RenderRequest
from generator.pipeline.terminal import note
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.plan.names import ROLLOUT_FILE
from generator.source.document import Document
from generator.source.edit import edited, encode, flow
from generator.source.errors import CliError
from generator.source.reader import parse, read

if TYPE_CHECKING:
    from generator.pipeline.revert_requests import RevertRequest
    from generator.source.finding import Finding
    from generator.spec.exemptions import Release as Unbanned
    from generator.spec.platform import PlatformSpec

_OTHER_RULES = "this model breaks other rules: see `sluice validate`"
_OLD_SPEC = "the restored version breaks rules; --with-spec restores the whole spec"


class BrokenRulesError(CliError):
    """The branch can't be created, because the model's files would break rules.

    Args:
        message: why.
        findings: the rules that they break.
    """

    def __init__(self, message: str, findings: Sequence[Finding]) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Branch:
    """A new branch.

    Args:
        name: of the branch.
        commit: hex.
        title: one sentence on its change.
        details: further sentences.
        quarantine: the entry of `platform.yaml`.
    """

    name: str
    commit: str
    title: str
    details: tuple[str, ...]
    quarantine: str


@dataclass(frozen=True, slots=True)
class _Releases:
    """A model's releases, oldest first, and the rest of the repository at its last commit."""

    git: Git
    head: str
    entry: ModelFiles
    platform: PlatformSpec
    all: Sequence[Release]

    @property
    def current(self) -> Release:
        """The current version in git."""
        return self.all[-1]

    def branch(self, kind: str) -> str:
        """Return the name of a branch for the current version."""
        digest = self.current.digest.removeprefix("sha256:")[:8]
        return f"sluice/{kind}-{self.entry.team}-{self.entry.model}-{digest}"

    def inside(self, root: Path) -> ModelFiles:
        """Return the model in another checkout."""
        return replace(self.entry, spec=root / SPECS / self.entry.team / f"{self.entry.model}.yaml")


def make_branch(session: Session, request: RevertRequest, *, whole_spec: bool = False) -> Branch | None:
    """Make the branch of a request.

    Args:
        session: the repository.
        request: what to take back or to halt.
        whole_spec: restore the whole spec, not only its model reference.

    Returns:
        The branch; None where git has another version already, or the version is in quarantine.

    Raises:
        CliError: there is no version to go back to, or none that runs.
        BrokenRulesError: the branch would break rules.
        GitError: git can't read the history, or not make the branch.
    """
    entry = select_one(session, request.model)
    if request.digest and not _is_current(session, entry, request.digest):
        note(f"nothing to {'halt' if request.halt else 'revert'}: git has another version of {request.model}")
        return None
    releases = _released(session, entry)
    decided = _decision(releases, request)
    if decided is not None:
        note(
            f"nothing to do: {decided.by} released this version of {request.model} from quarantine on {decided.at}; "
            f"`sluice revert {request.model} --reason TEXT` rejects it again"
        )
        return None
    if request.halt:
        return _halt(session, releases, request.reason)
    return _revert(session, releases, request.reason, whole_spec=whole_spec)


def _is_current(session: Session, entry: ModelFiles, digest: str) -> bool:
    """Return whether the lock in the last commit may name a digest; reading the history of a model takes longer."""
    git = Git.at(session.root)
    key = ("HEAD", f"{SPECS}/{entry.name}.lock.yaml")
    return digest.encode() in git.read([key]).get(key, digest.encode())


def _decision(releases: _Releases, request: RevertRequest) -> Unbanned | None:
    """Return the decision to release a version from quarantine that is not older than a notification about it.

    A notification may be sent again, days later; a person's request is a new decision.
    """
    digest = releases.current.digest
    for item in releases.platform.quarantine if request.notified else ():
        same = item.digest == digest and item.model == releases.entry.name
        if same and item.released and request.day <= item.released.at:
            return item.released
    return None


def _released(session: Session, entry: ModelFiles) -> _Releases:
    git = Git.at(session.root)
    head = git.commit("HEAD")
    if head is None:
        raise CliError("this repository has no commits yet: there is nothing to revert to")
    platform = session.repository.platform
    if platform is None:
        raise CliError("the platform is invalid; `sluice validate` shows why")
    releases = History.of(git, head).releases(entry.name)
    if not releases or releases[-1].until is not None:
        raise CliError(f"the last commit has no valid lock of {entry.name}")
    return _Releases(git, head, entry, platform, releases)


# Reverting a version


def _revert(session: Session, releases: _Releases, reason: str, *, whole_spec: bool) -> Branch:
    rejected, previous, entry = releases.current, _previous(releases), releases.entry
    name = releases.branch("revert")
    with worktree(releases.git, releases.head) as tree:
        there = Session(tree.git.root, session.today)
        inside = releases.inside(there.root)
        details = _restore(releases.git, previous, inside, whole_spec=whole_spec)
        quarantine = _quarantine(there, rejected, reason)
        render_checkout(there, inside, "", _OLD_SPEC)
        details += _pods(releases.git, previous, there, entry)
        lines = "".join(f"- {line}\n" for line in details)
        message = (
            f"Take {entry.name} back to version {previous.version}\n\n"
            f"Version {rejected.version} ({rejected.digest}) is in quarantine now: {as_code(reason)}\n\n{lines}"
        )
        commit = tree.commit(name, message)
    title = f"{entry.name} goes back from {rejected.version} to {previous.version}"
    return Branch(name, commit, title, tuple(details), quarantine)


def _previous(releases: _Releases) -> Release:
    """Return the newest earlier version that is not in quarantine.

    Raises:
        CliError: there is none.
    """
    current = releases.current
    banned = {item.digest for item in releases.platform.quarantine if item.released is None}
    for release in reversed(releases.all):
        if release.digest != current.digest and release.digest not in banned:
            return release
    shallow = " in this shallow clone: `git fetch --unshallow`" if releases.git.shallow else ""
    raise CliError(
        f"git has no version of {releases.entry.name} before {current.version}{shallow}",
        "release another version, or remove the model from the repository",
    )


def _restore(git: Git, previous: Release, entry: ModelFiles, *, whole_spec: bool) -> list[str]:
    """Restore the files of a version in a checkout; return one sentence per change.

    Raises:
        CliError: the spec can't be edited without losing something.
    """
    suffixes = (".yaml", ".lock.yaml", ".evidence.json")
    keys = [(previous.commit, f"{SPECS}/{previous.name}{suffix}") for suffix in suffixes]
    spec, lock, evidence = map(git.read(keys).get, keys)
    commit = previous.commit[:12]
    if lock is None:
        raise CliError(f"git has no lock of {previous.name} at {commit}")
    write_file(entry.lock, lock)
    done = [f"the lock is restored from {commit}"]
    if evidence is not None:
        write_file(entry.evidence, evidence)
        done.append("the evidence is restored, too")
    elif entry.evidence.exists():
        entry.evidence.unlink()
        done.append(f"the evidence is removed: {commit} has none")
    restored = _restore_spec if whole_spec else _restore_reference
    return [*done, restored(git, previous, entry, spec)]


def _restore_spec(git: Git, previous: Release, entry: ModelFiles, spec: bytes | None) -> str:
    if spec is None:
        raise CliError(f"git has no spec of {previous.name} at {previous.commit[:12]}")
    if entry.name != previous.name:
        raise CliError(
            f"the model's name was {previous.name} then, so its whole spec can't be restored under the new name"
        )
    write_file(entry.spec, spec)
    _restore_packages(git, previous, entry)
    return "the whole spec is restored, too"


def _restore_packages(git: Git, previous: Release, entry: ModelFiles) -> None:
    """Restore the list of packages, which belongs to the spec."""
    key = (previous.commit, f"{SPECS}/{previous.name}.requirements.txt")
    packages = git.read([key]).get(key)
    if packages is not None:
        write_file(entry.packages, packages)
    else:
        entry.packages.unlink(missing_ok=True)


def _restore_reference(git: Git, previous: Release, entry: ModelFiles, spec: bytes | None) -> str:
    """Point the spec at the reference that the restored lock was resolved from."""
    del git
    old = parse(spec or b"", "").data
    document = read(entry.spec, entry.spec.parents[2])
    try:
        source, now = old["spec"]["model"], document.data["spec"]["model"]
        kept = {key: source[key] for key in ("ref", "sha256") if key in source}
        wanted = copy.deepcopy(document.data)
        wanted["spec"]["model"] = {key: now[key] for key in now if key != "sha256"} | kept
    except (KeyError, TypeError) as error:
        message = f"the spec of {entry.name}, now or at {previous.commit[:12]}, can't be read"
        raise CliError(message) from error
    if wanted == document.data:
        return f"the spec already has {now['ref']}"
    edit_file(document, entry.spec, wanted, "--with-spec restores the whole spec")
    return f"the spec has {source['ref']} again; the rest of it is unchanged"


def _pods(git: Git, previous: Release, there: Session, entry: ModelFiles) -> list[str]:
    """Compare the pods with the old ones: only if they are equal does the controller return to them at once."""
    import yaml

    platform = there.platform_inputs
    details = []
    for environment in platform.names("environments"):
        path = f"{platform.folder}/{environment}/{{}}/{ROLLOUT_FILE}"
        key = (previous.commit, path.format(previous.name))
        old, new = git.read([key]).get(key), there.root / path.format(entry.name)
        if old is None or not new.is_file():
            continue
        before, after = (yaml.safe_load(text)["spec"]["template"] for text in (old, new.read_bytes()))
        if before == after:
            words = "are the same as then: the controller returns to them at once, without analysis"
        else:
            words = "differ from then: this is a full rollout"
        details.append(f"pods in {environment} {words}")
    return details


# Halting a version


def _halt(session: Session, releases: _Releases, reason: str) -> Branch | None:
    current, entry = releases.current, releases.entry
    quarantine = releases.platform.quarantine
    if any(item.digest == current.digest and item.released is None for item in quarantine):
        note(f"version {current.version} of {entry.name} is already in quarantine")
        return None
    if not current.rendered:
        raise CliError(
            f"no environment is rendered from the lock of {entry.name}", "run `sluice render` and commit"
        )
    name = releases.branch("quarantine")
    places = " and ".join(current.rendered)
    with worktree(releases.git, releases.head) as tree:
        there = Session(tree.git.root, session.today)
        item = _quarantine(there, current, reason, current.rendered)
        for environment in _rendered_apart(session, current.rendered):
            # Other environments refuse this version from now on; their rendered files stay.
            hint = _OTHER_RULES if environment in {"", *current.rendered} else ""
            render_checkout(there, releases.inside(there.root), environment, hint)
        message = (
            f"Halt version {current.version} of {entry.name}\n\n"
            f"Version {current.version} ({current.digest}) is in quarantine now: {as_code(reason)}\n\n"
            f"- it keeps running in {places}, and is refused everywhere else and under every other name\n"
            f"- `sluice revert {entry.name} --reason TEXT` reverts it there, too\n"
            "- if the verdict is wrong, close this\n"
        )
        commit = tree.commit(name, message)
    title = f"version {current.version} of {entry.name} is blocked from other environments"
    stays = f"it stays in {places}: `sluice revert {entry.name}` reverts it there"
    return Branch(name, commit, title, (stays,), item)


def _rendered_apart(session: Session, running: Sequence[str]) -> Sequence[str]:
    """Return the environments, or one empty name for all if the version runs in each of them."""
    every = session.platform_inputs.names("environments")
    return [""] if set(running) == set(every) else every


# Both


def _quarantine(there: Session, rejected: Release, reason: str, running: Sequence[str] = ()) -> str:
    """Add a version to the platform's quarantine; return the new entry.

    Args:
        there: the checkout to change.
        rejected: the version.
        reason: one line.
        running: environments that it may stay in.
    """
    path = there.root / SPECS / PLATFORM
    document = read(path, there.root)
    entry: dict[str, Any] = {
        "model": rejected.name,
        "digest": rejected.digest,
        **({"image": rejected.image} if rejected.image else {}),
        "reason": reason,
        "since": there.today.isoformat(),
    }
    if running:
        entry["running"] = list(running)
    wanted = copy.deepcopy(document.data)
    wanted["spec"].setdefault("quarantine", []).append(entry)
    edit_file(document, path, wanted, "write `quarantine` as a list with one entry on each line")
    return flow(entry)


def edit_file(document: Document, path: Path, wanted: Any, hint: str) -> None:
    """Write a file with the wanted values, its comments and order kept.

    Raises:
        CliError: that is not possible.
    """
    after = edited(document, wanted)
    if after is None:
        raise CliError(f"{document.file} can't be edited without losing comments", hint)
    write_file(path, encode(after, path.read_bytes()))


def render_checkout(there: Session, entry: ModelFiles, environment: str, hint: str) -> None:
    """Render a checkout; other models that break rules do not stop it.

    Args:
        there: the checkout.
        entry: the model of the branch.
        environment: the only one to render, or empty for all.
        hint: what to do if the model's files break rules; empty to leave them as they are.

    Raises:
        BrokenRulesError: the model's files, or the platform, break rules.
    """
    plan = plan_render(there, RenderRequest(there.root / there.platform_inputs.folder, environment))
    broken = not plan.renders(entry)
    if there.repository.platform is None or (broken and hint):
        errors = [finding for finding in plan.findings if finding.severity == "error"]
        raise BrokenRulesError(f"no branch was created: {hint}", errors)
    if plan.failed and not broken:
        note("other models break rules and were not rendered: see `sluice validate`")
    plan.write(note)
