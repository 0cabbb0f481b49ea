"""Rules on releases that nothing judges, and on analyses that come too late or too early to judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.controller import go_duration, int_value, is_templated, pause_seconds
from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, as_int, as_map, as_text, each, has
from generator.lint.rollout import BLUE_GREEN, CANARY
from generator.lint.rules.contexts import RolloutContext, UseContext
from generator.source.document import Path

_ANALYSIS: Final[Path] = (*CANARY, "analysis")
_ARGS: Final = "args: [{name: hash, value: x}]"
_STARTING: Final = (
    "spec: {{strategy: {{canary: {{steps: [{{setWeight: 50}}, {{pause: {{}}}}], "
    "analysis: {{startingStep: {}, templates: [{{templateName: quality}}], "
    f"{_ARGS.replace('{', '{{').replace('}', '}}')}"
    "}}}}}}}}\n---\n{{interval: 1m, count: }}\n"
)
_USE: Final = f"{{templates: [{{templateName: quality}}], {_ARGS}}}"


@rule(
    "ANA446",
    "warning",
    "nothing judges a new version before it reaches everybody",
    scope=RolloutContext,
    why="Without an analysis, and without a pause that a person ends, a new version is promoted by the clock, or as "
    "soon as its pods are ready: a bad one reaches all users.",
    remedy="Add an analysis, or a pause without a duration (blue-green: `autoPromotionEnabled: false`).",
    example="spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {duration: 10m}}]}}}",
    instead="spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {}}]}}}",
    source="Argo Rollouts 1.10, rollout/canary.go and rollout/bluegreen.go",
)
def nobody_judges(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a Rollout has an analysis, an experiment, a plugin's step, or a pause without an end."""
    if ctx.rollout.uses:
        return
    strategy = ctx.rollout.blue_green
    if strategy is not None and strategy.get("autoPromotionEnabled") is not False:
        message = "there is no analysis, and the new version is promoted as soon as its pods are ready"
        yield Problem(BLUE_GREEN, message, on_key=True)
    if ctx.rollout.canary is None or ctx.rollout.blue_green is not None:
        return
    steps = ctx.rollout.steps
    if any(_judges(step) for _, step in steps):
        return
    what = "the new version reaches everybody by the clock" if steps else "there are no steps"
    yield Problem(CANARY, f"there is no analysis, and no pause for a person: {what}", on_key=True)


def _judges(step: Body) -> bool:
    """Return whether a step can stop a version, or waits for a person."""
    waits = has(step, "pause") and not has(as_map(step["pause"]), "duration")
    return waits or has(step, "analysis") or has(step, "experiment") or has(step, "plugin")


