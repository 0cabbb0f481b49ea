"""Audits for programs: JSON, and CSV with one row for each release."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Sequence
from typing import Any, Final

from generator.history.git import Change, Commit
from generator.history.releases import Release
from generator.report.formats.characters import visible

SCHEMA: Final = "sluice/audit/v1"
COLUMNS: Final = (
    "model", "version", "digest", "image", "since", "until", "environments", "commit", "why", "author", "merged by",
    "approvals", "approval roles", "evidence", "evidence is about this digest", "waivers",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def stamp(time: dt.datetime | None) -> str:
    """Format a time (RFC 3339, UTC); empty for none."""
    return "" if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def as_json(releases: Sequence[Release]) -> str:
    """Return the audit as JSON (`sluice/audit/v1`); times are UTC, and `until` of the newest version is null."""
    document = {"schema": SCHEMA, "releases": [_plain(release) for release in releases]}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def as_csv(releases: Sequence[Release]) -> str:
    """Return one row for each release; no cell starts like a spreadsheet formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_inert(cell) for cell in cells(release)] for release in releases)
    return out.getvalue()


def cells(release: Release) -> list[str]:
    """Return one release as one text for each column, on one line and without control characters."""
    fits = {True: "yes", False: "no", None: ""}[release.evidence_fits]
    told = [
        release.name,
        release.version,
        release.digest,
        release.image,
        stamp(release.since),
        stamp(release.until),
        " ".join(release.rendered),
        release.change.commit.sha,
        why(release),
        authors(release),
        release.change.commit.committer,
        "; ".join(release.approvals),
        ", ".join(release.roles),
        "; ".join(f"{item.gate}: {item.verdict}" for item in release.verdicts),
        fits,
        "; ".join(f"{w.gate}: {w.reason} ({w.approved_by}, until {w.until})" for w in release.waivers),
    ]
    return [visible(cell) for cell in told]


def why(release: Release) -> str:
    """Return the subjects of the commit that released it and of the commits merged with it."""
    return " / ".join(dict.fromkeys(c.subject for c in (release.change.commit, *release.brought)))


def authors(release: Release) -> str:
    """Return the authors of the change."""
    commits = release.brought or (release.change.commit,)
    return "; ".join(dict.fromkeys(commit.author for commit in commits))


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _plain(release: Release) -> dict[str, Any]:
    return {
        "model": release.name,
        "version": release.version,
        "digest": release.digest,
        "resolved": release.resolved,
        "image": release.image or None,
        "since": stamp(release.since),
        "until": stamp(release.until) or None,
        "environments": list(release.rendered),
        "change": _commit(release.change.commit),
        "merged": [_commit(commit) for commit in release.brought],
        "later": [_change(change) for change in release.later],
        "approvals": list(release.approvals),
        "approvalRoles": list(release.roles),
        "evidence": [{"gate": v.gate, "verdict": v.verdict, "reason": v.reason} for v in release.verdicts],
        "evidenceFits": release.evidence_fits,
        "waivers": [
            {"gate": w.gate, "reason": w.reason, "approvedBy": w.approved_by, "until": w.until}
            for w in release.waivers
        ],
    }


def _change(change: Change) -> dict[str, str]:
    return {**_commit(change.commit), "at": stamp(change.since)}


def _commit(commit: Commit) -> dict[str, str]:
    return {
        "commit": commit.sha,
        "at": stamp(commit.written),
        "author": commit.author,
        "committer": commit.committer,
        "subject": commit.subject,
    }
