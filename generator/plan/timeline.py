"""The timeline of a release, from the sync of a new version until the old one is removed, and what an abort does.

Times are seconds since the pods of the new version are ready; after an approval, since that approval. Rules of the
controller: Argo Rollouts 1.9 and 1.10, docs/features/canary.md, bluegreen.md and analysis.md; for aborts
rollout/trafficrouting.go, canary.go, service.go and replicaset.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Literal, TypedDict, Unpack, assert_never

from generator.dataclass import dataclass
from generator.plan.load import StepLoad
from generator.plan.names import COHORT_REQUESTS, SPLIT
from generator.plan.split import split_check
from generator.plan.values import Plan
from generator.spec.quantities import time_span
from generator.spec.rollout import ApproveStep, BlueGreen, Canary, CohortStep, Shadow, Step, WeightStep
from generator.spec.units import percent

EventKind = Literal[
    "gates", "shadow", "cohort", "weight", "evidence", "approval", "looks", "promotion",
    "preview", "smoke", "switch", "watch", "scale-down",
]  # fmt: skip

SMOKE_S = 120.0
"""Time limit of the smoke test of a preview, in seconds."""
KEEP_S = 60.0
"""Seconds that the old pods stay after a switch without guards."""
LEAST_KEPT_S = 30.0
"""Smallest number of seconds that the old pods stay after a switch with guards."""
KEEP_ABORTED_S = 60
"""Seconds that the pods of an aborted version stay (rendered `abortScaleDownDelaySeconds`)."""
UNLESS_SPLIT = "pauses for a person unless the new version got its share of the requests"
OPERATOR = "a person"
"""A person who may abort the Rollout by Argo CD's RBAC policy."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Args:
        kind: kind of the event.
        text: what happens, in one sentence.
        start_s: seconds since `after`; None before the clock starts.
        end_s: seconds since `after`; None when it depends on a person.
        after: the approval that the seconds are counted from; empty for the start.
        stops: names of the guards that can stop it, and people.
        step: position of the step in the spec; None when it is not a step.
        weight: share of live requests from now on, whole percent; None when it does not change.
        load: load of a canary pod over that of a stable pod; None when no requests are split.
        role: role that approves; empty when it is not an approval.
    """

    kind: EventKind
    text: str
    start_s: float | None
    end_s: float | None
    after: str = ""
    stops: tuple[str, ...] = ()
    step: int | None = None
    weight: int | None = None
    load: StepLoad | None = None
    role: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All events in order.

    Args:
        events: the events.
        planned_s: seconds of all planned waiting, without approvals.
        approvals: roles that it waits for.
    """

    events: tuple[Event, ...]
    planned_s: float
    approvals: tuple[str, ...]


def timeline(plan: Plan) -> Timeline:
    """Return the timeline of a version that replaces a running one."""
    clock = _Clock()
    if plan.gates and "cluster" in plan.enforcement:
        clock.events.append(_gates(plan))
    match plan.rollout:
        case Canary():
            _canary(plan, plan.rollout, clock)
        case BlueGreen():
            _blue_green(plan, plan.rollout, clock)
        case _:
            assert_never(plan.rollout)
    return Timeline(tuple(clock.events), clock.planned_s, tuple(clock.approvals))


def approver(role: str) -> str:
    """Return who an approval waits for: `manual` names no role."""
    return "a person" if role == "manual" else role


class _More(TypedDict, total=False):
    stops: tuple[str, ...]
    step: int | None
    weight: int | None
    load: StepLoad | None


@dataclass
class _Clock:
    """The state of a walk through the steps; `now` is in seconds since the last approval."""

    now: float = 0.0
    after: str = ""
    planned_s: float = 0.0
    events: list[Event] = field(default_factory=list)
    approvals: list[str] = field(default_factory=list)

    def add(self, kind: EventKind, text: str, lasts_s: float, **more: Unpack[_More]) -> None:
        """Add an event and let its time pass."""
        end = self.now + lasts_s
        self.events.append(Event(kind, text, self.now, end, self.after, **more))
        self.now = end
        self.planned_s += lasts_s

    def wait(self, role: str, text: str, **more: Unpack[_More]) -> None:
        """Add an approval and start the clock again after it."""
        self.events.append(Event("approval", text, self.now, None, self.after, role=role, **more))
        before = self.approvals.count(role)
        self.approvals.append(role)
        self.after = f"approval by {approver(role)}" + (f" ({before + 1})" if before else "")
        self.now = 0.0


def _gates(plan: Plan) -> Event:
    names = ", ".join(gate.name for gate in plan.gates)
    text = f"the gate Workflow runs {names}; Argo CD applies the Rollout only when it succeeds"
    return Event(
        "gates", text, None, 0.0, stops=tuple(gate.name for gate in plan.gates if gate.waiver is None)
    )