@rule(
    "ANA431",
    "error",
    "the background analysis never starts",
    scope=RolloutContext,
    why="The controller starts the background run with the step of that number. There is no such step, so it never "
    "starts, and nothing guards the release.",
    remedy="Set `analysis.startingStep` to the number of a step, counted from 0.",
    example=_STARTING.format(9),
    instead=_STARTING.format(1),
    source="Argo Rollouts 1.10, utils/replicaset/canary.go, BeforeStartingStep",
)
def never_starts(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that `startingStep` is the number of a step."""
    start = as_map((ctx.rollout.canary or {}).get("analysis")).get("startingStep")
    steps = len(ctx.rollout.steps)
    if isinstance(start, int) and start >= steps > 0:
        message = f"`startingStep: {start}`, and the last of the {steps} steps is {steps - 1}"
        yield Problem((*_ANALYSIS, "startingStep"), message)


@rule(
    "ANA432",
    "warning",
    "a background analysis needs longer to fail than the release takes",
    scope=UseContext,
    why="A metric fails with its first failure above `failureLimit`, one per interval, and the run ends with the "
    "promotion: a bad version is promoted first.",
    remedy="Lower `failureLimit` or the interval, or make the pauses longer.",
    example=f"""\
spec:
  strategy:
    canary:
      steps: [{{setWeight: 50}}, {{pause: {{duration: 1m}}}}]
      analysis: {_USE}
---
{{interval: 1m, count: , failureLimit: 5}}
""",
    instead=f"""\
spec:
  strategy:
    canary:
      steps: [{{setWeight: 50}}, {{pause: {{duration: 20m}}}}]
      analysis: {_USE}
---
{{interval: 1m, count: , failureLimit: 5}}
""",
    source="Argo Rollouts 1.10, rollout/analysis.go and analysis/analysis.go",
)
def too_slow(ctx: UseContext) -> Iterator[Problem]:
    """Check that the metrics of the background run can fail while the pauses last, as far as the tree shows."""
    steps = ctx.rollout.steps
    start = as_int(ctx.use.body.get("startingStep"))
    if (
        ctx.use.moment != "background"
        or start >= len(steps)
        or not all(_timed(step) for _, step in steps[start:])
    ):
        return
    pauses = [as_map(step["pause"]) for _, step in steps[start:] if has(step, "pause")]
    length = sum(pause_seconds(pause.get("duration")) for pause in pauses)
    for name, metric in _metrics(ctx):
        if (needed := _first_failure(metric)) is not None and needed > length:
            message = (
                f"`{name}` fails after {_time(needed)} at the earliest, and the pauses last {_time(length)}"
            )
            yield Problem(ctx.templates_path, message)


def _timed(step: Body) -> bool:
    """Return whether the tree shows how long a step takes: a pause with an end, or a step that is done at once."""
    if has(step, "pause"):
        return pause_seconds(as_map(step["pause"]).get("duration", -1)) >= 0 and has(
            as_map(step["pause"]), "duration"
        )
    return not any(has(step, kind) for kind in ("analysis", "experiment", "plugin"))


def _metrics(ctx: UseContext) -> Iterator[tuple[str, Body]]:
    for template in ctx.templates:
        for _, metric in each(template.spec.get("metrics"), ()):
            yield as_text(metric.get("name")), metric


def _first_failure(metric: Body) -> float | None:
    """Return the seconds until a metric can have failed, None when an argument hides them."""
    if is_templated(metric.get("failureLimit")) or has(as_map(metric.get("provider")), "job"):
        return None
    delay, interval = (go_duration(as_text(metric.get(key)) or "0") for key in ("initialDelay", "interval"))
    limit = int_value(metric.get("failureLimit"))
    return None if delay is None or interval is None or limit < 0 else delay + limit * interval


def _time(value: float) -> str:
    minutes, rest = divmod(int(value), 60)
    return f"{minutes:,} min" + (f" {rest} s" if rest else "") if minutes else f"{rest} s"


@rule(
    "ANA435",
    "warning",
    "an analysis measures before the canary has any data",
    scope=UseContext,
    why="The only measurement comes directly after the first weight, before the first samples of the canary are "
    "scraped: the query has no data, and every release fails or passes on nothing.",
    remedy="Put a pause before the analysis, or give the metric an `initialDelay`.",
    example=f"spec: {{strategy: {{canary: {{steps: [{{setWeight: 5}}, {{analysis: {_USE}}}]}}}}}}\n---\n"
    "{count: 1, failureLimit: 0}\n",
    instead=f"spec: {{strategy: {{canary: {{steps: [{{setWeight: 5}}, {{analysis: {_USE}}}]}}}}}}\n---\n"
    "{count: 1, failureLimit: 0, initialDelay: 5m}\n",
    source="Argo Rollouts 1.10, rollout/analysis.go",
)
def too_early(ctx: UseContext) -> Iterator[Problem]:
    """Check that the single measurement of a step does not come directly after the first weight."""
    if ctx.use.moment != "step" or not _follows_first_weight(ctx):
        return
    for name, metric in _metrics(ctx):
        provider = as_map(metric.get("provider"))
        single = int_value(metric.get("count")) == 1 or not (metric.get("count") or metric.get("interval"))
        if single and not metric.get("initialDelay") and not _asks_itself(provider):
            yield Problem(ctx.use.path, f"`{name}` measures once, before the canary has any samples")


def _asks_itself(provider: Body) -> bool:
    """Return whether a provider does not read the requests that the canary got before."""
    return any(has(provider, kind) for kind in ("job", "web", "kayenta", "plugin"))


def _follows_first_weight(ctx: UseContext) -> bool:
    """Return whether no step before this one waits after the canary got its first pods."""
    index = int(ctx.use.path[len(CANARY) + 1])
    before = [step for _, step in ctx.rollout.steps[:index]]
    weighted = any(as_int(step.get("setWeight")) > 0 for step in before)
    waits = any(has(step, kind) for step in before for kind in ("pause", "analysis", "experiment", "plugin"))
    return weighted and not waits
