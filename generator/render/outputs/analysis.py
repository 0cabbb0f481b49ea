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
from generator.spec.prometheus import KeyOf, Prometheus
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
    names = Names.of(plan)
    background = live_metrics(plan)
    if background:
        yield _template(plan, "guards", names.guards, background, _BOTH)
    for position, _ in enumerate(rollout.steps):
        metrics = evidence_metrics(plan, position)
        if metrics:
            yield _template(plan, f"evidence-{position}", names.evidence(position), metrics, _BOTH)
    if rollout.shadow:
        during, after = shadow_metrics(plan, rollout.shadow, shadow_arm(plan))
        if during:
            yield _template(plan, SHADOW_WATCH, f"{names.model}-{SHADOW_WATCH}", during, ())
        if after:
            yield _template(plan, SHADOW_EVIDENCE, f"{names.model}-{SHADOW_EVIDENCE}", after, ())


def _blue_green(plan: Plan, rollout: BlueGreen) -> Iterator[Output]:
    names = Names.of(plan)
    yield Output(
        "analysistemplate-preview.yaml", "kubernetes/analysistemplate-preview.yaml.j2", _smoke(plan, names)
    )
    metrics = live_metrics(plan)
    if metrics:
        yield _template(plan, "watch", names.watch, [*metrics, alive_metric(plan, rollout)], ("canary-hash",))


def _template(
    plan: Plan, role: str, name: str, metrics: Sequence[Metric], arguments: Sequence[str]
) -> Output:
    context = {
        "name": name,
        "metrics": list(metrics),
        "arguments": used_arguments(metrics, arguments),
        "access": prometheus_access(plan.prometheus),
    }
    return Output(f"analysistemplate-{role}.yaml", _TEMPLATE, context)


def prometheus_access(prometheus: Prometheus) -> dict[str, object]:
    """Return the fields of the provider that reach a Prometheus, and the Secrets that its arguments read.

    Argo Rollouts 1.10, metricproviders/prometheus: headers and `authentication` may name arguments, and arguments of a
    template may come from Secrets of the namespace, which the controller reads for each measurement.
    """
    secrets: list[dict[str, str]] = []

    def argument(name: str, found: KeyOf) -> str:
        secrets.append({"argument": name, "name": found.secret, "key": found.key})
        return f"{{{{args.{name}}}}}"

    headers = []
    for number, header in enumerate(prometheus.headers or ()):
        secret = header.from_secret
        value = argument(f"header-{number}", secret) if secret else header.value or ""
        headers.append({"key": header.name, "value": value})
    fields: dict[str, object] = {}
    given = prometheus.credentials
    if given and given.basic:
        headers.append({"key": "Authorization", "value": f"Basic {argument('basic', given.basic)}"})
    if given and given.bearer:
        headers.append({"key": "Authorization", "value": f"Bearer {argument('bearer', given.bearer)}"})
    if given and given.oauth2:
        oauth2: dict[str, object] = {
            "tokenUrl": given.oauth2.token_url,
            "clientId": argument("client-id", given.oauth2.client_id),
            "clientSecret": argument("client-secret", given.oauth2.client_secret),
        }
        scopes = {"scopes": given.oauth2.scopes} if given.oauth2.scopes else {}
        fields["authentication"] = {"oauth2": oauth2 | scopes}
    if given and given.sigv4:
        sigv4 = {
            "region": given.sigv4.region,
            "profile": given.sigv4.profile,
            "roleArn": given.sigv4.role_arn,
        }
        fields["authentication"] = {"sigv4": {name: value for name, value in sigv4.items() if value}}
    if headers:
        fields["headers"] = headers
    if prometheus.insecure:
        fields["insecure"] = True
    return {"secrets": secrets, "fields": fields}


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
