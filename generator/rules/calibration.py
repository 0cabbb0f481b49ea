"""The rule on what the past says about the promises of a rollout, from the calibration next to the spec."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.rules.context import Context
from generator.source.finding import Fix
from generator.spec.quantities import plural, share_down, share_up


@rule(
    "CAN112",
    "warning",
    "the past refutes the promised share of false rollbacks",
    scope=Context,
    why="On two groups of pods of one version these guards fired more often than the plan promises, and more often "
    "than chance explains: requests depend on each other, for example because users send several.",
    remedy="Declare the design effect with which the promise held, and let `plan` show what that does to the power.",
    example="""
# specs/shop/ranker.calibration.yaml
schema: sluice/calibration/v1
model: shop/ranker
environment: production
start: "2026-10-01T00:00:00Z"
end: "2026-10-31T00:00:00Z"
hours: []
guards: {}
stable_against_stable:
  guards: 6d804f22d049bc8516a30cfb90b26cf9e2adfbffd5014e1c68477156835e759e
  windows: 300
  days: 28
  promised: 0.05
  fired:
    - {design_effect: 1.0, share: {value: 0.12, low: 0.08, high: 0.17}}
    - {design_effect: 1.3, share: {value: 0.04, low: 0.02, high: 0.07}}
digest: 51c78eaf75f0437288fc9bb6de113c282deb32bbe3613ce0f570614f956598b9
""",
    instead="""
# specs/shop/ranker.yaml
spec: {traffic: {designEffect: 1.3}}
# specs/shop/ranker.calibration.yaml
schema: sluice/calibration/v1
model: shop/ranker
environment: production
start: "2026-10-01T00:00:00Z"
end: "2026-10-31T00:00:00Z"
hours: []
guards: {}
stable_against_stable:
  guards: 6d804f22d049bc8516a30cfb90b26cf9e2adfbffd5014e1c68477156835e759e
  windows: 300
  days: 28
  promised: 0.05
  fired:
    - {design_effect: 1.0, share: {value: 0.12, low: 0.08, high: 0.17}}
    - {design_effect: 1.3, share: {value: 0.04, low: 0.02, high: 0.07}}
digest: 51c78eaf75f0437288fc9bb6de113c282deb32bbe3613ce0f570614f956598b9
""",
    repair="review",
)
def refuted(context: Context) -> Iterator[Problem]:
    """Check that the whole interval of the share of windows in which a guard fired is not above the promise."""
    plan = context.plan
    if plan.calibration is None:
        return
    from generator.odds.stable_pairs import fired_as_planned

    pairs, found = plan.calibration.stable_against_stable, fired_as_planned(plan)
    if pairs is None or found is None or found.share.low <= pairs.promised:
        return
    windows = plural(pairs.windows, "window")
    message = f"stable against stable, a guard fired in {share_down(found.share.value)} of {windows}"
    message += (
        f" (at least {share_down(found.share.low)}); the plan promises at most {share_up(pairs.promised)}"
    )
    path = ("spec", "traffic", "designEffect")
    kept = next((one.design_effect for one in pairs.fired if one.share.value <= pairs.promised), None)
    if kept is None:
        hint = "no design effect keeps the promise: look at the limits, which it does not change"
        yield Problem(("spec", "rollout", "guards"), message, hint)
        return
    hint = f"write `traffic: {{designEffect: {kept:g}}}`, with which it held; `sluice calibrate` shows the odds with it"
    yield Problem(path, message, hint, fix=Fix(path, kept))
