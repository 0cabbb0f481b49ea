"""Guards as AnalysisTemplates: one for the background (no end), and finite ones for steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from generator.plan.names import PREDICT, Names
from generator.plan.strategy import BlueGreen, Canary, Shadow
from generator.plan.values import Plan
from generator.render.metrics import (
    Metric,
    alive_metric,
    evidence_metrics,
    guard_metrics,
    shadow_metrics,
    watch_metrics,
)  # fmt: skip
from generator.render.output import Output
from generator.render.outputs.pods import shadow_arm
from generator.render.scalars import inert_json

_TEMPLATE = "kubernetes/analysistemplate.yaml.j2"
_BOTH = ("canary-hash", "stable-hash")
_SHADOW_LOOKS = 200
SHADOW_WATCH, SHADOW_EVIDENCE = "shadow-watch", "shadow-evidence"


def analyses(plan: Plan) -> Iterator[Output]:
    """All AnalysisTemplates of a bundle."""
    if isinstance(plan.rollout, BlueGreen):
        yield from _blue_green(plan, plan.rollout)
    else:
        yield from _canary(plan, plan.rollout)


def _canary(plan: Plan, rollout: Canary) -> Iterator[Output]:
    names = Names(plan.identity.model)
    background = [metric for guard in rollout.guards for metric in guard_metrics(plan, guard)]
    if background:
        yield _template("guards", names.guards, background, _BOTH)
    for position in evidence_positions(rollout):
        metrics = [metric for guard in rollout.guards for metric in evidence_metrics(plan, guard, position)]
        if metrics:
            yield _template(f"evidence-{position}", names.evidence(position), metrics, _BOTH)
    if rollout.shadow and rollout.shadow.guards:
        yield from _shadow(plan, names, rollout.shadow)


def evidence_positions(rollout: Canary) -> list[int]:
    """Indices of the weight steps: before each widening, and before promotion, the step must have seen enough."""
    return [index for index, step in enumerate(rollout.steps) if step.weight is not None]


def has_evidence(plan: Plan, rollout: Canary, position: int) -> bool:
    """Whether there is anything to ask for at the end of this step."""
    return any(True for guard in rollout.guards for _ in evidence_metrics(plan, guard, position))


def shadow_interval(plan: Plan, shadow: Shadow) -> float:
    """Seconds between two looks at a shadow: the platform's interval or a multiple of it, for at most 200 looks."""
    look_s = plan.monitoring.look_s
    return max(1, math.ceil(shadow.hold_s / _SHADOW_LOOKS / look_s)) * look_s


def _shadow(plan: Plan, names: Names, shadow: Shadow) -> Iterator[Output]:
    arm, interval = shadow_arm(plan), shadow_interval(plan, shadow)
    watch = [m for guard in shadow.guards for m in shadow_metrics(plan, guard, arm, shadow.hold_s, interval)]
    proof = [m for guard in shadow.guards for m in shadow_metrics(plan, guard, arm, shadow.hold_s, 0)]
    yield _template(SHADOW_WATCH, f"{names.model}-{SHADOW_WATCH}", watch, ())
    yield _template(SHADOW_EVIDENCE, f"{names.model}-{SHADOW_EVIDENCE}", proof, ())


def _blue_green(plan: Plan, rollout: BlueGreen) -> Iterator[Output]:
    names = Names(plan.identity.model)
    yield Output(
        "analysistemplate-preview.yaml", "kubernetes/analysistemplate-preview.yaml.j2", _smoke(plan, names)
    )
    metrics = [metric for guard in rollout.guards for metric in watch_metrics(plan, guard, rollout.watch_s)]
    if metrics:
        watched = [*metrics, alive_metric(plan, rollout)]
        yield _template("watch", names.watch, watched, ("canary-hash",))


def _template(role: str, name: str, metrics: Sequence[Metric], arguments: Sequence[str]) -> Output:
    used = [argument for argument in arguments if any(f"{{{{args.{argument}}}}}" in m.query for m in metrics)]
    context = {"name": name, "metrics": list(metrics), "arguments": used}
    return Output(f"analysistemplate-{role}.yaml", _TEMPLATE, context)


_SMOKE = """\
import sys, time, urllib.request
url, path, payload = sys.argv[1:]
def ask(path, data=None):
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url + path, data, headers), timeout=30) as answer:
        return answer.status
for attempt in range(10):
    try:
        ask("/readyz")
        break
    except OSError:
        time.sleep(3)
status = ask(path, payload.encode()) if payload else ask("/readyz")
print("answered", status)
sys.exit(0 if 200 <= status < 300 else 1)"""


def _smoke(plan: Plan, names: Names) -> dict[str, object]:
    payload = inert_json({"rows": [plan.bento.examples[0]]}) if plan.bento.examples else ""
    url = f"http://{names.preview}.{plan.identity.namespace}.svc"
    return {"script": _SMOKE, "arguments": [url, PREDICT, payload]}
