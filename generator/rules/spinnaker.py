"""Features of a plan that a Spinnaker pipeline with Kayenta lacks: an error if the release would be less safe."""

from __future__ import annotations

from collections.abc import Iterator

from generator.dataclass import dataclass
from generator.lint.engine import Problem, rule, run, to_finding
from generator.plan.guards import Comparison, Guard, Parity
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.rules.context import GATES, GUARDS, ROLLOUT, SHADOW, STEPS
from generator.source.document import Path
from generator.source.finding import Finding

_KAYENTA = "Spinnaker Kayenta, kayenta-judge (NetflixACAJudge, MannWhitneyClassifier)"
_STAGES = "Spinnaker Orca, orca-kayenta and orca-clouddriver (stages of a pipeline)"


@dataclass(frozen=True, slots=True)
class PipelineContext:
    """One plan that is written as a pipeline."""

    planned: Planned

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.planned.plan

    @property
    def is_canary(self) -> bool:
        """Whether it is a canary; a blue-green needs no further checks."""
        return self.plan.rollout.strategy == "canary"

    def guards(self) -> Iterator[tuple[Path, Guard]]:
        """Yield the guards of its canary, with their paths."""
        for guard in self.plan.guards if self.is_canary else ():
            yield (*GUARDS, guard.index), guard


def unsupported_features(planned: Planned) -> list[Finding]:
    """Return findings about every part of a plan that the pipeline does not support."""
    found = []
    for _, code, problem in run([PipelineContext(planned)]):
        document, local = planned.source.layers.where(problem.path)
        found.append(to_finding(code, Problem(local, problem.message), document))
    return found


@rule(
    "SPIN101",
    "error",
    "a blue-green can't be a canary pipeline",
    scope=PipelineContext,
    why="Kayenta compares two versions under the same traffic; before a switch one of them has none.",
    remedy="Use `strategy: canary`, or release this model with Argo Rollouts.",
    example="spec: {rollout: {strategy: blue-green, approve: manual}}\n$ sluice spinnaker shop/ranker",
    source=_STAGES,
)
def blue_green(context: PipelineContext) -> Iterator[Problem]:
    """Check that the strategy is a canary."""
    if not context.is_canary:
        yield Problem((*ROLLOUT, "strategy"), "a blue-green can't be written as a canary pipeline")


@rule(
    "SPIN102",
    "error",
    "a pipeline can't have a shadow",
    scope=PipelineContext,
    why="No stage of Spinnaker mirrors requests and removes the mirror again.",
    remedy="Remove `shadow`, or release this model with Argo Rollouts.",
    example="spec: {rollout: {shadow: {percent: 20%, hold: 24h}}}\n$ sluice spinnaker shop/ranker",
    source=_STAGES,
)
def shadow(context: PipelineContext) -> Iterator[Problem]:
    """Check that the canary has no shadow."""
    if context.plan.rollout.shadow:
        yield Problem(SHADOW, "no stage of Spinnaker mirrors requests to a shadow")


@rule(
    "SPIN103",
    "error",
    "a pipeline can't have a cohort",
    scope=PipelineContext,
    why="The Rollouts controller adds and removes the header route of a cohort; no stage of Spinnaker does that.",
    remedy="Remove the cohort step, or release this model with Argo Rollouts.",
    example="""
spec: {rollout: {steps: [{cohort: {header: x-cohort, exact: staff}, hold: 10m}, {weight: 5%, hold: 60m}]}}
$ sluice spinnaker shop/ranker
""",
    source=_STAGES,
)
def cohort(context: PipelineContext) -> Iterator[Problem]:
    """Check that no step has a cohort."""
    for index, _ in context.plan.rollout.cohort_steps:
        yield Problem((*STEPS, index), "no stage of Spinnaker routes a cohort by header")


@rule(
    "SPIN104",
    "error",
    "Kayenta can't check an absolute limit",
    scope=PipelineContext,
    why="Kayenta's judge only compares with the control: a canary as bad as its control would pass any limit.",
    remedy="Write `detect` instead of `limit`, and let an alert watch the limit.",
    example="""
spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}}, {metric: error-rate, limit: 5%}]}}
$ sluice spinnaker shop/ranker
""",
    source=_KAYENTA,
)
def limit(context: PipelineContext) -> Iterator[Problem]:
    """Check that every guard but fairness compares with stable."""
    for path, guard in context.guards():
        if not isinstance(guard, Parity | Comparison):
            yield Problem(
                path, f"Kayenta can't check the limit of `{guard.name}`: it only compares with the control"
            )


@rule(
    "SPIN105",
    "error",
    "Kayenta can't check fairness",
    scope=PipelineContext,
    why="Fairness compares groups within one version; Kayenta's judge compares one number between two versions.",
    remedy="Use a fairness gate, or release this model with Argo Rollouts.",
    example="""
spec:
  rollout:
    guards:
      - {outcome: ctr, detect: {drop: 10%}}
      - {fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}
$ sluice spinnaker shop/ranker
""",
    source=_KAYENTA,
)
def fairness(context: PipelineContext) -> Iterator[Problem]:
    """Check that no guard compares groups."""
    for path, guard in context.guards():
        if isinstance(guard, Parity):
            yield Problem(
                path, f"Kayenta can't check `{guard.name}`: it does not compare groups within one version"
            )


