"""Reads everything that git knows of releases that have ended: records, promotions, and what was taken back later."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cache
from typing import Any, Final

from generator.dataclass import dataclass
from generator.gates.records import ReadRecord, parse_record
from generator.history.gated import RECORD
from generator.history.git import Git
from generator.history.recorded import LOCK, QUARANTINE, SPEC, mapping, path_of, plain
from generator.odds.track_record import Judgement, Past, PastRelease, Wait
from generator.plan.model_files import PLATFORM, SPECS
from generator.spec.release_record import RecordFile

_PATH: Final = re.compile(rf"{SPECS}/([^/]+/[^/.]+)\.([^/.]+)({re.escape(RECORD)}|{re.escape(LOCK)})")
_SHARE: Final = re.compile(r"([0-9.]+)%")
_BAD: Final = frozenset({"Failed", "Error"})


@dataclass(frozen=True, slots=True)
class OldRecord:
    """A record that a branch once had: the commit (hex) that brought it, its path, and what it says."""

    commit: str
    path: str
    content: RecordFile


def old_records(git: Git, commit: str, model: str = "") -> tuple[list[OldRecord], int]:
    """Return the records that a branch ever had, in the order of its changes, and how many can't be trusted.

    Args:
        git: the repository.
        commit: the tip of the branch (hex).
        model: team/model; empty for all.

    Raises:
        GitError: git can't read the history.
    """
    history = _History.of(git, commit, f"{SPECS}/{model.partition('/')[0]}" if model else SPECS)
    return history.records(model)


def past(git: Git, commit: str) -> Past:
    """Return everything that a branch knows of releases that have ended.

    Raises:
        GitError: git can't read the history.
    """
    history = _History.of(git, commit, SPECS)
    records, untrusted = history.records()
    history.read_specs((one.commit, one.content.subject.model) for one in records)
    found: dict[tuple[str, int, bool], PastRelease] = {}
    for one in records:
        content = one.content
        # A release that was recorded twice, such as after a retry, counts as it ended.
        found[content.rollout.uid, content.rollout.revision, content.aborted] = _past(
            content, history.tier(one.commit, content.subject.model)
        )
    releases = sorted(found.values(), key=lambda release: release.end)
    return Past(releases, list(history.judgements()), list(history.waits()), untrusted)


@dataclass(frozen=True, slots=True)
class _History:
    """The files of records and locks that a branch ever had, as (commit, path), and the specs next to them."""

    git: Git
    commit: str
    files: tuple[tuple[str, str], ...]
    _specs: dict[tuple[str, str], bytes] = field(default_factory=dict)

    @staticmethod
    def of(git: Git, commit: str, folder: str) -> _History:
        files = [
            (change.commit.sha, file.after)
            for change in git.changes(git.steps(commit), folder)
            for file in change.files
            if file.after and _PATH.fullmatch(file.after)
        ]
        return _History(git, commit, tuple(files))

    def records(self, model: str = "") -> tuple[list[OldRecord], int]:
        wanted = [key for key in self.files if key[1].endswith(RECORD)]
        found, untrusted = [], 0
        for (sha, path), raw in self.git.read(wanted).items():
            name = _PATH.fullmatch(path)
            if name is None or (model and name[1] != model):
                continue
            content = parse_record(raw, ReadRecord(path, name[1]), name[2]).content
            if content is None:
                untrusted += 1
            else:
                found.append(OldRecord(sha, path, content))
        return found, untrusted

    def read_specs(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Read the specs of some models at some commits at once."""
        self._specs.update(self.git.read((sha, path_of(name, SPEC)) for sha, name in wanted))

    def tier(self, sha: str, name: str) -> str:
        return _tier(self._specs.get((sha, path_of(name, SPEC)), b""))

    def waits(self) -> Iterator[Wait]:
        """Yield how long each proven release waited until it was promoted; a hot fix did not."""
        locks = [key for key in self.files if key[1].endswith(LOCK)]
        texts = self.git.read(locks)
        self.read_specs((sha, name[1]) for sha, path in locks if (name := _PATH.fullmatch(path)))
        for (sha, path), raw in texts.items():
            name, lock = _PATH.fullmatch(path), _plain(raw)
            ends = [_time(mapping(one).get("end")) for one in mapping(lock.get("records")).values()]
            at, proven = _time(lock.get("at")), max((end for end in ends if end), default=None)
            if name and at and proven and at > proven:
                wait_s = (at - proven).total_seconds()
                yield Wait(name[1], self.tier(sha, name[1]), name[2], wait_s)

    def judgements(self) -> Iterator[Judgement]:
        """Yield the entries of all quarantines at the tip of the branch; nothing is ever removed from one."""
        files = [blob.path for blob in self.git.tree(self.commit, [SPECS])]
        own = [path for path in files if path.endswith(QUARANTINE)]
        platform = (self.commit, f"{SPECS}/{PLATFORM}")
        texts = self.git.read([platform, *((self.commit, path) for path in own)])
        entries = [
            (str(item.get("model")), item)
            for item in _items(mapping(_plain(texts.get(platform, b"")).get("spec")).get("quarantine"))
        ]
        for path in own:
            model = path.removeprefix(f"{SPECS}/").removesuffix(QUARANTINE)
            items = _items(_plain(texts.get((self.commit, path), b"")).get("releases"))
            entries += [(model, item) for item in items]
        self.read_specs((self.commit, model) for model, _ in entries)
        for model, item in entries:
            yield Judgement(
                model,
                self.tier(self.commit, model),
                str(item.get("environment") or ""),
                str(item.get("key") or ""),
                str(item.get("digest") or ""),
                item.get("released") is None,
                str(item.get("since")),
            )


@cache
def _plain(raw: bytes) -> Mapping[str, Any]:
    """Read YAML once for equal bytes: most commits leave a spec as it is."""
    return plain(raw)


def _tier(spec: bytes) -> str:
    return str(mapping(_plain(spec).get("spec")).get("tier") or "")


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _time(text: Any) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _past(content: RecordFile, tier: str) -> PastRelease:
    subject, start = content.subject, content.start
    end = dt.datetime.fromisoformat(content.end)
    metrics = [metric for run in content.runs for metric in run.metrics]
    powers = [share for text in content.power.promised.values() if (share := _share(text)) is not None]
    exposed = content.promised.get("exposed-requests", "")
    return PastRelease(
        team=subject.model.partition("/")[0],
        model=subject.model,
        environment=subject.environment,
        key=subject.release_key,
        end=content.end,
        aborted=content.aborted,
        guards=tuple(dict.fromkeys(m.name for m in metrics if m.verdict in _BAD)) if content.aborted else (),
        promised=_share(content.promised.get("false-rollback", "")),
        exposed=content.exposed,
        seconds=(end - dt.datetime.fromisoformat(start)).total_seconds() if start else None,
        tier=tier,
        digest=subject.model_digest,
        watched=tuple(dict.fromkeys(m.name for m in metrics if m.measurements)),
        power=min(powers, default=None),
        promised_exposed=float(exposed) if exposed.isdigit() else None,
    )


def _share(text: str) -> float | None:
    found = _SHARE.match(text)
    return float(found[1]) / 100 if found else None
