"""`sluice promote`: point a spec at another version of its model; comments and order stay."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import click

from generator.cli.options import root_option
from generator.pipeline.selection import select_one
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit
from generator.plan.model_files import ModelFiles
from generator.source.document import Document
from generator.source.errors import CliError

_REF, _SHA256 = ("spec", "model", "ref"), ("spec", "model", "sha256")


@click.command("promote")
@click.argument("model", type=click.Path())
@click.option(
    "--to", "version", metavar="VERSION", required=True, help="The version, alias, tag, revision or address."
)
@click.option("--sha256", metavar="HEX", help="Digest of the new bytes; addresses (s3://, https://) need it.")
@root_option
def command(model: str, version: str, sha256: str | None, root: Path | None) -> None:
    """Point a spec at another version of its model.

    MODEL is a spec, or TEAM/MODEL. VERSION is 13 or @champion for MLflow, a version for BentoML, a revision for DVC and
    Hugging Face, a tag or sha256 digest for a registry, a whole address for s3:// and https://. Only the reference is
    edited; nothing is resolved.
    """
    session = open_session(root)
    entry = select_one(session, model)
    from generator.cluster.pins.versions import with_version
    from generator.source.reader import read

    document = read(entry.spec, session.root)
    if document.findings or not document.has(_REF):
        raise CliError(
            f"{document.file} has no usable `spec.model.ref`; `sluice validate {entry.name}` says more"
        )
    old = str(document.data["spec"]["model"]["ref"])
    new = with_version(old, version)
    _refuse_quarantined(session, entry, new, sha256)
    wanted = _wanted(document, old, new, sha256)
    if wanted == document.data:
        emit(f"{document.file} asks for {new} already\n")
        return
    _write(entry.spec, document, wanted)
    emit(f"{document.file}: {old} is now {new}\n")
    emit(f"next: sluice pin {entry.name}, then its gates, then sluice render {entry.name}\n")


def _refuse_quarantined(session: Session, entry: ModelFiles, new: str, sha256: str | None) -> None:
    """Nothing is resolved here, but git may remember what this reference meant; `pin` asks again.

    Raises:
        CliError: it meant a version that is in quarantine.
    """
    platform = session.repository.platform
    banned = {item.digest: item for item in platform.quarantine if item.released is None} if platform else {}
    if not banned:
        return
    from generator.history.git import Git, GitError
    from generator.history.releases import History

    digests = {f"sha256:{sha256}"} if sha256 else set()
    try:
        git = Git.at(session.root)
        releases = History.of(git, "HEAD").releases(entry.name) if git.commit("HEAD") else []
        digests |= {release.digest for release in releases if release.resolved.partition("#")[0] == new}
    except GitError:
        pass  # no history, no memory: `pin` is what really decides
    for digest in digests & banned.keys():
        item = banned[digest]
        raise CliError(f"{new} is in quarantine since {item.since}: {item.reason}; name another version")


def _wanted(document: Document, old: str, new: str, sha256: str | None) -> dict[str, Any]:
    """The edited spec as plain values.

    Raises:
        CliError: the new reference is malformed, or lacks the digest that it needs.
    """
    from generator.spec.check import check_data
    from generator.spec.model import ModelSource

    wanted: dict[str, Any] = copy.deepcopy(document.data)
    source = wanted["spec"]["model"]
    source["ref"] = new
    if sha256 is not None:
        source["sha256"] = sha256
    elif "sha256" in source and new != old:
        raise CliError("the spec holds the sha256 of the old version: give that of the new one with --sha256")
    _, findings = check_data(ModelSource, source, lambda path: (document, ("spec", "model", *path)))
    if findings:
        raise CliError(f"{findings[0].message}; {findings[0].hint}")
    if sha256 is not None and not document.has(_SHA256):
        raise CliError("the spec has no `sha256` that could be replaced; leave --sha256 out, or add the key")
    return wanted


def _write(spec: Path, document: Document, wanted: dict[str, Any]) -> None:
    from generator.pipeline.atomic_write import write_file
    from generator.source.edit import edited, encode

    after = edited(document, wanted)
    if after is None:
        raise CliError(f"the reference in {document.file} is not a value on one line; edit it by hand")
    target = spec.resolve()
    write_file(target, encode(after, target.read_bytes()))
