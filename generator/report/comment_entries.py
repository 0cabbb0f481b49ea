"""The entries of a comment: models with their differences and plans, as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence

from generator.gates.document import read_evidence
from generator.gates.gate_status import gate_statuses
from generator.pipeline.session import Session
from generator.plan.model_files import ModelFiles
from generator.report.comment import CommentEntry
from generator.report.diffs.compare import Difference
from generator.report.diffs.revision import Compared
from generator.report.overview import OpenWaiver, Overview, chosen, open_waivers, overview
from generator.report.sections import sections
from generator.spec.platform import PlatformSpec

_FOLDED = 60  # models whose plans are shown; more would not fit
_ROWS = 400  # models that the table can have room for; the others are only counted


def comment_entries(
    session: Session, entries: Sequence[ModelFiles], environment: str | None, compared: Compared | None
) -> list[CommentEntry]:
    """Return the entries of some models, with those of removed models last.

    Args:
        session: the repository; its platform can be read.
        entries: the models.
        environment: the one that is shown; None for the last of the platform's.
        compared: the comparison; None without one.
    """
    differences: dict[str, list[Difference]] = {}
    for difference in compared.found.found if compared else ():
        differences.setdefault(difference.name, []).append(difference)
    out = [
        _entry(session, entry, environment, differences.get(entry.name, ()), folded=index < _FOLDED)
        for index, entry in enumerate(entries[:_ROWS])
    ]
    out += [CommentEntry(Overview(entry.team, entry.model), (), ()) for entry in entries[_ROWS:]]
    here = {entry.name for entry in session.entries}
    gone = [found[0] for name, found in differences.items() if name not in here]
    return [*out, *(CommentEntry(Overview(d.team, d.model, reason="removed"), (), ()) for d in gone)]


def _entry(
    session: Session, entry: ModelFiles, environment: str | None, found: Sequence[Difference], *, folded: bool
) -> CommentEntry:
    resolved = session.resolve(entry)
    error = next((finding for finding in resolved.findings if finding.severity == "error"), None)
    if error or not resolved.plans:
        reason = error.message if error else "it has no plan"
        return CommentEntry(Overview(entry.team, entry.model, reason=reason), tuple(found), ())
    planned, platform = chosen(resolved.plans, environment), session.repository.platform
    judged = (
        gate_statuses(planned.plan, read_evidence(entry.evidence, session.root, entry.name)) if folded else ()
    )
    return CommentEntry(
        overview(session, entry, resolved.plans, environment),
        tuple(found),
        tuple(s for s in sections(planned, judged) if s.key != "values") if folded else (),
        _waivers(platform, session, entry.name) if platform else (),
    )


def _waivers(platform: PlatformSpec, session: Session, name: str) -> tuple[OpenWaiver, ...]:
    """Return the open waivers of a model, and those that have expired and are still in the file."""
    kinds = (open_waivers(platform, session.today, [name], expired=expired) for expired in (True, False))
    return tuple(waiver for found in kinds for waiver in found)
