"""Rules about a blue-green strategy (B1, B2) and the anti-affinity that both strategies have (B3 = C20)."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.rollouts.model import as_int, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import BLUE_GREEN, CANARY, RolloutContext, has

_VALIDATION = "pkg/apis/rollouts/validation/validation.go"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@rule(
    "ROL121",
    "error",
    "the active and the preview Service differ",
    scope="rollout",
    hint="Name an activeService, and another one as previewService or none.",
    origin=f"B1 {_VALIDATION}",
)
def two_services(ctx: RolloutContext) -> Iterator[Flaw]:
    """B1 (two missing names are equal too)."""
    strategy = ctx.rollout.blue_green
    if strategy is None or ctx.rollout.canary is not None:
        return
    if as_text(strategy.get("activeService")) == as_text(strategy.get("previewService")):
        yield (*BLUE_GREEN, "activeService"), "the active and the preview Service are the same"


@rule(
    "ROL122",
    "error",
    "old revisions are kept as long as they are to stay scaled up",
    scope="rollout",
    hint="Lower scaleDownDelayRevisionLimit or raise revisionHistoryLimit (10 when left out).",
    origin=f"B2 {_VALIDATION}",
)
def history_covers_delay(ctx: RolloutContext) -> Iterator[Flaw]:
    """B2."""
    strategy = ctx.rollout.blue_green or {}
    history = as_int(ctx.rollout.spec.get("revisionHistoryLimit"), 10)
    if ctx.rollout.canary is None and as_int(strategy.get("scaleDownDelayRevisionLimit"), history) > history:
        yield (*BLUE_GREEN, "scaleDownDelayRevisionLimit"), f"only {history} revisions are kept"


@rule(
    "ROL123",
    "error",
    "anti-affinity is either preferred or required",
    scope="rollout",
    hint="Keep one of the two; a preference has a weight from 1 to 100.",
    origin=f"B3 C20 {_VALIDATION}",
)
def one_anti_affinity(ctx: RolloutContext) -> Iterator[Flaw]:
    """B3, C20."""
    if None not in (ctx.rollout.canary, ctx.rollout.blue_green):
        return
    for base, strategy in ((CANARY, ctx.rollout.canary), (BLUE_GREEN, ctx.rollout.blue_green)):
        if not has(strategy or {}, "antiAffinity"):
            continue
        affinity, path = as_map((strategy or {})["antiAffinity"]), (*base, "antiAffinity")
        if has(affinity, _PREFERRED) == has(affinity, _REQUIRED):
            yield path, "there must be exactly one kind of anti-affinity"
        if has(affinity, _PREFERRED) and not 1 <= as_int(as_map(affinity[_PREFERRED]).get("weight")) <= 100:
            yield (*path, _PREFERRED, "weight"), "the weight must be from 1 to 100"
