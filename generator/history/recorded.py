"""What the files of a model said at some commit, as far as they can be read.

History is read as it is: a file that is missing or broken says nothing, and no commit is refused for it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from generator.history.git import Change, Commit
from generator.plan.model_files import SPECS
from generator.source.reader import parse

_TRAILER: Final = re.compile(
    r"^((?:Approved|Reviewed|Acked|Signed-off)-by): *(.+)$", re.MULTILINE | re.IGNORECASE
)
SPEC, LOCK, EVIDENCE = ".yaml", ".lock.yaml", ".evidence.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate had found, as the evidence says."""

    gate: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver that was in force."""

    gate: str
    reason: str
    approved_by: str
    until: str


def path_of(name: str, suffix: str) -> str:
    """Where a model has its file of this kind."""
    return f"{SPECS}/{name}{suffix}"


def model_of(path: str | None, suffix: str) -> str:
    """The model that a file of this kind belongs to; empty when it belongs to none."""
    if not path or not path.startswith(f"{SPECS}/") or not path.endswith(suffix):
        return ""
    name = path.removeprefix(f"{SPECS}/").removesuffix(suffix)
    return name if name.count("/") == 1 else ""


def name_before(name: str, change: Change) -> str | None:
    """What a model was called before a change; None when it kept its name. The spec's own move counts first."""
    for suffix in (SPEC, LOCK):
        for file in change.files:
            if file.after == path_of(name, suffix) and file.before and file.before != file.after:
                return model_of(file.before, suffix) or None
    return None


def plain(content: bytes | None) -> dict[str, Any]:
    """What a YAML file holds, as far as it is a mapping."""
    data = parse(content, "").data if content is not None else None
    return data if isinstance(data, dict) else {}


def mapping(value: Any) -> dict[str, Any]:
    """A value of a file, as far as it is a mapping."""
    return value if isinstance(value, dict) else {}


def lock_of(content: bytes | None) -> dict[str, Any] | None:
    """What a lock says, as far as it can be used; one that cannot be read names no version."""
    model = plain(content).get("model")
    if not isinstance(model, dict) or not isinstance(model.get("digest"), str):
        return None
    image = plain(content).get("image")
    named = {key: str(model.get(key, "")) for key in ("version", "digest", "resolved")}
    return {**named, "image": str(image.get("digest", "")) if isinstance(image, dict) else ""}


def evidence_of(content: bytes | None) -> tuple[tuple[Verdict, ...], str | None]:
    """Verdicts, and the digest that they are about; None when there is no evidence that can be read."""
    try:
        document = json.loads(content or b"")
        subject = f"sha256:{document['subject'][0]['digest']['sha256']}"
        gates = document["predicate"]["gates"]
        found = [Verdict(str(g["name"]), str(g["verdict"]), str(g["reason"])) for g in gates]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return (), None
    return tuple(found), subject


def approvals(commits: Iterable[Commit]) -> Iterable[str]:
    """Trailers and names of those who approved, once each, in the order of the commits."""
    found = [
        f"{key.capitalize()}: {who.strip()}" for c in commits for key, who in _TRAILER.findall(c.message)
    ]
    return dict.fromkeys(found)


def waivers(platform: dict[str, Any], name: str, when: dt.datetime | None) -> Iterable[Waived]:
    """Waivers of a model in force at a moment (the newest, if none is given)."""
    written = mapping(platform.get("spec")).get("waivers")
    for item in written if isinstance(written, list) else ():
        if not isinstance(item, dict) or item.get("model") != name:
            continue
        until = str(item.get("until", ""))
        if when is None or until >= (when - dt.timedelta(microseconds=1)).date().isoformat():
            yield Waived(str(item.get("gate")), str(item.get("reason")), str(item.get("approvedBy")), until)


def roles(spec: dict[str, Any]) -> Iterable[str]:
    """Roles that a spec asks to approve during the rollout."""
    rollout = mapping(mapping(spec.get("spec")).get("rollout"))
    steps = rollout.get("steps")
    asked = (
        [step.get("approve") for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    )
    return [str(role) for role in dict.fromkeys([*asked, rollout.get("approve")]) if role]
