"""The models that a comment tells of, planned as far as there can be room for them."""

from __future__ import annotations

from collections.abc import Sequence

from generator.gates.document import read_evidence
from generator.gates.gate_status import gate_statuses
from generator.pipeline.session import Session
from generator.plan.model_files import ModelFiles
from generator.report.comment import Told
from generator.report.compared.asked import Compared
from generator.report.compared.compare import Difference
from generator.report.overview import Overview, chosen, open_waivers, overview
from generator.report.sections import sections

_FOLDED = 60
"""Models whose plans are told; more would not fit."""
_ROWS = 400
"""Models that the table could have room for; the others are counted, and not planned."""


def told_models(
    session: Session, entries: Sequence[ModelFiles], environment: str | None, compared: Compared | None
) -> list[Told]:
    """Models with their differences, those that are gone last.

    Args:
        session: the repository; its platform can be read.
        entries: the models.
        environment: the one to tell of; None for the last of the platform's.
        compared: with what; None for nothing.
    """
    differences: dict[str, list[Difference]] = {}
    for difference in compared.found.found if compared else ():
        differences.setdefault(difference.name, []).append(difference)
    out = [
        _told(session, entry, environment, differences.get(entry.name, ()), folded=index < _FOLDED)
        for index, entry in enumerate(entries[:_ROWS])
    ]
    out += [Told(Overview(entry.team, entry.model), (), ()) for entry in entries[_ROWS:]]
    here = {entry.name for entry in session.entries}
    gone = [found[0] for name, found in differences.items() if name not in here]
    return [*out, *(Told(Overview(d.team, d.model, reason="it is gone"), (), ()) for d in gone)]


def _told(
    session: Session, entry: ModelFiles, environment: str | None, found: Sequence[Difference], *, folded: bool
) -> Told:
    resolved = session.resolve(entry)
    error = next((finding for finding in resolved.findings if finding.severity == "error"), None)
    if error or not resolved.plans:
        reason = error.message if error else "there is no plan"
        return Told(Overview(entry.team, entry.model, reason=reason), tuple(found), ())
    planned, platform = chosen(resolved.plans, environment), session.repository.platform
    judged = (
        gate_statuses(planned.plan, read_evidence(entry.evidence, session.root, entry.name)) if folded else ()
    )
    return Told(
        overview(session, entry, resolved.plans, environment),
        tuple(found),
        tuple(s for s in sections(planned, judged) if s.key != "values") if folded else (),
        tuple(open_waivers(platform, session.today, [entry.name]) if platform else ()),
    )