@rule(
    "SPIN106",
    "error",
    "a pipeline can't set the weights of this router",
    scope=PipelineContext,
    why="The pipeline writes weights into the route; this router has none, or another controller owns them.",
    remedy="Use gateway-api or istio.",
    example="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: traefik}}}}
$ sluice spinnaker shop/ranker
""",
    source=_STAGES,
)
def router(context: PipelineContext) -> Iterator[Problem]:
    """Check that the router has weights that a pipeline can write."""
    routing = context.plan.routing
    if context.is_canary and not routing.router.pipelines:
        yield Problem(ROLLOUT, f"a pipeline can't set the weights of the router `{routing.kind}`")


@rule(
    "SPIN107",
    "error",
    "a canary pipeline has no metric",
    scope=PipelineContext,
    why="Kayenta needs at least one metric; a pipeline without any would only wait.",
    remedy="Add a guard with `detect`.",
    example="spec: {rollout: {guards: []}}\n$ sluice spinnaker shop/ranker",
    source=_KAYENTA,
)
def unguarded(context: PipelineContext) -> Iterator[Problem]:
    """Check that the canary has a guard."""
    if context.is_canary and not context.plan.guards:
        yield Problem(ROLLOUT, "without a guard Kayenta has nothing to compare")


@rule(
    "SPIN201",
    "warning",
    "Kayenta's test replaces the sequential test",
    scope=PipelineContext,
    why="Kayenta compares samples with the Mann-Whitney test at a fixed confidence: the plan's bound on false "
    "rollbacks and its power do not hold, and each further measurement makes a false alarm more likely.",
    remedy="Use the odds of `sluice plan` for Argo Rollouts only, not for this pipeline.",
    example="$ sluice spinnaker shop/ranker",
    source=_KAYENTA,
)
def other_test(context: PipelineContext) -> Iterator[Problem]:
    """Report, for every canary with guards, that its odds do not apply."""
    if context.is_canary and context.plan.guards:
        yield Problem(GUARDS, "the odds of the plan do not hold: Kayenta uses the Mann-Whitney test")


@rule(
    "SPIN202",
    "warning",
    "a pipeline does not check for enough evidence",
    scope=PipelineContext,
    why="Before each larger weight the plan checks whether the step had the requests it was planned to have; "
    "Kayenta only checks whether there is any data.",
    remedy="Check the traffic before you approve a manual judgement.",
    example="$ sluice spinnaker shop/ranker",
    source=_KAYENTA,
)
def no_evidence(context: PipelineContext) -> Iterator[Problem]:
    """Report, for every canary with guards, that its evidence checks are lost."""
    if context.is_canary and context.plan.guards:
        yield Problem(GUARDS, "the checks for enough evidence before each larger weight are lost")


@rule(
    "SPIN203",
    "warning",
    "a pipeline can't pause for a person when data is missing",
    scope=PipelineContext,
    why="Kayenta only distinguishes required data from optional data: `noData: pause` becomes `fail`.",
    remedy="Write `noData: fail`, which is what the pipeline does.",
    example="spec: {rollout: {noData: pause}}\n$ sluice spinnaker shop/ranker",
    source=_KAYENTA,
)
def no_pause(context: PipelineContext) -> Iterator[Problem]:
    """Check the policy for missing data of every guard."""
    for path, guard in context.guards():
        if guard.no_data == "pause":
            yield Problem(path, f"missing data of `{guard.name}` would fail instead of pausing for a person")


@rule(
    "SPIN204",
    "warning",
    "late outcomes are compared too early",
    scope=PipelineContext,
    why="The plan ignores the time in which outcomes of the previous weight still arrive; Kayenta waits "
    "only once, at the start.",
    remedy="Use holds that are much longer than the delay of the outcome.",
    example="spec: {outcomes: {ctr: {delay: 60s}}}\n$ sluice spinnaker shop/ranker",
    source=_KAYENTA,
)
def late(context: PipelineContext) -> Iterator[Problem]:
    """Check that no guard has outcomes that arrive late."""
    for path, guard in context.guards():
        if guard.delay_s:
            yield Problem(
                path, f"the outcomes of `{guard.name}` arrive late, and Kayenta compares before they do"
            )


@rule(
    "SPIN205",
    "warning",
    "gates in the cluster do not stop a pipeline",
    scope=PipelineContext,
    why="The gate Workflow belongs to Argo: Argo CD applies it before the Rollout, and a pipeline does not wait for "
    "it.",
    remedy="Let CI run `sluice gates check` before it starts the pipeline.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {evidence: [cluster]}}}
$ sluice spinnaker shop/ranker
""",
    source=_STAGES,
)
def gates(context: PipelineContext) -> Iterator[Problem]:
    """Check that no gate is enforced in the cluster."""
    if context.is_canary and context.plan.gates and "cluster" in context.plan.enforcement:
        yield Problem(GATES, "the gates run in the cluster, where they do not stop a pipeline")
