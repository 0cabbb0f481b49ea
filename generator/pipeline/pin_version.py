"""Points a spec at another version of its model; comments and order stay, and nothing is resolved."""

from __future__ import annotations

import copy
from typing import Any

from generator.cluster.pins.versions import with_version
from generator.dataclass import dataclass
from generator.history.git import Git
from generator.history.git_call import GitError
from generator.history.releases import History
from generator.pipeline.atomic_write import write_file
from generator.pipeline.session import Session
from generator.plan.model_files import ModelFiles
from generator.source.document import Document
from generator.source.edit import edited, encode
from generator.source.errors import CliError
from generator.source.reader import read
from generator.spec.check import check_data
from generator.spec.model import ModelSource


@dataclass(frozen=True, slots=True)
class PinnedVersion:
    """The outcome: the spec, and its reference before and after."""

    file: str
    old: str
    new: str
    changed: bool


def point_at(session: Session, entry: ModelFiles, version: str, sha256: str | None) -> PinnedVersion:
    """Point a spec at another version.

    Args:
        session: the repository.
        entry: the model.
        version: in the format of its kind of reference.
        sha256: digest (hex) of the new bytes; None if the reference needs none.

    Raises:
        PinError: the reference has no such version.
        CliError: the new reference is malformed, lacks its digest, or is in quarantine; or the spec can't be edited.
    """
    document = read(entry.spec, session.root)
    if document.findings or not document.has(("spec", "model", "ref")):
        raise CliError(
            f"{document.file} has no valid `spec.model.ref`", f"see `sluice validate {entry.name}`"
        )
    old = str(document.data["spec"]["model"]["ref"])
    new = with_version(old, version)
    _refuse_quarantined(session, entry, new, sha256)
    wanted = _wanted(document, old, new, sha256)
    if wanted == document.data:
        return PinnedVersion(document.file, old, new, changed=False)
    after = edited(document, wanted)
    if after is None:
        message = f"the reference in {document.file} is not a value on one line"
        raise CliError(message, "edit it by hand")
    target = entry.spec.resolve()
    write_file(target, encode(after, target.read_bytes()))
    return PinnedVersion(document.file, old, new, changed=True)


def _refuse_quarantined(session: Session, entry: ModelFiles, new: str, sha256: str | None) -> None:
    """Refuse a reference that git knows as a version in quarantine; `pin` checks what it means now.

    Raises:
        CliError: it is in quarantine.
    """
    platform = session.repository.platform
    banned = {item.digest: item for item in platform.quarantine if item.released is None} if platform else {}
    if not banned:
        return
    digests = {f"sha256:{sha256}"} if sha256 else set()
    try:
        git = Git.at(session.root)
        releases = History.of(git, "HEAD").releases(entry.name) if git.commit("HEAD") else []
        digests |= {release.digest for release in releases if release.resolved.partition("#")[0] == new}
    except GitError:
        pass  # without a history, `pin` decides
    for digest in digests & banned.keys():
        item = banned[digest]
        raise CliError(f"{new} is in quarantine since {item.since}: {item.reason}", "name another version")


def _wanted(document: Document, old: str, new: str, sha256: str | None) -> dict[str, Any]:
    """Return the edited spec as plain values.

    Raises:
        CliError: the new reference is malformed, or lacks the digest that it needs.
    """
    wanted: dict[str, Any] = copy.deepcopy(document.data)
    source = wanted["spec"]["model"]
    source["ref"] = new
    if sha256 is not None:
        source["sha256"] = sha256
    elif "sha256" in source and new != old:
        raise CliError("the spec has the sha256 of the old version", "give that of the new one with --sha256")
    _, findings = check_data(ModelSource, source, lambda path: (document, ("spec", "model", *path)))
    if findings:
        raise CliError(findings[0].message, findings[0].hint)
    return wanted
