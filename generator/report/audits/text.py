"""Audits for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.history.releases import Release
from generator.report.audits.rows import authors, stamp
from generator.report.tables import Screen, Table


def text(releases: Sequence[Release], screen: Screen) -> str:
    """Return one block for each release; no text from git can control the terminal or look like another line."""
    return "\n".join("".join(f"{line}\n" for line in _lines(release, screen)) for release in releases)


def _lines(release: Release, screen: Screen) -> Iterator[str]:
    yield from screen.title(f"{release.name}  version {release.version}")
    yield from screen.body([Table.of((f"{label:<9}", words) for label, words in _facts(release))])


def _facts(release: Release) -> Iterator[tuple[str, str]]:
    """Yield what git knows of a release, with labels."""
    commit = release.change.commit
    yield "live", _span(release)
    yield "model", f"{release.resolved} ({release.digest})"
    yield "image", release.image or "by tag: the lock held no digest"
    yield "rendered", ", ".join(release.rendered) or "nowhere: no bundle was rendered from this lock"
    yield "why", f"{commit.subject} ({commit.sha[:12]})"
    for merged in release.brought:
        yield "", f"{merged.subject} ({merged.sha[:12]}, {merged.author})"
    yield "written by", authors(release)
    yield "merged by", commit.committer
    yield "approved", "; ".join(release.approvals) or "no commit message names an approver"
    if release.roles:
        yield (
            "needed",
            f"approvals of {', '.join(release.roles)} during the rollout (git does not know who gave them)",
        )
    yield from _evidence(release)
    for waiver in release.waivers:
        yield "waiver", f"{waiver.gate}: {waiver.reason} ({waiver.approved_by}, until {waiver.until})"
    for change in release.later:
        yield "later", f"{stamp(change.since)}  {change.commit.subject} ({change.commit.sha[:12]})"


def _span(release: Release) -> str:
    return f"from {stamp(release.since)} " + (
        f"until {stamp(release.until)}" if release.until else "until now"
    )


def _evidence(release: Release) -> Iterator[tuple[str, str]]:
    if release.evidence_fits is None:
        yield "evidence", "none in git"
        return
    about = "" if release.evidence_fits else "; IT IS ABOUT ANOTHER DIGEST"
    yield "evidence", f"{len(release.verdicts)} gates{about}"
    for item in release.verdicts:
        yield "", f"{item.verdict}  {item.gate}: {item.reason}"
