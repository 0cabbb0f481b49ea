"""`sluice pin`: the only command that resolves references over the network; writes locks."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import root_option
from generator.pipeline.selection import select
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, has_color, note
from generator.plan.model_files import ModelFiles
from generator.report.formats import FORMATS, render
from generator.source.finding import Finding
from generator.source.reader import display

if TYPE_CHECKING:
    from generator.cluster.pins.pinning import Pinned, Pinner
    from generator.cluster.pins.targets import PinTarget
    from generator.spec.lock import LockFile

_TIMEOUT_S = 30.0


@click.command("pin")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--check", is_flag=True, help="Write nothing; tell what has moved since.")
@click.option("--verify", is_flag=True, help="Measure again what is locked already.")
@click.option("--image", is_flag=True, help="Lock the digest of the image that CI pushed, and nothing else.")
@click.option(
    "--timeout", metavar="SECONDS", type=click.FloatRange(0.1, 3600), default=_TIMEOUT_S, show_default=True,
    help="Longest silence of a server.",
)  # fmt: skip
@click.option("--format", "fmt", type=click.Choice(FORMATS), default="text", show_default=True,
    help="Form of the findings.",
)  # fmt: skip
@root_option
def command(
    paths: tuple[str, ...], fmt: str, timeout: float, root: Path | None, *,
    check: bool, verify: bool, image: bool,
) -> None:  # fmt: skip
    """Resolve references over the network and write locks.

    PATH is a spec, its lock, a team's folder, or TEAM/MODEL; default: all specs. Servers are those that the references
    name, and those of MLFLOW_TRACKING_URI, HF_ENDPOINT and AWS_ENDPOINT_URL_S3; BENTOML_HOME is the model store. A lock
    changes only where a reference means something else. With --image the registry is asked what the computed tag of the
    model's image means; credentials are those of `docker login`. Exit code 1: a reference could not be resolved, or,
    with --check, has moved.
    """
    session = open_session(root)
    selection = select(session, paths)
    findings = list(session.strays) if selection.everything else []
    pinner = _pinner(session, timeout, verify=verify)
    if session.repository.platform is not None:
        for entry in selection.entries:
            if image:
                findings += _pin_image(session, pinner, entry, write=not check)
            else:
                findings += _check(session, pinner, entry) if check else _pin(session, pinner, entry)
    findings = [*session.repository.findings, *findings]
    if findings or fmt != "text":
        emit(render(findings, fmt, color=has_color(sys.stdout), checked=len(selection.entries)))
    elif check:
        note("nothing has moved")
    if any(finding.severity == "error" for finding in findings):
        click.get_current_context().exit(1)


def _pinner(session: Session, timeout_s: float, *, verify: bool) -> Pinner:
    from generator.cluster.http_client import HttpClient
    from generator.cluster.pins.pinning import Pinner
    from generator.cluster.pins.reference import PinContext

    context = PinContext(session.root, dict(os.environ), HttpClient(timeout_s))
    return Pinner(context, _now(), verify=verify)


def _now() -> str:
    """The time (RFC 3339): SOURCE_DATE_EPOCH, which the session has checked, else the clock's."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC) if epoch else dt.datetime.now(tz=dt.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _targets(
    session: Session, entry: ModelFiles
) -> tuple[list[PinTarget], str | None, LockFile | None, list[Finding]]:
    """Return the references of a spec, the text of its lock, and what that says."""
    from generator.cluster.pins.targets import targets

    found, findings = targets(session.repository, entry)
    document, lock, _ = session.repository.lock(entry)
    return found, document.text or None, lock, findings


def _check(session: Session, pinner: Pinner, entry: ModelFiles) -> list[Finding]:
    from generator.cluster.pins.errors import NOT_LOCKED
    from generator.cluster.pins.pinning import surplus

    targets, _, lock, findings = _targets(session, entry)
    for item in targets:
        findings += pinner.check(item, lock)
    for ref in surplus(targets, lock) if targets else ():
        message, hint = f"the lock holds `{ref}`, which no gate reads", "run `sluice pin`"
        findings.append(targets[0].finding(NOT_LOCKED, message, hint))
    return findings


def _pin(session: Session, pinner: Pinner, entry: ModelFiles) -> list[Finding]:
    """Pin one model: all of its references, or none."""
    from generator.cluster.pins.lock import lock_text
    from generator.cluster.pins.pinning import merged, quarantined
    from generator.pipeline.atomic_write import write_file

    targets, old, lock, findings = _targets(session, entry)
    pinned = [pinner.pin(item, lock) for item in targets]
    findings += [finding for item in pinned for finding in item.findings]
    platform = session.repository.platform
    refused = quarantined(pinned, platform.quarantine if platform else (), entry.name)
    if not targets or refused or any(item.entry is None for item in pinned):
        return [*findings, *refused]
    wanted = merged(pinned, lock)
    unchanged = lock is not None and wanted == _plain(lock)
    if not unchanged:
        write_file(entry.lock, lock_text(old, wanted).encode())
    shown = display(entry.lock, session.root)
    for line in _told(shown, pinned, unchanged=unchanged):
        note(line)
    return findings


def _pin_image(session: Session, pinner: Pinner, entry: ModelFiles, *, write: bool) -> list[Finding]:
    """Lock the image that the registry holds under the computed tag of one model."""
    from generator.cluster.pins.errors import NOT_LOCKED
    from generator.cluster.pins.lock import lock_text
    from generator.pipeline.atomic_write import write_file

    resolved = session.resolve(entry)
    document, lock, _ = session.repository.lock(entry)
    if not resolved.plans or lock is None:
        return resolved.findings
    image, findings = pinner.image(resolved.plans[0].plan.image, document)
    if image is None or (lock.image and lock.image.model_dump() == image):
        return findings
    if not write:
        message = f"the registry has the image {image['digest']}, the lock does not"
        return [document.finding(NOT_LOCKED, ("image",), message, "run `sluice pin --image`", key=True)]
    wanted = {**_plain(lock), "image": image}
    write_file(entry.lock, lock_text(document.text, wanted).encode())
    note(f"{display(entry.lock, session.root)}: the image is {image['digest']}")
    return findings


def _plain(lock: LockFile) -> dict[str, object]:
    """A lock as plain values, without what it leaves out."""
    return {
        key: value for key, value in lock.model_dump(by_alias=True, exclude_none=True).items() if value != {}
    }


def _told(shown: str, pinned: Sequence[Pinned], *, unchanged: bool) -> Iterator[str]:
    yield f"{shown}: {'unchanged' if unchanged else 'written'}"
    for item in pinned:
        if item.changed and item.entry:
            entry = item.entry
            version = f" (version {entry['version']})" if "version" in entry else ""
            yield f"  {item.target.reference.text} is {entry['resolved']}{version}, {entry['digest']}"
