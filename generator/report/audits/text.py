"""Audits for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.history.releases import Release
from generator.report.audits.rows import authors, stamp
from generator.report.formats.characters import visible


def text(releases: Sequence[Release]) -> str:
    """One block a release; what git holds can't steer the terminal, nor look like a line of ours."""
    return "\n".join("".join(f"{visible(line)}\n" for line in _lines(release)) for release in releases)


def _lines(release: Release) -> Iterator[str]:
    commit = release.change.commit
    yield f"{release.name}  version {release.version}"
    yield f"  live       {_span(release)}"
    yield f"  model      {release.resolved} ({release.digest})"
    yield f"  image      {release.image or 'by tag: the lock held no digest'}"
    yield f"  rendered   {', '.join(release.rendered) or 'nowhere: no bundle was rendered from this lock'}"
    yield f"  why        {commit.subject} ({commit.sha[:12]})"
    for merged in release.brought:
        yield f"             {merged.subject} ({merged.sha[:12]}, {merged.author})"
    yield f"  written by {authors(release)}"
    yield f"  merged by  {commit.committer}"
    yield f"  approved   {'; '.join(release.approvals) or 'no message says by whom'}"
    if release.roles:
        yield f"  approvals asked for during the rollout: {', '.join(release.roles)} (git does not know who gave them)"
    yield from _evidence(release)
    for waiver in release.waivers:
        yield f"  waiver     {waiver.gate}: {waiver.reason} ({waiver.approved_by}, until {waiver.until})"
    for change in release.later:
        yield f"  later      {stamp(change.since)}  {change.commit.subject} ({change.commit.sha[:12]})"


def _span(release: Release) -> str:
    return f"from {stamp(release.since)} " + (
        f"until {stamp(release.until)}" if release.until else "until now"
    )


def _evidence(release: Release) -> Iterator[str]:
    if release.evidence_fits is None:
        yield "  evidence   none in git"
        return
    about = "" if release.evidence_fits else "; IT IS ABOUT ANOTHER DIGEST"
    yield f"  evidence   {len(release.verdicts)} gates{about}"
    for item in release.verdicts:
        yield f"    {item.verdict:<13}{item.gate}: {item.reason}"
