"""Audits as text, JSON, CSV for spreadsheets, and one self-contained page."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

from generator.history.git import Change, Commit
from generator.history.releases import Release
from generator.report.tables import Screen, Table
from generator.source.line import visible

SCHEMA: Final = "sluice/audit/v1"
COLUMNS: Final = (
    "model", "version", "digest", "image", "since", "until", "environments", "commit", "why", "author", "merged by",
    "approvals", "approval roles", "evidence", "evidence is about this digest", "signatures",
    "waivers", "promoted", "recorded",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { border: 1px solid GrayText; padding: .3rem .6rem; text-align: left; vertical-align: top; }
td { max-width: 24rem; overflow-wrap: anywhere; }
@media print { body { margin: 0; font-size: 9px; } }
"""


def write(fmt: str, releases: Sequence[Release], at: str, screen: Screen) -> str:
    """Return an audit in one of its formats.

    Args:
        fmt: text, json, csv or html.
        releases: the versions in git, by model and time.
        at: the date of the audit; empty for all of the past.
        screen: where text is shown.
    """
    if fmt == "text":
        return _text(releases, screen)
    if fmt == "html":
        return _page(releases, at)
    return {"json": _json, "csv": _csv}[fmt](releases)


def _text(releases: Sequence[Release], screen: Screen) -> str:
    """Return one block for each release; no text from git can control the terminal or look like another line."""
    return "\n".join("".join(f"{line}\n" for line in _block(release, screen)) for release in releases)


def _block(release: Release, screen: Screen) -> Iterator[str]:
    yield from screen.title(f"{release.name}  version {release.version}")
    yield from screen.body([Table.of((f"{label:<9}", words) for label, words in _facts(release))])


def _facts(release: Release) -> Iterator[tuple[str, str]]:
    """Yield what git knows of a release, with labels."""
    commit = release.change.commit
    yield "in git", _span(release)
    yield "model", f"{release.resolved} ({release.digest})"
    yield "image", release.image or "by tag: the lock held no digest"
    yield "rendered", ", ".join(release.rendered) or "nowhere: no bundle was rendered from this lock"
    for one in release.entered:
        until = f"until {_stamp(one.until)}" if one.until else "until now"
        yield "promoted", f"{one.environment} from {_stamp(one.since)} {until} ({one.how})"
    for record in release.records:
        yield "recorded", f"{record.environment}: {record.verdict}, ended {record.end} ({record.key[:19]})"
    if not release.records:
        yield "recorded", "nothing: git does not know how far its rollouts came"
    yield "why", f"{commit.subject} ({commit.sha[:12]})"
    for merged in release.brought:
        yield "", f"{merged.subject} ({merged.sha[:12]}, {merged.author})"
    yield "written by", _authors(release)
    yield "merged by", commit.committer
    yield "approved", "; ".join(release.approvals) or "no commit message names an approver"
    if release.roles:
        yield (
            "needed",
            f"approvals of {', '.join(release.roles)} during the rollout (git does not know who gave them)",
        )
    yield from _evidence(release)
    for signature in release.signed:
        yield "signed", str(signature)
    for waiver in release.waivers:
        yield "waiver", f"{waiver.gate}: {waiver.reason} ({waiver.approved_by}, until {waiver.until})"
    for change in release.later:
        yield "later", f"{_stamp(change.since)}  {change.commit.subject} ({change.commit.sha[:12]})"


def _span(release: Release) -> str:
    return f"from {_stamp(release.since)} " + (
        f"until {_stamp(release.until)}" if release.until else "until now"
    )


def _evidence(release: Release) -> Iterator[tuple[str, str]]:
    if release.evidence_fits is None:
        yield "evidence", "none in git"
        return
    about = "" if release.evidence_fits else "; IT IS ABOUT ANOTHER DIGEST"
    yield "evidence", f"{len(release.verdicts)} gates{about}"
    for item in release.verdicts:
        yield "", f"{item.verdict}  {item.gate}: {item.reason}"


