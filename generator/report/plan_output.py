"""What `sluice plan` prints, in each of its formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from generator.dataclass import dataclass
from generator.gates.gate_status import GateStatus, gate_statuses
from generator.pipeline.evaluate import PlannedModel, plan_model, read_evidence_of
from generator.pipeline.session import Session
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.report.tables import Screen

if TYPE_CHECKING:
    from generator.report.diffs.revision import Compared
    from generator.report.records import FirstSync
    from generator.spec.signers import SignedBy


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """The plans to show.

    Args:
        session: the repository; its platform can be read.
        entries: the models.
        every: whether these are all models of the repository.
        environment: the only environment; None for all.
        compared: the comparison with a revision; None without one.
        full: whether text shows everything.
        screen: where text is shown.
        heading: the first line of text and Markdown; empty for none.
        first_sync: the effects of a first sync; None if no cluster was queried.
    """

    session: Session
    entries: Sequence[ModelFiles]
    every: bool
    environment: str | None
    compared: Compared | None
    full: bool
    screen: Screen
    heading: str = ""
    first_sync: FirstSync | None = None


@dataclass(frozen=True, slots=True)
class PlanOutput:
    """What is printed.

    Args:
        text: the output.
        complete: whether every model could be planned. Markdown is always complete: the comment on a pull request
            describes what can't be planned, and other steps of the check fail.
    """

    text: str
    complete: bool = True


def plan_output(request: PlanRequest, fmt: str) -> PlanOutput:
    """Return the plans as text, markdown or JSON; all models in one row each, or as a blast radius.

    Raises:
        FindingsError: a named model can't be planned.
    """
    if fmt == "markdown":
        return PlanOutput(_markdown(request))
    found = _output(request, fmt)
    if request.first_sync and fmt == "text":
        from generator.report.first_sync import as_text

        found = replace(found, text=f"{found.text}\n{as_text(request.first_sync, request.screen)}")
    if not request.heading or fmt == "json":
        return found
    return replace(found, text=f"{request.heading}\n\n{found.text}")


def _output(request: PlanRequest, fmt: str) -> PlanOutput:
    if request.every and request.compared:
        return _blast_radius(request.compared, request.screen, fmt)
    if request.every and fmt == "text":
        return _overview(request)
    models = [plan_model(request.session, entry, request.environment) for entry in request.entries]
    return PlanOutput(_json(request, models) if fmt == "json" else _text(request, models))


def _markdown(request: PlanRequest) -> str:
    from generator.report.comment import CommentEntry, comment
    from generator.report.comment_entries import comment_entries
    from generator.report.overview import overviews

    compared, entries = request.compared, request.entries
    if request.every and compared is None:
        rows = overviews(request.session, entries, request.environment)
        return comment([CommentEntry(row, (), ()) for row in rows], None, request.heading, request.first_sync)
    if request.every and compared is not None:
        changed = {difference.name for difference in compared.found.found}
        entries = [entry for entry in entries if entry.name in changed]
    found = comment_entries(request.session, entries, request.environment, compared)
    broken = _broken(request.session, compared) if compared else {}
    return comment(found, compared, request.heading, request.first_sync, broken)


def _broken(session: Session, compared: Compared) -> dict[str, str]:
    """Return why models can't be rendered any more, by name: of those whose inputs differ."""
    from generator.pipeline.evaluate import evaluate_models

    suspects = {entry for entry in session.entries if entry.name in compared.found.suspects}
    evaluations, _ = evaluate_models(session, suspects, "Checking specs")
    found = {
        one.entry.name: f"{finding.code}: {finding.message}"
        for one in evaluations
        for finding in reversed(one.findings)
        if finding.severity == "error"
    }
    return {**_unrendered(compared), **found}


def _unrendered(compared: Compared) -> dict[str, str]:
    """Return the models that a template of the repository makes no valid files of."""
    from generator.report.diffs.compare import NOT_RENDERED

    return {one.name: one.reason for one in compared.found.found if one.reason.startswith(NOT_RENDERED)}


def _blast_radius(compared: Compared, screen: Screen, fmt: str) -> PlanOutput:
    from generator.report.diffs.compare import NOT_PLANNED_NOW, NOT_RENDERED

    broken = (NOT_PLANNED_NOW, NOT_RENDERED)
    complete = not any(difference.reason.startswith(broken) for difference in compared.found.found)
    if fmt == "json":
        from generator.report.diffs.document import document

        return PlanOutput(document(compared.found, compared.against), complete)
    from generator.report.diffs.text import blast_radius

    return PlanOutput(blast_radius(compared.found, compared.label, screen), complete)


def _overview(request: PlanRequest) -> PlanOutput:
    from generator.report.overview import as_table, overviews, unplanned

    rows = overviews(request.session, request.entries, request.environment)
    text = "".join(f"{line}\n" for line in as_table(rows, request.screen.limit))
    return PlanOutput(text, not unplanned(rows))


def _json(request: PlanRequest, models: Sequence[PlannedModel]) -> str:
    from generator.report.records import PLAN
    from generator.report.sections import sections

    plans = []
    for model in models:
        statuses, signed = _statuses(request.session, model.entry), _signed(request.session, model.entry)
        plans += [
            {section.key: section.data for section in sections(planned, statuses(planned), signed(planned))}
            for planned in model.plans
        ]
    document: dict[str, object] = {"schema": PLAN, "plans": plans}
    if request.first_sync:
        document["first_sync"] = request.first_sync
    if request.compared:
        from generator.report.diffs.document import document as diff

        document["diff"] = json.loads(diff(request.compared.found, request.compared.against))
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _text(request: PlanRequest, models: Sequence[PlannedModel]) -> str:
    from generator.report.plan_text import full_plan, short_plan

    parts = []
    if request.compared:
        from generator.report.diffs.text import by_model

        parts.append(by_model(request.compared.found, request.compared.label, request.screen))
    for model in models:
        statuses = _statuses(request.session, model.entry)
        if request.full:
            signed = _signed(request.session, model.entry)
            parts += [full_plan(one, statuses(one), signed(one), request.screen) for one in model.plans]
        else:
            parts.append(short_plan(model, statuses, request.screen))
    return "\n".join(parts)


def _signed(session: Session, entry: ModelFiles) -> Callable[[Planned], Sequence[SignedBy]]:
    from generator.gates.signatures import signers_shown

    return lambda planned: signers_shown(planned, entry, session.root)


def _statuses(session: Session, entry: ModelFiles) -> Callable[[Planned], Sequence[GateStatus]]:
    evidence = cache(lambda: read_evidence_of(entry, session.repository))
    return lambda planned: gate_statuses(planned.plan, evidence()) if planned.plan.gates else ()
