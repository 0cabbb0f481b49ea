"""What nothing in a plan watches: what reviewers and auditors ask for first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.plan.guards import Comparison
from generator.plan.recurring_gates import RECURRING, daily_watch
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
    """What is not covered, in the order of time."""
    return (*_before(plan), *_during(plan), *_after(plan))


def _before(plan: Plan) -> Iterator[Gap]:
    if not plan.gates:
        yield Gap("no-gates", "no gate judges the model before it gets traffic")
    for gate in plan.gates:
        if gate.waiver:
            text = f"the gate {gate.name} may fail: waived until {gate.waiver.until} by {gate.waiver.approved_by}"
            yield Gap("waived-gate", text)
    if plan.delivery.requires:
        first = " and ".join(plan.delivery.requires)
        text = f"nothing waits for {first}: one lock serves all environments, and Argo CD syncs them side by side"
        yield Gap("order", text)
    text = (
        "the first release is never analysed: with no stable version beside it, steps and guards are skipped"
    )
    yield Gap("first-release", text)
    yield Gap("return", "going back to the version that serves takes no steps and no analysis")


def _during(plan: Plan) -> Iterator[Gap]:
    if plan.rollout.strategy == "canary":
        yield from _canary(plan)
    else:
        yield from _blue_green(plan)


def _canary(plan: Plan) -> Iterator[Gap]:
    if not plan.guards:
        yield Gap(
            "no-guards", "no guard watches the live requests: nothing but a person aborts, however bad it is"
        )
    if not plan.min_rps:
        text = (
            "`traffic.minRps` is not declared: nobody knows whether the holds are long enough to see anything"
        )
        yield Gap("no-traffic", text)
    for guard in plan.guards:
        if guard.no_data == "pass":
            yield Gap("no-data", f"{guard.name} passes when there is no data")
        if isinstance(guard, Comparison) and guard.baseline is None:
            yield Gap("no-baseline", f"{guard.name} has no baseline: its odds can't be computed")
    if plan.rollout.cohort_steps:
        yield Gap(
            "cohort",
            "during a cohort step the guards see that cohort only; it may differ from everybody else",
        )
    yield from _router(plan)
    if any(isinstance(guard, Comparison) for guard in plan.guards):
        text = (
            "a version released again soon keeps the evidence of its first time: its pods have the same hash"
        )
        yield Gap("same-version", text)
    if plan.rollout.shadow:
        text = (
            "the shadow's answers reach nobody, so nothing is known of what users would have done with them"
        )
        yield Gap("shadow", text)


def _router(plan: Plan) -> Iterator[Gap]:
    router = plan.routing.router
    if not router.splits_requests:
        yield Gap("replicas", _replicas(plan))
    elif not router.sticky:
        yield Gap("not-sticky", "weights are per request: one user may see both versions within a page")


def _replicas(plan: Plan) -> str:
    pods = plan.capacity.min_replicas
    smallest = min(plan.rollout.weights, default=100)
    share = max(1, round(pods * smallest / 100)) / pods
    return (
        f"no router: weights are numbers of pods; with {pods} pods the step of {smallest}% gives the new version"
        f" about {round(100 * share)}% of the requests"
    )


def _blue_green(plan: Plan) -> Iterator[Gap]:
    text = (
        "before the switch the new version sees one smoke request and no live one; then it gets all at once"
    )
    yield Gap("no-live-look", text)
    measured = plan.measured_guards
    for guard in plan.guards:
        if guard not in measured:
            text = f"{guard.name} is not judged: it compares versions, and after a switch there is only one"
            yield Gap("not-judged", text)
    if not measured:
        yield Gap(
            "no-guards", "no guard watches the switch: nothing but a person goes back, however bad it is"
        )


def _after(plan: Plan) -> Iterator[Gap]:
    last = "promotion" if plan.rollout.stage == "canary" else "the watch"
    if not plan.monitoring.alerts:
        yield Gap("after", f"after {last} nothing here watches the model: alerts of your own have to")
    if not daily_watch(plan) and any(gate.kind in RECURRING for gate in plan.gates):
        yield Gap("not-again", f"after {last} drift and fairness are not judged again")
    if any(guard.delay_s for guard in plan.guards):
        yield Gap(
            "late-outcomes", "an outcome that comes long after its prediction may come after the verdict"
        )
