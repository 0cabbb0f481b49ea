"""Reads every record of a release that git ever had."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

from generator.gates.records import ReadRecord, parse_record
from generator.history.gated import RECORD
from generator.history.git import Git
from generator.odds.track_record import PastRelease
from generator.plan.model_files import SPECS
from generator.spec.release_record import RecordFile

_PATH: Final = re.compile(rf"{SPECS}/([^/]+/[^/.]+)\.([^/.]+){re.escape(RECORD)}")
_SHARE: Final = re.compile(r"([0-9.]+)%")


def past_releases(git: Git, commit: str) -> tuple[list[PastRelease], int]:
    """Return the releases that records of a branch describe, oldest first, and how many records can't be trusted.

    Raises:
        GitError: git can't read the history.
    """
    wanted = [
        (change.commit.sha, file.after)
        for change in git.changes(git.steps(commit), SPECS)
        for file in change.files
        if file.after and _PATH.fullmatch(file.after)
    ]
    found: dict[tuple[str, int, bool], PastRelease] = {}
    untrusted = 0
    for (_, path), raw in git.read(wanted).items():
        name = _PATH.fullmatch(path)
        content = parse_record(raw, ReadRecord(path, name[1]), name[2]).content if name else None
        if content is None:
            untrusted += 1
            continue
        # A release that was recorded twice, such as after a retry, counts as it ended.
        found[content.rollout.uid, content.rollout.revision, content.aborted] = _past(content)
    return sorted(found.values(), key=lambda release: release.end), untrusted


def _past(content: RecordFile) -> PastRelease:
    subject, start = content.subject, content.start
    end = dt.datetime.fromisoformat(content.end)
    share = _SHARE.match(content.promised.get("false-rollback", ""))
    return PastRelease(
        subject.model.partition("/")[0],
        subject.model,
        subject.environment,
        subject.release_key,
        content.end,
        content.aborted,
        tuple(dict.fromkeys(_failed(content))) if content.aborted else (),
        float(share[1]) / 100 if share else None,
        content.exposed,
        (end - dt.datetime.fromisoformat(start)).total_seconds() if start else None,
    )


def _failed(content: RecordFile) -> Iterator[str]:
    return (m.name for run in content.runs for m in run.metrics if m.verdict in {"Failed", "Error"})
