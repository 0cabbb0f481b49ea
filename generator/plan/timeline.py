"""What happens when, from the sync of a new version until nothing of the old one is left.

Times are seconds since the pods of the new version are ready; behind an approval, since that approval. Rules of the
controller: Argo Rollouts 1.9 and 1.10, docs/features/canary.md, bluegreen.md and analysis.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from generator.plan.looks import catch_up_s, first_look_s, interval_s, watch_looks
from generator.plan.strategy import BlueGreen, Canary, Guard, Shadow, Step
from generator.plan.values import Plan
from generator.spec.units import duration, percent

EventKind = Literal[
    "gates", "shadow", "cohort", "weight", "evidence", "approval", "looks", "promotion",
    "preview", "smoke", "switch", "watch", "scale-down",
]  # fmt: skip

SMOKE_S = 120.0
"""Seconds after which the smoke check of a preview is given up."""
KEEP_S = 60.0
"""Seconds that the old pods stay after a switch that nothing watches."""
OPERATOR = "a person"
"""Whoever may abort the Rollout: Argo CD's policy says who."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens.

    Args:
        kind: what sort of thing.
        text: what happens, in one sentence.
        start_s: seconds since `after`; None before the clock runs.
        end_s: seconds since `after`; None when nobody can know.
        after: the approval that the seconds count from; empty for the start.
        stops: who can stop it: guards by name, and people.
        step: position among the spec's steps; None when it is none of them.
        weight: share of live requests during it, whole percent; None where it does not change.
    """

    kind: EventKind
    text: str
    start_s: float | None
    end_s: float | None
    after: str = ""
    stops: tuple[str, ...] = ()
    step: int | None = None
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """All events in order.

    Args:
        events: what happens.
        planned_s: seconds of all planned waiting, approvals left out.
        approvals: names of the approvals that it waits for, for as long as they take.
    """

    events: tuple[Event, ...]
    planned_s: float
    approvals: tuple[str, ...]


def timeline(plan: Plan) -> Timeline:
    """What happens when, for a version that replaces a running one."""
    clock = _Clock()
    if plan.gates and "cluster" in plan.enforcement:
        clock.events.append(_gates(plan))
    if isinstance(plan.rollout, Canary):
        _canary(plan, plan.rollout, clock)
    else:
        _blue_green(plan, plan.rollout, clock)
    return Timeline(tuple(clock.events), clock.planned_s, tuple(clock.approvals))


def asks_evidence(plan: Plan, guard: Guard) -> bool:
    """Whether this guard of a canary demands enough data before the weight grows."""
    if guard.no_data == "pass":
        return False
    return guard.kind == "fairness" or (guard.ratio is not None and bool(plan.min_rps))


def approver(role: str) -> str:
    """Whom an approval waits for: `manual` names no role."""
    return "a person" if role == "manual" else role


def watches(plan: Plan) -> tuple[Guard, ...]:
    """Guards that are judged after a blue-green switch: absolute limits, for there is no version to compare with."""
    return tuple(
        guard for guard in plan.rollout.guards if guard.kind != "fairness" and guard.limit is not None
    )


@dataclass
class _Clock:
    """Where the story is: seconds since the last approval."""

    now: float = 0.0
    after: str = ""
    planned_s: float = 0.0
    events: list[Event] = field(default_factory=list)
    approvals: list[str] = field(default_factory=list)

    def add(self, kind: EventKind, text: str, lasts_s: float, **more: Any) -> None:
        """Tell an event and let its time pass."""
        end = self.now + lasts_s
        self.events.append(Event(kind, text, self.now, end, self.after, **more))
        self.now = end
        self.planned_s += lasts_s

    def wait(self, role: str, text: str, **more: Any) -> None:
        """Tell an approval; the clock starts again behind it."""
        self.events.append(Event("approval", text, self.now, None, self.after, **more))
        again = self.approvals.count(role)
        self.approvals.append(role)
        self.after = f"approval by {approver(role)}" + (f" ({again + 1})" if again else "")
        self.now = 0.0


def _gates(plan: Plan) -> Event:
    names = ", ".join(gate.name for gate in plan.gates)
    text = f"the gate Workflow judges {names}; only when it succeeds does Argo CD apply the Rollout"
    return Event(
        "gates", text, None, 0.0, stops=tuple(gate.name for gate in plan.gates if gate.waiver is None)
    )


def _canary(plan: Plan, rollout: Canary, clock: _Clock) -> None:
    if rollout.shadow:
        _shadow(rollout.shadow, clock)
    guards = tuple(guard.name for guard in rollout.guards)
    looking = False
    for index, step in enumerate(rollout.steps):
        stops = (*guards, OPERATOR) if looking or step.approve is None else (OPERATOR,)
        if step.approve is None and not looking:
            looking = True
            clock.events.extend(_looks(plan, rollout, clock))
        _step(plan, rollout, clock, index, step, stops)
    text = "the new version takes over: all its pods are started, then all live requests go to it"
    clock.add("promotion", text, 0.0, weight=100)


def _shadow(shadow: Shadow, clock: _Clock) -> None:
    names = tuple(guard.name for guard in shadow.guards)
    judged = f", judged by {', '.join(names)}" if names else ""
    text = (
        f"copies of {percent(shadow.percent)} of live requests go to the new version; its answers are dropped"
    )
    clock.add("shadow", text + judged, shadow.hold_s, stops=(*names, OPERATOR), weight=0)


def _looks(plan: Plan, rollout: Canary, clock: _Clock) -> Iterator[Event]:
    """The background analysis: from the first live request until promotion, approvals included."""
    together: dict[tuple[float, float], list[str]] = {}
    for guard in rollout.guards:
        together.setdefault((first_look_s(plan, guard), interval_s(plan, guard)), []).append(guard.name)
    for (delay, interval), names in sorted(together.items()):
        text = f"from now until promotion a look every {duration(interval)} at {', '.join(names)}"
        yield Event("looks", text, clock.now + delay, None, clock.after, tuple(names))


def _step(plan: Plan, rollout: Canary, clock: _Clock, index: int, step: Step, stops: tuple[str, ...]) -> None:
    if step.approve:
        text = f"waits for {approver(step.approve)}, as long as it takes; the weight stays"
        clock.wait(step.approve, text, stops=stops, step=index)
    elif step.cohort:
        who = f"requests whose header {step.cohort.header} {_MATCH[step.cohort.match]} {step.cohort.value}"
        live = max((before.weight or 0 for before in rollout.steps[:index]), default=0)
        others = f"all go to the new version, beside {live}% of the others" if live else ""
        clock.add(
            "cohort",
            f"{who} {others or 'go to one pod of the new version, and no others do'}",
            step.hold_s,
            stops=stops,
            step=index,
        )
    else:
        text = f"{step.weight}% of live requests go to the new version"
        clock.add("weight", text, step.hold_s, stops=stops, step=index, weight=step.weight)
        _evidence(plan, rollout, clock, index)


_MATCH = {"exact": "is", "prefix": "starts with", "regex": "matches"}


def _evidence(plan: Plan, rollout: Canary, clock: _Clock, index: int) -> None:
    asking = [guard for guard in rollout.guards if asks_evidence(plan, guard)]
    if not asking:
        return
    names = tuple(guard.name for guard in asking)
    strict = any(guard.no_data == "fail" for guard in asking)
    then = "the rollout is aborted" if strict else "a person decides"
    text = f"has the step seen enough for {', '.join(names)}? late data gets {duration(catch_up_s(plan))}, then {then}"
    clock.add("evidence", text, 0.0, stops=names, step=index)


def _blue_green(plan: Plan, rollout: BlueGreen, clock: _Clock) -> None:
    pods = "1 pod" if rollout.preview_replicas == 1 else f"{rollout.preview_replicas} pods"
    clock.add(
        "preview", f"{pods} of the new version behind the preview Service; no live request", 0.0, weight=0
    )
    text = f"a real prediction through the preview Service must succeed within {duration(SMOKE_S)}"
    clock.add("smoke", text, SMOKE_S, stops=("smoke", OPERATOR))
    if rollout.approve != "automatic":
        text = f"waits for {approver(rollout.approve)}, as long as it takes"
        clock.wait(rollout.approve, text, stops=(OPERATOR,))
    text = "all pods of the new version are started, then all live requests go to them at once"
    clock.add("switch", text, 0.0, stops=(OPERATOR,), weight=100)
    names = tuple(guard.name for guard in watches(plan))
    kept = max(30.0, float(round(rollout.watch_s))) if names else KEEP_S
    if names:
        _watch(plan, rollout, clock, names, kept)
    else:
        text = "the old pods stay; only a person can go back to them"
        clock.add("watch", text, kept, stops=(OPERATOR,), weight=100)
    clock.add("scale-down", "the old pods go", 0.0)


def _watch(plan: Plan, rollout: BlueGreen, clock: _Clock, names: tuple[str, ...], kept_s: float) -> None:
    first = first_look_s(plan, watches(plan)[0])
    looks, interval = watch_looks(plan, rollout.watch_s), plan.monitoring.look_s
    last = first + (looks - 1) * interval
    text = (
        f"{', '.join(names)}: {looks} looks, first after {duration(first)}, then every {duration(interval)};"
        " the old pods stay to go back to; whether the new pods stay up is asked at every look, too"
    )
    clock.add("watch", text, max(kept_s, last), stops=(*names, OPERATOR), weight=100)
