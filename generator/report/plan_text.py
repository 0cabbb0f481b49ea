"""A plan for the terminal: on one screen, or whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from generator.gates.gate_status import GateStatus
from generator.odds.key_metrics import key_metrics
from generator.odds.odds import PlanOdds, odds_of
from generator.pipeline.evaluate import PlannedModel
from generator.plan.changes import Change
from generator.plan.describe import short
from generator.plan.names import COHORT_REQUESTS
from generator.plan.peak import peak
from generator.plan.promotion import describe_standing
from generator.plan.release_key import release_key
from generator.plan.resolve import Planned
from generator.plan.timeline import PODS_KEPT, UNLESS_SPLIT, Event, on_abort, timeline
from generator.plan.values import Plan
from generator.report.overview import environment_changes
from generator.report.sections import Section, sections
from generator.report.sections.cost import release_cost
from generator.report.sections.odds import (
    at_most,
    exposed_if_bad,
    guard_remarks,
    past,
    rollback_time,
    split_bound,
    split_gaps,
)
from generator.report.sections.release import pods
from generator.report.sections.story import planned_time
from generator.report.tables import INDENT, Block, Screen, Table, fit
from generator.source.finding import Finding
from generator.source.line import visible
from generator.spec.quantities import change, count_up, money_up, share_down, share_up, time_span

if TYPE_CHECKING:
    from generator.spec.signers import SignedBy

_SHOWN = 3  # findings and differences; more are counted

Statuses = Callable[[Planned], Sequence[GateStatus]]


def full_plan(
    planned: Planned, statuses: Sequence[GateStatus], signed: Sequence[SignedBy], screen: Screen
) -> str:
    """Return everything that is known of one plan."""
    identity = planned.plan.identity
    lines = [*screen.title(f"{identity.team}/{identity.model} in {identity.environment}")]
    for section in sections(planned, statuses, signed):
        lines += ["", *_section(section, screen)]
    return "".join(f"{line}\n" for line in lines)


def _section(section: Section, screen: Screen) -> Iterator[str]:
    yield from screen.title(section.title)
    yield from section.lines(screen.limit, INDENT)


def short_plan(model: PlannedModel, statuses: Statuses, screen: Screen) -> str:
    """Return the last of a model's plans on one screen, and how the others differ from it."""
    *others, planned = model.plans
    found = odds_of(planned.plan)
    parts: list[tuple[str, Iterable[Block]]] = [
        (_headline(planned), _release(planned, others, statuses(planned))),
        (f"Timeline: {planned_time(timeline(planned.plan))}", _timeline(planned.plan)),
        ("Odds", [*_odds(planned.plan, found), *split_gaps(planned.plan)]),
        ("What an abort does", _abort(planned)),
    ]
    lines = [line for title, blocks in parts for line in ("", *screen.title(title), *screen.body(blocks))]
    lines += _findings(model.findings, screen)
    more = f"`sluice plan {model.entry.name} --full` shows everything"
    lines += ["", *fit([more], screen.limit)]
    return "".join(f"{line}\n" for line in lines[1:])


def _headline(planned: Planned) -> str:
    plan = planned.plan
    identity = plan.identity
    return (
        f"{identity.team}/{identity.model} in {identity.environment}: version {plan.version.label},"
        f" {plan.rollout.strategy}, tier {identity.tier}"
    )


def _release(planned: Planned, others: Sequence[Planned], statuses: Sequence[GateStatus]) -> Iterator[Block]:
    plan = planned.plan
    image = short(plan.image.digest) if plan.image.digest else "by tag: the lock has no digest of it"
    rows = [
        ("model", f"{plan.version.resolved} ({short(plan.version.digest)})"),
        ("image", f"{image}; release key {short(release_key(plan))}"),
        *([("promotion", describe_standing(plan))] if describe_standing(plan) else []),
        ("pods", f"{pods(plan.capacity)}; at most {peak(plan).total.pods} at once during the release"),
        ("cost", _cost(planned)),
        ("gates", _gates(statuses)),
    ]
    rows += [(other.plan.identity.environment, _differences(planned, other)) for other in others]
    yield Table.of(rows)


def _cost(planned: Planned) -> str:
    numbers = key_metrics(planned)
    release = release_cost(planned)
    if release is None or numbers.monthly is None:
        return "the platform declares no prices"
    return (
        f"{money_up(numbers.monthly, numbers.currency)} a month; this release adds"
        f" {money_up(release, numbers.currency)}"
    )


def _gates(statuses: Sequence[GateStatus]) -> str:
    """Return the state of every gate, those that need a person first."""
    passed = [status.gate.name for status in statuses if status.state == "pass"]
    out = []
    for status in statuses:
        if status.state != "pass":
            waiver = status.gate.waiver
            held = f", waived {waiver.terms}" if waiver else ""
            out.append(f"{status.gate.name}: {status.state}{held}")
    if passed:
        out.append(f"{', '.join(passed)}: pass")
    return "; ".join(out) or "none"


