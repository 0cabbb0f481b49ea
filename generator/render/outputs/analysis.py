"""The AnalysisTemplates of a bundle: one that runs in the background, and finite ones for steps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from generator.plan.names import Names
from generator.plan.values import Plan
from generator.promql.metric import Metric
from generator.render.metrics import alive_metric, evidence_metrics, live_metrics, shadow_metrics
from generator.render.output import Output
from generator.render.outputs.pods import shadow_arm
from generator.render.scalars import inert_json
from generator.spec.rollout import BlueGreen, Canary

_TEMPLATE = "kubernetes/analysistemplate.yaml.j2"
_BOTH = ("canary-hash", "stable-hash")
SHADOW_WATCH, SHADOW_EVIDENCE = "shadow-watch", "shadow-evidence"


def analyses(plan: Plan) -> Iterator[Output]:
    """Yield all AnalysisTemplates of a bundle."""
    if isinstance(plan.rollout, BlueGreen):
        yield from _blue_green(plan, plan.rollout)
    else:
        yield from _canary(plan, plan.rollout)


def _canary(plan: Plan, rollout: Canary) -> Iterator[Output]:
    names = Names(plan.identity.model)
    background = live_metrics(plan)
    if background:
        yield _template("guards", names.guards, background, _BOTH)
    for position, _ in enumerate(rollout.steps):
        metrics = evidence_metrics(plan, position)
        if metrics:
            yield _template(f"evidence-{position}", names.evidence(position), metrics, _BOTH)
    if rollout.shadow:
        during, after = shadow_metrics(plan, rollout.shadow, shadow_arm(plan))
        if during:
            yield _template(SHADOW_WATCH, f"{names.model}-{SHADOW_WATCH}", during, ())
        if after:
            yield _template(SHADOW_EVIDENCE, f"{names.model}-{SHADOW_EVIDENCE}", after, ())


def _blue_green(plan: Plan, rollout: BlueGreen) -> Iterator[Output]:
    names = Names(plan.identity.model)
    yield Output(
        "analysistemplate-preview.yaml", "kubernetes/analysistemplate-preview.yaml.j2", _smoke(plan, names)
    )
    metrics = live_metrics(plan)
    if metrics:
        yield _template("watch", names.watch, [*metrics, alive_metric(plan, rollout)], ("canary-hash",))


def _template(role: str, name: str, metrics: Sequence[Metric], arguments: Sequence[str]) -> Output:
    context = {"name": name, "metrics": list(metrics), "arguments": used_arguments(metrics, arguments)}
    return Output(f"analysistemplate-{role}.yaml", _TEMPLATE, context)


def used_arguments(metrics: Sequence[Metric], arguments: Sequence[str]) -> list[str]:
    """Return those of some arguments that a query of the metrics uses."""
    return [argument for argument in arguments if any(f"{{{{args.{argument}}}}}" in m.query for m in metrics)]


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


_SMOKE_OF_CONTAINER = _SMOKE.replace("url, path, payload = sys", "url, path, payload, ready = sys").replace(
    '"/readyz"', "ready"
)


def _smoke(plan: Plan, names: Names) -> dict[str, object]:
    server = plan.server
    payload = inert_json(json.loads(server.example)) if server.example else ""
    url = f"http://{names.preview}.{plan.identity.namespace}.svc"
    arguments = [url, server.path, payload, *([] if plan.bento else [server.ready])]
    script = _SMOKE if plan.bento else _SMOKE_OF_CONTAINER
    return {"script": script, "arguments": arguments, "placement": plan.pod.placement}
