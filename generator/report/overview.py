"""The key numbers of each model: for the index page, the comment and `plan --all`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from generator.dataclass import dataclass
from generator.gates.gate_status import GateStatus, gate_statuses, last_day, summary
from generator.odds.key_metrics import KeyMetrics, format_figures, key_metrics
from generator.pipeline.parallel import parallel_map
from generator.pipeline.session import Session
from generator.plan.changes import Change, changes
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.report.tables import Table, fit
from generator.source.line import visible
from generator.spec.platform import PlatformSpec


@dataclass(frozen=True, slots=True)
class Overview:
    """One model in one row.

    Args:
        team: the team.
        model: the model.
        environment: the environment of the numbers.
        tier: its tier; empty where the spec can't be planned.
        strategy: canary or blue-green.
        version: version of the model.
        weights: weights of a canary in order, percent; `100` alone for a blue-green.
        figures: its numbers; None where it can't be planned.
        gates: how many gates are in which state, in words.
        state: the worst of the gates: pass, waiting (missing, outdated), fail, or none.
        judged: day on which the last gate ended (ISO 8601); None without evidence.
        waived: gates that are waived and did not pass.
        monthly: cost in all environments, in the currency of the prices; None without prices.
        reason: why it can't be planned; empty otherwise.
    """

    team: str
    model: str
    environment: str = ""
    tier: str = ""
    strategy: str = ""
    version: str = ""
    weights: tuple[int, ...] = ()
    figures: KeyMetrics | None = None
    gates: str = ""
    state: str = "none"
    judged: str | None = None
    waived: tuple[str, ...] = ()
    monthly: float | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """Its name: TEAM/MODEL."""
        return f"{self.team}/{self.model}"


PlanCallback = Callable[[ModelFiles, list[Planned]], None]


def overviews(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str | None,
    on_plans: PlanCallback = lambda _, __: None,
) -> list[Overview]:
    """Return one row for each model, sorted by name; several hundred models are planned on all cores.

    Args:
        session: the repository; its platform can be read.
        entries: the models.
        environment: the one that is shown; None for the last of the platform's.
        on_plans: called with the plans of each model, perhaps in another process.
    """
    session.repository.platform  # noqa: B018 - read once, before there are several processes

    def rows_of(part: Sequence[ModelFiles]) -> list[Overview]:
        return [_one(session, entry, environment, on_plans) for entry in part]

    return sorted(parallel_map(entries, rows_of), key=lambda one: one.name)


def _one(session: Session, entry: ModelFiles, environment: str | None, on_plans: PlanCallback) -> Overview:
    resolved = session.resolve(entry)
    errors = [finding for finding in resolved.findings if finding.severity == "error"]
    if errors or not resolved.plans:
        reason = f"{errors[0].place}: {errors[0].message}" if errors else "it has no plan"
        return Overview(entry.team, entry.model, reason=reason)
    on_plans(entry, resolved.plans)
    return overview(session, entry, resolved.plans, environment)


def overview(
    session: Session, entry: ModelFiles, plans: Sequence[Planned], environment: str | None
) -> Overview:
    """Return the row of one model.

    Args:
        session: the repository.
        entry: the model.
        plans: its plans, in the platform's order.
        environment: the one that is shown; None for the last.
    """
    from generator.gates.document import read_evidence

    planned = chosen(plans, environment)
    plan = planned.plan
    evidence = read_evidence(entry.evidence, session.root, entry.name)
    statuses = gate_statuses(plan, evidence)
    costs = [key_metrics(each).monthly for each in plans]
    return Overview(
        team=entry.team,
        model=entry.model,
        environment=plan.identity.environment,
        tier=plan.identity.tier,
        strategy=plan.rollout.strategy,
        version=plan.version.label,
        weights=plan.rollout.weights if plan.rollout.strategy == "canary" else (100,),
        figures=key_metrics(planned),
        gates=summary(statuses),
        state=_state(statuses),
        judged=last_day(evidence),
        waived=tuple(s.gate.name for s in statuses if s.gate.waiver and s.state != "pass"),
        monthly=None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def chosen(plans: Sequence[Planned], environment: str | None) -> Planned:
    """Return the plan for an environment, or the last one in the platform's order."""
    return next((p for p in plans if p.plan.identity.environment == environment), plans[-1])


_OWN = {
    ("ownership", "namespace"),
    ("route", "hosts"),
    ("delivery", "application"),
    ("delivery", "project"),
    ("delivery", "promoted"),
    ("delivery", "requires"),
    ("delivery", "watch"),
    ("route", "remote"),
    ("release", "secrets"),
}  # what an environment alone decides


def environment_changes(planned: Planned, other: Planned) -> list[Change]:
    """Return how the same model is released in another environment, without what the environment alone decides."""
    return [change for change in changes(planned, other) if (change.topic, change.field) not in _OWN]


def _state(found: Sequence[GateStatus]) -> str:
    states = {status.state for status in found if status.gate.waiver is None}
    if states & {"fail", "unreadable"}:
        return "fail"
    if states - {"pass"}:
        return "waiting"
    return "pass" if found else "none"


@dataclass(frozen=True, slots=True)
class OpenWaiver:
    """A waiver, and the days that it has left: fewer than none when it has expired."""

    model: str
    gate: str
    reason: str
    approved_by: str
    until: str
    days: int


def open_waivers(
    platform: PlatformSpec, today: dt.date, models: Sequence[str], *, expired: bool = False
) -> list[OpenWaiver]:
    """Return the waivers and hot fixes of these models, the next to end first.

    Args:
        platform: the platform.
        today: the day.
        models: `team/model` of each.
        expired: those that have ended, in place of those that have not.
    """
    waived = [(w.model, w.gate, w.reason, w.approved_by, w.until) for w in platform.waivers]
    hot = [(w.model, "hot fix", w.reason, w.approved_by, w.until) for w in platform.hot_fixes]
    found = [
        OpenWaiver(*each, days)
        for each in (*waived, *hot)
        if each[0] in models and ((days := (dt.date.fromisoformat(each[-1]) - today).days) < 0) == expired
    ]
    return sorted(found, key=lambda w: (w.days, w.model, w.gate))


def unplanned(rows: Sequence[Overview]) -> list[str]:
    """Return a sentence for each model that can't be planned."""
    return [f"{row.name} can't be planned: {row.reason}" for row in rows if row.figures is None]


def as_table(rows: Sequence[Overview], limit: int | None = None) -> list[str]:
    """Return all models as lines of text; a narrow screen loses the tier, the strategy and the version."""
    head = ("model", "version", "tier", "strategy", "power", "exposed if bad", "planned", "gates")
    cells: list[tuple[str, ...]] = [head]
    for row in rows:
        if row.figures is None:
            continue
        numbers = format_figures(row.figures)
        shown = (numbers["power"], numbers["requests exposed if bad"], numbers["planned time"])
        cells.append((row.name, row.version, row.tier, row.strategy, *shown, row.gates))
    table = [Table.of(cells, drop=(3, 2, 1))] if len(cells) > 1 else []
    return list(fit([*table, *map(visible, unplanned(rows))], limit))
