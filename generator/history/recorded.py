"""Reads the files of a model at some commit.

History can't be fixed: a file that is missing or broken counts as empty, and is not an error.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Any, Final

from generator.dataclass import dataclass
from generator.history.git import Change, Commit
from generator.plan.model_files import SPECS
from generator.source.reader import parse

_TRAILER: Final = re.compile(
    r"^((?:Approved|Reviewed|Acked|Signed-off)-by): *(\S.*)$", re.MULTILINE | re.IGNORECASE
)
SPEC, LOCK, EVIDENCE, QUARANTINE = ".yaml", ".lock.yaml", ".evidence.json", ".quarantine.yaml"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one gate in the evidence."""

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
    """Return the path of a model's file of this kind."""
    return f"{SPECS}/{name}{suffix}"


def model_of(path: str | None, suffix: str) -> str:
    """Return the model that a file of this kind belongs to; empty when it belongs to none."""
    if not path or not path.startswith(f"{SPECS}/") or not path.endswith(suffix):
        return ""
    name = path.removeprefix(f"{SPECS}/").removesuffix(suffix)
    return name if name.count("/") == 1 and "." not in name else ""


def name_before(name: str, change: Change) -> str | None:
    """Return the name of a model before a change; None when it kept its name. The move of the spec counts first."""
    for suffix in (SPEC, LOCK):
        for file in change.files:
            if file.after == path_of(name, suffix) and file.before and file.before != file.after:
                return model_of(file.before, suffix) or None
    return None


def plain(content: bytes | None) -> dict[str, Any]:
    """Return the mapping in a YAML file; empty for anything else."""
    data = parse(content, "").data if content is not None else None
    return data if isinstance(data, dict) else {}


def mapping(value: Any) -> dict[str, Any]:
    """Return a value if it is a mapping; empty otherwise."""
    return value if isinstance(value, dict) else {}


def lock_of(content: bytes | None) -> dict[str, Any] | None:
    """Return the version in a lock; empty fields when it can't be read."""
    model = plain(content).get("model")
    if not isinstance(model, dict) or not isinstance(model.get("digest"), str):
        return None
    image = plain(content).get("image")
    named = {key: str(model.get(key, "")) for key in ("version", "digest", "resolved")}
    return {**named, "image": str(image.get("digest", "")) if isinstance(image, dict) else ""}


def evidence_of(content: bytes | None) -> tuple[tuple[Verdict, ...], str | None]:
    """Return the verdicts and the digest that they are about; None without readable evidence."""
    try:
        document = json.loads(content or b"")
        subject = f"sha256:{document['subject'][0]['digest']['sha256']}"
        gates = document["predicate"]["gates"]
        found = [Verdict(str(g["name"]), str(g["verdict"]), str(g["reason"])) for g in gates]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return (), None
    return tuple(found), subject


def approvals(commits: Iterable[Commit]) -> Iterable[str]:
    """Return the trailers and names of those who approved, once each, in the order of the commits."""
    found = [
        f"{key.capitalize()}: {who.strip()}" for c in commits for key, who in _TRAILER.findall(c.message)
    ]
    return dict.fromkeys(found)


def waivers(platform: dict[str, Any], name: str, when: dt.datetime | None) -> Iterable[Waived]:
    """Return the waivers of a model in force at a moment (by default now)."""
    written = mapping(platform.get("spec")).get("waivers")
    for item in written if isinstance(written, list) else ():
        if not isinstance(item, dict) or item.get("model") != name:
            continue
        until = str(item.get("until", ""))
        if when is None or until >= (when - dt.timedelta(microseconds=1)).date().isoformat():
            yield Waived(str(item.get("gate")), str(item.get("reason")), str(item.get("approvedBy")), until)


def roles(spec: dict[str, Any]) -> Iterable[str]:
    """Return the roles that must approve during the rollout, from the spec."""
    rollout = mapping(mapping(spec.get("spec")).get("rollout"))
    steps = rollout.get("steps")
    asked = (
        [step.get("approve") for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    )
    return [str(role) for role in dict.fromkeys([*asked, rollout.get("approve")]) if role]