def _canary(plan: Plan, rollout: Canary, clock: _Clock) -> None:
    if rollout.shadow:
        _shadow(plan, rollout.shadow, clock)
    guards = tuple(guard.name for guard in plan.guards)
    measuring = False
    for index, step in enumerate(rollout.steps):
        approval = isinstance(step, ApproveStep)
        if not approval and not measuring:
            measuring = True
            clock.events.extend(_background(plan, clock))
        stops = (*guards, OPERATOR) if measuring else (OPERATOR,)
        _step(plan, clock, index, step, stops)
    text = "the new version takes over: all its pods are started, then all live requests go to it"
    clock.add("promotion", text, 0.0, weight=100)


def _shadow(plan: Plan, shadow: Shadow, clock: _Clock) -> None:
    names = tuple(guard.name for guard in plan.shadow_guards)
    guarded = f", guarded by {', '.join(names)}" if names else ""
    text = f"copies of {percent(shadow.percent)} of live requests go to the new version; its answers are discarded"
    if split_check(plan, None):
        guarded += "; pauses for a person unless that share was copied"
    clock.add("shadow", text + guarded, shadow.hold, stops=(*names, OPERATOR), weight=0)


def _background(plan: Plan, clock: _Clock) -> Iterator[Event]:
    """Yield the background analysis: it runs from the first live request until promotion."""
    alike: dict[tuple[float, float], list[str]] = {}
    for guard in plan.measured_guards:
        alike.setdefault((guard.first_s(plan.clock), guard.interval_s(plan.clock)), []).append(guard.name)
    for (delay, interval), names in sorted(alike.items()):
        text = f"background analysis of {', '.join(names)} every {time_span(interval)} until promotion"
        yield Event("looks", text, clock.now + delay, None, clock.after, tuple(names))


def _step(plan: Plan, clock: _Clock, index: int, step: Step, stops: tuple[str, ...]) -> None:
    match step:
        case ApproveStep():
            text = f"waits for {approver(step.approve)}, as long as it takes; the weight stays"
            clock.wait(step.approve, text, stops=stops, step=index)
        case CohortStep():
            clock.add("cohort", _cohort(plan, index, step), step.hold, stops=stops, step=index)
            clock.add("evidence", _cohort_evidence(plan, step), 0.0, stops=(COHORT_REQUESTS,), step=index)
        case WeightStep():
            load = _load(plan, step.weight)
            text = f"{step.weight}% of live requests go to the new version{_load_text(plan, load)}"
            clock.add("weight", text, step.hold, stops=stops, step=index, weight=step.weight, load=load)
            _evidence(plan, clock, index)
        case _:
            assert_never(step)


def _load(plan: Plan, weight: int) -> StepLoad | None:
    """Return the load of each pod of the canary; None where it has no meaning."""
    return plan.step_load(weight) if plan.step_loads and weight < _ALL else None


def _load_text(plan: Plan, load: StepLoad | None) -> str:
    """Describe the load, and name the guards that compare nothing because of it."""
    if load is None:
        return ""
    text = f"; its pods have {load.text} times a stable pod's load"
    skipped = [guard.name for guard in plan.guards if not plan.takes_evidence(guard, load.weight)]
    verb = "compares" if len(skipped) == 1 else "compare"
    return f"{text}: {', '.join(skipped)} {verb} nothing" if skipped else text


_ALL = 100


def _cohort(plan: Plan, index: int, step: CohortStep) -> str:
    cohort = step.cohort
    requests = f"requests whose header {cohort.header} {_MATCH[cohort.match]} {cohort.value}"
    live = plan.weight_before(index)
    part_s = plan.rewritten_s(step.hold)
    again = f"; their route is written again every {time_span(part_s)}" if part_s < step.hold else ""
    if live:
        return f"{requests} all go to the new version, in addition to {live}% of the others{again}"
    return f"{requests} go to one pod of the new version; no other requests do{again}"


_MATCH = {"exact": "is", "prefix": "starts with", "regex": "matches"}


def _cohort_evidence(plan: Plan, step: CohortStep) -> str:
    fewest = f"{step.requests:,} requests" if step.requests > 1 else "a request"
    then = "aborts" if plan.rollout.no_data == "fail" else "pauses for a person"
    late = f"waits up to {time_span(plan.clock.catch_up_s)} for late data"
    return f"evidence check: without {fewest} of the cohort it {late}, then {then}"


