"""Compares one spec with its lock: what each reference resolves to now, and which entries still hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final, TypeVar

from generator import __version__
from generator.cluster.artifacts.trained import trained_with
from generator.cluster.http_client import HttpError
from generator.cluster.pins.errors import (
    MISMATCH,
    MOVED,
    NOT_LOCKED,
    OVERWRITTEN,
    QUARANTINED,
    UNREACHABLE,
    UNVERIFIED,
    PinError,
)
from generator.cluster.pins.reference import AS_GIVEN, Content, PinContext, Reference, Resolution, resolve
from generator.cluster.pins.targets import PinTarget
from generator.dataclass import dataclass
from generator.history.git_call import GitError
from generator.plan.packages import package_name
from generator.plan.values import Image
from generator.source.content import ContentError, joint_digest
from generator.source.document import Document
from generator.source.finding import Finding
from generator.source.line import one_line
from generator.spec.exemptions import Quarantine
from generator.spec.lock import LockFile

K = TypeVar("K")
T = TypeVar("T")
SCHEMA: Final = "sluice/lock/v1"
_BY: Final = "sluice "
_TRUST: Final = "the lock holds the digest that the producer gave; pin again where the address can be read"
_IMAGE: Final = ("image",)
MODEL: Final = "dev.sluice.model"
"""The label of an image with the digest of the model's files."""
BENTO: Final = "dev.sluice.bento"
"""The label of an image with the bento digest that it was built from (first 12)."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The outcome for one reference.

    Args:
        target: the reference.
        entry: its part of the lock, as plain values; None when it could not be resolved.
        changed: the lock had another value, or none.
        findings: why it could not be resolved, or what was not verified.
        files: the start of each file of a model that was measured; None if it was not.
    """

    target: PinTarget
    entry: dict[str, str] | None
    changed: bool = False
    findings: tuple[Finding, ...] = ()
    files: Mapping[str, bytes] | None = None


