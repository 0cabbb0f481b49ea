"""One spec against its lock: what every reference means now, and what of the lock still holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from generator import __version__
from generator.cluster.pins.asked import Asked
from generator.cluster.pins.failure import MOVED, NOT_LOCKED, OVERWRITTEN, QUARANTINED, UNVERIFIED, PinError
from generator.cluster.pins.reference import AS_GIVEN, Content, Found, Reference, Surroundings, find
from generator.source.finding import Finding
from generator.spec.exemptions import Quarantine
from generator.spec.lock import LockFile

T = TypeVar("T")
SCHEMA: Final = "sluice/lock/v1"
_OURS: Final = "sluice "


@dataclass(frozen=True, slots=True)
class Pinned:
    """What became of one reference.

    Args:
        asked: the reference.
        entry: its part of the lock, as plain values; None when it could not be resolved.
        changed: the lock said something else, or nothing.
        findings: why it could not be resolved, or what is doubtful.
    """

    asked: Asked
    entry: dict[str, str] | None
    changed: bool = False
    findings: tuple[Finding, ...] = ()


@dataclass
class Pinner:
    """Resolves references, each once however many specs ask for it.

    Args:
        around: where references are resolved.
        when: the time that goes into locks (RFC 3339).
        verify: measure again what is locked already.
    """

    around: Surroundings
    when: str
    verify: bool = False
    _found: dict[Reference, Found | PinError] = field(default_factory=dict)
    _content: dict[tuple[bool, str], Content | PinError] = field(default_factory=dict)

    def pin(self, asked: Asked, lock: LockFile | None) -> Pinned:
        """Resolve a reference, keeping what the lock says where it still holds."""
        old = locked(asked.reference, lock)
        try:
            found = self._find(asked.reference)
            holds = old is not None and _holds(found, old, asked.reference)
            measured = holds and not (old or {}).get("by", "").endswith(AS_GIVEN)
            if measured and not (self.verify or found.local):
                return Pinned(asked, old)
            content = self._measure(found, asked.reference)
        except PinError as error:
            return Pinned(asked, None, findings=(asked.failed(error),))
        findings = [asked.finding(UNVERIFIED, content.doubt, _TRUST, "warning")] if content.doubt else []
        if old and holds and old["digest"] != content.digest:
            return Pinned(asked, None, findings=(_overwritten(asked, old, content),))
        if holds and (measured or content.doubt):
            return Pinned(asked, old, findings=tuple(findings))
        new = self._entry(asked.reference, found, content)
        return Pinned(asked, new, changed=new != old, findings=tuple(findings))

    def check(self, asked: Asked, lock: LockFile | None) -> list[Finding]:
        """Whether a reference still means what the lock says; nothing is downloaded that need not be."""
        old = locked(asked.reference, lock)
        if old is None:
            message = f"{asked.reference.what} is not locked"
            return [asked.finding(NOT_LOCKED, message, "run `sluice pin` and commit the lock")]
        try:
            found = self._find(asked.reference)
            if not found.same_as(old["resolved"]) or old.get("version", found.version) != found.version:
                return [_moved(asked, old, found)]
            if self.verify or found.local:
                content = self._measure(found, asked.reference)
                if content.digest != old["digest"]:
                    return [_overwritten(asked, old, content)]
        except PinError as error:
            return [asked.failed(error)]
        return []

    def _find(self, reference: Reference) -> Found:
        if reference not in self._found:
            try:
                self._found[reference] = find(reference, self.around)
            except PinError as error:
                self._found[reference] = error
        return _or_raise(self._found[reference])

    def _measure(self, found: Found, reference: Reference) -> Content:
        key = (reference.data, found.resolved)
        if key not in self._content:
            try:
                self._content[key] = found.measure()
            except PinError as error:
                self._content[key] = error
        return _or_raise(self._content[key])

    def _entry(self, reference: Reference, found: Found, content: Content) -> dict[str, str]:
        if reference.data:
            who = {"at": self.when, "by": _by(content)}
            return {"resolved": found.resolved, "digest": content.digest, **who}
        return {
            "ref": reference.text,
            "resolved": found.resolved,
            "version": found.version,
            "digest": content.digest,
            "at": self.when,
            "by": _by(content),
        }


_TRUST: Final = "the lock holds the digest that the producer gave; pin again where the address can be read"


def _or_raise(value: T | PinError) -> T:
    if isinstance(value, PinError):
        raise value
    return value


def locked(reference: Reference, lock: LockFile | None) -> dict[str, str] | None:
    """What a lock says of a reference, as plain values; None when it says nothing."""
    if lock is None:
        return None
    if reference.data:
        data = lock.data.get(reference.text)
        return data.model_dump(exclude_none=True) if data else None
    return lock.model.model_dump() if lock.model.ref == reference.text else None


def quarantined(pinned: Sequence[Pinned], quarantine: Sequence[Quarantine], model: str) -> list[Finding]:
    """References that would lock a version which was rejected and nobody released.

    Args:
        pinned: what became of the references of one spec.
        quarantine: the platform's.
        model: team/model of the spec; a version that it runs, and that may go on running, stays locked.
    """
    found = []
    for item in pinned:
        if item.entry is None or item.asked.reference.data:
            continue
        why = next((q for q in quarantine if _banned(q, item.entry["digest"], model, item)), None)
        if why is None:
            continue
        message = f"{item.asked.reference.what} means a version in quarantine since {why.since}: {why.reason}"
        hint = "name another version; who owns `platform.yaml` alone can release this one"
        found.append(item.asked.finding(QUARANTINED, message, hint))
    return found


def _banned(entry: Quarantine, digest: str, model: str, item: Pinned) -> bool:
    stays = bool(entry.running) and entry.model == model and not item.changed
    return entry.digest == digest and entry.released is None and not stays


def surplus(asked: Sequence[Asked], lock: LockFile | None) -> list[str]:
    """Data sets that a lock holds and no gate reads; they would count in the gate key."""
    wanted = {item.reference.text for item in asked if item.reference.data}
    return [ref for ref in (lock.data if lock else ()) if ref not in wanted]


def merged(pinned: Sequence[Pinned], lock: LockFile | None) -> dict[str, Any]:
    """The whole lock as plain values, from the parts of one spec, all of which were resolved.

    The image stays as long as the model that it was built from is the same.
    """
    entries = [(item.asked.reference, item.entry or {}) for item in pinned]
    model = next(entry for reference, entry in entries if not reference.data)
    out: dict[str, Any] = {"schema": SCHEMA, "model": model}
    data = {reference.text: entry for reference, entry in entries if reference.data}
    if data:
        out["data"] = data
    if lock and lock.image and (lock.model.version, lock.model.digest) == (model["version"], model["digest"]):
        out["image"] = lock.image.model_dump()
    return out


def _by(content: Content) -> str:
    return f"{_OURS}{__version__}, {content.by}"


def _holds(found: Found, old: dict[str, str], reference: Reference) -> bool:
    """Whether a lock's entry was made by this command for the same bytes; a digest from elsewhere proves nothing."""
    if not found.same_as(old["resolved"]):
        return False
    return reference.data or (old["version"] == found.version and old["by"].startswith(_OURS))


def _moved(asked: Asked, old: dict[str, str], found: Found) -> Finding:
    versions = f" (version {old['version']} to {found.version})" if "version" in old else ""
    message = f"{asked.reference.what} has moved from {old['resolved']} to {found.resolved}{versions}"
    return asked.finding(MOVED, message, "run `sluice pin` to take it, and review what changes")


def _overwritten(asked: Asked, old: dict[str, str], content: Content) -> Finding:
    message = f"the content of {old['resolved']} was overwritten: {old['digest']} is now {content.digest}"
    hint = "find out who changed it; to accept it, remove its entry from the lock and pin again"
    return asked.finding(OVERWRITTEN, message, hint)
