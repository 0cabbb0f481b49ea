"""The Rollout, the only object that moves traffic and the last of its bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from generator.plan.guards import Comparison
from generator.plan.names import ROLLOUT_FILE, Names
from generator.plan.release_key import RELEASE_KEY, release_key
from generator.plan.split import split_check
from generator.plan.timeline import kept_s
from generator.plan.values import Plan
from generator.render.filters import go_duration
from generator.render.identity import BLUE_GREEN
from generator.render.metrics import evidence_metrics, live_metrics
from generator.render.output import Output
from generator.render.outputs.analysis import SHADOW_EVIDENCE, SHADOW_WATCH, used_arguments
from generator.render.outputs.pods import pod
from generator.spec.rollout import ApproveStep, Canary, CohortStep, WeightStep

_HEADER_ROUTE = "cohort"
_HASHES = {"canary-hash": "Latest", "stable-hash": "Stable"}


def rollout(plan: Plan, bundle_hash: str, odds: Mapping[str, str], *, held: bool = False) -> Output:
    """Return the Rollout of a bundle.

    Args:
        plan: the plan.
        bundle_hash: digest (hex) of all other files of the bundle.
        odds: annotations with the odds of the plan.
        held: whether another pod template, which is in git, takes the place of the plan's.
    """
    context = {
        **pod(plan, plan.identity.model),
        "bundle_hash": bundle_hash,
        "held": held,
        "annotations": _annotations(plan, odds),
    }
    if isinstance(plan.rollout, Canary):
        return Output(ROLLOUT_FILE, plan.routing.router.rollout, {**context, **_canary(plan, plan.rollout)})
    scale_down_s = round(kept_s(plan, plan.rollout))
    blue_green = {"watched": bool(plan.measured_guards), "scale_down_s": scale_down_s}
    return Output(ROLLOUT_FILE, BLUE_GREEN, {**context, **blue_green})


def _annotations(plan: Plan, odds: Mapping[str, str]) -> dict[str, str]:
    waived = {gate.name: gate.waiver for gate in plan.gates if gate.waiver}
    waivers = {
        f"sluice.dev/waiver.{name}": f"{waiver.reason} ({waiver.approved_by}, until {waiver.until})"
        for name, waiver in waived.items()
    }
    return {
        "sluice.dev/gate-key": plan.gate_key,
        "sluice.dev/owner": plan.identity.owner,
        RELEASE_KEY: plan.keeps or release_key(plan),
        **dict(plan.notices),
        **waivers,
        **odds,
    }


def _canary(plan: Plan, rollout: Canary) -> dict[str, object]:
    steps = list(_steps(plan, rollout))
    first = next((i for i, step in enumerate(steps) if step.get("setWeight", 0)), len(steps))
    first = min(first, next((i for i, step in enumerate(steps) if "setHeaderRoute" in step), first))
    return {
        "steps": steps,
        "starting_step": first,
        "background": bool(plan.guards),
        "arguments": _arguments(_background(plan)),
        "managed_routes": [_HEADER_ROUTE] if rollout.cohort_steps else [],
        "splits_requests": plan.routing.router.splits_requests,
    }


def _background(plan: Plan) -> Iterable[str]:
    """Return the arguments that the background template declares: a comparison has both, a bound only its own."""
    if any(isinstance(guard, Comparison) for guard in plan.measured_guards):
        return _HASHES
    return used_arguments(live_metrics(plan), tuple(_HASHES))


def _steps(plan: Plan, rollout: Canary) -> Iterator[dict[str, object]]:
    """Yield the controller's steps, which have exactly one key each."""
    names = Names.of(plan)
    if rollout.shadow:
        yield {"setWeight": 0}
        if plan.shadow_guards:
            yield _analysis(f"{names.model}-{SHADOW_WATCH}", ())
        else:
            yield {"pause": {"duration": go_duration(rollout.shadow.hold)}}
        if plan.shadow_guards or split_check(plan, None):
            yield _analysis(f"{names.model}-{SHADOW_EVIDENCE}", ())
    scaled = live = False
    for index, step in enumerate(rollout.steps):
        match step:
            case ApproveStep():
                yield {"pause": {}}
            case CohortStep():
                # One pod is enough before the first weight; later it would have to serve the weight too.
                if not live and not scaled:
                    yield {"setCanaryScale": {"replicas": 1}}
                    scaled = True
                yield from _cohort(plan, step, index)
            case WeightStep():
                scale = plan.step_load(step.weight).scale
                yield from _scale(step.weight, scale, scaled=scaled)
                scaled, live = scale != step.weight, True
                yield {"setWeight": step.weight}
                yield {"pause": {"duration": go_duration(step.hold)}}
                if plan.evidence_guards or split_check(plan, index):
                    yield _analysis(names.evidence(index), _HASHES)


def _scale(weight: int, scale: int, *, scaled: bool) -> Iterator[dict[str, object]]:
    """Yield the step that sets the size of the canary, where it is not the weight or was not before."""
    if scale != weight:
        yield {"setCanaryScale": {"weight": scale}}
    elif scaled:
        yield {"setCanaryScale": {"matchTrafficWeight": True}}


def _cohort(plan: Plan, step: CohortStep, index: int) -> Iterator[dict[str, object]]:
    """Yield the route of the cohort and a part of the hold, repeated; the evidence; and the removal of the route."""
    cohort = step.cohort
    match = {"headerName": cohort.header, "headerValue": {cohort.match: cohort.value}}
    part_s = plan.rewritten_s(step.hold)
    for _ in range(round(step.hold / part_s)):
        yield {"setHeaderRoute": {"name": _HEADER_ROUTE, "match": [match]}}
        yield {"pause": {"duration": go_duration(part_s)}}
    used = used_arguments(evidence_metrics(plan, index), tuple(_HASHES))
    yield _analysis(Names.of(plan).evidence(index), used)
    yield {"setHeaderRoute": {"name": _HEADER_ROUTE}}


def _analysis(template: str, arguments: Iterable[str]) -> dict[str, object]:
    body: dict[str, object] = {"templates": [{"templateName": template}]}
    args = _arguments(arguments)
    if args:
        body["args"] = args
    return {"analysis": body}


def _arguments(names: Iterable[str]) -> list[dict[str, object]]:
    return [{"name": name, "valueFrom": {"podTemplateHashValue": _HASHES[name]}} for name in names]
