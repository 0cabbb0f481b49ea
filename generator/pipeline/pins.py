"""Resolves references and writes them into locks, and checks that locks still hold."""

from __future__ import annotations

import copy
import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from generator import __version__
from generator.cluster.http_client import HttpClient
from generator.cluster.pins.errors import MISMATCH, MOVED, NOT_LOCKED, QUARANTINED, UNKNOWN, PinError
from generator.cluster.pins.lock import lock_text
from generator.cluster.pins.packages import hashes_of, resolve_packages
from generator.cluster.pins.pinning import Pinned, Pinner, merged, quarantined, surplus
from generator.cluster.pins.reference import PinContext
from generator.cluster.pins.targets import service, targets
from generator.pipeline.atomic_write import write_file
from generator.pipeline.ci_files import SLUICEGATE, ci_images
from generator.pipeline.session import Session
from generator.pipeline.terminal import note
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.plan.packages import write_packages
from generator.plan.resolve import Resolved
from generator.source.document import Document, Path
from generator.source.edit import edited, encode
from generator.source.errors import CliError
from generator.source.files import text_of
from generator.source.finding import Finding
from generator.source.reader import display
from generator.spec.lock import LockFile
from generator.spec.quantities import plural

_IMAGES: Path = ("spec", "images")
_TOOLS_PYTHON = "3.13"
"""The Python that CI runs Sluice with."""
_ANSWERED: Final = {MISMATCH, UNKNOWN}
"""Codes of what a registry answered; the others are the lack of an answer."""