def _differences(planned: Planned, other: Planned) -> str:
    """Return how the same model is released in another environment."""
    found = environment_changes(planned, other)
    if not found:
        return "the same, in its own namespace and at its own hosts"
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"differs: {'; '.join(map(_difference, found[:_SHOWN]))}{more}"


def _difference(change: Change) -> str:
    return f"{change.label} {change.new or 'none'} instead of {change.old or 'none'}"


def _timeline(plan: Plan) -> Iterator[Block]:
    """Yield each step in one row; what is the same after every step is said once, below."""
    course = timeline(plan)
    steps = [event for event in course.events if event.kind not in {"looks", "evidence"}]
    yield Table.of((_when(event), _event(event)) for event in steps)
    yield from (f"{event.text}{_compared(plan, event)}" for event in course.events if event.kind == "looks")
    short = f"split check, pauses {split_bound(plan)} of good releases"
    checks = [event for event in course.events if event.kind == "evidence"]
    yield from dict.fromkeys(
        f"{_after(check)}: {check.text.replace(UNLESS_SPLIT, short)}" for check in checks
    )


def _after(check: Event) -> str:
    """Return when a check runs: it is the same after every step of a kind."""
    return "after the cohort" if COHORT_REQUESTS in check.stops else "after each step"


def _compared(plan: Plan, event: Event) -> str:
    """Return the only weights at which a guard compares, because of the loads of the pods."""
    guards = [guard.name for guard in plan.guards if guard.name in event.stops and plan.compares_loads(guard)]
    weights = [f"{load.weight}%" for load in plan.step_loads if load.comparable]
    if not guards or not weights or len(weights) == len(plan.step_loads):
        return ""
    return f"; {', '.join(guards)} only at {', '.join(weights)}"


def _when(event: Event) -> str:
    """Return when an event starts; behind an approval, how long after it."""
    if event.start_s is None:
        return "before"
    return f"+{time_span(event.start_s)}" if event.after else time_span(event.start_s)


def _event(event: Event) -> str:
    if event.kind in {"gates", "shadow"}:
        return event.text.partition(";")[0]
    if event.kind == "weight" and event.start_s is not None and event.end_s is not None:
        held = time_span(event.end_s - event.start_s)
        return f"{event.text.partition(';')[0]}, for {held}{_load(event)}"
    return event.text


def _load(event: Event) -> str:
    """Return the load of a canary pod, in units of a stable pod's load."""
    return "" if event.load is None else f"; load {event.load.text}"


def _odds(plan: Plan, found: PlanOdds | None) -> Iterator[Block]:
    if found is None:
        yield "a blue-green has no baseline to compare with: gates and approvals decide"
        return
    if not found.guards and found.planned_requests:
        planned = count_up(found.planned_requests[-1])
        yield f"no guard has odds: a bad version may answer all {planned} requests that the steps send to it"
    if found.guards:
        yield _guards(found)
        yield f"false rollbacks of a good version: {at_most(found)}"
        yield from filter(None, [past(plan)])
    yield from guard_remarks(plan, found)


def _guards(found: PlanOdds) -> Table:
    head = ("guard", "change", "caught", "false rollback", "time to rollback mean / p90", "exposed if bad")
    rows = [
        (
            guard.name,
            change(priced.detect),
            share_down(priced.power),
            share_up(priced.false_rollback),
            rollback_time(priced),
            exposed_if_bad(priced),
        )
        for guard, priced in found.guards
    ]
    return Table.of([head, *rows], drop=(4,))


def _findings(findings: Sequence[Finding], screen: Screen) -> Iterator[str]:
    """Yield the worst findings; information is left to `sluice validate`."""
    found = sorted((f for f in findings if f.severity != "info"), key=lambda f: f.severity)
    if not found:
        return
    yield from ("", *screen.title("Findings"))
    for finding in found[:_SHOWN]:
        text = f"{finding.severity}[{finding.code}] line {finding.place.line}: {visible(finding.message)}"
        yield from screen.body([text], sgr="31" if finding.severity == "error" else "33")
    if len(found) > _SHOWN:
        yield from screen.body([f"and {len(found) - _SHOWN} more"])


def _abort(planned: Planned) -> Iterator[Block]:
    """Yield what happens to requests; what every abort does is in the full plan."""
    for stage in on_abort(planned.plan)[:-1]:
        yield f"{stage.stage}: {'; '.join(effect for effect in stage.effects if effect != PODS_KEPT)}"
    yield "git is unchanged: revert the commit to roll back there, too"