def _evidence(plan: Plan, clock: _Clock, index: int) -> None:
    asking, parts = plan.evidence_guards, []
    names = tuple(guard.name for guard in asking)
    if asking:
        strict = any(guard.no_data == "fail" for guard in asking)
        then = "then aborts" if strict else "then pauses for a person"
        late = f"waits up to {time_span(plan.clock.catch_up_s)} for late data"
        parts.append(f"evidence check for {', '.join(names)}: {late}, {then}")
    if split_check(plan, index):
        names = (*names, SPLIT)
        parts.append(UNLESS_SPLIT)
    if parts:
        clock.add("evidence", "; ".join(parts), 0.0, stops=names, step=index)


def _blue_green(plan: Plan, rollout: BlueGreen, clock: _Clock) -> None:
    replicas = rollout.preview.replicas
    pods = "1 pod" if replicas == 1 else f"{replicas} pods"
    clock.add(
        "preview", f"{pods} of the new version behind the preview Service; no live requests", 0.0, weight=0
    )
    text = f"smoke test: a prediction through the preview Service must succeed within {time_span(SMOKE_S)}"
    clock.add("smoke", text, SMOKE_S, stops=("smoke", OPERATOR))
    for role in rollout.approvals:
        clock.wait(role, f"waits for {approver(role)}, as long as it takes", stops=(OPERATOR,))
    text = "all pods of the new version are started, then all live requests go to them at once"
    clock.add("switch", text, 0.0, stops=(OPERATOR,), weight=100)
    if plan.measured_guards:
        _watch(plan, rollout, clock)
    else:
        text = "the old pods stay; only a person can switch back to them"
        clock.add("watch", text, KEEP_S, stops=(OPERATOR,), weight=100)
    clock.add("scale-down", "the old pods are removed", 0.0)


def kept_s(plan: Plan, rollout: BlueGreen) -> float:
    """Return the seconds that the old pods stay after the switch (`scaleDownDelaySeconds`)."""
    return max(LEAST_KEPT_S, float(round(rollout.watch))) if plan.measured_guards else KEEP_S


def _watch(plan: Plan, rollout: BlueGreen, clock: _Clock) -> None:
    names = tuple(guard.name for guard in plan.measured_guards)
    first = plan.measured_guards[0].first_s(plan.clock)
    count, interval = plan.clock.watch_measurements(rollout.watch), plan.clock.interval_s
    last = first + (count - 1) * interval
    text = (
        f"{', '.join(names)}: {count} measurements, the first after {time_span(first)}, then every"
        f" {time_span(interval)}; each also checks that the new pods are up; the old pods stay, to switch back to"
    )
    clock.add("watch", text, max(kept_s(plan, rollout), last), stops=(*names, OPERATOR), weight=100)


@dataclass(frozen=True, slots=True)
class Abort:
    """The effects of an abort at one stage.

    Args:
        stage: stage of the release.
        effects: what happens, one sentence each.
    """

    stage: str
    effects: tuple[str, ...]


PODS_KEPT = f"the new version's pods stay for {KEEP_ABORTED_S}s, for their logs, then they are removed"
_ALWAYS = Abort(
    "in every case",
    (
        "the Rollout is Degraded (RolloutAborted) and running analyses end",
        "git is unchanged, so Argo CD shows Synced and Degraded; any later change of the pods tries the version again",
        "to roll back in git, revert the commit: the stable version comes back at once, without analysis",
        "`retry` tries the same version again, from the first step",
    ),
)
_TRAP = (
    "caution: if the new pods crash, or a person has paused the Rollout, the controller may not switch back;"
    " alert on the service itself"
)


def on_abort(plan: Plan) -> tuple[Abort, ...]:
    """Return what an abort does to live requests, to pods and to git, by stage."""
    if plan.rollout.strategy == "blue-green":
        return (*_SWITCHED, _ALWAYS)
    router = plan.routing.router
    headers = ("the header route of the cohort is removed",) if plan.rollout.cohort_steps else ()
    kept = (PODS_KEPT,) if router.splits_requests else ()
    live = Abort("while it has live requests", (*router.abort, *headers, *kept))
    return (_SHADOWED, live, _ALWAYS) if plan.rollout.shadow else (live, _ALWAYS)


_SHADOWED = Abort(
    "while it is shadowed",
    (
        "live requests were never touched",
        "requests are still copied: the mirror is part of the bundle, and only a commit removes it",
    ),
)
_SWITCHED = (
    Abort(
        "before the switch",
        (
            "live requests were never touched: the active Service does not move",
            f"the preview pods stay for {KEEP_ABORTED_S}s, then they are removed",
        ),
    ),
    Abort(
        "after the switch",
        (
            "while the old pods are kept, the active Service is pointed at them again, at once",
            _TRAP,
            PODS_KEPT,
        ),
    ),
)