def _stamp(time: dt.datetime | None) -> str:
    """Format a time (RFC 3339, UTC); empty for none."""
    return "" if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(releases: Sequence[Release]) -> str:
    """Return the audit as JSON (`sluice/audit/v1`); times are UTC, and `until` of the newest version is null."""
    document = {"schema": SCHEMA, "releases": [_plain(release) for release in releases]}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _csv(releases: Sequence[Release]) -> str:
    """Return one row for each release; no cell starts like a spreadsheet formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_inert(cell) for cell in _cells(release)] for release in releases)
    return out.getvalue()


def _cells(release: Release) -> list[str]:
    """Return one release as one text for each column, on one line and without control characters."""
    fits = {True: "yes", False: "no", None: ""}[release.evidence_fits]
    texts = [
        release.name,
        release.version,
        release.digest,
        release.image,
        _stamp(release.since),
        _stamp(release.until),
        " ".join(release.rendered),
        release.change.commit.sha,
        _why(release),
        _authors(release),
        release.change.commit.committer,
        "; ".join(release.approvals),
        ", ".join(release.roles),
        "; ".join(f"{item.gate}: {item.verdict}" for item in release.verdicts),
        fits,
        "; ".join(map(str, release.signed)),
        "; ".join(f"{w.gate}: {w.reason} ({w.approved_by}, until {w.until})" for w in release.waivers),
        "; ".join(
            f"{one.environment} {_stamp(one.since)} {_stamp(one.until)}".strip() for one in release.entered
        ),
        "; ".join(f"{one.environment}: {one.verdict} {one.end}" for one in release.records),
    ]
    return [visible(cell) for cell in texts]


def _why(release: Release) -> str:
    """Return the subjects of the commit that released it and of the commits merged with it."""
    return " / ".join(dict.fromkeys(c.subject for c in (release.change.commit, *release.brought)))


def _authors(release: Release) -> str:
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
        "since": _stamp(release.since),
        "until": _stamp(release.until) or None,
        "environments": list(release.rendered),
        "change": _commit(release.change.commit),
        "merged": [_commit(commit) for commit in release.brought],
        "later": [_change(change) for change in release.later],
        "approvals": list(release.approvals),
        "approvalRoles": list(release.roles),
        "evidence": [{"gate": v.gate, "verdict": v.verdict, "reason": v.reason} for v in release.verdicts],
        "evidenceFits": release.evidence_fits,
        "signatures": [
            {
                "document": one.kind,
                "environment": one.environment or None,
                "by": one.signer,
                "role": one.role,
                "form": one.form,
            }
            for one in release.signed
        ],
        "waivers": [
            {"gate": w.gate, "reason": w.reason, "approvedBy": w.approved_by, "until": w.until}
            for w in release.waivers
        ],
        "promoted": [
            {
                "environment": one.environment,
                "releaseKey": one.key,
                "since": _stamp(one.since),
                "until": _stamp(one.until) or None,
                "how": one.how,
            }
            for one in release.entered
        ],
        "recorded": [
            {
                "environment": one.environment,
                "releaseKey": one.key,
                "verdict": one.verdict,
                "end": one.end,
            }
            for one in release.records
        ],
    }


def _change(change: Change) -> dict[str, str]:
    return {**_commit(change.commit), "at": _stamp(change.since)}


def _commit(commit: Commit) -> dict[str, str]:
    return {
        "commit": commit.sha,
        "at": _stamp(commit.written),
        "author": commit.author,
        "committer": commit.committer,
        "subject": commit.subject,
    }


def _page(releases: Sequence[Release], at: str) -> str:
    """Return the page.

    Args:
        releases: one for each row.
        at: the date of the audit; empty for all of the past.
    """
    title = f"Versions in git on {at}" if at else "Versions in git"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in COLUMNS)
    rows = "\n".join(_row(release) for release in releases)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<div role="region" aria-label="Audit" tabindex="0">
<table>
<caption>From git alone; times are UTC. Git knows what was merged, not how far a rollout got.</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
</body>
</html>
"""


def _row(release: Release) -> str:
    first, *rest = (escape(cell) for cell in _cells(release))
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
