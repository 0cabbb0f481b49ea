"""The gaps of a plan: what no gate, guard or alert covers."""

from __future__ import annotations

from collections.abc import Iterator

from generator.dataclass import dataclass
from generator.plan.guards import Comparison
from generator.plan.recurring_gates import daily_watch
from generator.plan.values import Plan


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the plan does not cover.

    Args:
        topic: a stable word for programs.
        text: one sentence for people.
    """

    topic: str
    text: str


def gaps(plan: Plan) -> tuple[Gap, ...]:
    """Return the gaps, in the order of time."""
    during = _canary(plan) if plan.rollout.strategy == "canary" else _blue_green(plan)
    return (*_before(plan), *during, *_after(plan))


def _before(plan: Plan) -> Iterator[Gap]:
    if not plan.gates:
        yield Gap("no-gates", "no gate checks the model before it gets traffic")
    for gate in plan.gates:
        if gate.waiver:
            text = f"the gate {gate.name} may fail: waived until {gate.waiver.until} by {gate.waiver.approved_by}"
            yield Gap("waived-gate", text)
    if plan.delivery.requires:
        first = " and ".join(plan.delivery.requires)
        text = f"what governs a release (steps, guards, routes, alerts) does not wait for {first}: it applies at once"
        yield Gap("order", text)
    text = "the first release is never analysed: without a stable version, steps and guards are skipped"
    yield Gap("first-release", text)
    yield Gap("return", "rolling back to the running version skips all steps and analysis")


def _canary(plan: Plan) -> Iterator[Gap]:
    if not plan.guards:
        yield Gap("no-guards", "no guard watches live requests: only a person can abort, however bad it is")
    if not plan.min_rps:
        text = "`traffic.minRps` is not declared, so it is not known whether the holds are long enough"
        yield Gap("no-traffic", text)
    for guard in plan.guards:
        if guard.no_data == "pass":
            yield Gap("no-data", f"{guard.name} passes when there is no data")
        if isinstance(guard, Comparison) and guard.baseline is None:
            yield Gap("no-baseline", f"{guard.name} has no baseline, so its odds can't be computed")
    if plan.rollout.cohort_steps:
        text = "during a cohort step the guards see that cohort only, which may differ from other users"
        yield Gap("cohort", text)
        if plan.routing.router.cohort_gap:
            yield Gap("cohort-route", plan.routing.router.cohort_gap)
    yield from _router(plan)
    if any(isinstance(guard, Comparison) for guard in plan.guards):
        text = (
            "re-releasing a version within the horizon reuses its old evidence: its pods have the same hash"
        )
        yield Gap("same-version", text)
    if plan.rollout.shadow:
        text = "users never see the shadow's answers, so it is not known what they would have done with them"
        yield Gap("shadow", text)


def _router(plan: Plan) -> Iterator[Gap]:
    router = plan.routing.router
    if router.retired:
        yield Gap("retired", f"{router.retired}: move to a Gateway API implementation")
    if not router.splits_requests:
        yield Gap("replicas", _replicas(plan))
    elif not router.sticky:
        yield Gap("not-sticky", "weights are per request: one user may see both versions within a page")


def _replicas(plan: Plan) -> str:
    pods = plan.capacity.min_replicas
    smallest = min(plan.rollout.weights, default=100)
    share = max(1, round(pods * smallest / 100)) / pods
    return (
        f"no router: weights are numbers of pods; with {pods} pods the {smallest}% step gives the new version"
        f" about {round(100 * share)}% of the requests"
    )


def _blue_green(plan: Plan) -> Iterator[Gap]:
    text = (
        "before the switch the new version gets one smoke test and no live requests; then it gets all at once"
    )
    yield Gap("no-live-look", text)
    measured = plan.measured_guards
    for guard in plan.guards:
        if guard not in measured:
            text = f"{guard.name} is not measured: it compares versions, and after a switch there is only one"
            yield Gap("not-judged", text)
    if not measured:
        text = "no guard watches the switch: only a person can switch back, however bad it is"
        yield Gap("no-guards", text)


def _after(plan: Plan) -> Iterator[Gap]:
    last = "promotion" if plan.rollout.stage == "canary" else "the watch"
    if not plan.monitoring.alerts:
        yield Gap("after", f"after {last} nothing here watches the model, since the platform has no `alerts`")
    elif plan.monitoring.retention is None:
        text = "it is not known whether Prometheus keeps data for 31 days, which the 30-day alerts need"
        yield Gap("retention", f"{text}: set `monitoring.retention` in the platform file")
    for guard in plan.guards if plan.monitoring.alerts else ():
        if guard.counts is None and not guard.attributes:
            yield Gap("unwatched", f"after {last} no alert watches {guard.name}")
    if not daily_watch(plan) and any(gate.spec.recurring for gate in plan.gates):
        yield Gap("not-again", f"after {last} drift and fairness are not checked again")
    if any(guard.delay_s for guard in plan.guards):
        yield Gap("late-outcomes", "an outcome long after its prediction may arrive after the verdict")
