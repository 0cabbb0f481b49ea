"""What a plan says and a Spinnaker pipeline with Kayenta cannot: refused where the release would be less safe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Code, declare
from generator.plan.guards import Comparison, Guard, Parity
from generator.plan.resolve import Planned
from generator.rules.context import GUARDS, ROLLOUT, SHADOW, STEPS
from generator.source.document import Path
from generator.source.finding import Finding

UNSAID: Final = {
    entry.code: entry
    for entry in (
        Code(
            "SPIN101", "error", "a blue-green release as a canary pipeline",
            "Kayenta compares two versions under the same traffic; before a switch one of them has none.",
            "Use `strategy: canary`, or release this model with Argo Rollouts.",
        ),
        Code(
            "SPIN102", "error", "a shadow in a pipeline",
            "No stage of Spinnaker mirrors requests and takes the mirror away again.",
            "Remove `shadow`, or release this model with Argo Rollouts.",
        ),
        Code(
            "SPIN103", "error", "a cohort in a pipeline",
            "A header route is added and removed by the Rollouts controller; no stage does that.",
            "Remove the cohort step, or release this model with Argo Rollouts.",
        ),
        Code(
            "SPIN104", "error", "an absolute limit as a Kayenta metric",
            "Kayenta's judge only compares with the control; a canary as bad as its control would pass any limit.",
            "Write `detect` instead of `limit`, and let an alert hold the limit.",
        ),
        Code(
            "SPIN105", "error", "fairness as a Kayenta metric",
            "The verdict needs groups compared within one version; the judge compares one number between two.",
            "Judge fairness by a gate, or release this model with Argo Rollouts.",
        ),
        Code(
            "SPIN106", "error", "a router that a pipeline cannot steer",
            "Weights are written into the route by the pipeline; this router has none, or another controller's.",
            "Use gateway-api or istio.",
        ),
        Code(
            "SPIN107", "error", "a canary that nothing judges",
            "Kayenta needs a metric, and a pipeline without one would only wait.",
            "Add a guard with `detect`.",
        ),
        Code(
            "SPIN201", "warning", "the sequential test becomes Kayenta's",
            "Kayenta compares samples by Mann-Whitney at a fixed confidence: the plan's bound on false rollbacks and "
            "its power do not hold, and looking often makes false alarms more likely.",
            "Take the odds of `sluice plan` as those of Argo Rollouts, not of this pipeline.",
        ),
        Code(
            "SPIN202", "warning", "the evidence step is lost",
            "Before each widening the plan asks whether the step saw the requests it was planned to see; Kayenta only "
            "asks whether there was any data.",
            "Look at the traffic before a judgement by hand.",
        ),
        Code(
            "SPIN203", "warning", "missing data cannot wait for a person",
            "Kayenta knows data that must be there, and data that need not; the plan's third way, to pause, becomes "
            "the first.",
            "Write `noData: fail` to say what happens.",
        ),
        Code(
            "SPIN204", "warning", "late outcomes are judged early",
            "The plan masks the time in which outcomes of the weight before still arrive; Kayenta waits at the start.",
            "Choose holds much longer than the delay of the outcome.",
        ),
        Code(
            "SPIN205", "warning", "gates do not stop a pipeline in the cluster",
            "The gate Workflow is Argo's, applied by Argo CD before the Rollout.",
            "Let CI run `sluice gates check` before it starts the pipeline.",
        ),
    )
}  # fmt: skip
declare(*UNSAID.values())


def unsaid(planned: Planned) -> list[Finding]:
    """Findings about everything in one plan that the pipeline would not do."""
    return [_finding(planned, code, path) for code, path in _found(planned)]


def _found(planned: Planned) -> Iterator[tuple[str, Path]]:
    plan, rollout = planned.plan, planned.plan.rollout
    if rollout.strategy == "blue-green":
        yield "SPIN101", (*ROLLOUT, "strategy")
        return
    if rollout.shadow:
        yield "SPIN102", SHADOW
    for index, _ in rollout.cohort_steps:
        yield "SPIN103", (*STEPS, index)
    if not plan.routing.router.pipelines:
        yield "SPIN106", ROLLOUT
    yield from _guards(plan.guards)
    if plan.gates and "cluster" in plan.enforcement:
        yield "SPIN205", ("spec", "gates")


def _guards(guards: tuple[Guard, ...]) -> Iterator[tuple[str, Path]]:
    if not guards:
        yield "SPIN107", ROLLOUT
        return
    yield "SPIN201", GUARDS
    yield "SPIN202", GUARDS
    for guard in guards:
        path: Path = (*GUARDS, guard.index)
        if isinstance(guard, Parity):
            yield "SPIN105", path
        elif not isinstance(guard, Comparison):
            yield "SPIN104", path
        if guard.no_data == "pause":
            yield "SPIN203", path
        if guard.delay_s:
            yield "SPIN204", path


def _finding(planned: Planned, code: str, path: Path) -> Finding:
    entry = UNSAID[code]
    document, local = planned.written.layers.where(path)
    return document.finding(code, local, f"{entry.title}: {entry.why}", entry.remedy, severity=entry.severity)