def pinner(session: Session, timeout_s: float, largest_gib: int, *, verify: bool) -> Pinner:
    """Return the pinner, with the time for locks: SOURCE_DATE_EPOCH, which the session checks, or now.

    Args:
        session: the repository.
        timeout_s: the longest wait for one response, in seconds.
        largest_gib: the largest content of one reference, in GiB.
        verify: measure the content of locked references again.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC) if epoch else dt.datetime.now(tz=dt.UTC)
    context = PinContext(session.root, dict(os.environ), HttpClient(timeout_s), largest_gib)
    return Pinner(context, now.strftime("%Y-%m-%dT%H:%M:%SZ"), verify=verify)


def pin(session: Session, pinner: Pinner, entry: ModelFiles) -> list[Finding]:
    """Pin one model: all of its references, or none. The list of its packages follows the lock.

    Raises:
        CliError: the lock can't be written.
    """
    wanted, findings = targets(session.repository, entry)
    document, lock, _ = session.repository.lock(entry)
    pinned = [pinner.pin(target, lock) for target in wanted]
    findings += [finding for item in pinned for finding in item.findings]
    platform = session.repository.platform
    banned = quarantined(pinned, platform.quarantine if platform else (), entry.name)
    if not wanted or banned or any(item.entry is None for item in pinned):
        return [*findings, *banned]
    after = merged(pinned, lock)
    changed = lock is None or after != _plain(lock)
    if changed:
        write_file(entry.lock, lock_text(document.text or None, after).encode())
    note(f"{display(entry.lock, session.root)}: {'written' if changed else 'unchanged'}")
    for item in pinned:
        for line in _changes(item):
            note(f"  {line}")
    if not entry.packages.exists():
        findings += [replace(found, severity="warning") for found in pin_packages(session, entry, write=True)]
    elif changed:
        findings += pin_packages(session, entry, write=True)
    return findings


def check(session: Session, pinner: Pinner, entry: ModelFiles) -> list[Finding]:
    """Check that the lock of one model still holds; nothing is written."""
    wanted, findings = targets(session.repository, entry)
    _, lock, _ = session.repository.lock(entry)
    for target in wanted:
        findings += pinner.check(target, lock)
    for ref in surplus(wanted, lock) if wanted else ():
        message, hint = f"the lock has `{ref}`, which no gate reads", "run `sluice pin`"
        findings.append(wanted[0].finding(NOT_LOCKED, message, hint))
    return findings


def pin_image(session: Session, pinner: Pinner, entry: ModelFiles, *, write: bool) -> list[Finding]:
    """Lock the image that the registry has under the computed tag of one model.

    Args:
        session: the repository.
        pinner: queries the registry.
        entry: the model.
        write: write the lock; otherwise the image that the lock names is checked, and one that the tier requires.
    """
    resolved = session.resolve(entry)
    document, lock, _ = session.repository.lock(entry)
    if not resolved.plans or lock is None:
        return resolved.findings
    plan = resolved.plans[0].plan
    if not write and not plan.image.digest and not _by_digest(session, resolved):
        return []
    image, findings = pinner.image(plan.pushed, lock.model.digest, document)
    if image is None:
        return findings if write else _weighed(session, resolved, findings)
    if banned := _in_quarantine(session, image["digest"], document):
        return banned
    if lock.image and lock.image.model_dump() == image:
        return findings
    if not write:
        message = f"the registry has the image {image['digest']}, but the lock does not"
        return [document.finding(NOT_LOCKED, ("image",), message, "run `sluice pin --image`", key=True)]
    write_file(entry.lock, lock_text(document.text, {**_plain(lock), "image": image}).encode())
    note(f"{display(entry.lock, session.root)}: the image is {image['digest']}")
    return findings


def _by_digest(session: Session, resolved: Resolved) -> bool:
    """Return whether a tier of the model requires images by digest."""
    tiers = {planned.plan.identity.tier for planned in resolved.plans}
    return any(session.platform.tiers[tier].requires.image_digest for tier in tiers)


def _weighed(session: Session, resolved: Resolved, findings: list[Finding]) -> list[Finding]:
    """Return the findings of a check: without an answer of the registry, only tiers with `imageDigest` refuse."""
    if _by_digest(session, resolved):
        return findings
    return [f if f.code in _ANSWERED else replace(f, severity="warning") for f in findings]


def _in_quarantine(session: Session, digest: str, document: Document) -> list[Finding]:
    """Return a finding if the digest of an image is in quarantine."""
    entries = session.platform.quarantine
    why = next((entry for entry in entries if entry.image == digest and entry.released is None), None)
    if why is None:
        return []
    message = f"the image {digest} is in quarantine since {why.since}: {why.reason}"
    hint = "build another version; only the owners of `platform.yaml` can release this one"
    return [document.finding(QUARANTINED, ("image",), message, hint, key=True)]


def _plain(lock: LockFile) -> dict[str, Any]:
    """Return a lock as plain values, without empty sections."""
    return lock.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)


def _changes(item: Pinned) -> Iterator[str]:
    if item.changed and item.entry:
        entry = item.entry
        version = f" (version {entry['version']})" if "version" in entry else ""
        yield f"{item.target.reference.text} is {entry['resolved']}{version}, {entry['digest']}"


def pin_packages(session: Session, entry: ModelFiles, *, write: bool) -> list[Finding]:
    """Resolve the packages of one service to a list with hashes, next to the spec.

    Args:
        session: the repository.
        entry: the model.
        write: write the list; otherwise a list with other packages is a finding.

    Raises:
        CliError: the list can't be written.
    """
    named, findings = service(session.repository, entry)
    if named is None:
        return findings
    try:
        built = session.platform.images.from_source
        found = resolve_packages(named.requirements, named.python, built, named.indexes)
    except PinError as error:
        return [named.failed(error.code, error.message, error.hint)]
    text, shown = write_packages(found), display(entry.packages, session.root)
    if text_of(entry.packages) == text:
        note(f"{shown}: unchanged")
        return []
    if not write:
        message = f"{shown} has other packages than {entry.name} resolves to now"
        return [named.failed(MOVED, message, f"run `sluice pin --packages {entry.name}` to use them")]
    write_file(entry.packages, text.encode())
    note(f"{shown}: {len(found.lines)} packages")
    return []


def pin_tools(session: Session) -> None:
    """Write the hashes of this version of Sluice for CI; the package index knows them.

    Raises:
        CliError: the file can't be written.
        PinError: the index does not have this version.
    """
    line = hashes_of(f"sluicegate=={__version__}", _TOOLS_PYTHON)
    path = session.root / SLUICEGATE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, f"# Written by `sluice pin --tools`; commit it.\n{line}\n".encode())
    note(f"{SLUICEGATE}: sluicegate {__version__}")


def pin_platform(session: Session, pinner: Pinner, *, write: bool) -> list[Finding]:
    """Lock the digests of the base image, of the gate images in use, and of the images that GitLab's jobs run in.

    Args:
        session: the repository.
        pinner: queries registries.
        write: write the platform's file; otherwise other digests than it has are a finding.

    Raises:
        CliError: the file can't be edited without losing something.
    """
    document, findings, found = session.repository.platform_document, [], {}
    for reference in _platform_images(session):
        try:
            found[reference] = pinner.digest(reference)
        except PinError as error:
            findings.append(document.finding(error.code, _IMAGES, error.message, error.hint))
    locked = session.platform.images.digests
    if findings or found == locked:
        return findings
    if not write:
        message = f"{len(found.items() - locked.items())} images have other digests than the platform's file"
        return [document.finding(MOVED, _IMAGES, message, "run `sluice pin --platform`, and render")]
    wanted = copy.deepcopy(document.data)
    wanted["spec"].setdefault("images", {})["digests"] = found
    after = edited(document, wanted)
    if after is None:
        raise CliError(
            f"{document.file} can't be edited without losing comments", "write `images` on separate lines"
        )
    path = session.root / SPECS / PLATFORM
    write_file(path, encode(after, path.read_bytes()))
    note(f"{document.file}: {plural(len(found), 'image')} by digest; run `sluice render`")
    return []


def _platform_images(session: Session) -> list[str]:
    """Return the images that the platform names, with their tags, sorted."""
    from generator.render.gate_images import gate_images
    from generator.render.outputs.gates import used_images

    plans = [planned.plan for entry in session.entries for planned in session.resolve(entry).plans]
    gates = {
        gate_images(plan, session.templates).reference(name) for plan in plans for name in used_images(plan)
    }
    images = {session.platform.images.base, *gates}
    if (session.root / ".gitlab-ci.yml").exists():
        images.update(ci_images(plan.bento.python_version for plan in plans if plan.bento))
    return sorted(image for image in images if "@" not in image)