@dataclass
class Pinner:
    """Resolves references, each once however many specs name it.

    Args:
        context: where references are resolved.
        when: the time that goes into locks (RFC 3339).
        verify: measure the content of locked references again.
    """

    context: PinContext
    when: str
    verify: bool = False
    _resolutions: dict[Reference, Resolution | PinError] = field(default_factory=dict)
    _contents: dict[tuple[bool, str], Content | PinError] = field(default_factory=dict)
    _unreachable: PinError | None = None

    def pin(self, target: PinTarget, lock: LockFile | None) -> Pinned:
        """Resolve a reference; keep the lock's entry where it still holds."""
        old = locked(target.reference, lock)
        try:
            found = self._resolve(target.reference)
            holds = old is not None and _holds(found, old, target.reference)
            measured = holds and not (old or {}).get("by", "").endswith(AS_GIVEN)
            if measured and not (self.verify or found.local):
                return Pinned(target, old)
            content = self._measure(found, target.reference)
        except PinError as error:
            return Pinned(target, None, findings=(target.failed(error),))
        findings = [target.finding(UNVERIFIED, content.doubt, _TRUST, "warning")] if content.doubt else []
        if old and holds and old["digest"] != content.digest:
            return Pinned(target, None, findings=(_overwritten(target, old, content),))
        files = None if content.doubt or target.reference.data else content.files
        if holds and (measured or content.doubt):
            return Pinned(target, old, findings=tuple(findings), files=files)
        new = self._entry(target.reference, found, content)
        return Pinned(target, new, changed=new != old, findings=tuple(findings), files=files)

    def check(self, target: PinTarget, lock: LockFile | None) -> list[Finding]:
        """Check that a reference still resolves to its lock entry, with as few downloads as possible."""
        old = locked(target.reference, lock)
        if old is None:
            message = f"{target.reference.shown} is not locked"
            return [target.finding(NOT_LOCKED, message, "run `sluice pin` and commit the lock")]
        try:
            found = self._resolve(target.reference)
            if not found.same_as(old["resolved"]) or old.get("version", found.version) != found.version:
                return [_moved(target, old, found)]
            if self.verify or found.local:
                content = self._measure(found, target.reference)
                if content.digest != old["digest"]:
                    return [_overwritten(target, old, content)]
        except PinError as error:
            return [target.failed(error)]
        return []

    def image(
        self, image: Image, model_digest: str, lock: Document
    ) -> tuple[dict[str, str] | None, list[Finding]]:
        """Return the lock's `image`, as the registry has it under the computed tag; None, with a finding, otherwise.

        Args:
            image: the computed image.
            model_digest: of the files of the locked model; the labels of the image must name it and the bento.
            lock: findings point there.
        """
        tagged = replace(image, digest=None)
        bento = image.tag.rpartition("-")[2]
        try:
            if self._unreachable:
                raise self._unreachable
            found = self._resolve(Reference(f"oci://{tagged.reference}"))
            digest = found.resolved.rpartition("@")[2]
            problem = self._other_labels(f"{image.repository}@{digest}", {MODEL: model_digest, BENTO: bento})
        except PinError as error:
            if error.code == UNREACHABLE:
                self._unreachable = error  # one registry has all images: it is not waited for again
            return None, [lock.finding(error.code, _IMAGE, error.message, error.hint, key=True)]
        if problem:
            hint = "let CI build and push it again from this commit; do not lock this image"
            return None, [lock.finding(MISMATCH, _IMAGE, problem, hint, key=True)]
        return {"digest": digest, "bento": bento}, []

    def _other_labels(self, image: str, wanted: dict[str, str]) -> str:
        """Return how the labels of an image differ from those of the locked model; empty if they do not."""
        from generator.cluster.pins.registry import image_labels

        try:
            found = image_labels(image, self.context)
        except HttpError as error:
            raise PinError.of(error) from error
        for labels in found:
            for name, value in wanted.items():
                has = labels.get(name)
                if has != value:
                    shown = f"`{one_line(has)[:80]}`" if has else "no value"
                    return f"the image {image} has {shown} in its label `{name}`, and the lock has `{value}`"
        return ""

    def digest(self, image: str) -> str:
        """Return the digest that a registry has under a name and tag.

        Raises:
            PinError: it has none, or can't be asked.
        """
        return self._resolve(Reference(f"oci://{image}")).resolved.rpartition("@")[2]

    def _resolve(self, reference: Reference) -> Resolution:
        return _remembered(self._resolutions, reference, lambda: resolve(reference, self.context))

    def _measure(self, found: Resolution, reference: Reference) -> Content:
        return _remembered(self._contents, (reference.data, found.resolved), found.measure)

    def _entry(self, reference: Reference, found: Resolution, content: Content) -> dict[str, str]:
        measured = {"at": self.when, "by": f"{_BY}{__version__}, {content.by}"}
        if reference.data:
            return {"resolved": found.resolved, "digest": content.digest, **measured}
        return {
            "ref": reference.text,
            "resolved": found.resolved,
            "version": found.version,
            "digest": content.digest,
            **measured,
        }


def _remembered(known: dict[K, T | PinError], key: K, find: Callable[[], T]) -> T:
    """Return the result for a key, or raise its error again; each key is looked up once."""
    if key not in known:
        try:
            known[key] = find()
        except PinError as error:
            known[key] = error
        except (ContentError, GitError, HttpError) as error:
            known[key] = PinError.of(error)
    value = known[key]
    if isinstance(value, PinError):
        raise value
    return value


def locked(reference: Reference, lock: LockFile | None) -> dict[str, str] | None:
    """Return the lock's entry of a reference, as plain values; None when there is none."""
    if lock is None:
        return None
    if reference.data:
        data = lock.data.get(reference.text)
        return data.model_dump(exclude_none=True) if data else None
    model = lock.references.get(reference.name) if reference.name else lock.model
    if model is None or model.ref != reference.text:
        return None
    entry: dict[str, str] = model.model_dump(exclude_none=True)
    return entry | {"digest": entry.pop("files", entry["digest"])}


