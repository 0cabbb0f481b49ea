"""When versions entered environments that require others, from their locks; and what records say of their releases."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.dataclass import dataclass
from generator.history.recorded import LOCK, mapping, path_of, plain
from generator.plan.model_files import SPECS

if TYPE_CHECKING:
    from generator.history.git import Git
    from generator.history.releases import History

RECORD: Final = ".record.json"


@dataclass(frozen=True, slots=True)
class Entered:
    """A promotion: a release entered an environment.

    Args:
        environment: its name.
        digest: of the model's files.
        key: the release key.
        since: when the lock was merged (UTC).
        until: when another lock took its place; None if it is the newest.
        how: the verdicts of the records that it rests on, or the hot fix.
    """

    environment: str
    digest: str
    key: str
    since: dt.datetime
    until: dt.datetime | None
    how: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the record of a release in one environment says."""

    environment: str
    digest: str
    key: str
    verdict: str
    end: str


def promotions(history: History, name: str) -> list[Entered]:
    """Return the promotions of a model, oldest first; locks that can't be read end the one before."""
    found: list[tuple[str, str, dt.datetime]] = []
    for change in history.changes:
        paths = {path for file in change.files for path in (file.before, file.after) if path}
        found += [
            (change.commit.sha, path, change.since) for path in sorted(paths) if _environment(name, path)
        ]
    read = history.git.read((sha, path) for sha, path, _ in found)
    out: list[Entered] = []
    for sha, path, since in found:
        environment = _environment(name, path)
        out = [
            replace(one, until=since) if one.environment == environment and one.until is None else one
            for one in out
        ]
        out += _entered(environment, plain(read.get((sha, path))), since)
    return out


def _environment(name: str, path: str) -> str:
    """Return the environment of a lock of this model; empty for another file."""
    head = f"{SPECS}/{name}."
    middle = (
        path.removeprefix(head).removesuffix(LOCK) if path.startswith(head) and path.endswith(LOCK) else ""
    )
    return "" if "/" in middle or "." in middle else middle


def _entered(environment: str, lock: Mapping[str, Any], since: dt.datetime) -> Iterator[Entered]:
    digest = mapping(lock.get("model")).get("digest")
    if not isinstance(digest, str):
        return
    fix, records = mapping(lock.get("hotfix")), mapping(lock.get("records"))
    verdicts = ", ".join(f"{name}: {mapping(one).get('verdict')}" for name, one in sorted(records.items()))
    how = f"hot fix until {fix.get('until')}: {lock.get('reason')}" if fix else verdicts or "adopted"
    yield Entered(environment, digest, str(lock.get("key")), since, None, how)


def recorded(git: Git, commit: str, name: str, environments: Iterable[str]) -> Iterator[Recorded]:
    """Yield the records of a model at a commit that can be read."""
    paths = {environment: path_of(name, f".{environment}{RECORD}") for environment in environments}
    read = git.read((commit, path) for path in paths.values())
    for environment, path in paths.items():
        try:
            data = json.loads(read.get((commit, path), b""))
            subject = data["subject"]
            yield Recorded(
                environment,
                str(subject["modelDigest"]),
                str(subject["releaseKey"]),
                str(data["verdict"]),
                str(data["end"]),
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