def quarantined(pinned: Sequence[Pinned], quarantine: Sequence[Quarantine], model: str) -> list[Finding]:
    """Return a finding for each reference that means a version in quarantine.

    Args:
        pinned: the outcome for the references of one spec.
        quarantine: the platform's.
        model: team/model of the spec; a version that already runs there stays locked.
    """
    found = []
    for item in pinned:
        if item.entry is None or item.target.reference.data:
            continue
        why = next((q for q in quarantine if _banned(q, item.entry["digest"], model, item)), None)
        if why is None:
            continue
        message = (
            f"{item.target.reference.shown} means a version in quarantine since {why.since}: {why.reason}"
        )
        hint = "name another version; only the owners of `platform.yaml` can release this one"
        found.append(item.target.finding(QUARANTINED, message, hint))
    return found


def _banned(entry: Quarantine, digest: str, model: str, item: Pinned) -> bool:
    stays = bool(entry.running) and entry.model == model and not item.changed
    return entry.digest == digest and entry.released is None and not stays


def surplus(targets: Sequence[PinTarget], lock: LockFile | None) -> list[str]:
    """Return the data sets of a lock that no gate reads; they would count in the gate key."""
    wanted = {item.reference.text for item in targets if item.reference.data}
    return [ref for ref in (lock.data if lock else ()) if ref not in wanted]


def merged(pinned: Sequence[Pinned], lock: LockFile | None) -> dict[str, Any]:
    """Return the whole lock as plain values, from the parts of one spec, all of which were resolved.

    The image stays as long as the model in it is the same, and so does what the model was trained with, unless its
    files were read again.
    """
    entries = [(item.target.reference, item.entry or {}) for item in pinned]
    model, *_ = [entry for reference, entry in entries if not reference.data and not reference.name]
    references = {reference.name: entry for reference, entry in entries if reference.name}
    if references:
        digests = {"model": model, **references}
        joint = joint_digest({name: entry["digest"] for name, entry in digests.items()})
        model = {**model, "digest": joint, "files": model["digest"]}
    out: dict[str, Any] = {"schema": SCHEMA, "model": model, "references": references}
    out |= _trained(pinned, lock if lock and lock.model.digest == model["digest"] else None)
    out = {key: value for key, value in out.items() if value}
    data = {reference.text: entry for reference, entry in entries if reference.data}
    if data:
        out["data"] = data
    if lock and lock.image and (lock.model.version, lock.model.digest) == (model["version"], model["digest"]):
        out["image"] = lock.image.model_dump()
    return out


def _trained(pinned: Sequence[Pinned], same: LockFile | None) -> dict[str, Any]:
    """Return what the model was trained with, and the packages of all models of the service.

    Args:
        pinned: the outcome for the references of one spec.
        same: the lock, if it is about the same bytes.
    """
    # A container of the team has no framework: nothing of what is in it is installed.
    read = [item for item in pinned if item.files is not None and item.target.framework]
    models = [item for item in pinned if not item.target.reference.data]
    if not read or (same and len(read) < len(models)):
        trained = same.trained.model_dump(exclude_defaults=True) if same and same.trained else {}
        return {"trained": trained, "packages": list(same.packages) if same else []}
    found = {item.target.reference.name: trained_with(item.files or {}) for item in read}
    lines = {
        package_name(line): line
        for item in reversed(read)  # the model itself decides where two name other versions
        for line in found[item.target.reference.name].packages(item.target.framework)
    }
    return {
        "trained": found[""].lock() if "" in found else {},
        "packages": [lines[name] for name in sorted(lines)],
    }


def _holds(found: Resolution, old: dict[str, str], reference: Reference) -> bool:
    """Return whether `sluice pin` wrote this lock entry for the same bytes; a digest from elsewhere proves nothing."""
    if not found.same_as(old["resolved"]):
        return False
    return reference.data or (old["version"] == found.version and old["by"].startswith(_BY))


def _moved(target: PinTarget, old: dict[str, str], found: Resolution) -> Finding:
    versions = f" (version {old['version']} to {found.version})" if "version" in old else ""
    message = f"{target.reference.shown} has moved from {old['resolved']} to {found.resolved}{versions}"
    return target.finding(MOVED, message, "run `sluice pin` to use it, and review the changes")


def _overwritten(target: PinTarget, old: dict[str, str], content: Content) -> Finding:
    message = f"the content of {old['resolved']} was overwritten: {old['digest']} is now {content.digest}"
    hint = "find out who changed it; to accept it, remove its entry from the lock and pin again"
    return target.finding(OVERWRITTEN, message, hint)
